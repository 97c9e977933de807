//! Tables of results, for people and for other programs.

/// Rows of text under a head.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Table {
    /// Names of the columns.
    pub head: Vec<String>,
    /// Rows; one that is shorter than the head has empty cells at its end.
    pub rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with these columns and no rows.
    #[must_use]
    pub fn new(head: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { head: head.into_iter().map(Into::into).collect(), rows: Vec::new() }
    }

    fn cell(&self, row: &[String], column: usize) -> String {
        row.get(column).cloned().unwrap_or_default()
    }

    /// For a terminal: columns of even width, two blanks between, numbers to the right.
    #[must_use]
    pub fn plain(&self) -> String {
        let width = |c: usize| {
            let cells = self.rows.iter().map(|r| self.cell(r, c).chars().count());
            cells.chain([self.head[c].chars().count()]).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..self.head.len()).map(width).collect();
        let is_number = |text: &str| text.starts_with(|c: char| c.is_ascii_digit() || c == '-' || c == '.');
        let line = |row: &[String], is_head: bool| {
            let cells = widths.iter().enumerate().map(|(c, width)| {
                let text = self.cell(row, c);
                let numbers = self.rows.first().is_some_and(|first| is_number(&self.cell(first, c)));
                let pad = " ".repeat(width.saturating_sub(text.chars().count()));
                if numbers && (is_head || is_number(&text)) { format!("{pad}{text}") } else { format!("{text}{pad}") }
            });
            format!("  {}", cells.collect::<Vec<_>>().join("  ")).trim_end().to_owned()
        };
        let head = line(&self.head, true);
        std::iter::once(head).chain(self.rows.iter().map(|r| line(r, false))).collect::<Vec<_>>().join("\n")
    }

    /// As a table of Markdown.
    #[must_use]
    pub fn markdown(&self) -> String {
        let line = |row: &[String]| {
            let cells: Vec<String> = (0..self.head.len()).map(|c| self.cell(row, c).replace('|', "\\|")).collect();
            format!("| {} |\n", cells.join(" | "))
        };
        let rule = format!("| {} |\n", vec!["---"; self.head.len()].join(" | "));
        let rows: String = self.rows.iter().map(|row| line(row)).collect();
        format!("{}{rule}{rows}", line(&self.head))
    }

    /// For other programs: comma-separated values (RFC 4180), with a newline after every row.
    ///
    /// A cell that a spreadsheet would take for a formula begins with an apostrophe.
    #[must_use]
    pub fn csv(&self) -> String {
        let quoted = |text: &str| {
            let is_formula =
                text.starts_with(['=', '+', '@']) || (text.starts_with('-') && text.parse::<f64>().is_err());
            let text = if is_formula { format!("'{text}") } else { text.to_owned() };
            if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
        };
        let line = |row: &[String]| {
            (0..self.head.len()).map(|c| quoted(&self.cell(row, c))).collect::<Vec<_>>().join(",") + "\n"
        };
        std::iter::once(&self.head).chain(&self.rows).map(|row| line(row)).collect()
    }

    /// A table as [`csv`](Self::csv) writes it; `None` if it is not of these columns, or cut off in a cell.
    #[must_use]
    pub fn read(csv: &str, head: &[&str]) -> Option<Self> {
        let mut rows: Vec<Vec<String>> = Vec::new();
        let (mut row, mut cell, mut quoted) = (Vec::new(), String::new(), false);
        let mut signs = csv.chars().peekable();
        let ended = |cell: &mut String| {
            let text = std::mem::take(cell);
            match text.strip_prefix('\'') {
                Some(rest) if rest.starts_with(['=', '+', '@', '-']) => rest.to_owned(),
                _ => text,
            }
        };
        while let Some(sign) = signs.next() {
            match sign {
                '"' if quoted && signs.next_if_eq(&'"').is_some() => cell.push('"'),
                '"' => quoted = !quoted,
                ',' if !quoted => row.push(ended(&mut cell)),
                '\n' if !quoted => {
                    row.push(ended(&mut cell));
                    rows.push(std::mem::take(&mut row));
                }
                sign => cell.push(sign),
            }
        }
        let whole = cell.is_empty() && row.is_empty() && !quoted && rows.first().is_some_and(|first| first == head);
        (whole && rows.iter().all(|row| row.len() == head.len())).then(|| {
            rows.remove(0);
            Self { head: head.iter().map(|name| (*name).to_owned()).collect(), rows }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(head: &[&str], rows: &[&[&str]]) -> Table {
        let mut table = Table::new(head.iter().copied());
        table.rows = rows.iter().map(|r| r.iter().map(|c| (*c).to_owned()).collect()).collect();
        table
    }

    #[test]
    fn columns_are_as_wide_as_their_widest_cell_and_numbers_stand_to_the_right() {
        let plain = table(&["k", "word"], &[&["0.3", "cat"], &["10", "a hat"]]).plain();
        assert_eq!(plain, "    k  word\n  0.3  cat\n   10  a hat");
    }

    #[test]
    fn a_short_row_has_empty_cells() {
        let table = table(&["a", "b"], &[&["x"]]);
        assert_eq!((table.plain().as_str(), table.csv().as_str()), ("  a  b\n  x", "a,b\nx,\n"));
    }

    #[test]
    fn cells_with_commas_quotes_and_formulas_are_kept_apart_and_harmless() {
        let csv = table(&["a"], &[&["1,2"], &["say \"x\""], &["=1+1"], &["-3.5"], &["-x"]]).csv();
        assert_eq!(csv, "a\n\"1,2\"\n\"say \"\"x\"\"\"\n'=1+1\n-3.5\n'-x\n");
    }

    #[test]
    fn a_table_is_read_back_as_it_was_and_one_of_other_columns_or_cut_off_is_not() {
        let table =
            table(&["a", "b"], &[&["1,2", "say \"x\""], &["=1+1", "-x"], &["-3.5", "two\nlines"], &["", "it's"]]);
        let csv = table.csv();
        assert_eq!(Table::read(&csv, &["a", "b"]).unwrap(), table);
        assert_eq!(Table::read(&csv, &["a", "c"]), None);
        assert_eq!(Table::read(&csv[..csv.len() - 1], &["a", "b"]), None);
        assert_eq!(Table::read("a,b\n\"x,y\n", &["a", "b"]), None);
        assert_eq!(Table::read("", &["a", "b"]), None);
    }

    #[test]
    fn markdown_keeps_bars_within_their_cells() {
        assert_eq!(table(&["a", "b"], &[&["x|y"]]).markdown(), "| a | b |\n| --- | --- |\n| x\\|y |  |\n");
    }
}

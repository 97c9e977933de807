//! Many ways back in a few numbers.

use super::{LONGEST, Row, ways};
use crate::study::table::Table;

const COLUMNS: [&str; 14] = [
    "study",
    "chain",
    "edits",
    "method",
    "in_one",
    "taken_back",
    "identical",
    "max_abs",
    "psnr",
    "ssim",
    "seconds",
    "evaluations",
    "foretold",
    "changes",
];

/// Everything, a row a way back. `study` tells it from other studies.
#[must_use]
pub fn csv(rows: &[Row], study: &str) -> String {
    let mut table = Table::new(COLUMNS);
    for row in rows {
        table.rows.push(vec![
            study.to_owned(),
            row.chain.to_string(),
            row.edits.to_string(),
            row.method.to_owned(),
            row.in_one.to_string(),
            row.taken_back.to_string(),
            row.identical.to_string(),
            format!("{:.6}", row.max_abs),
            format!("{:.3}", row.psnr),
            format!("{:.5}", row.ssim),
            format!("{:.3}", row.seconds),
            row.evaluations.to_string(),
            row.told.map(|exact| if exact { "exact" } else { "not exact" }).unwrap_or_default().to_owned(),
            row.changes.clone(),
        ]);
    }
    table.csv()
}

/// The rows of a study's [`csv`], to go on with it; `None` if it is of another study or another form.
#[must_use]
pub fn read(csv: &str, study: &str) -> Option<Vec<Row>> {
    let mut lines = csv.lines();
    if lines.next()? != COLUMNS.join(",") {
        return None;
    }
    lines.map(|line| read_row(line, study)).collect()
}

fn read_row(line: &str, study: &str) -> Option<Row> {
    // Only the last cell may hold commas.
    let mut cells = line.splitn(COLUMNS.len(), ',');
    let mut next = || cells.next();
    if next()? != study {
        return None;
    }
    let (chain, edits, method) = (next()?.parse().ok()?, next()?.parse().ok()?, next()?);
    let method = ways().iter().find(|way| way.name == method)?.name;
    let row = Row {
        chain,
        edits,
        method,
        in_one: next()?.parse().ok()?,
        taken_back: next()?.parse().ok()?,
        identical: next()?.parse().ok()?,
        max_abs: next()?.parse().ok()?,
        psnr: next()?.parse().ok()?,
        ssim: next()?.parse().ok()?,
        seconds: next()?.parse().ok()?,
        evaluations: next()?.parse().ok()?,
        told: match next()? {
            "exact" => Some(true),
            "not exact" => Some(false),
            _ => None,
        },
        changes: next()?.trim_matches('"').trim_start_matches('\'').replace("\"\"", "\""),
    };
    Some(row)
}

/// A conversation in one line: for each method the median PSNR of its single steps, or how many came back bit for bit.
#[must_use]
pub fn line(rows: &[Row]) -> String {
    let one = |name: &'static str| {
        let steps: Vec<&Row> = rows.iter().filter(|r| r.method == name && !r.in_one).collect();
        if steps.iter().all(|r| r.identical) {
            return format!("{name} identical");
        }
        format!("{name} {}", decibels(quartiles(steps.iter().map(|r| r.psnr))[1]))
    };
    let edits = rows.first().map_or(0, |r| r.edits);
    let methods: Vec<String> = ways().iter().map(|way| one(way.name)).collect();
    format!("{edits} edits · {}", methods.join(" · "))
}

/// First quartile, median and third quartile; of an even number the lower of the two in the middle. Zeros of nothing.
#[must_use]
pub fn quartiles(values: impl Iterator<Item = f64>) -> [f64; 3] {
    let mut sorted: Vec<f64> = values.collect();
    sorted.sort_by(f64::total_cmp);
    [0.25, 0.5, 0.75].map(|share| {
        let last = sorted.len().saturating_sub(1);
        sorted.get((share * last as f64) as usize).copied().unwrap_or_default()
    })
}

fn decibels(x: f64) -> String {
    if x.is_infinite() { "equal".to_owned() } else { format!("{x:.1}") }
}

fn spread(values: impl Iterator<Item = f64>, shown: impl Fn(f64) -> String) -> String {
    let [low, middle, high] = quartiles(values).map(shown);
    if low == high { middle } else { format!("{middle} ({low} to {high})") }
}

/// A table of the methods over some rows.
fn methods(rows: &[&Row]) -> String {
    let mut out = String::from(
        "| method | came back bit for bit | latents max \\|Δ\\| | PSNR, dB | SSIM | seconds | evaluations |\n\
         | --- | --- | --- | --- | --- | --- | --- |\n",
    );
    for way in ways() {
        let of: Vec<&&Row> = rows.iter().filter(|r| r.method == way.name).collect();
        let identical = of.iter().filter(|r| r.identical).count();
        let column = |value: fn(&Row) -> f64| of.iter().map(move |r| value(r)).collect::<Vec<f64>>().into_iter();
        out.push_str(&format!(
            "| {} | {identical} of {} | {} | {} | {} | {} | {} |\n",
            way.name,
            of.len(),
            spread(column(|r| r.max_abs), |x| if x == 0.0 { "0".to_owned() } else { format!("{x:.2}") }),
            spread(column(|r| r.psnr), decibels),
            spread(column(|r| r.ssim), |x| if x == 1.0 { "1".to_owned() } else { format!("{x:.3}") }),
            spread(column(|r| r.seconds), |x| format!("{x:.2}")),
            spread(column(|r| r.evaluations as f64), |x| format!("{x:.0}")),
        ));
    }
    out
}

/// Median PSNR of the methods by how many edits were taken back as one.
fn by_edits(rows: &[&Row]) -> String {
    let lengths: Vec<usize> = (1..=LONGEST).filter(|n| rows.iter().any(|r| r.taken_back == *n)).collect();
    let of = |n: usize| rows.iter().filter(move |r| r.taken_back == n);
    let conversations = |n: &usize| of(*n).filter(|r| r.method == ways()[0].name).count();
    let head: Vec<String> = lengths.iter().map(ToString::to_string).collect();
    let counts: Vec<String> = lengths.iter().map(|n| conversations(n).to_string()).collect();
    let mut out = format!("| edits | {} |\n|{}\n", head.join(" | "), " --- |".repeat(lengths.len() + 1));
    out.push_str(&format!("| conversations | {} |\n", counts.join(" | ")));
    for way in ways() {
        let cells: Vec<String> = lengths
            .iter()
            .map(|n| {
                let mine: Vec<&&Row> = of(*n).filter(|r| r.method == way.name).collect();
                if mine.iter().all(|r| r.identical) {
                    return "identical".to_owned();
                }
                decibels(quartiles(mine.iter().map(|r| r.psnr))[1])
            })
            .collect();
        out.push_str(&format!("| {} | {} |\n", way.name, cells.join(" | ")));
    }
    out
}

/// The tables of a study, in Markdown.
#[must_use]
pub fn markdown(rows: &[Row]) -> String {
    let part = |in_one: bool| rows.iter().filter(|r| r.in_one == in_one).collect::<Vec<&Row>>();
    let (single, whole) = (part(false), part(true));
    let chains = rows.iter().map(|r| r.chain).max().unwrap_or(0);
    let first = ways()[0].name;
    let steps = single.iter().filter(|r| r.method == first).count();
    let told: Vec<&Row> = rows.iter().filter(|r| r.told.is_some()).collect();
    let right = told.iter().filter(|r| r.told == Some(r.identical)).count();
    format!(
        "Medians, with first and third quartile in brackets.\n\n\
         Edit by edit: each of the {steps} edits of {chains} conversations taken back, and compared with the picture \
         before it.\n\n{}\n\
         As one: all edits of a conversation taken back at once, and compared with its first picture.\n\n{}\n\
         The same by the number of edits: median PSNR in dB.\n\n{}\n\
         What was foretold of our ways back was right in {right} of {} cases.\n",
        methods(&single),
        methods(&whole),
        by_edits(&whole),
        told.len()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quartiles_are_values_that_occurred_and_bear_infinities() {
        assert_eq!(quartiles([3.0, 1.0, 2.0, f64::INFINITY].into_iter()), [1.0, 2.0, 3.0]);
        let far = f64::INFINITY;
        assert_eq!(quartiles([far, 7.0, far, far].into_iter()), [7.0, far, far]);
        assert_eq!(quartiles(std::iter::empty()), [0.0; 3]);
    }

    #[test]
    fn a_table_that_was_written_is_read_again_and_another_studys_is_not() {
        let row = Row {
            chain: 3,
            edits: 2,
            method: "v-inject both",
            in_one: true,
            taken_back: 2,
            changes: "- at night, cat -> dog".to_owned(),
            max_abs: 1.5,
            identical: false,
            psnr: f64::INFINITY,
            ssim: 0.25,
            seconds: 2.0,
            evaluations: 120,
            told: None,
        };
        let rows = vec![row.clone(), Row { told: Some(true), changes: "cat*2".to_owned(), ..row }];
        let written = csv(&rows, "0a1b");
        assert_eq!(read(&written, "0a1b"), Some(rows));
        assert_eq!(read(&written, "ffff"), None);
        assert_eq!(read(&written.replace("evaluations", "samples"), "0a1b"), None);
    }

    #[test]
    fn equal_pictures_are_called_equal_and_one_value_has_no_brackets() {
        assert_eq!(spread([f64::INFINITY; 3].into_iter(), decibels), "equal");
        assert_eq!(spread([20.0, 30.0, 25.0].into_iter(), decibels), "25.0 (20.0 to 25.0)");
    }
}

//! Text in narrow windows: lines broken between words, and places in them pointed at.

use std::io::{self, Write};

use anyhow::Error;

use super::batch::write_error;
use super::reply::tell;
use crate::safe::{cells, cells_of, cut, printable};

/// `text` with lines of at most `columns` cells where words allow it. A continued line begins under the last column of a
/// table's line, if that leaves a third of the room; else with the blanks of its first and `hang` more. A line that fits
/// stays as it is.
#[must_use]
pub fn fold(text: &str, columns: u16, hang: usize) -> String {
    let room = usize::from(columns.max(20)) - 1;
    let mut out = String::with_capacity(text.len() + 16);
    for (i, line) in text.split('\n').enumerate() {
        if i > 0 {
            out.push('\n');
        }
        if cells(line) <= room {
            out.push_str(line);
            continue;
        }
        let lead = line.len() - line.trim_start().len();
        let indent = " ".repeat(column(line, room).unwrap_or(lead + hang).min(room * 2 / 3));
        let mut width = 0;
        let mut is_first = true;
        for word in line.split_inclusive(' ') {
            let length = cells(word.trim_end());
            if !is_first && width + length > room && length > 0 {
                out.truncate(out.trim_end_matches(' ').len());
                out.push('\n');
                out.push_str(&indent);
                width = indent.len();
            }
            // What has no blanks, as Chinese has none, is broken anywhere.
            let mut rest = word;
            while width + cells(rest.trim_end()) > room && rest.chars().any(is_wide) && width < room {
                let part = cut(rest, room - width);
                if part.is_empty() {
                    break;
                }
                out.push_str(part);
                out.push('\n');
                out.push_str(&indent);
                width = indent.len();
                rest = &rest[part.len()..];
            }
            out.push_str(rest);
            width += cells(rest);
            is_first = is_first && word.trim().is_empty();
        }
    }
    out
}

/// Where the last column of a table's line begins that leaves a third of `room`: columns stand two blanks apart or more.
fn column(line: &str, room: usize) -> Option<usize> {
    // A cell that a wide letter takes beside its first counts as a letter.
    let chars: Vec<char> = line.chars().flat_map(|c| std::iter::repeat_n(c, cells_of(c))).collect();
    let begins = |at: &usize| chars[*at] != ' ' && chars[at - 1] == ' ' && chars[at - 2] == ' ';
    let after_words = |at: &usize| chars[..*at].iter().any(|c| *c != ' ');
    (2..chars.len().min(room * 2 / 3)).rev().filter(begins).find(after_words)
}

/// Writes an error below the line that was just typed after `prompt`: carets under the place where that line stands on the
/// screen, what is the case, and one thing to try.
///
/// # Errors
/// Whatever writing gives.
pub fn error_below(error: &Error, typed: &str, prompt: &str, columns: u16, out: &mut dyn Write) -> io::Result<()> {
    let told = tell(error);
    let place = told.span.and_then(|(from, to)| Some((typed.get(..from)?, typed.get(from..to)?)));
    let width = cells(prompt) + cells(typed);
    let Some((before, under)) = place.filter(|_| width < usize::from(columns) && is_sure(typed)) else {
        let mut text = Vec::new();
        write_error(error, Some(typed), &mut text)?;
        return write!(out, "{}", fold(&String::from_utf8_lossy(&text), columns, 2));
    };
    let lead = cells(prompt) + cells(before);
    writeln!(out, "{}{}", " ".repeat(lead), "^".repeat(cells(under).max(1)))?;
    writeln!(out, "{}", fold(&format!("error: {}", printable(&told.message)), columns, 2))?;
    if let Some(hint) = told.hint {
        writeln!(out, "{}", fold(&format!("hint: {}", printable(&hint)), columns, 2))?;
    }
    Ok(())
}

/// Whether terminals agree on the cells that a text takes: each sign has one or two, and none is put together of several.
fn is_sure(text: &str) -> bool {
    text.chars().all(|c| is_wide(c) || matches!(c, ' '..='~' | '\u{a1}'..='\u{ac}' | '\u{ae}'..='\u{2ff}' | '\u{370}'..='\u{482}' | '\u{48a}'..='\u{52f}' | '\u{2190}'..='\u{2193}' | '…' | '’'))
}

fn is_wide(c: char) -> bool {
    cells_of(c) == 2
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::turn::{Misread, Span};

    #[test]
    fn a_long_line_is_broken_between_words_and_hangs_in() {
        assert_eq!(fold("  note: one two three four five", 22, 2), "  note: one two three\n    four five");
        assert_eq!(fold("short   line", 40, 2), "short   line");
        assert_eq!(fold("ab\n\ncd", 40, 2), "ab\n\ncd");
    }

    #[test]
    fn a_line_of_a_table_goes_on_under_its_last_column_where_there_is_room() {
        assert_eq!(fold("  /go ID   go to a node or name", 30, 2), "  /go ID   go to a node or\n           name");
        assert_eq!(fold("  a              b               go on", 30, 2), "  a              b\n                 go on");
        assert_eq!(fold("  a                      go on there", 30, 2), "  a                      go\n    on there");
    }

    #[test]
    fn a_word_longer_than_the_line_is_left_whole() {
        let long = "x".repeat(60);
        assert_eq!(fold(&format!("a {long} b"), 40, 0), format!("a\n{long}\nb"));
    }

    fn below(typed: &str, span: (usize, usize), columns: u16) -> String {
        let error = Misread {
            message: "`tortise` is not in the prompt".into(),
            hint: Some("did you mean `tortoise`?".into()),
            span: Some(Span { from: span.0, to: span.1 }),
        };
        let mut out = Vec::new();
        error_below(&error.into(), typed, "3 › ", columns, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn carets_stand_under_the_typed_line() {
        let out = below("a tortise -> hare", (2, 9), 80);
        assert_eq!(out, "      ^^^^^^^\nerror: `tortise` is not in the prompt\nhint: did you mean `tortoise`?\n");
    }

    #[test]
    fn wide_letters_count_twice_where_lines_are_broken_and_places_pointed_at() {
        let out = below("猫 tortise", (4, 11), 80);
        assert!(out.starts_with(&format!("{}^^^^^^^\n", " ".repeat(7))), "{out}");
        let out = below("a 猫猫", (2, 8), 80);
        assert!(out.starts_with(&format!("{}^^^^\n", " ".repeat(6))), "{out}");
        let text = format!("  at #2  {} と {}", "海".repeat(30), "猫".repeat(9));
        for columns in [20, 33, 40] {
            let folded = fold(&text, columns, 2);
            assert!(folded.lines().all(|line| cells(line) < usize::from(columns)), "{columns}:\n{folded}");
            let kept = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
            assert_eq!(kept(&folded), kept(&text));
        }
    }

    #[test]
    fn where_the_place_on_the_screen_is_not_sure_the_line_is_repeated() {
        for (typed, span, columns) in [("tortise -> hare", (0, 7), 18), ("👩\u{200d}🎨 tortise", (12, 19), 80)] {
            let out = below(typed, span, columns);
            assert!(out.starts_with("error: `tortise`") && out.contains("^^^^^^^"), "{out}");
        }
    }
}

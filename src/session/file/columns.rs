//! The sources of a prompt's tokens in one short text.
//!
//! `3x own` is three tokens with their own column; `1:5..9` is one token each from the parent's tokens 5, 6, 7 and 8;
//! `2:5*0.5+6*0.5` is one token from two tokens of the grandparent, half each; `1:0` is a column of zeros. Items are
//! separated by commas. Almost every prompt is two or three items long, where a list would have 77.

use anyhow::{Context, Result, bail, ensure};

use crate::plan::Column;

/// More tokens than any text encoder has.
const MOST_TOKENS: usize = 4096;

/// The columns as text.
pub(super) fn write(columns: &[Column]) -> String {
    let mut items = Vec::new();
    let mut rest = columns;
    while let Some(first) = rest.first() {
        let run = run_length(rest);
        items.push(match first {
            Column::Own => format!("{run}x own"),
            Column::From { up, tokens } if is_whole(tokens) => {
                let from = tokens[0].0;
                format!("{up}:{from}..{}", from + run)
            }
            Column::From { up, tokens } if tokens.is_empty() => format!("{up}:0"),
            Column::From { up, tokens } => {
                let parts: Vec<String> = tokens.iter().map(|(token, share)| format!("{token}*{share}")).collect();
                format!("{up}:{}", parts.join("+"))
            }
        });
        rest = &rest[run..];
    }
    items.join(", ")
}

/// One token, all of it.
fn is_whole(tokens: &[(usize, f32)]) -> bool {
    matches!(tokens, [(_, share)] if share.to_bits() == 1f32.to_bits())
}

/// How many columns from the first on are one item.
fn run_length(columns: &[Column]) -> usize {
    let follows = |n: usize, column: &Column| match (&columns[0], column) {
        (Column::Own, Column::Own) => true,
        (Column::From { up, tokens }, Column::From { up: other, tokens: others }) => {
            up == other && is_whole(tokens) && is_whole(others) && tokens[0].0 + n == others[0].0
        }
        _ => false,
    };
    let more = columns.iter().enumerate().skip(1).take_while(|(n, column)| follows(*n, column)).count();
    1 + more
}

/// Reads what [`write`] wrote.
///
/// # Errors
/// Anything else, or more tokens than any text encoder has.
pub(super) fn read(text: &str) -> Result<Vec<Column>> {
    let mut columns = Vec::new();
    for item in text.split(", ").filter(|item| !item.is_empty()) {
        read_item(item, &mut columns).with_context(|| format!("`{item}` says no token's source"))?;
    }
    Ok(columns)
}

fn read_item(item: &str, columns: &mut Vec<Column>) -> Result<()> {
    let room = MOST_TOKENS - columns.len();
    if let Some(count) = item.strip_suffix("x own") {
        let count = count.parse::<usize>()?;
        ensure!(count <= room, "that is more than {MOST_TOKENS} tokens");
        columns.extend(std::iter::repeat_n(Column::Own, count));
        return Ok(());
    }
    let Some((up, tokens)) = item.split_once(':') else { bail!("it names no ancestor") };
    let up = up.parse()?;
    if let Some((from, to)) = tokens.split_once("..") {
        let (from, to) = (from.parse::<usize>()?, to.parse::<usize>()?);
        ensure!(to.saturating_sub(from) <= room, "that is more than {MOST_TOKENS} tokens");
        columns.extend((from..to).map(|token| Column::From { up, tokens: vec![(token, 1.0)] }));
        return Ok(());
    }
    ensure!(room > 0, "that is more than {MOST_TOKENS} tokens");
    let mut shares = Vec::new();
    for part in tokens.split('+').filter(|part| *part != "0") {
        let Some((token, share)) = part.split_once('*') else { bail!("it has no share") };
        shares.push((token.parse()?, share.parse()?));
    }
    columns.push(Column::From { up, tokens: shares });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(up: usize, tokens: &[(usize, f32)]) -> Column {
        Column::From { up, tokens: tokens.to_vec() }
    }

    #[track_caller]
    fn check(columns: &[Column], text: &str) {
        assert_eq!(write(columns), text);
        assert_eq!(read(text).unwrap(), columns);
    }

    #[test]
    fn runs_of_columns_are_one_item_and_come_back_as_they_were() {
        check(&[], "");
        check(&[Column::Own, Column::Own, from(1, &[(4, 1.0)]), from(1, &[(5, 1.0)])], "2x own, 1:4..6");
        check(&[from(1, &[(4, 1.0)]), from(1, &[(4, 1.0)]), from(2, &[(5, 1.0)])], "1:4..5, 1:4..5, 2:5..6");
        check(&[from(1, &[]), from(3, &[(0, 0.1), (7, 1.0)])], "1:0, 3:0*0.1+7*1");
        check(&[from(1, &[(0, 0.333_333_34)])], "1:0*0.33333334");
        check(&[from(1, &[(0, -0.0)])], "1:0*-0");
    }

    #[test]
    fn text_that_says_no_source_is_refused() {
        for text in ["own", "1:", "x own", "1:a..b", "9999x own", "1:0..99999999999", "4096x own, 1:0", "1:2", ":1..2"]
        {
            assert!(read(text).is_err(), "{text}");
        }
    }
}

//! The sources of a prompt's tokens in one short text.
//!
//! `3x own` is three tokens with their own column; `1:5..9` is one token each from the parent's tokens 5, 6, 7 and 8;
//! `2:5*0.5+6*0.5` is one token from two tokens of the grandparent, half each; `1:0` is a column of zeros. Items are
//! separated by commas. Almost every prompt is two or three items long, where a list would have 77.

use anyhow::{Context, Result, bail, ensure};

use crate::plan::{Columns, MOST_TOKENS, Stretch};

/// Columns as text.
pub(super) fn write(stretches: &[Stretch]) -> String {
    let item = |stretch: &Stretch| match stretch {
        Stretch::Own(count) => format!("{count}x own"),
        Stretch::Same { up, from, count } => format!("{up}:{from}..{}", from + count),
        Stretch::Sum { up, tokens } if tokens.is_empty() => format!("{up}:0"),
        Stretch::Sum { up, tokens } => {
            let parts: Vec<String> = tokens.iter().map(|(token, share)| format!("{token}*{share}")).collect();
            format!("{up}:{}", parts.join("+"))
        }
    };
    stretches.iter().map(item).collect::<Vec<_>>().join(", ")
}

/// Reads what [`write`] wrote.
///
/// # Errors
/// Anything else, or more tokens than any text encoder has.
pub(super) fn read(text: &str) -> Result<Columns> {
    let mut room = MOST_TOKENS;
    let mut stretches = Vec::new();
    for item in text.split(", ").filter(|item| !item.is_empty()) {
        let stretch = read_item(item).with_context(|| format!("`{item}` says no token's source"))?;
        ensure!(stretch.len() <= room, "`{item}` makes it more than {MOST_TOKENS} tokens");
        room -= stretch.len();
        stretches.push(stretch);
    }
    Ok(Columns::of(stretches))
}

fn read_item(item: &str) -> Result<Stretch> {
    if let Some(count) = item.strip_suffix("x own") {
        return Ok(Stretch::Own(count.parse()?));
    }
    let Some((up, tokens)) = item.split_once(':') else { bail!("it names no ancestor") };
    let up = up.parse()?;
    if let Some((from, to)) = tokens.split_once("..") {
        let (from, to) = (from.parse::<u32>()?, to.parse::<u32>()?);
        return Ok(Stretch::Same { up, from, count: to.saturating_sub(from) });
    }
    let mut shares = Vec::new();
    for part in tokens.split('+').filter(|part| *part != "0") {
        let Some((token, share)) = part.split_once('*') else { bail!("it has no share") };
        shares.push((token.parse()?, share.parse()?));
    }
    Ok(Stretch::Sum { up, tokens: shares.into() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Column;

    fn from(up: usize, tokens: &[(usize, f32)]) -> Column {
        Column::From { up, tokens: tokens.to_vec() }
    }

    #[track_caller]
    fn check(columns: &[Column], text: &str) {
        let columns: Columns = columns.iter().cloned().collect();
        assert_eq!(write(columns.stretches()), text);
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

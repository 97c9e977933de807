//! How other programs write what a prompt is not made of: what it means is done, or an error says what to type here.
//!
//! `((word))` and `[word]` are weights (see [`emphasis`]), `\(` is a bracket. What draws one thing and then another, what parts
//! prompts and what sets something is an error.

use super::words::{lower, split};
use super::{Misread, Span};
use std::ops::Range;

/// What a bracket of another program multiplies a weight by.
const STEP: f64 = 1.1;

/// The error for what a prompt is not made of; `None` for all other lines.
pub(super) fn refused(line: &str) -> Option<Misread> {
    labelled(line).or_else(|| bracketed(line)).or_else(|| token(line))
}

fn misread(line: &str, range: Range<usize>, message: String, hint: impl Into<String>) -> Misread {
    debug_assert!(line.get(range.clone()).is_some(), "{range:?} is no place in {line:?}");
    Misread { message, hint: Some(hint.into()), span: Some(Span { from: range.start, to: range.end }) }
}

/// `Negative prompt: blurry` and `Steps: 20, Sampler: Euler a`, as other programs print what they drew.
fn labelled(line: &str) -> Option<Misread> {
    let start = line.len() - line.trim_start().len();
    let low = lower(&line[start..]);
    let after = |label: &str| {
        let text = line.get(start..start + label.len()).filter(|text| text.eq_ignore_ascii_case(label))?;
        let rest = line[start + label.len()..].trim_start();
        Some((start..start + text.len(), rest.strip_prefix(':')?.trim()))
    };
    if let Some((range, rest)) = after("negative prompt") {
        let what = if rest.is_empty() { "blurry" } else { rest };
        let message = "what a picture should not be is a setting here, not a line of its own".to_owned();
        return Some(misread(line, range, message, format!("/set negative {what}")));
    }
    let (range, rest) = after("steps")?;
    let others = ["sampler:", "cfg scale:", "seed:", "size:", "model hash:"];
    let number: String = rest.chars().take_while(char::is_ascii_digit).collect();
    (others.iter().any(|other| low.contains(other)) && !number.is_empty()).then(|| {
        let message = "those are settings here, each a line of its own".to_owned();
        misread(line, range.start..line.trim_end().len(), message, format!("/set steps {number}"))
    })
}

/// `[cat:dog:0.5]` and `[cat|dog]`, which draw one thing for some steps and then another.
fn bracketed(line: &str) -> Option<Misread> {
    let mut from = 0;
    while let Some(open) = line[from..].find('[').map(|at| from + at) {
        let close = open + line[open..].find([']', '\n'])?;
        let inner = &line[open + 1..close];
        from = close;
        if line[..open].ends_with('\\') || inner.contains('[') {
            from = open + 1;
            continue;
        }
        let parts: Vec<&str> = inner.split(':').map(str::trim).collect();
        let timed = parts.len() > 1 && parts.last().is_some_and(|last| last.parse::<f64>().is_ok());
        let told: Vec<&str> = if timed { parts[..parts.len() - 1].to_vec() } else { inner.split('|').collect() };
        let told: Vec<&str> = told.into_iter().map(str::trim).filter(|word| !word.is_empty()).collect();
        if !timed && !inner.contains('|') || told.is_empty() {
            continue;
        }
        let range = open..close + usize::from(line[close..].starts_with(']'));
        let message = format!("`{}` draws one thing and then another: here that is an edit", &line[range.clone()]);
        let hint = match told.as_slice() {
            [first, second, ..] => format!("draw it with {first}, and then: {first} -> {second}"),
            _ => format!("draw it without, and then: + {}", told[0]),
        };
        return Some(misread(line, range, message, hint));
    }
    None
}

/// `BREAK`, `AND`, `embedding:name`, `__animal__`, `--ar 3:2`.
fn token(line: &str) -> Option<Misread> {
    let shouted = !line.chars().any(char::is_lowercase);
    let mut from = 0;
    for word in line.split_whitespace() {
        let start = from + line[from..].find(word)?;
        from = start + word.len();
        let range = start..from;
        let bare = word.trim_matches(',');
        let name = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || "_-.".contains(c));
        if matches!(bare, "BREAK" | "AND") && !shouted {
            let hint = if bare == "AND" { "and, or a comma" } else { "a comma" };
            return Some(misread(
                line,
                range,
                format!("`{bare}` parts one prompt from another, and here there is one"),
                hint,
            ));
        }
        if let Some(file) = bare.strip_prefix("embedding:").filter(|file| name(file)) {
            let message = "words learned after the model are a setting here".to_owned();
            return Some(misread(line, range, message, format!("/set embedding {file}")));
        }
        if bare.len() > 4 && bare.starts_with("__") && bare.ends_with("__") {
            let message = format!("`{bare}` stands for a word of a list, and there are none here");
            return Some(misread(line, range, message, "write the word"));
        }
        if let Some(option) = word.strip_prefix("--").filter(|option| {
            start > 0 && option.len() < 12 && name(option) && option.starts_with(|c: char| c.is_ascii_lowercase())
        }) {
            let value =
                line[from..].split_whitespace().next().filter(|value| !value.starts_with('-')).unwrap_or_default();
            let rest = line[from..].split("--").next().unwrap_or_default().trim();
            let hint = match option {
                "no" if !rest.is_empty() => format!("/set negative {rest}"),
                "seed" if !value.is_empty() => format!("/seed {value}"),
                "steps" if !value.is_empty() => format!("/set steps {value}"),
                "ar" | "aspect" | "w" | "h" => "/set size 768x512".to_owned(),
                _ => "/set shows what can be set".to_owned(),
            };
            return Some(misread(line, range, format!("`{word}` is a setting of another program"), hint));
        }
    }
    None
}

/// Words in brackets as other programs weigh them, at the beginning of `text`: `((word))` counts for 1.21, `[word]` for 0.909.
/// The words' place, the weight, and where the brackets end. One pair of round brackets is a remark, and no weight.
pub(super) fn emphasis(text: &str) -> Option<(Range<usize>, f64, usize)> {
    let open = text.chars().next()?;
    let close = match open {
        '(' => ')',
        '[' => ']',
        _ => return None,
    };
    let depth = text.chars().take_while(|c| *c == open).count();
    let end = text.find(close)?;
    let inner = text.get(depth..end)?;
    let closed = text[end..].chars().take_while(|c| *c == close).count() >= depth;
    let plain = !inner.contains(['(', '[', ':', '|', '\\']) && !split(inner).is_empty();
    let strong = open == '(' && depth > 1 || open == '[';
    let power = i32::try_from(depth).ok()?;
    let weight = if open == '(' { STEP.powi(power) } else { STEP.powi(-power) };
    (closed && plain && strong && depth < 8).then(|| (depth..end, (weight * 1000.0).round() / 1000.0, end + depth))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, place: &str, hint: &str) {
        let misread = refused(line).unwrap_or_else(|| panic!("{line}"));
        let span = misread.span.expect("a place");
        assert_eq!((&line[span.from..span.to], misread.hint()), (place, Some(hint)), "{line}: {misread}");
    }

    #[test]
    fn what_other_programs_print_beside_a_prompt_is_answered_with_the_setting() {
        check("Negative prompt: blurry, bad hands", "Negative prompt", "/set negative blurry, bad hands");
        check("  negative prompt:", "negative prompt", "/set negative blurry");
        let all = "Steps: 20, Sampler: Euler a, CFG scale: 7, Seed: 12";
        check(all, all, "/set steps 20");
        check("a cat --ar 3:2 --v 5", "--ar", "/set size 768x512");
        check("a cat --no hats, scarves", "--no", "/set negative hats, scarves");
        check("a cat --seed 7", "--seed", "/seed 7");
        check("a cat, embedding:easyneg", "embedding:easyneg", "/set embedding easyneg");
    }

    #[test]
    fn what_draws_one_thing_and_then_another_is_answered_with_the_edit() {
        check("a [cat:dog:0.5] on a beach", "[cat:dog:0.5]", "draw it with cat, and then: cat -> dog");
        check("a [cat|dog] on a beach", "[cat|dog]", "draw it with cat, and then: cat -> dog");
        check("a cat [with a hat:0.3]", "[with a hat:0.3]", "draw it without, and then: + with a hat");
        check("a cat BREAK a dog", "BREAK", "a comma");
        check("a cat AND a dog", "AND", "and, or a comma");
        check("a __animal__ on a beach", "__animal__", "write the word");
    }

    #[test]
    fn what_is_no_notation_of_others_is_let_through() {
        for line in [
            "a cat on a beach",
            "A CAT AND A DOG",
            "(cat:1.2) on a beach",
            "a cat [blurry]",
            "a cat :)",
            "blond --> red",
            "- hat",
            "steps: a staircase",
            "a [ and a b",
            "sky: blue",
            "",
        ] {
            assert_eq!(refused(line), None, "{line}");
        }
    }

    #[test]
    fn brackets_weigh_as_they_do_elsewhere() {
        assert_eq!(emphasis("((beach)) now"), Some((2..7, 1.21, 9)));
        assert_eq!(emphasis("[blurry]"), Some((1..7, 0.909, 8)));
        assert_eq!(emphasis("(((a cat)))"), Some((3..8, 1.331, 11)));
        for text in ["(cat)", "((cat)", "((cat:1.2))", "[]", "[cat:dog:.5]", "cat", "", "(((((((((x)))))))))"] {
            assert_eq!(emphasis(text), None, "{text}");
        }
    }
}

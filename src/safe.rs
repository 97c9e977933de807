//! Makes text safe to show.
//!
//! Prompts, file names and imported sessions come from people and files. Some characters in them move the cursor,
//! recolour the screen or turn the reading direction round. [`printable`] writes those out as `\uXXXX`, so that what
//! reaches a terminal, a pipe or a JSON object is only text. Every room may use it; it uses none.

use std::borrow::Cow;

/// Says whether `c` may reach a terminal, a pipe or a JSON object as it is.
///
/// Newline may. The other controls (below U+0020, U+007F to U+009F) and the marks that turn the reading direction
/// (U+202A to U+202E, U+2066 to U+2069) may not.
#[must_use]
pub fn is_printable(c: char) -> bool {
    c == '\n' || !matches!(c, '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// `text` with every character that is not [`is_printable`] written as `\uXXXX`.
///
/// Text made by a JSON serialiser stays the same JSON value: such characters stand only inside strings there, where
/// `\uXXXX` means the character itself. So one object goes out as `printable(&value.to_string())`.
///
/// ```
/// # use wordbrush::safe::printable;
/// assert_eq!(printable("a\u{1b}[31mcat"), r"a\u001b[31mcat");
/// ```
#[must_use]
pub fn printable(text: &str) -> String {
    printable_cow(text).into_owned()
}

/// The same as [`printable`] in one line: newlines are written as `\u000a` as well.
#[must_use]
pub fn printable_line(text: &str) -> String {
    printable_cow(text).replace('\n', "\\u000a")
}

fn printable_cow(text: &str) -> Cow<'_, str> {
    if text.chars().all(is_printable) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_printable(c) {
            out.push(c);
        } else {
            out.push_str(&format!("\\u{:04x}", u32::from(c)));
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_text_in_any_script_stays_as_it_is() {
        for text in ["a cat, a dog\nand more", "чёрный кот", "猫", "قطة", "😀👩‍🎨", "\u{a0}x"] {
            assert_eq!(printable(text), text);
        }
    }

    #[test]
    fn every_forbidden_character_is_written_out_and_every_other_is_kept() {
        let forbidden = |n: u32| {
            (n < 0x20 && n != 0x0a)
                || (0x7f..=0x9f).contains(&n)
                || (0x202a..=0x202e).contains(&n)
                || (0x2066..=0x2069).contains(&n)
        };
        for n in 0..0x3000 {
            let c = char::from_u32(n).unwrap();
            let expected = if forbidden(n) { format!("\\u{n:04x}") } else { c.to_string() };
            assert_eq!(printable(&c.to_string()), expected, "U+{n:04X}");
        }
    }

    #[test]
    fn a_json_object_keeps_its_value_when_made_printable() {
        let text: String = (0..0x2100).filter_map(char::from_u32).collect();
        let value = serde_json::json!({ "prompt": text });
        let safe = printable(&value.to_string());
        assert!(safe.chars().all(|c| is_printable(c) && c != '\n'));
        assert_eq!(serde_json::from_str::<serde_json::Value>(&safe).unwrap(), value);
    }

    #[test]
    fn a_line_stays_one_line() {
        assert_eq!(printable_line("a\nb\rc"), r"a\u000ab\u000dc");
    }
}

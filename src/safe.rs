//! Makes text safe to show.
//!
//! Prompts, file names and imported sessions come from people and files. Some characters in them move the cursor,
//! recolour the screen or turn the reading direction round. [`printable`] writes those out as `\uXXXX`, so that what
//! reaches a terminal, a pipe or a JSON object is only text. Every room may use it; it uses none.

use std::borrow::Cow;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

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

/// The cells of a terminal's line that a text takes: letters of Chinese, Japanese and Korean and most pictures take two,
/// marks that stand on others none.
///
/// Terminals differ in what is put together of several signs. Of the two ways to count, the wider one is told: nothing
/// then runs over an edge.
#[must_use]
pub fn cells(text: &str) -> usize {
    if text.is_ascii() {
        return text.len();
    }
    text.chars().map(cells_of).sum::<usize>().max(text.width())
}

/// The cells of one character; none for a control character, which is never shown.
#[must_use]
pub fn cells_of(c: char) -> usize {
    c.width().unwrap_or(0)
}

/// As much of the beginning of a text as has room in so many cells.
#[must_use]
pub fn cut(text: &str, room: usize) -> &str {
    let mut taken = 0;
    let end = text.char_indices().find(|(at, c)| {
        taken += cells_of(*c);
        // What changes the width of what stands before it counts, too.
        taken > room || cells(&text[..at + c.len_utf8()]) > room
    });
    end.map_or(text, |(at, _)| &text[..at])
}

/// `text` with as many blanks after it as make it `width` cells; as it is if it takes more.
#[must_use]
pub fn padded(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(cells(text))))
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

    #[test]
    fn wide_letters_take_two_cells_and_marks_on_others_none() {
        for (text, expected) in
            [("", 0), ("a cat", 5), ("猫と海", 6), ("e\u{301}", 1), ("🐈", 2), ("❤\u{fe0f}", 2), ("→ ·", 3)]
        {
            assert_eq!(cells(text), expected, "{text}");
        }
        assert!(cells("👩\u{200d}🎨") >= 2);
        assert_eq!((cut("猫と海", 5), cut("猫と海", 6), cut("a猫", 2), cut("cat", 9)), ("猫と", "猫と海", "a", "cat"));
        assert_eq!((padded("猫", 4), padded("cat", 2)), ("猫  ".to_owned(), "cat".to_owned()));
    }

    #[test]
    fn what_is_cut_never_takes_more_cells_than_there_is_room_for() {
        let text = "a 猫❤\u{fe0f}e\u{301} 👩\u{200d}🎨 한국어 end";
        for room in 0..30 {
            assert!(cells(cut(text, room)) <= room, "{room}: {}", cut(text, room));
        }
    }
}

//! Commands that edit otherwise than by words alone.

use anyhow::Result;

use super::super::commands::Called;
use super::super::reply::Reply;
use super::super::talk::{Talk, Watcher};
use super::super::typed_path;
use crate::plan::redraw::DrawnBy;
use crate::session::file::Hinted;
use crate::turn::{Edit, Misread, Turn};

/// The first word of a text as a shell reads it, quotes and all, and the byte at which the next one begins.
fn first_word(text: &str) -> (&str, usize) {
    let mut quote = None;
    let mut is_escaped = false;
    let mut end = text.len();
    for (at, c) in text.char_indices() {
        match (quote, c) {
            _ if is_escaped => is_escaped = false,
            (None | Some('"'), '\\') => is_escaped = true,
            (Some(open), _) if c == open => quote = None,
            (None, '"' | '\'') => quote = Some(c),
            (None, _) if c.is_whitespace() => {
                end = at;
                break;
            }
            _ => {}
        }
    }
    let rest = &text[end..];
    (&text[..end], end + rest.len() - rest.trim_start().len())
}

/// The edit that stands in a line from a byte on; `None` if nothing stands there.
fn edit_from(talk: &mut Talk, a: &Called<'_>, from: usize) -> Result<Option<Edit>> {
    let text = a.line[from..].trim_end();
    if text.is_empty() {
        return Ok(None);
    }
    let read = talk.session.read(text).map_err(|error| match error.downcast::<Misread>() {
        Ok(misread) => misread.moved(from).into(),
        Err(error) => error,
    })?;
    match read {
        Turn::Edit(edit) => Ok(Some(edit)),
        Turn::Nothing => Ok(None),
        Turn::Question(question) => {
            let choices: Vec<&str> = question.choices.iter().map(|choice| choice.label.as_str()).collect();
            let (message, span) = (format!("{} {}", question.text, choices.join(", or ")), None);
            Err(Misread { message, hint: Some("say it otherwise, such as: blond -> red".to_owned()), span }.into())
        }
    }
}

/// `/in REGION EDIT`: an edit in words, and only there may the picture change.
pub(in crate::repl) fn within(talk: &mut Talk, a: &Called<'_>, watcher: &mut dyn Watcher) -> Result<Reply> {
    let here = talk.session.resolve(None)?;
    a.needed(1)?;
    let begins = a.given[0].span.from;
    let (region, next) = first_word(&a.line[begins..]);
    let area = talk.session.area(here, region, &typed_path::path(region))?;
    let Some(edit) = edit_from(talk, a, begins + next)?.filter(|edit| !edit.is_root) else {
        let what = a.line[begins + next..].trim_end();
        let hint = "/in hair make it red";
        return Err(Hinted::new(format!("`{what}` is no edit of this picture"), hint).into());
    };
    let planned = talk.session.plan_by(here, &edit, &DrawnBy::Within(area))?;
    talk.planned(a.line, &edit, planned, watcher)
}

#[cfg(test)]
mod tests {
    use super::first_word;

    #[test]
    fn the_first_word_ends_at_a_blank_that_no_quote_holds() {
        assert_eq!(first_word("hair make it red"), ("hair", 5));
        assert_eq!(first_word("'my mask.png'  + a hat"), ("'my mask.png'", 15));
        assert_eq!(first_word("my\\ mask.png + a hat"), ("my\\ mask.png", 13));
        assert_eq!(first_word("\"it's\" x"), ("\"it's\"", 7));
        assert_eq!(first_word("hair"), ("hair", 4));
    }
}

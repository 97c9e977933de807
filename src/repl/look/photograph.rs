//! A photograph opened with its caption, or asked for one.

use std::path::{Path, PathBuf};

use anyhow::Result;
use candle_core::Tensor;

use super::super::reply::Reply;
use super::super::talk::{Talk, Watcher, text};
use super::super::typed_path;
use crate::preview::png;
use crate::safe::printable_line;
use crate::session::file::Hinted;
use crate::session::photograph::FittedPhotograph;
use crate::session::photograph::read::kind_of;
use crate::turn::{Misread, Turn};

/// What is typed after `/open`: a file, and perhaps what its picture shows, in quotes or without. `is_there` says whether a
/// text names something that can be opened.
#[must_use]
pub(in crate::repl) fn file_and_caption<'t>(
    typed: &'t str,
    is_there: &dyn Fn(&str) -> bool,
) -> (&'t str, Option<&'t str>) {
    let typed = typed.trim();
    if is_there(typed) {
        return (typed, None);
    }
    // A name may have blanks: the longest that is there counts.
    let blanks = typed.char_indices().rev().filter(|(_, c)| c.is_whitespace());
    let found = blanks.map(|(at, _)| (typed[..at].trim_end(), &typed[at..])).find(|(file, _)| is_there(file));
    match found {
        Some((file, caption)) => (file, Some(unquoted(caption.trim())).filter(|caption| !caption.is_empty())),
        None => (typed, None),
    }
}

/// The beginning of what was typed that is called as pictures are, if there is one.
fn called_a_picture(typed: &str) -> Option<&str> {
    let low = typed.to_ascii_lowercase();
    let ends = [".png", ".jpg", ".jpeg", ".webp", ".gif"].iter().filter_map(|ending| {
        let end = low.find(ending)? + ending.len();
        let rest = low[end..].trim_start_matches(['"', '\'']);
        (rest.is_empty() || rest.starts_with(char::is_whitespace)).then_some(end)
    });
    Some(&typed[..ends.min()?])
}

/// What is said where a picture that was to be opened is not there; `None` if what was typed is called like none.
pub(in crate::repl) fn missing(typed: &str) -> Option<Hinted> {
    let name = printable_line(called_a_picture(typed)?.trim_start_matches(['"', '\'']));
    let hint = "is its name right? what it shows stands behind it: /open cat.jpg a cat on a bench";
    Some(Hinted::new(format!("there is no file `{name}`"), hint))
}

/// A caption without the quotes around it.
fn unquoted(text: &str) -> &str {
    let pairs = [('"', '"'), ('\'', '\''), ('“', '”'), ('‘', '’'), ('«', '»')];
    let inner = pairs.iter().find_map(|(open, close)| text.strip_prefix(*open)?.strip_suffix(*close));
    inner.unwrap_or(text).trim()
}

/// Whether a file is a picture that begins a tree of its own: one without a session in it.
#[must_use]
pub(in crate::repl) fn is_photograph(path: &Path) -> bool {
    match kind_of(path) {
        None => false,
        Some(("PNG", _)) => png::open_notes(path).map_or(true, |notes| notes.wordbrush.is_none()),
        Some(_) => true,
    }
}

/// Whether a file is a picture of any kind.
#[must_use]
pub(in crate::repl) fn is_picture(path: &Path) -> bool {
    kind_of(path).is_some()
}

/// Whether a line is the file of a picture, as terminals write it when one is dropped on them, and what it shows behind it.
#[must_use]
pub(in crate::repl) fn is_dropped_with_caption(line: &str) -> bool {
    let is_there = |text: &str| typed_path::dropped(text).is_some_and(|file| is_picture(&file));
    matches!(file_and_caption(line, &is_there), (_, Some(_)))
}

/// The prompt that another program noted in a picture.
fn noted_prompt(path: &Path) -> Option<String> {
    let parameters = png::open_notes(path).ok()?.parameters?;
    let prompt = png::Parameters::parse(&parameters)?.prompt;
    let line = prompt.split_whitespace().collect::<Vec<_>>().join(" ");
    Some(line).filter(|line| !line.is_empty())
}

/// A photograph that waits for its caption.
pub(in crate::repl) struct AwaitedCaption {
    /// Its file.
    pub(in crate::repl) file: PathBuf,
    /// What is taken where nothing is typed.
    pub(in crate::repl) proposed: Option<String>,
}

/// Opens a photograph without a caption: it is asked for where somebody types, and else an error says how it is given.
pub(in crate::repl) fn ask(talk: &mut Talk, file: PathBuf) -> Result<Reply> {
    let name = printable_line(&file.file_name().unwrap_or(file.as_os_str()).to_string_lossy());
    // What cannot be read is told now, not when its caption is typed.
    let found = crate::session::photograph::read::read(&file)?;
    if !talk.asks() {
        let message = format!("`{name}` is a picture without words, and its words are what can be changed");
        let hint =
            format!("say what it shows: /open {} \"a cat on a bench\"", printable_line(&file.display().to_string()));
        return Err(Hinted::new(message, hint).into());
    }
    let noted = noted_prompt(&file);
    let (proposed, whose) = match noted {
        Some(words) => (Some(words), "the words noted in it"),
        None => (talk.session.proposed_caption(&found.picture)?, "the nearest that this model knows"),
    };
    let take = match &proposed {
        Some(words) => format!("; Enter alone takes {whose}: {}", printable_line(words)),
        None => String::new(),
    };
    talk.await_caption(AwaitedCaption { file, proposed });
    Ok(text(format!("what does `{name}` show? What you name is what you can change, as in \"a cat on a bench\"{take}")))
}

/// Opens a photograph that shows what `caption` says: it becomes the first picture of a tree in this session.
pub(in crate::repl) fn begin(
    talk: &mut Talk,
    line: &str,
    (file, caption): (&Path, &str),
    watcher: &mut dyn Watcher,
) -> Result<Reply> {
    let FittedPhotograph { photograph, notes } = talk.session.photograph(file)?;
    let at = line.rfind(caption).unwrap_or(0);
    let read = talk.session.read_root(caption).map_err(|error| match error.downcast::<Misread>() {
        Ok(misread) => misread.moved(at).into(),
        Err(error) => error,
    });
    let Turn::Edit(mut edit) = read? else {
        let hint = "name what it shows, such as \"a cat on a bench\"";
        return Err(Hinted::new("a caption without words says nothing of the picture", hint).into());
    };
    edit.warnings.splice(0..0, notes);
    watcher.understood(&edit.changes);
    // As it would be typed beside the file: in which folder that lies is nobody's business who gets the picture.
    let name = file.file_name().unwrap_or(file.as_os_str()).to_string_lossy();
    let line = format!("/open {name} \"{caption}\"");
    let all = talk.session.latents_of_photograph(&photograph)?;
    let mut watch = |step: usize, latent: &Tensor| watcher.step(step + 1, all, latent);
    let Some(turned) = talk.session.open_photograph(&line, photograph, &edit, &mut watch)? else {
        return Ok(Reply::Stopped);
    };
    let mut drew = talk.measured(turned)?;
    drew.changes.clone_from(&edit.changes);
    Ok(Reply::Drew(Box::new(drew)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_parted_from_its_caption_whether_either_has_blanks_or_quotes() {
        let there = |text: &str| ["cat.jpg", "my cat.jpg", "'my cat.jpg'", "a cat", "a"].contains(&text);
        for (typed, file, caption) in [
            ("cat.jpg", "cat.jpg", None),
            ("cat.jpg a cat on a bench", "cat.jpg", Some("a cat on a bench")),
            ("cat.jpg \"a cat on a bench\"", "cat.jpg", Some("a cat on a bench")),
            ("my cat.jpg  “a cat” ", "my cat.jpg", Some("a cat")),
            ("'my cat.jpg' 'a cat'", "'my cat.jpg'", Some("a cat")),
            ("cat.jpg \"\"", "cat.jpg", None),
            ("a cat", "a cat", None),
            ("no.jpg a cat", "no.jpg a cat", None),
        ] {
            assert_eq!(file_and_caption(typed, &there), (file, caption), "{typed}");
        }
    }

    #[test]
    fn a_picture_that_is_not_there_is_named_without_its_caption() {
        for (typed, name) in [
            ("no.jpg a cat", Some("no.jpg")),
            ("'my no.PNG' \"a cat.gif hat\"", Some("my no.PNG")),
            ("fox", None),
            ("a.pngs", None),
        ] {
            let said = missing(typed).map(|error| error.to_string());
            assert_eq!(said, name.map(|name| format!("there is no file `{name}`")), "{typed}");
        }
    }
}

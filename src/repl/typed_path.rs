//! A file's name as it is typed in the conversation, or dropped on the terminal: read as a shell reads it.
//!
//! `~` is the home folder, quotes and backslashes are taken off, and `file://` addresses are files. Blanks need no quotes
//! where nothing else may follow. A file that is called exactly as typed is meant before all of that.

use std::path::{Path, PathBuf};

use crate::model::{home, in_home};

/// The file that is meant.
#[must_use]
pub fn path(typed: &str) -> PathBuf {
    read(typed.trim(), home().as_deref())
}

/// The same as text.
#[must_use]
pub fn text(typed: &str) -> String {
    path(typed).to_string_lossy().into_owned()
}

/// The file that a line consists of, as terminals write it when one is dropped on them; `None` if the line is anything
/// else.
#[must_use]
pub fn dropped(line: &str) -> Option<PathBuf> {
    let line = line.trim();
    let begins = ["/", "'/", "\"/", "~/", "file:///", "file://localhost/"];
    if !begins.iter().any(|begin| line.starts_with(begin)) {
        return None;
    }
    Some(path(line)).filter(|path| path.is_file())
}

fn read(typed: &str, home: Option<&Path>) -> PathBuf {
    let exact = PathBuf::from(typed);
    if exact.exists() {
        return exact;
    }
    if let Some(address) = typed.strip_prefix("file://") {
        let file = address.strip_prefix("localhost").unwrap_or(address);
        if let Some(file) = file.starts_with('/').then(|| without_percents(file)).flatten() {
            return PathBuf::from(file);
        }
    }
    let plain = if cfg!(windows) { without_quotes(typed) } else { unescaped(typed) };
    let plain = plain.unwrap_or_else(|| typed.to_owned());
    // A `~` in quotes is a letter like others.
    in_home(&plain, home.filter(|_| typed.starts_with('~')))
}

/// One pair of quotes around it taken off.
fn without_quotes(typed: &str) -> Option<String> {
    ['"', '\''].iter().find_map(|quote| Some(typed.strip_prefix(*quote)?.strip_suffix(*quote)?.to_owned()))
}

/// Quotes and backslashes taken off as a shell takes them off; `None` if a quote is not closed: then it is part of the
/// name.
fn unescaped(typed: &str) -> Option<String> {
    let mut out = String::with_capacity(typed.len());
    let mut quote = None;
    let mut chars = typed.chars();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), c) if c == open => quote = None,
            (None, '\\') => out.push(chars.next()?),
            (Some('"'), '\\') => {
                let next = chars.next()?;
                if !matches!(next, '"' | '\\' | '$' | '`') {
                    out.push('\\');
                }
                out.push(next);
            }
            _ => out.push(c),
        }
    }
    quote.is_none().then_some(out)
}

/// `%20` and its like read; `None` if what comes out is no text.
fn without_percents(address: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(address.len());
    let mut rest = address.as_bytes();
    while let [first, more @ ..] = rest {
        let code = more.get(..2).and_then(|code| std::str::from_utf8(code).ok());
        match code.filter(|_| *first == b'%').and_then(|code| u8::from_str_radix(code, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &more[2..];
            }
            None => {
                bytes.push(*first);
                rest = more;
            }
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(unix)]
    fn a_name_is_read_as_a_shell_reads_it() {
        let check = |typed: &str, expected: &str| {
            assert_eq!(read(typed, Some(Path::new("/home/fox"))), Path::new(expected), "{typed}");
        };
        check("~", "/home/fox");
        check("~/x.png", "/home/fox/x.png");
        check("~hen/x.png", "~hen/x.png");
        check("'~/x.png'", "~/x.png");
        check("\"a b.html\"", "a b.html");
        check("'sp ace.png'", "sp ace.png");
        check(r"sp\ ace.png", "sp ace.png");
        check(r#"/tmp/"a 'b'".png"#, "/tmp/a 'b'.png");
        check(r#""a \"b\" \c""#, r#"a "b" \c"#);
        check("my pictures/a b.png", "my pictures/a b.png");
        check("bob's.png", "bob's.png");
        check("ends\\", "ends\\");
        check("лиса.png", "лиса.png");
        check("file:///tmp/a%20b%C3%A9.png", "/tmp/a bé.png");
        check("file://localhost/tmp/50%.png", "/tmp/50%.png");
        assert_eq!(read("~/x", None), Path::new("~/x"));
    }

    #[test]
    #[cfg(unix)]
    fn a_file_that_is_called_exactly_so_is_meant() {
        let folder = tempfile::tempdir().unwrap();
        let odd = folder.path().join(r#"a\ "b".png"#);
        assert_ne!(path(odd.to_str().unwrap()), odd);
        std::fs::write(&odd, "").unwrap();
        assert_eq!(path(odd.to_str().unwrap()), odd);
    }

    #[test]
    #[cfg(unix)]
    fn a_dropped_file_is_told_from_a_command_and_from_words() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("sp ace.png");
        std::fs::write(&file, "").unwrap();
        let name = file.to_str().unwrap();
        for line in [name.replace(' ', "\\ "), format!("'{name}' "), format!("\"{name}\""), format!("file://{name}")] {
            assert_eq!(dropped(&line), Some(file.clone()), "{line}");
        }
        for line in ["/tree", "/undo 3", "a cat", "'a cat'", "~", "/", "/no/such/file.png", "sp ace.png"] {
            assert_eq!(dropped(line), None, "{line}");
        }
    }
}

//! Other programs that have the terminal for a while: a pager for long texts, an editor for the line.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use super::stop::Stop;
use crate::session::file::Hinted;

/// Shows a text in the pager that `PAGER` names, `less` if it names none. False: there is none, and nothing was shown.
pub fn page(text: &str, stop: &Stop, variable: impl Fn(&str) -> Option<OsString>) -> bool {
    let named = variable("PAGER");
    // An empty name is how a person says that nothing is to be paged.
    let pager = named.unwrap_or_else(|| "less".into());
    let Some(pager) = pager.to_str().map(str::trim).filter(|pager| !["", "cat"].contains(pager)) else { return false };
    let mut command = through_shell(pager);
    if variable("LESS").is_none() {
        // Leave at once if it fits, pass colours on, and let the text stand on the screen afterwards.
        command.env("LESS", "FRX");
    }
    stop.lend(|| {
        let Ok(mut child) = command.stdin(Stdio::piped()).stderr(Stdio::null()).spawn() else { return false };
        if let Some(mut input) = child.stdin.take() {
            // Whoever has read enough closes it.
            let _ = input.write_all(text.as_bytes());
        }
        // 126 and 127: the shell did not find it.
        child.wait().is_ok_and(|status| !matches!(status.code(), Some(126 | 127)))
    })
}

/// `line` as it comes back from the editor that `VISUAL` or `EDITOR` names, `vi` if neither does. Blank lines at its end are
/// none.
///
/// # Errors
/// Fails if there is no such editor, it fails, or what it leaves is no text.
pub fn edit(line: &str, stop: &Stop, variable: impl Fn(&str) -> Option<OsString>) -> Result<String> {
    let named = ["VISUAL", "EDITOR"].into_iter().filter_map(variable).find(|name| !name.is_empty());
    let editor = named.unwrap_or_else(|| "vi".into());
    let editor = editor.to_str().context("the editor's name is no text")?;
    let file = Draft::new(line).context("cannot write the line to a file for the editor")?;
    let mut command = through_shell(&format!("{editor} \"$1\""));
    command.arg("wordbrush").arg(&file.path);
    let status = stop.lend(|| command.status());
    let hint = "set EDITOR to one that runs in the terminal";
    ensure!(
        status.as_ref().is_ok_and(std::process::ExitStatus::success),
        Hinted::new(format!("`{editor}` did not end well, and the line is as it was"), hint)
    );
    let bytes = std::fs::read(&file.path).context("cannot read what the editor left")?;
    let text = String::from_utf8(bytes).map_err(|_| Hinted::new("what the editor left is no text in UTF-8", hint))?;
    Ok(text.trim_end().to_owned())
}

/// A command as a person writes it, with options and quotes.
#[cfg(unix)]
fn through_shell(words: &str) -> Command {
    let mut command = Command::new("/bin/sh");
    command.arg("-c").arg(words);
    command
}

#[cfg(not(unix))]
fn through_shell(words: &str) -> Command {
    let mut parts = words.trim_end_matches(" \"$1\"").split_whitespace();
    let mut command = Command::new(parts.next().unwrap_or_default());
    command.args(parts);
    command
}

/// A file that this person alone can read, gone when it is done with.
struct Draft {
    path: PathBuf,
}

impl Draft {
    fn new(line: &str) -> io::Result<Self> {
        for number in 0..100 {
            let path = std::env::temp_dir().join(format!("wordbrush-{}-{number}.txt", std::process::id()));
            let mut options = File::options();
            options.write(true).create_new(true);
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            match options.open(&path) {
                Ok(mut file) => {
                    let draft = Self { path };
                    writeln!(file, "{line}")?;
                    return Ok(draft);
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn with<'a>(set: &'a [(&'a str, &'a str)]) -> impl Fn(&str) -> Option<OsString> + 'a {
        move |name| set.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into())
    }

    #[test]
    fn an_editor_gets_the_line_and_gives_back_what_it_left() {
        let stop = Stop::default();
        let folder = tempfile::tempdir().unwrap();
        let kept = folder.path().join("seen");
        let editor = format!("cp \"$1\" '{}'; sed -i s/cat/dog/", kept.display());
        let edited = edit("a cat", &stop, with(&[("VISUAL", &editor), ("EDITOR", "false")])).unwrap();
        assert_eq!(edited, "a dog");
        assert_eq!(std::fs::read_to_string(&kept).unwrap(), "a cat\n");
        for bad in ["false", "/no/such/editor"] {
            let error = edit("a cat", &stop, with(&[("EDITOR", bad)])).unwrap_err();
            assert!(error.to_string().contains("the line is as it was"), "{error}");
        }
        let error = edit("a cat", &stop, with(&[("EDITOR", "printf '\\377' >")])).unwrap_err();
        assert!(error.to_string().contains("no text"), "{error}");
    }

    #[test]
    fn a_pager_gets_the_whole_text_and_one_that_is_not_there_or_not_wanted_nothing() {
        let stop = Stop::default();
        let folder = tempfile::tempdir().unwrap();
        let kept = folder.path().join("seen");
        let text = "a line\n".repeat(50_000);
        let pager = format!("cat > '{}'", kept.display());
        assert!(page(&text, &stop, with(&[("PAGER", &pager)])));
        assert_eq!(std::fs::read_to_string(&kept).unwrap(), text);
        // One that has seen enough.
        assert!(page(&text, &stop, with(&[("PAGER", "head -1 > /dev/null")])));
        for none in ["", "cat", "/no/such/pager"] {
            assert!(!page(&text, &stop, with(&[("PAGER", none)])), "{none}");
        }
    }
}

//! Pictures, branches and trees as files for others.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};

use super::super::commands::Called;
use super::super::notes;
use super::super::reply::Reply;
use super::super::talk::{Talk, Watcher, text};
use super::super::typed_path;
use super::{export_html, for_file, free_path, size};
use crate::preview::file::write_atomically;
use crate::preview::gif;
use crate::preview::png;
use crate::session::file::{Hinted, plainly};
use crate::session::to_image;

/// How long each picture of a branch is shown.
const FRAME: Duration = Duration::from_millis(900);

/// Forms of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// The present picture.
    Png,
    /// The branch as a moving picture.
    Gif,
    /// A page with pictures and words.
    Html,
    /// The branch as data.
    Json,
}

impl Format {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Png, Self::Gif, Self::Html, Self::Json];

    /// How it is called, and how its files end.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Png => "png",
            Self::Gif => "gif",
            Self::Html => "html",
            Self::Json => "json",
        }
    }

    /// The form of a name.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.name() == name)
    }
}

/// `/export png|gif|html|json [FILE]`.
pub(in crate::repl) fn export(talk: &mut Talk, a: &Called<'_>, _: &mut dyn Watcher) -> Result<Reply> {
    let name = a.needed(0)?.to_lowercase();
    let Some(format) = Format::of(&name) else {
        let message = format!("`/export` writes png, gif, html or json, but got `{name}`");
        return Err(a.error(a.given.first(), message).into());
    };
    let file = a.text_from(1).map(typed_path::path);
    write_export(talk, format, file.as_deref()).map(text)
}

/// Writes the present picture, the branch or the tree to `file`, and says so. Without a file it is written beside the
/// session's pictures, else into the current folder, under a name that no file has.
///
/// # Errors
/// Fails if there is no picture yet, one must be drawn again and cannot be, the file cannot be written, or it is there
/// and none of ours.
pub fn write_export(talk: &mut Talk, format: Format, file: Option<&Path>) -> Result<String> {
    let here = talk.session.resolve(None)?;
    let path = match file {
        Some(file) => file.to_owned(),
        None => {
            let name = for_file(&talk.session.name());
            let folder = talk.out.clone().unwrap_or_default();
            let of = if format == Format::Html { String::new() } else { format!("-{here:04}") };
            free_path(&folder.join(format!("{name}{of}.{}", format.name())))
        }
    };
    if !talk.exported.contains(&path) {
        check_place(&path, format)?;
    }
    if let Some(folder) = path.parent().filter(|f| !f.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    }
    let (bytes, what) = match format {
        Format::Png => {
            let picture = to_image(&talk.session.picture(here)?);
            let bytes = png::encode_with(&picture, &notes::of(&talk.session, here)?).context("cannot make a PNG")?;
            (bytes, format!("#{here} with its prompt, settings and lineage"))
        }
        Format::Gif => {
            let branch = talk.session.branch_of(here);
            let pictures: Vec<_> =
                branch.iter().map(|n| talk.session.picture(*n).map(|p| to_image(&p))).collect::<Result<_>>()?;
            (gif::encode(&pictures, FRAME)?, format!("{} pictures from #{} to #{here}", branch.len(), branch[0]))
        }
        Format::Html => {
            (export_html::page(talk)?.into_bytes(), format!("the tree with its {} pictures", talk.session.tree().len()))
        }
        Format::Json => {
            let value = notes::lineage(&talk.session, here)?;
            let mut json = serde_json::to_string_pretty(&value).context("BUG: a lineage cannot be written as JSON")?;
            json.push('\n');
            (crate::safe::printable(&json).into_bytes(), format!("the lineage of #{here}"))
        }
    };
    let existed = path.exists();
    write_atomically(&path, &bytes)?;
    talk.exported.insert(path.clone());
    let instead = if existed { ", in place of the file that was there" } else { "" };
    Ok(format!("{what} · {} · {}{instead}", size(bytes.len() as u64), path.display()))
}

/// The most bytes of a file that are looked at to see whether it is one of ours.
const LOOKED_AT: u64 = 64 << 20;

/// Whether a file of this form may be written at `path`: nothing is there, or what this program writes in that form.
///
/// # Errors
/// Something else is there.
pub fn check_place(path: &Path, format: Format) -> Result<()> {
    let not = |why: &str| {
        let message = format!("`{}` {why}", crate::safe::printable_line(&path.display().to_string()));
        Err(Hinted::new(message, "choose another name, or remove it first").into())
    };
    match std::fs::metadata(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return not(&format!("cannot be written: {}", plainly(&error))),
        Ok(data) if data.is_dir() => return not("is a folder"),
        Ok(data) if !data.is_file() => return not("is there already, and is no file"),
        Ok(_) => {}
    }
    let is_ours = match format {
        Format::Png => png::open_notes(path).is_ok_and(|notes| notes.wordbrush.is_some()),
        Format::Gif => false, // it does not say who wrote it
        Format::Html => beginning(path).is_some_and(|page| {
            let page = String::from_utf8_lossy(&page);
            page.starts_with("<!doctype html>") && page.contains("drawn by wordbrush ")
        }),
        Format::Json => beginning(path).is_some_and(|bytes| {
            let lineage = serde_json::from_slice::<serde_json::Value>(&bytes).unwrap_or_default();
            lineage.get("format").is_some() && lineage.get("program").is_some() && lineage.get("nodes").is_some()
        }),
    };
    if is_ours { Ok(()) } else { not("is there already, and is not known as one of wordbrush's") }
}

fn beginning(path: &Path) -> Option<Vec<u8>> {
    use std::io::Read;
    let mut bytes = Vec::new();
    std::fs::File::open(path).ok()?.take(LOOKED_AT).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_none_of_ours_is_not_replaced_and_one_of_ours_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let picture = image::RgbImage::new(2, 2);
        let ours = png::Notes { wordbrush: Some(serde_json::json!({ "format": 2 })), ..png::Notes::default() };
        let page = "<!doctype html>\n<p>1 picture, drawn by wordbrush 0.1.0</p>";
        let lineage = r#"{"format":2,"program":"0.1.0","nodes":[]}"#;
        for format in Format::ALL {
            check_place(&path, format).unwrap();
            for (bytes, kind) in [
                (b"a cat\ncat -> dog\n".to_vec(), None),
                (Vec::new(), None),
                (png::encode(&picture).unwrap(), None),
                (png::encode_with(&picture, &ours).unwrap(), Some(Format::Png)),
                (b"<!doctype html>\n<p>mine</p>".to_vec(), None),
                (page.as_bytes().to_vec(), Some(Format::Html)),
                (b"{\"format\":2}".to_vec(), None),
                (lineage.as_bytes().to_vec(), Some(Format::Json)),
                (b"GIF89a".to_vec(), None),
            ] {
                std::fs::write(&path, &bytes).unwrap();
                let said = String::from_utf8_lossy(&bytes).into_owned();
                assert_eq!(check_place(&path, format).is_ok(), kind == Some(format), "{format:?}: {said}");
            }
            std::fs::remove_file(&path).unwrap();
        }
        assert!(check_place(folder.path(), Format::Png).unwrap_err().to_string().ends_with("is a folder"));
    }
}

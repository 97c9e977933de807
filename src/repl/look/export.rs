//! Pictures, branches and trees as files for others.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};

use super::super::commands::Called;
use super::super::notes;
use super::super::reply::Reply;
use super::super::talk::{Talk, Watcher, text};
use super::{export_html, for_file, free_path, size};
use crate::preview::file::write_atomically;
use crate::preview::gif;
use crate::preview::png;
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
    write_export(talk, format, a.text_from(1).map(Path::new)).map(text)
}

/// Writes the present picture, the branch or the tree to `file`, and says so. Without a file it is written beside the
/// session's pictures, else into the current folder, under a name that no file has.
///
/// # Errors
/// Fails if there is no picture yet, one must be drawn again and cannot be, or the file cannot be written.
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
    let instead = if existed { ", in place of the file that was there" } else { "" };
    Ok(format!("{what} · {} · {}{instead}", size(bytes.len() as u64), path.display()))
}

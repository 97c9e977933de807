//! Pictures, branches and trees as files for others.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};

use super::super::notes;
use super::super::reply::Reply;
use super::super::talk::{Talk, text};
use super::{export_html, for_file, free_path, size};
use crate::preview::file::write_atomically;
use crate::preview::gif;
use crate::preview::png;
use crate::session::to_image;
use crate::turn::commands::Format;

/// How long each picture of a branch is shown.
const FRAME: Duration = Duration::from_millis(900);

/// `/export png|gif|html|json [FILE]`.
pub(super) fn export(talk: &mut Talk, format: Format, file: Option<&str>) -> Result<Reply> {
    let path = file.map(PathBuf::from);
    write_export(talk, format, path.as_deref()).map(text)
}

fn ending(format: Format) -> &'static str {
    match format {
        Format::Png => "png",
        Format::Gif => "gif",
        Format::Html => "html",
        Format::Json => "json",
    }
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
            free_path(&folder.join(format!("{name}{of}.{}", ending(format))))
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

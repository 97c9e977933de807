//! Commands that look, and commands about branches and files.
//!
//! Each is a function from a [`Talk`] to a [`Reply`]: text for everyone, pictures for those who can see them. A picture
//! about pictures is also written as a PNG where pictures go, under a name that says what it shows.

pub(super) mod about;
pub(super) mod branches;
pub(super) mod cycle;
pub mod export;
mod export_html;
pub(in crate::repl) mod files;
pub(in crate::repl) mod learning;
pub(super) mod maps;
pub(super) mod methods;
pub(super) mod photograph;
pub(super) mod region;
pub(super) mod settings;
pub(super) mod show;
pub(super) mod sweep;
pub mod tree;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use image::RgbImage;

use super::reply::{Reply, Shown};
use super::talk::Talk;
use crate::preview::png::{Notes, save};

/// Text with pictures that are in no file.
fn shown(text: String, pictures: Vec<(RgbImage, Option<PathBuf>)>) -> Reply {
    Reply::Text(Shown { text, pictures, is_tree: false })
}

/// A picture about pictures with its text; written to `name` where pictures go, if they go anywhere.
fn shown_as(talk: &Talk, name: &str, picture: RgbImage, mut text: String) -> Result<Reply> {
    let Some(folder) = &talk.out else { return Ok(shown(text, vec![(picture, None)])) };
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    let path = folder.join(name);
    save(&path, &picture, &Notes::default())?;
    text.push_str(&format!("\n  {}", path.display()));
    Ok(shown(text, vec![(picture, Some(path))]))
}

/// `path`, or the first of `NAME-2`, `NAME-3` and so on beside it that no file has.
fn free_path(path: &Path) -> PathBuf {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let ending = path.extension().map(|e| format!(".{}", e.to_string_lossy())).unwrap_or_default();
    let numbered = |n: u32| path.with_file_name(format!("{stem}-{n}{ending}"));
    std::iter::once(path.to_owned()).chain((2..).map(numbered)).find(|p| !p.exists()).unwrap_or_else(|| path.to_owned())
}

/// A word as part of a file's name: letters and digits, all else a hyphen, at most 40 characters.
fn for_file(text: &str) -> String {
    let plain = |c: char| if c.is_alphanumeric() || c == '.' { c } else { '-' };
    text.chars().take(40).map(plain).collect::<String>().trim_matches(['-', '.']).to_owned()
}

/// A number of dB, in words.
fn decibels(x: Option<f64>) -> String {
    match x {
        None => "-".to_owned(),
        Some(x) if x.is_infinite() => "equal".to_owned(),
        Some(x) => format!("{x:.1} dB"),
    }
}

/// A number with as many places as needed, at most `places`: `.30` is `0.3`.
fn brief(x: f64, places: usize) -> String {
    let text = format!("{x:.places$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// Bytes as people say them.
#[must_use]
pub fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["kB", "MB", "GB", "TB"];
    if bytes < 1000 {
        return format!("{bytes} B");
    }
    let mut value = bytes as f64 / 1000.0;
    let mut unit = 0;
    while value >= 999.5 && unit + 1 < UNITS.len() {
        (value, unit) = (value / 1000.0, unit + 1);
    }
    if value < 9.95 { format!("{value:.1} {}", UNITS[unit]) } else { format!("{value:.0} {}", UNITS[unit]) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_said_with_two_or_three_digits() {
        let said: Vec<String> = [999, 1000, 12_345, 999_499, 999_999, 3_300_000_000].map(size).into();
        assert_eq!(said, ["999 B", "1.0 kB", "12 kB", "999 kB", "1.0 MB", "3.3 GB"]);
    }

    #[test]
    fn a_free_path_is_one_that_no_file_has() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.png");
        assert_eq!(free_path(&path), path);
        std::fs::write(&path, "").unwrap();
        std::fs::write(folder.path().join("a-2.png"), "").unwrap();
        assert_eq!(free_path(&path), folder.path().join("a-3.png"));
    }

    #[test]
    fn a_word_in_a_file_name_has_nothing_that_leads_elsewhere() {
        assert_eq!(for_file("../../etc/passwd"), "etc-passwd");
        assert_eq!(for_file("cat#2"), "cat-2");
        assert_eq!(brief(0.30, 2), "0.3");
        assert_eq!(brief(10.0, 1), "10");
    }
}

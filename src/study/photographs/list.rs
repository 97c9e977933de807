//! Which photographs are studied: a folder with their files, what they show and how they are edited.
//!
//! Two forms are read: `captions.tsv`, a line a picture; and the `mapping_file.json` of PIE-Bench (Ju et al. 2023, arXiv:2310.01506),
//! whose pictures lie under `annotation_images`.

use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use image::{Rgb, RgbImage};
use serde_json::Value;

use crate::session::Session;
use crate::session::file::Hinted;

/// A picture of a folder: its file, what it shows, and edits to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaptionedFile {
    /// The file's name in its list.
    pub file: String,
    /// Where it lies.
    pub path: PathBuf,
    /// What it shows.
    pub caption: String,
    /// Edits; the first is made under every inversion.
    pub edits: Vec<AskedEdit>,
    /// Where the first edit changes the picture, if that is known.
    pub region: Option<TrueRegion>,
}

/// How an edit is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AskedEdit {
    /// As it is typed.
    Line(String),
    /// The prompt that it leads to.
    Prompt(String),
}

impl AskedEdit {
    /// As text.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Self::Line(text) | Self::Prompt(text) => text,
        }
    }
}

/// Where an edit changes a picture, as people or the program that drew it say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TrueRegion {
    /// The light pixels of a picture.
    File(PathBuf),
    /// Places of a square of [`PIE_SIDE`] pixels, row by row: first place and how many from there on.
    Runs(Vec<(usize, usize)>),
}

/// Side of PIE-Bench's pictures and masks.
pub const PIE_SIDE: usize = 512;

impl TrueRegion {
    /// The pixels of the region in the shape that the photograph was brought to, row by row.
    ///
    /// # Errors
    /// Fails if its file is no picture.
    pub fn pixels(&self, session: &mut Session) -> Result<Vec<bool>> {
        let light = match self {
            Self::File(path) => session.photograph(path)?.photograph.bytes().to_vec(),
            Self::Runs(runs) => session.fitted(&drawn(runs))?.0.into_raw(),
        };
        Ok(light.chunks_exact(3).map(|pixel| pixel[0] > 127).collect())
    }
}

/// PIE-Bench's mask as a picture. Its outermost pixels are inside, as its own evaluation has it.
fn drawn(runs: &[(usize, usize)]) -> RgbImage {
    let side = PIE_SIDE;
    let mut inside = vec![false; side * side];
    for (from, count) in runs {
        let from = (*from).min(side * side);
        let to = from.saturating_add(*count).min(side * side);
        inside[from..to].fill(true);
    }
    let last = side as u32 - 1;
    RgbImage::from_fn(side as u32, side as u32, |x, y| {
        let border = x == 0 || y == 0 || x == last || y == last;
        Rgb([if border || inside[y as usize * side + x as usize] { 255 } else { 0 }; 3])
    })
}

/// The pictures that a folder lists, in their order.
///
/// # Errors
/// Fails if the folder has no list, or one that does not read; the line or entry is named.
pub fn listed(folder: &Path) -> Result<Vec<CaptionedFile>> {
    let read = |name: &str| -> Result<Option<String>> {
        let path = folder.join(name);
        match std::fs::read_to_string(&path) {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
        }
    };
    if let Some(text) = read("captions.tsv")? {
        return captions(folder, &text);
    }
    if let Some(text) = read("mapping_file.json")? {
        return pie_bench(folder, &text);
    }
    let message = format!("{} has neither captions.tsv nor PIE-Bench's mapping_file.json", folder.display());
    Err(Hinted::new(message, EXAMPLE).into())
}

const EXAMPLE: &str =
    "a line of captions.tsv is a file, what it shows and edits, parted by tabs: cat.png, a cat on a beach, cat -> dog";

/// A file's place in a folder that it cannot leave.
fn within(folder: &Path, name: &str) -> Result<PathBuf> {
    let inside = Path::new(name).components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    ensure!(
        inside && !name.is_empty(),
        Hinted::new(format!("`{name}` is no file of {}", folder.display()), "a list names files of its own folder")
    );
    Ok(folder.join(name))
}

/// The lines of a captions file: file, caption and edits, parted by tabs. Blank lines and remarks (`# `) say nothing. Beside
/// `cat.png`, `cat.mask.png` is white where its first edit changes it.
///
/// # Errors
/// Fails if a line lacks a caption or an edit, or there is none.
pub fn captions(folder: &Path, text: &str) -> Result<Vec<CaptionedFile>> {
    let mut all = Vec::new();
    for (line, number) in text.lines().zip(1..).filter(|(line, _)| !line.trim().is_empty() && !line.starts_with("# ")) {
        let mut parts = line.split('\t').map(|part| part.trim().to_owned());
        let (Some(file), Some(caption)) = (parts.next(), parts.next()) else {
            return Err(wrong(number, "has no caption"));
        };
        let edits: Vec<AskedEdit> = parts.filter(|edit| !edit.is_empty()).map(AskedEdit::Line).collect();
        ensure!(!edits.is_empty() && !caption.is_empty(), wrong(number, "has no edit"));
        let path = within(folder, &file).with_context(|| format!("line {number} of the captions"))?;
        let mask = path.with_extension("mask.png");
        let region = mask.is_file().then_some(TrueRegion::File(mask));
        all.push(CaptionedFile { file, path, caption, edits, region });
    }
    ensure!(!all.is_empty(), Hinted::new("the captions name no picture", EXAMPLE));
    Ok(all)
}

fn wrong(number: usize, what: &str) -> anyhow::Error {
    Hinted::new(format!("line {number} of the captions {what}"), EXAMPLE).into()
}

/// The entries of PIE-Bench's list: two prompts, of which brackets mark what differs, and where people say that the picture changes.
fn pie_bench(folder: &Path, text: &str) -> Result<Vec<CaptionedFile>> {
    let list: Value = serde_json::from_str(text).context("mapping_file.json is no JSON")?;
    let Value::Object(entries) = list else { bail!("mapping_file.json is no object of pictures") };
    let folder = folder.join("annotation_images");
    let mut all = Vec::new();
    for (name, entry) in &entries {
        let text = |key: &str| {
            let text = entry.get(key).and_then(Value::as_str);
            text.with_context(|| format!("`{name}` of mapping_file.json has no `{key}`"))
        };
        let prompt = |key: &str| text(key).map(|text| text.replace(['[', ']'], ""));
        let file = text("image_path")?.to_owned();
        let path = within(&folder, &file).with_context(|| format!("`{name}` of mapping_file.json"))?;
        let places: Option<Vec<usize>> = entry.get("mask").and_then(Value::as_array).and_then(|mask| {
            mask.iter().map(|place| place.as_u64().and_then(|place| usize::try_from(place).ok())).collect()
        });
        let places = places.filter(|places| places.len().is_multiple_of(2));
        let places = places.with_context(|| format!("`mask` of `{name}` of mapping_file.json is no list of pairs"))?;
        let runs = places.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect();
        all.push(CaptionedFile {
            file,
            path,
            caption: prompt("original_prompt")?,
            edits: vec![AskedEdit::Prompt(prompt("editing_prompt")?)],
            region: Some(TrueRegion::Runs(runs)),
        });
    }
    ensure!(!all.is_empty(), Hinted::new("mapping_file.json names no picture", EXAMPLE));
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<CaptionedFile>> {
        captions(Path::new("somewhere"), text)
    }

    #[test]
    fn captions_are_a_file_what_it_shows_and_edits_and_a_line_that_lacks_one_is_named() {
        let all = read("# a remark\n\na.png\ta cat\tcat -> dog\t+ at night\nb.png\ta dog\tdog -> cat\n").unwrap();
        let edits: Vec<&str> = all[0].edits.iter().map(AskedEdit::text).collect();
        assert_eq!(edits, ["cat -> dog", "+ at night"]);
        assert_eq!((all.len(), all[1].caption.as_str(), &all[1].region), (2, "a dog", &None));
        let said = |text: &str| format!("{:#}", read(text).unwrap_err());
        assert!(said("a.png\ta cat\tcat -> dog\nb.png\n").contains("line 2 of the captions has no caption"));
        assert!(said("a.png\ta cat\n").contains("line 1 of the captions has no edit"));
        assert!(said("\n").contains("no picture"));
    }

    #[test]
    fn a_list_names_no_file_outside_its_folder() {
        for name in ["../a.png", "/etc/passwd", "x/../../a.png"] {
            let said = format!("{:#}", read(&format!("{name}\ta cat\tcat -> dog\n")).unwrap_err());
            assert!(said.contains("is no file of") && said.contains("line 1"), "{said}");
            let entry = serde_json::json!({"0": {"image_path": name, "original_prompt": "a", "editing_prompt": "b", "mask": []}});
            assert!(pie_bench(Path::new("x"), &entry.to_string()).is_err(), "{name}");
        }
    }

    #[test]
    fn a_list_of_pie_bench_gives_both_prompts_without_brackets_and_the_mask() {
        let entry = |mask: Value| {
            serde_json::json!({"000000000000": {
                "image_path": "0_random_140/000000000000.jpg",
                "original_prompt": "a slanted mountain bicycle on the road",
                "editing_prompt": "a slanted [rusty] mountain bicycle on the road",
                "editing_instruction": "Make the frame of the bike rusty",
                "editing_type_id": "0",
                "blended_word": "bicycle bicycle",
                "mask": mask,
            }})
            .to_string()
        };
        let all = pie_bench(Path::new("pie"), &entry(serde_json::json!([520, 2, 262_140, 900]))).unwrap();
        assert_eq!(all[0].caption, "a slanted mountain bicycle on the road");
        assert_eq!(all[0].edits, [AskedEdit::Prompt("a slanted rusty mountain bicycle on the road".into())]);
        assert_eq!(all[0].path, Path::new("pie/annotation_images/0_random_140/000000000000.jpg"));
        let Some(TrueRegion::Runs(runs)) = &all[0].region else { panic!() };
        let mask = drawn(runs);
        let light = |x: u32, y: u32| mask.get_pixel(x, y).0[0] == 255;
        // The border counts as inside; of the rest, what the runs name, as far as the picture goes.
        assert!(light(0, 300) && light(511, 0) && light(8, 1) && light(9, 1) && !light(10, 1) && !light(7, 1));
        let said = |mask: Value| pie_bench(Path::new("pie"), &entry(mask)).unwrap_err().to_string();
        assert!(said(serde_json::json!([1, 2, 3])).contains("`mask` of `000000000000`"));
        assert!(said(serde_json::json!([-1, 2])).contains("no list of pairs"));
        assert!(pie_bench(Path::new("pie"), "{}").is_err() && pie_bench(Path::new("pie"), "[").is_err());
    }
}

//! Where a picture may change, as a person gives it: read from what was typed, and made into a mask for a run.
//!
//! An area is written `x,y,width,height` in pixels, as a file of a mask (PNG; what is light may change), as a word of the
//! prompt, `hair` or `hair#2`: where it attends, or as a text in double quotes, whose place in the picture a network finds.

use std::path::Path;

use anyhow::{Context, Result};

use super::Session;
use super::compose::find_words;
use super::file::Hinted;
use super::region::{REPORT_K, enlarged, words_map};
use super::renderer::Renderer;
use super::run_node::{RunNode, RunResult};
use super::stencil;
use crate::attention::blend::{Mask, MaskRule, spread};
use crate::engine::edit::masked::latent_mask;
use crate::plan::area::{Area, PixelMask};
use crate::prompt::Prompt;
use crate::turn::nearest;

/// From so much light on a pixel of a mask may change.
const LIGHT: u8 = 128;

impl Session {
    /// The area of a node's picture that `typed` gives; `file` is the file that it would be.
    ///
    /// # Errors
    /// Fails if it is none: a file that is no picture or of another size, a rectangle that reaches beyond the picture, a word
    /// that is not in the prompt.
    pub fn area(&mut self, node: u32, typed: &str, file: &Path) -> Result<Area> {
        let recipe = self.tree()[node].recipe.clone();
        let size = (recipe.width, recipe.height);
        if let Some(numbers) = numbers(typed) {
            return rectangle(typed, &numbers, size);
        }
        let is_file = file.is_file() || file.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("png"));
        if is_file {
            return Ok(Area::Mask(read_mask(file, size)?));
        }
        if let Some(text) = quoted(typed) {
            let found = self.found(node, text)?;
            let kept = PixelMask::of_pixels(size, &found.inside);
            return Ok(Area::Mask(kept.map_err(|error| {
                let message = format!("where `{text}` is cannot be kept: {error}");
                Hinted::new(message, "give a rectangle, such as 20,20,40,40")
            })?));
        }
        let prompt = self.generation(node)?.prompt;
        let typed = typed.trim_matches('\'');
        let words = find_words(&prompt.words, typed);
        let ranges = words.iter().filter_map(|word| prompt.word_tokens.get(*word));
        let tokens: Vec<usize> = ranges.flat_map(Clone::clone).collect();
        if !tokens.is_empty() {
            return Ok(Area::Words { tokens });
        }
        if !words.is_empty() {
            let message = format!("`{typed}` was left out: the prompt is longer than the model reads");
            return Err(Hinted::new(message, "give a rectangle, such as 20,20,40,40").into());
        }
        let near = nearest(&typed.to_lowercase(), prompt.words.iter().map(String::as_str));
        let hint = near.map_or_else(
            || "give a word of the prompt, a rectangle such as 20,20,40,40, or the file of a mask".to_owned(),
            |near| format!("did you mean `{near}`?"),
        );
        Err(Hinted::new(format!("`{typed}` is no word of the prompt, no rectangle and no file"), hint).into())
    }

    /// The pixels of a node's picture that lie outside an area, row by row.
    ///
    /// # Errors
    /// Fails if the node must be drawn again and cannot be, or no place of the latent lies in the area.
    pub fn outside_area(&mut self, node: u32, area: &Area) -> Result<Vec<bool>> {
        let (family, renderer) = self.renderer_at(node)?;
        let left = renderer.left(&family)?;
        let mask = renderer.mask_of(area, &family[0], &left)?;
        let size = (left.picture.width, left.picture.height);
        Ok(enlarged(&mask, renderer.report_rule().1, size).map(|inside| !inside).collect())
    }
}

/// A text within double quotes.
#[must_use]
pub fn quoted(typed: &str) -> Option<&str> {
    typed.trim().strip_prefix('"')?.strip_suffix('"').map(str::trim)
}

/// Numbers with commas between; `None` if it is anything else.
fn numbers(typed: &str) -> Option<Vec<Option<usize>>> {
    let is_number = |part: &str| {
        let part = part.trim().trim_start_matches(['-', '+']);
        !part.is_empty() && part.chars().all(|c| c.is_ascii_digit() || c == '.')
    };
    let parts: Vec<&str> = typed.split(',').collect();
    (parts.len() > 1 && parts.iter().all(|part| is_number(part)))
        .then(|| parts.iter().map(|part| part.trim().parse().ok()).collect())
}

fn rectangle(typed: &str, numbers: &[Option<usize>], (across, down): (usize, usize)) -> Result<Area> {
    let [Some(x), Some(y), Some(width), Some(height)] = *numbers else {
        let message = format!("`{typed}` is no rectangle: that is four whole numbers of pixels, x,y,width,height");
        return Err(Hinted::new(message, "20,20,40,40").into());
    };
    let fits =
        |from: usize, length: usize, all: usize| length > 0 && from.checked_add(length).is_some_and(|end| end <= all);
    if !fits(x, width, across) || !fits(y, height, down) {
        let what = if width == 0 || height == 0 { "is empty" } else { "reaches beyond the picture" };
        let message = format!("the rectangle `{typed}` {what}, which has {across} x {down} pixels");
        let message = if what == "is empty" { format!("the rectangle `{typed}` is empty") } else { message };
        let hint = format!("0,0,{across},{down} is all of it");
        return Err(Hinted::new(message, hint).into());
    }
    Ok(Area::Rectangle { x, y, width, height })
}

/// The light pixels of a picture in a file; transparent ones count as dark.
///
/// # Errors
/// Fails if the file is no picture, or of another size, or has no light pixel.
pub fn read_mask(file: &Path, size: (usize, usize)) -> Result<PixelMask> {
    let shown = file.display();
    let hints = [
        "give the file of a PNG, a rectangle such as 20,20,40,40, or a word of the prompt",
        "a mask is a PNG in black and white",
    ];
    let picture = stencil::decoded(file, "mask", hints)?.to_luma_alpha8();
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    if (width, height) != size {
        let message = format!("the mask {shown} is {width}x{height}, but the picture {}x{}", size.0, size.1);
        return Err(Hinted::new(message, "a mask has a pixel for each of the picture's").into());
    }
    let light: Vec<bool> = picture.pixels().map(|pixel| pixel.0[0] >= LIGHT && pixel.0[1] >= LIGHT).collect();
    if !light.contains(&true) {
        let message = format!("the mask {shown} lets nothing change: none of its pixels is light");
        return Err(Hinted::new(message, "what may change is white in a mask").into());
    }
    PixelMask::of_pixels(size, &light).map_err(|error| {
        let message = format!("the mask {shown} cannot be kept: {error}");
        Hinted::new(message, "smooth its edges, or give a rectangle").into()
    })
}

/// An area in words, of a picture whose parent has this prompt: `where `hair` attends`.
#[must_use]
pub fn said(area: &Area, parent: &Prompt) -> String {
    match area {
        Area::Mask(mask) => {
            let (width, height) = mask.size();
            format!("a mask of {} of its {width} x {height} pixels", mask.count())
        }
        Area::Rectangle { x, y, width, height } => format!("the rectangle {x},{y},{width},{height}"),
        Area::Words { tokens } => {
            let has = |word: &usize| parent.word_tokens[*word].clone().any(|token| tokens.contains(&token));
            let words: Vec<&str> =
                (0..parent.words.len()).filter(has).map(|word| parent.words[word].as_str()).collect();
            format!("where `{}` attends", words.join(" "))
        }
    }
}

impl Renderer<'_> {
    /// The mask of an area on the latent's grid, for a child of a node that left `parent`.
    ///
    /// # Errors
    /// Fails if no place of the latent lies in it.
    pub(super) fn mask_of(&self, area: &Area, node: &RunNode, parent: &RunResult) -> Result<Mask> {
        let size = (parent.picture.width, parent.picture.height);
        let factor = self.pixels_a_place();
        let mask = match (area, area.pixels(size)) {
            (_, Some(pixels)) => latent_mask(&pixels, size, factor),
            (Area::Words { tokens }, None) => {
                let (rule, _) = self.report_rule();
                let k = node.plan.settings.k;
                let rule = MaskRule { k: if k > 0.0 { k } else { REPORT_K }, ..rule };
                let map = words_map(parent, tokens, rule.grid).context("BUG: a word of the prompt has no map")?;
                rule.above(&spread(&map, rule.grid), rule.k)
            }
            (_, None) => anyhow::bail!("BUG: an area has neither pixels nor words"),
        };
        if !mask.contains(&1) {
            let message = format!(
                "nothing can change there: the picture changes in squares of {factor} x {factor} pixels, and the region has \
                 the middle of none"
            );
            return Err(Hinted::new(message, "give a larger one").into());
        }
        Ok(mask)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_with_commas_are_a_rectangle_and_words_are_not() {
        assert_eq!(numbers("1,2,3,4").unwrap(), [Some(1), Some(2), Some(3), Some(4)]);
        assert_eq!(numbers("1,-2").unwrap(), [Some(1), None]);
        assert!(numbers("hair").is_none() && numbers("a,b").is_none() && numbers("7").is_none());
    }

    #[track_caller]
    fn refused(typed: &str, why: &str) {
        let error = rectangle(typed, &numbers(typed).unwrap(), (64, 32)).unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
    }

    #[test]
    fn a_rectangle_lies_in_the_picture_and_is_not_empty() {
        assert!(rectangle("0,0,64,32", &numbers("0,0,64,32").unwrap(), (64, 32)).is_ok());
        refused("0,0,64", "four whole numbers");
        refused("0,0,64,32,1", "four whole numbers");
        refused("0,-1,4,4", "four whole numbers");
        refused("0,0,65,32", "beyond");
        refused("1,0,64,32", "beyond");
        refused("0,0,0,32", "is empty");
    }

    #[test]
    fn a_mask_is_read_by_its_light_pixels_and_must_fit_the_picture() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("m.png");
        let pixels = image::GrayImage::from_fn(4, 2, |x, _| image::Luma([if x < 2 { 200 } else { 20 }]));
        pixels.save(&file).unwrap();
        assert_eq!(read_mask(&file, (4, 2)).unwrap().to_string(), "4x2 0 2 2 2 2");
        assert!(read_mask(&file, (8, 2)).unwrap_err().to_string().contains("is 4x2, but the picture 8x2"));
        image::GrayImage::new(4, 2).save(&file).unwrap();
        assert!(read_mask(&file, (4, 2)).unwrap_err().to_string().contains("lets nothing change"));
        std::fs::write(&file, "no picture").unwrap();
        assert!(read_mask(&file, (4, 2)).unwrap_err().to_string().contains("no picture"));
        assert!(read_mask(&folder.path().join("none.png"), (4, 2)).is_err());
    }
}

//! Where a picture may change, given by a person: pixels of a mask, a rectangle, or where words attend.
//!
//! An area is what was given, kept whole: a file that it was read from may go. What a run is blended with is its mask on the
//! latent's grid, which the engine makes of it, a square of pixels for each place and the pixel in the middle deciding.

use std::fmt;
use std::sync::Arc;

use super::{Impossible, Recipe};

/// The most stretches of pixels that a mask may have: what a line of a session's file has room for.
pub const MOST_RUNS: usize = 100_000;

/// Where a picture may change, given by a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Area {
    /// These pixels.
    Mask(PixelMask),
    /// A rectangle of pixels, counted from the left upper corner.
    Rectangle {
        /// Pixels left of it.
        x: usize,
        /// Pixels above it.
        y: usize,
        /// Pixels across.
        width: usize,
        /// Pixels down.
        height: usize,
    },
    /// Where words of the parent's prompt attend: their maps summed over all steps, above the plan's `k`, or .3 where that is 0.
    Words {
        /// Token positions in the parent's prompt.
        tokens: Vec<usize>,
    },
}

impl Area {
    /// The pixels of a picture of this size that may change, row by row: 255 where one may, else 0. `None` if only maps can
    /// tell.
    #[must_use]
    pub fn pixels(&self, (across, down): (usize, usize)) -> Option<Vec<u8>> {
        match self {
            Self::Mask(mask) => Some(mask.pixels()),
            Self::Rectangle { x, y, width, height } => {
                let inside = |at: usize| {
                    let (column, row) = (at % across, at / across);
                    (*x..x + width).contains(&column) && (*y..y + height).contains(&row)
                };
                Some((0..across * down).map(|at| if inside(at) { 255 } else { 0 }).collect())
            }
            Self::Words { .. } => None,
        }
    }

    /// Whether it can be of a picture whose parent's prompt has so many tokens.
    pub(super) fn check(&self, tokens: usize) -> Result<(), Impossible> {
        let wrong = |why: &str| Err(Impossible(why.to_owned()));
        match self {
            Self::Mask(mask) if mask.count() == 0 => wrong("its mask lets nothing change"),
            Self::Mask(_) => Ok(()),
            Self::Rectangle { width: 0, .. } | Self::Rectangle { height: 0, .. } => wrong("its rectangle is empty"),
            Self::Rectangle { x, y, width, height } => match (x.checked_add(*width), y.checked_add(*height)) {
                (Some(_), Some(_)) => Ok(()),
                _ => wrong("its rectangle ends nowhere"),
            },
            Self::Words { tokens: given } if given.is_empty() => wrong("its region is of no words"),
            Self::Words { tokens: given } if given.iter().any(|token| *token >= tokens) => {
                wrong("its region is of words that are not there")
            }
            Self::Words { .. } => Ok(()),
        }
    }

    /// Whether it lies in the pictures of a recipe.
    pub(super) fn fits(&self, recipe: &Recipe) -> Result<(), Impossible> {
        let (across, down) = (recipe.width, recipe.height);
        match self {
            Self::Mask(PixelMask { width, height, .. }) if (*width, *height) != (across, down) => {
                Err(Impossible(format!("its mask is {width}x{height}, but the picture {across}x{down}")))
            }
            Self::Rectangle { x, y, width, height } if x + width > across || y + height > down => {
                Err(Impossible(format!("its rectangle reaches beyond the {across}x{down} pixels of the picture")))
            }
            _ => Ok(()),
        }
    }
}

/// A set of pixels of a picture, as stretches of pixels that are in it and that are not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PixelMask {
    width: usize,
    height: usize,
    /// Lengths, row by row through the whole picture; the first is of pixels that are not in it, and alone may be 0.
    runs: Arc<[u32]>,
}

impl PixelMask {
    /// The set of those pixels of a picture of this size, row by row, that are `inside`.
    ///
    /// # Errors
    /// Fails if they are not as many as the picture has, or so scattered that no file has room for them.
    pub fn of_pixels((width, height): (usize, usize), inside: &[bool]) -> Result<Self, Impossible> {
        let mut runs = vec![0u32];
        let mut now = false;
        for pixel in inside {
            if *pixel != now {
                (now, _) = (*pixel, runs.push(0));
            }
            if let Some(last) = runs.last_mut() {
                *last += 1;
            }
        }
        Self::new((width, height), runs)
    }

    fn new((width, height): (usize, usize), runs: Vec<u32>) -> Result<Self, Impossible> {
        if runs.len() > MOST_RUNS {
            let count = runs.len();
            return Err(Impossible(format!(
                "its mask has {count} stretches of pixels, but at most {MOST_RUNS} are kept"
            )));
        }
        let sum: u64 = runs.iter().map(|run| u64::from(*run)).sum();
        let is_whole = width.checked_mul(height).is_some_and(|all| all > 0 && all as u64 == sum);
        if !is_whole || runs.iter().skip(1).any(|run| *run == 0) {
            return Err(Impossible(format!("its mask is not one of {width}x{height} pixels")));
        }
        Ok(Self { width, height, runs: runs.into() })
    }

    /// Pixels across and down.
    #[must_use]
    pub fn size(&self) -> (usize, usize) {
        (self.width, self.height)
    }

    /// How many pixels are in it.
    #[must_use]
    pub fn count(&self) -> usize {
        self.runs.iter().skip(1).step_by(2).map(|run| *run as usize).sum()
    }

    /// All pixels of the picture, row by row: 255 for one that is in it, else 0.
    #[must_use]
    pub fn pixels(&self) -> Vec<u8> {
        let mut pixels = Vec::with_capacity(self.width * self.height);
        for (i, run) in self.runs.iter().enumerate() {
            pixels.resize(pixels.len() + *run as usize, if i % 2 == 1 { 255 } else { 0 });
        }
        pixels
    }

    /// What it is called by machines: two masks have the same digest exactly if they are the same, 64 hexadecimal digits.
    #[must_use]
    pub fn digest(&self) -> String {
        blake3::hash(self.to_string().as_bytes()).to_hex().to_string()
    }

    /// Reads what [`Display`](fmt::Display) writes.
    ///
    /// # Errors
    /// Fails at anything else, and where the stretches are not as many pixels as the size says.
    pub fn read(text: &str) -> Result<Self, Impossible> {
        let wrong = || Impossible("its mask cannot be read".to_owned());
        let mut parts = text.split(' ');
        let (width, height) = parts.next().and_then(|size| size.split_once('x')).ok_or_else(wrong)?;
        let size = (width.parse().map_err(|_| wrong())?, height.parse().map_err(|_| wrong())?);
        let runs: Option<Vec<u32>> = parts.take(MOST_RUNS + 1).map(|run| run.parse().ok()).collect();
        Self::new(size, runs.ok_or_else(wrong)?)
    }
}

/// `8x4 3 2 27`: the size, then lengths of stretches outside and inside in turn.
impl fmt::Display for PixelMask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}", self.width, self.height)?;
        self.runs.iter().try_for_each(|run| write!(f, " {run}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(inside: [u8; 8], text: &str) {
        let mask = PixelMask::of_pixels((4, 2), &inside.map(|pixel| pixel == 1)).unwrap();
        assert_eq!(mask.to_string(), text);
        assert_eq!(PixelMask::read(text).unwrap(), mask);
        assert_eq!(mask.pixels(), inside.map(|pixel| pixel * 255));
        assert_eq!(mask.count(), inside.iter().filter(|pixel| **pixel == 1).count());
    }

    #[test]
    fn a_mask_comes_back_from_its_text_as_it_was() {
        check([0, 0, 1, 1, 0, 0, 0, 1], "4x2 2 2 3 1");
        check([1, 1, 1, 1, 1, 1, 1, 1], "4x2 0 8");
        check([0; 8], "4x2 8");
    }

    #[test]
    fn text_that_is_no_mask_is_refused() {
        for text in
            ["", "4x2", "4x2 7", "4x2 9", "4x2 4 0 4", "4x2 a", "4 8", "0x0", "4x2 4294967295 4294967295", "-4x2 8"]
        {
            assert!(PixelMask::read(text).is_err(), "{text}");
        }
        let scattered = [true, false].repeat(MOST_RUNS);
        assert!(PixelMask::of_pixels((2, MOST_RUNS), &scattered).is_err());
    }

    #[test]
    fn masks_have_the_same_digest_exactly_if_they_are_the_same() {
        let of = |text: &str| PixelMask::read(text).unwrap().digest();
        assert_eq!(of("4x2 2 2 4"), of("4x2 2 2 4"));
        assert_ne!(of("4x2 2 2 4"), of("4x2 2 3 3"));
        assert_ne!(of("4x2 2 2 4"), of("2x4 2 2 4"));
    }

    #[test]
    fn a_rectangle_has_its_pixels_and_no_others() {
        let pixels = Area::Rectangle { x: 1, y: 1, width: 2, height: 1 }.pixels((4, 3)).unwrap();
        assert_eq!(pixels, [0, 0, 0, 0, 0, 255, 255, 0, 0, 0, 0, 0]);
    }
}

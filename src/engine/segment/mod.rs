//! Where in a picture is what a text names?
//!
//! A [`Segmenter`] reads a picture and a text and says, for each pixel, how much it belongs to what the text names. It looks at a
//! finished picture, not at a run: no attention map is read. [`ClipSeg`] understands any text; [`PartsNet`] is small and knows
//! the parts that the embedded model's pictures consist of.

mod clipseg;
mod parts;

use std::fmt;

use anyhow::Result;

use super::Picture;
use super::layers::Backend;
use crate::model::ModelSource;
use crate::model::spec::network_kind;

pub use super::towers::TowerText;
pub use clipseg::ClipSeg;
pub use parts::PartsNet;

/// A network that finds what a text names.
pub enum Segmenter {
    /// One that understands any text.
    ClipSeg(Box<ClipSeg>),
    /// One that knows a list of parts.
    Parts(Box<PartsNet>),
}

impl Segmenter {
    /// Loads a network of either kind.
    ///
    /// # Errors
    /// Fails if a file is missing, damaged or of another architecture; the message names it.
    pub fn load(source: &dyn ModelSource, backend: &Backend) -> Result<Self> {
        Ok(match network_kind(source)?.as_str() {
            "parts" => Self::Parts(Box::new(PartsNet::load(source, backend)?)),
            _ => Self::ClipSeg(Box::new(ClipSeg::load(source, backend)?)),
        })
    }

    /// Whether a text names anything that it knows: what a picture shows of that is another question.
    ///
    /// # Errors
    /// Fails if it names nothing; the error says what to name.
    pub fn knows(&self, text: &str) -> Result<()> {
        match self {
            Self::ClipSeg(network) => network.read(text).map(|_| ()),
            Self::Parts(network) => network.knows(text).map_err(Into::into),
        }
    }

    /// What a text names in a picture, `height * width` bytes: 255 where a place surely belongs to it, 0 where it surely does not,
    /// 128 at the border.
    ///
    /// # Errors
    /// Fails if the text names nothing that the network knows, or its weights hold no numbers.
    pub fn mask(&self, picture: &Picture, text: &str) -> Result<Vec<u8>> {
        match self {
            Self::ClipSeg(network) => Ok(network.masks(picture, &[network.read(text)?])?.concat()),
            Self::Parts(network) => network.mask(picture, text),
        }
    }
}

/// A text that a network cannot find anything by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SegmentError {
    message: String,
    hint: String,
}

impl SegmentError {
    /// From two sentences in lower case, without a full stop.
    #[must_use]
    pub fn new(message: String, hint: String) -> Self {
        Self { message, hint }
    }

    /// One thing to try.
    #[must_use]
    pub fn hint(&self) -> &str {
        &self.hint
    }
}

impl fmt::Display for SegmentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for SegmentError {}

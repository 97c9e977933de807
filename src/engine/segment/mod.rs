//! Where in a picture is what a text names?
//!
//! A segmenter reads a picture and a text and says, for each pixel, how much it belongs to what the text names. It looks at a
//! finished picture, not at a run: no attention map is read.

mod clipseg;

pub use clipseg::{ClipSeg, SegmentText};

//! Masks and patches out of files: pictures that are looked at for their shape, with their transparency.

use std::path::Path;

use anyhow::Result;
use image::DynamicImage;

use super::file::{Hinted, plainly};

/// The largest side that is read, in pixels.
const LONGEST_SIDE: u32 = 8192;

/// The picture in the file of a `what`. Hints: what to `give` where the file cannot be read, and what it `is` where it is no
/// picture.
///
/// # Errors
/// Fails if the file cannot be read, or is no picture, or too large.
pub(super) fn decoded(file: &Path, what: &str, [give, is]: [&str; 2]) -> Result<DynamicImage> {
    let shown = file.display();
    let cannot_read =
        |error: std::io::Error| Hinted::new(format!("cannot read the {what} {shown}: {}", plainly(&error)), give);
    let reader = image::ImageReader::open(file).map_err(cannot_read)?;
    let mut reader = reader.with_guessed_format().map_err(cannot_read)?;
    let mut limits = image::Limits::default();
    (limits.max_image_width, limits.max_image_height) = (Some(LONGEST_SIDE), Some(LONGEST_SIDE));
    reader.limits(limits);
    let picture = reader.decode();
    Ok(picture
        .map_err(|error| Hinted::new(format!("the {what} {shown} is no picture that can be read: {error}"), is))?)
}

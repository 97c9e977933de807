//! A small picture that is laid on another before that is drawn again, read from a file.

use std::path::Path;

use anyhow::Result;

use super::file::{Hinted, png_of};
use super::stencil;
use crate::plan::redraw::Patch;

/// The most bytes that a patch may take in a session's file.
const MOST_BYTES: usize = 700_000;

/// The patch in a file, with its left upper corner `at` a pixel of a picture of this size; in the middle where none is given.
///
/// # Errors
/// Fails if the file is no picture, or the patch reaches beyond the picture, or a session's file has no room for it.
pub fn read_patch(file: &Path, at: Option<(usize, usize)>, (across, down): (usize, usize)) -> Result<Patch> {
    let shown = file.display();
    let hints = ["with hat.png at 40,20", "a patch is a PNG; what is transparent in it covers nothing"];
    let picture = stencil::decoded(file, "patch", hints)?.into_rgba8();
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    if width > across || height > down {
        let message =
            format!("the patch {shown} is {width}x{height}, larger than the picture, which is {across}x{down}");
        return Err(Hinted::new(message, "make it smaller").into());
    }
    let (x, y) = at.unwrap_or(((across - width) / 2, (down - height) / 2));
    if x > across - width || y > down - height {
        let message = format!("the patch {shown}, {width}x{height} at {x},{y}, reaches beyond the picture");
        return Err(
            Hinted::new(message, format!("at {},{} is as far as it fits", across - width, down - height)).into()
        );
    }
    let patch = Patch { x, y, width, height, rgba: picture.into_raw().into() };
    let bytes = png_of(&patch)?.len();
    if bytes > MOST_BYTES {
        let message =
            format!("the patch {shown} takes {bytes} bytes of the session's file, which has room for {MOST_BYTES}");
        return Err(Hinted::new(message, "make it smaller").into());
    }
    Ok(patch)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patch_lies_in_the_middle_or_where_it_is_put_and_never_beyond_the_picture() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("p.png");
        image::RgbImage::from_pixel(4, 2, image::Rgb([9, 8, 7])).save(&file).unwrap();
        let read = |at, size| read_patch(&file, at, size);
        let patch = read(None, (10, 10)).unwrap();
        assert_eq!((patch.x, patch.y, patch.width, patch.height), (3, 4, 4, 2));
        assert_eq!(patch.rgba[..8], [9, 8, 7, 255, 9, 8, 7, 255]);
        assert_eq!(read(Some((6, 8)), (10, 10)).unwrap().x, 6);
        for (at, size, why) in [
            (Some((7, 8)), (10, 10), "reaches beyond"),
            (Some((usize::MAX, 0)), (10, 10), "reaches beyond"),
            (None, (3, 10), "larger than the picture"),
        ] {
            let error = read(at, size).unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
        }
        assert!(read_patch(&folder.path().join("none.png"), None, (9, 9)).is_err());
    }
}

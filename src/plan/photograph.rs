//! A picture from outside as the root of a tree: its pixels at the size at which the tree is drawn.
//!
//! The pixels are part of the recipe, so that a tree can be drawn again wherever its recipe is: in a session's file, in a
//! picture that carries its lineage, in memory. A node's id covers their digest.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::check::Impossible;

/// Pixels of a picture from outside.
#[derive(Clone, PartialEq, Eq)]
pub struct Photograph {
    width: usize,
    height: usize,
    bytes: Vec<u8>,
    digest: String,
    file: Option<String>,
}

impl Photograph {
    /// A photograph of `width * height * 3` bytes, row by row: red, green and blue of each pixel. `file` is what its file is
    /// called, for people.
    ///
    /// # Errors
    /// Fails if there are no pixels, or more or fewer bytes than they take.
    pub fn new(width: usize, height: usize, bytes: Vec<u8>, file: Option<String>) -> Result<Self, Impossible> {
        let wanted = width.checked_mul(height).and_then(|pixels| pixels.checked_mul(3));
        if bytes.is_empty() || wanted != Some(bytes.len()) {
            return Err(Impossible(format!("{} bytes are no photograph of {width} x {height}", bytes.len())));
        }
        let digest = pixel_digest((width, height), &bytes);
        Ok(Self { width, height, bytes, digest, file })
    }

    /// Pixels across.
    #[must_use]
    pub fn width(&self) -> usize {
        self.width
    }

    /// Pixels down.
    #[must_use]
    pub fn height(&self) -> usize {
        self.height
    }

    /// Red, green and blue of each pixel, row by row.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Digest of size and pixels, 64 hexadecimal digits.
    #[must_use]
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// What its file is called, for people: a whole path, or the last part of one.
    #[must_use]
    pub fn file(&self) -> Option<&str> {
        self.file.as_deref()
    }
}

impl fmt::Debug for Photograph {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Photograph({} x {}, {:.8})", self.width, self.height, self.digest)
    }
}

/// A digest of a picture's size and pixels, 64 hexadecimal digits.
#[must_use]
pub fn pixel_digest((width, height): (usize, usize), bytes: &[u8]) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&(width as u64).to_le_bytes());
    hasher.update(&(height as u64).to_le_bytes());
    hasher.update(bytes);
    hasher.finalize().to_hex().to_string()
}

/// How a picture from outside is brought to the shape of a tree's pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PhotographFit {
    /// The middle of it, as large as the shape allows.
    #[default]
    Crop,
    /// All of it, with its outermost pixels drawn out over what is left.
    Pad,
    /// All of it, each side for itself.
    Stretch,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_are_no_picture_of_the_size_are_no_photograph() {
        for (width, height, bytes) in [(2, 2, 11), (2, 2, 13), (0, 0, 0), (0, 5, 0), (usize::MAX, 3, 9)] {
            assert!(Photograph::new(width, height, vec![0; bytes], None).is_err(), "{width} x {height}");
        }
        let one = Photograph::new(2, 1, vec![1; 6], Some("a.png".to_owned())).unwrap();
        let turned = Photograph::new(1, 2, vec![1; 6], None).unwrap();
        let other = Photograph::new(2, 1, vec![1, 1, 1, 1, 1, 2], None).unwrap();
        assert_eq!(Photograph::new(2, 1, vec![1; 6], None).unwrap().digest(), one.digest());
        assert!(one.digest() != turned.digest() && one.digest() != other.digest());
    }
}

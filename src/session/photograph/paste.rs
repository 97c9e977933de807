//! The pixels of one picture around the region of another.

use crate::engine::Picture;

/// The pixels of a picture of `size` (width, height) that lie in a mask: one byte a place of a latent of `latent` (height,
/// width) places, 1 inside.
#[must_use]
pub fn inside_of(mask: &[u8], latent: (usize, usize), (width, height): (usize, usize)) -> Vec<bool> {
    let place = |p: usize| (p / width * latent.0 / height) * latent.1 + p % width * latent.1 / width;
    (0..width * height).map(|p| mask.get(place(p)) == Some(&1)).collect()
}

/// How many pixels wide the border is, for pictures of `width` pixels on latents of `places`: half a place.
#[must_use]
pub fn border(width: usize, places: usize) -> usize {
    (width / places.max(1) / 2).max(1)
}

/// `own` where a pixel is `inside`, and `outside` byte for byte where it is not. At the border the two run into each other,
/// over `border` pixels of the inside alone. Pictures of different sizes are not laid into each other: then it is `own`.
#[must_use]
pub fn paste(own: &Picture, outside: &Picture, inside: &[bool], border: usize) -> Picture {
    if (outside.width, outside.height) != (own.width, own.height) || inside.len() != own.width * own.height {
        return own.clone();
    }
    let depth = depths(inside, (own.width, own.height), border);
    let mut bytes = outside.bytes.clone();
    let whole = border as u32 + 1;
    for ((pixel, own), depth) in bytes.chunks_exact_mut(3).zip(own.bytes.chunks_exact(3)).zip(depth) {
        for (value, own) in pixel.iter_mut().zip(own).filter(|_| depth > 0) {
            let (a, b) = (u32::from(*own), u32::from(*value));
            *value = ((a * depth + b * (whole - depth) + whole / 2) / whole) as u8;
        }
    }
    Picture { width: own.width, height: own.height, bytes }
}

/// How far each pixel lies inside: 0 outside, 1 at the border, up to `border` + 1 from there on. What lies beyond the
/// picture's edge counts as inside.
fn depths(inside: &[bool], (width, height): (usize, usize), border: usize) -> Vec<u32> {
    let mut depth: Vec<u32> = inside.iter().map(|inside| u32::from(*inside)).collect();
    for level in 1..=border as u32 {
        let before = depth.clone();
        for (pixel, now) in depth.iter_mut().enumerate().filter(|(_, now)| **now == level) {
            let (x, y) = (pixel % width, pixel / width);
            let mut around = (y.saturating_sub(1)..=(y + 1).min(height - 1))
                .flat_map(|y| (x.saturating_sub(1)..=(x + 1).min(width - 1)).map(move |x| y * width + x));
            if around.all(|other| before[other] >= level) {
                *now = level + 1;
            }
        }
    }
    depth
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(width: usize, height: usize, value: u8) -> Picture {
        Picture { width, height, bytes: vec![value; width * height * 3] }
    }

    #[test]
    fn outside_every_byte_is_the_photographs_and_deep_inside_every_byte_the_drawings() {
        let (own, mut photograph) = (plain(32, 32, 200), plain(32, 32, 0));
        photograph.bytes.iter_mut().enumerate().for_each(|(i, b)| *b = (i % 97) as u8);
        let mut mask = vec![0u8; 64];
        for y in 2..6 {
            mask[8 * y + 2..8 * y + 6].fill(1); // pixels 8 to 24, both ways
        }
        let pasted = paste(&own, &photograph, &inside_of(&mask, (8, 8), (32, 32)), border(32, 8));
        for pixel in 0..32 * 32 {
            let (x, y) = (pixel % 32, pixel / 32);
            let at = 3 * pixel..3 * pixel + 3;
            let edge = x.min(y).min(31 - x).min(31 - y);
            match edge {
                0..8 => assert_eq!(pasted.bytes[at.clone()], photograph.bytes[at], "{x} {y}"),
                8..10 => assert!(pasted.bytes[at].iter().all(|b| (60..200).contains(b)), "{x} {y}"),
                _ => assert_eq!(pasted.bytes[at], [200; 3], "{x} {y}"),
            }
        }
    }

    #[test]
    fn an_empty_region_is_the_photograph_and_a_full_one_the_drawing() {
        let (own, photograph) = (plain(16, 8, 9), plain(16, 8, 77));
        assert_eq!(paste(&own, &photograph, &[false; 128], 1), photograph);
        assert_eq!(paste(&own, &photograph, &[true; 128], 1), own);
        assert_eq!(paste(&own, &plain(8, 8, 1), &[false; 128], 1), own, "another size");
    }
}

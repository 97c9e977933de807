//! Few colours for many: a palette by median cut, as Sixel terminals need.

use image::RgbImage;

/// A picture of palette entries.
pub(crate) struct Indexed {
    /// At most as many colours as were asked for; never empty.
    pub(crate) colours: Vec<[u8; 3]>,
    /// One entry a pixel, row by row.
    pub(crate) pixels: Vec<u8>,
}

/// `picture` in at most `most` colours (1 to 256).
///
/// A picture that has no more colours than that keeps every pixel exactly. With 64 colours or fewer the rounding
/// error is passed on to the neighbours (Floyd and Steinberg's weights), since flat steps would show.
pub(crate) fn reduce(picture: &RgbImage, most: usize) -> Indexed {
    let most = most.clamp(1, 256);
    let mut pixels: Vec<[u8; 3]> = picture.pixels().map(|pixel| pixel.0).collect();
    let mut distinct = pixels.clone();
    distinct.sort_unstable();
    distinct.dedup();
    if distinct.len() <= most {
        let place = |rgb: &[u8; 3]| distinct.binary_search(rgb).unwrap_or(0) as u8;
        let indices = pixels.iter().map(place).collect();
        if distinct.is_empty() {
            distinct.push([0; 3]);
        }
        return Indexed { colours: distinct, pixels: indices };
    }
    let colours = median_cut(&mut pixels, most);
    let mut nearest = Nearest::new(&colours);
    let indices = if most <= 64 {
        diffuse(picture, &colours, &mut nearest)
    } else {
        picture.pixels().map(|pixel| nearest.of(pixel.0)).collect()
    };
    Indexed { colours, pixels: indices }
}

/// Cuts the pixels into `most` boxes, always the one with the largest sum of squares along one channel, and gives each
/// box's mean.
fn median_cut(pixels: &mut [[u8; 3]], most: usize) -> Vec<[u8; 3]> {
    let spread = |part: &[[u8; 3]]| {
        let (mut channel, mut largest) = (0, 0.0);
        for c in 0..3 {
            let (sum, squares) = part.iter().fold((0u64, 0u64), |(sum, squares), pixel| {
                let value = u64::from(pixel[c]);
                (sum + value, squares + value * value)
            });
            let about_mean = squares as f64 - (sum as f64).powi(2) / part.len() as f64;
            if about_mean > largest {
                (channel, largest) = (c, about_mean);
            }
        }
        (channel, largest)
    };
    let mean = |part: &[[u8; 3]]| {
        let sum = part.iter().fold([0u64; 3], |sum, pixel| std::array::from_fn(|c| sum[c] + u64::from(pixel[c])));
        let count = part.len() as u64;
        sum.map(|total| ((total + count / 2) / count) as u8)
    };
    let whole = spread(pixels);
    let mut boxes = vec![(0..pixels.len(), whole)];
    while boxes.len() < most {
        let widest = (0..boxes.len()).max_by(|&a, &b| boxes[a].1.1.total_cmp(&boxes[b].1.1));
        let Some(number) = widest.filter(|&number| boxes[number].1.1 > 0.0) else {
            break;
        };
        let (range, (channel, _)) = boxes.swap_remove(number);
        let part = &mut pixels[range.clone()];
        part.sort_unstable_by_key(|pixel| pixel[channel]);
        // Cut where the mean falls; equal values stay together, and both sides get at least one pixel.
        let sum: u64 = part.iter().map(|pixel| u64::from(pixel[channel])).sum();
        let cut = part.partition_point(|pixel| u64::from(pixel[channel]) * part.len() as u64 <= sum);
        let cut = cut.clamp(1, part.len() - 1);
        let (left, right) = part.split_at(cut);
        boxes.push((range.start..range.start + cut, spread(left)));
        boxes.push((range.start + cut..range.end, spread(right)));
    }
    boxes.into_iter().map(|(range, _)| mean(&pixels[range])).collect()
}

/// Finds the nearest palette entry and remembers what it found.
struct Nearest<'a> {
    colours: &'a [[u8; 3]],
    known: std::collections::HashMap<[u8; 3], u8>,
}

impl<'a> Nearest<'a> {
    fn new(colours: &'a [[u8; 3]]) -> Self {
        Self { colours, known: std::collections::HashMap::new() }
    }

    fn of(&mut self, rgb: [u8; 3]) -> u8 {
        let colours = self.colours;
        *self.known.entry(rgb).or_insert_with(|| {
            let distance =
                |colour: &[u8; 3]| (0..3).map(|c| (i32::from(colour[c]) - i32::from(rgb[c])).pow(2)).sum::<i32>();
            (0..colours.len()).min_by_key(|&i| distance(&colours[i])).unwrap_or(0) as u8
        })
    }
}

fn diffuse(picture: &RgbImage, colours: &[[u8; 3]], nearest: &mut Nearest) -> Vec<u8> {
    let width = picture.width() as usize;
    let mut out = Vec::with_capacity(picture.as_raw().len() / 3);
    // What the pixels of this row and the next still owe, in sixteenths; one spare on either side.
    let (mut owed, mut below) = (vec![[0i32; 3]; width + 2], vec![[0i32; 3]; width + 2]);
    for row in picture.as_raw().chunks_exact(3 * width.max(1)) {
        for (x, pixel) in row.chunks_exact(3).enumerate() {
            let wanted: [i32; 3] = std::array::from_fn(|c| (i32::from(pixel[c]) + owed[x + 1][c] / 16).clamp(0, 255));
            let index = nearest.of(wanted.map(|value| value as u8));
            for c in 0..3 {
                let error = wanted[c] - i32::from(colours[usize::from(index)][c]);
                owed[x + 2][c] += 7 * error;
                below[x][c] += 3 * error;
                below[x + 1][c] += 5 * error;
                below[x + 2][c] += error;
            }
            out.push(index);
        }
        std::mem::swap(&mut owed, &mut below);
        below.fill([0; 3]);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::Rgb;

    fn shown(indexed: &Indexed, width: u32, height: u32) -> RgbImage {
        let bytes = indexed.pixels.iter().flat_map(|&i| indexed.colours[usize::from(i)]).collect();
        RgbImage::from_raw(width, height, bytes).unwrap()
    }

    fn smooth(side: u32) -> RgbImage {
        RgbImage::from_fn(side, side, |x, y| {
            Rgb([(x * 255 / side) as u8, (y * 255 / side) as u8, ((x + y) * 127 / side) as u8])
        })
    }

    #[test]
    fn a_picture_of_few_colours_keeps_every_pixel() {
        let picture = RgbImage::from_fn(40, 40, |x, y| Rgb([(x % 16 * 3) as u8, (y % 16 * 5) as u8, 7]));
        let indexed = reduce(&picture, 256);
        assert_eq!(indexed.colours.len(), 256);
        assert_eq!(shown(&indexed, 40, 40), picture);
    }

    #[test]
    fn no_more_colours_are_used_than_asked_for() {
        for most in [1, 2, 16, 64, 255, 256] {
            let indexed = reduce(&smooth(64), most);
            assert!(indexed.colours.len() <= most);
            assert!(indexed.pixels.iter().all(|&i| usize::from(i) < indexed.colours.len()));
        }
    }

    #[test]
    fn a_smooth_picture_in_256_colours_is_close_to_itself() {
        let picture = smooth(128);
        let indexed = reduce(&picture, 256);
        let squares: u64 = picture
            .as_raw()
            .iter()
            .zip(shown(&indexed, 128, 128).as_raw())
            .map(|(&a, &b)| u64::from(a.abs_diff(b)).pow(2))
            .sum();
        let mean = squares as f64 / picture.as_raw().len() as f64;
        assert!(mean < 40.0, "mean squared error {mean}");
    }

    #[test]
    fn sixteen_colours_keep_the_brightness_of_each_region() {
        let picture = smooth(64);
        let seen = shown(&reduce(&picture, 16), 64, 64);
        for (left, top) in [(0, 0), (32, 0), (0, 32), (32, 32), (16, 16)] {
            for channel in 0..3 {
                let mean = |p: &RgbImage| {
                    let part = (0..1024).map(|i| f64::from(p.get_pixel(left + i % 32, top + i / 32)[channel]));
                    part.sum::<f64>() / 1024.0
                };
                let gap = (mean(&picture) - mean(&seen)).abs();
                assert!(gap < 6.0, "region {left}, {top}, channel {channel}: off by {gap}");
            }
        }
    }

    #[test]
    fn an_empty_picture_has_a_palette_and_no_pixels() {
        let indexed = reduce(&RgbImage::new(0, 0), 16);
        assert_eq!((indexed.colours.len(), indexed.pixels.len()), (1, 0));
    }
}

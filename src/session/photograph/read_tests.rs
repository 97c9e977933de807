use super::*;
use image::codecs::jpeg::JpegEncoder;
use image::codecs::webp::WebPEncoder;
use image::{ExtendedColorType, GrayImage, ImageBuffer, ImageEncoder, Luma, Rgba, RgbaImage};

/// Red left, green right, blue along the top.
fn sample(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        image::Rgb(if y < height / 4 {
            [0, 0, 250]
        } else if x < width / 2 {
            [240, 10, 10]
        } else {
            [10, 240, 10]
        })
    })
}

fn as_format(picture: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

#[track_caller]
fn is_near(found: &RgbImage, wanted: &RgbImage, most: u8) {
    assert_eq!(found.dimensions(), wanted.dimensions());
    let (w, h) = wanted.dimensions();
    // Away from where colours meet, which JPEG blurs.
    for (x, y) in [(w / 8, 1), (w / 4, h * 3 / 4), (w * 7 / 8, h * 3 / 4)] {
        let (a, b) = (found.get_pixel(x, y).0, wanted.get_pixel(x, y).0);
        assert!(a.iter().zip(b).all(|(a, b)| a.abs_diff(b) <= most), "{a:?} and {b:?} at {x},{y}");
    }
}

#[track_caller]
fn refused(bytes: &[u8], why: &str) {
    let error = decode(bytes).unwrap_err();
    assert!(error.to_string().contains(why), "{error}");
    assert!(error.downcast_ref::<Hinted>().is_some_and(|hinted| !hinted.hint().is_empty()), "{error}");
}

#[test]
fn pictures_of_every_kind_that_is_read_have_the_colours_they_were_saved_with() {
    let picture = DynamicImage::from(sample(32, 16));
    for (format, most) in
        [(ImageFormat::Png, 0), (ImageFormat::Jpeg, 12), (ImageFormat::Gif, 12), (ImageFormat::WebP, 0)]
    {
        let found = decode(&as_format(&picture, format)).unwrap();
        is_near(&found.picture, &sample(32, 16), most);
        assert!(found.notes.is_empty(), "{format:?}: {:?}", found.notes);
    }
}

#[test]
fn grey_and_deep_pictures_become_eight_bits_of_three_colours() {
    let grey = GrayImage::from_pixel(8, 8, Luma([77]));
    assert!(decode(&as_format(&grey.into(), ImageFormat::Png)).unwrap().picture.pixels().all(|p| p.0 == [77; 3]));
    let deep: ImageBuffer<Luma<u16>, Vec<u16>> = ImageBuffer::from_pixel(8, 8, Luma([0x8080]));
    let found = decode(&as_format(&deep.into(), ImageFormat::Png)).unwrap();
    assert!(found.picture.pixels().all(|p| p.0 == [0x80; 3]));
    assert!(found.notes[0].contains("16 bits"), "{:?}", found.notes);
}

#[test]
fn what_is_clear_is_laid_over_white_and_that_is_told() {
    let clear = RgbaImage::from_fn(8, 8, |x, _| if x < 4 { Rgba([200, 0, 0, 0]) } else { Rgba([200, 0, 0, 128]) });
    for format in [ImageFormat::Png, ImageFormat::WebP] {
        let found = decode(&as_format(&clear.clone().into(), format)).unwrap();
        assert_eq!(found.picture.get_pixel(0, 0).0, [255; 3]);
        assert_eq!(found.picture.get_pixel(7, 0).0, [227, 127, 127]);
        assert!(found.notes[0].contains("over white"), "{:?}", found.notes);
    }
    let opaque = RgbaImage::from_pixel(8, 8, Rgba([9, 8, 7, 255]));
    assert!(decode(&as_format(&opaque.into(), ImageFormat::Png)).unwrap().notes.is_empty());
}

/// A TIFF header with an orientation, as cameras write it.
fn exif(orientation: u8) -> Vec<u8> {
    let mut bytes = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0".to_vec();
    bytes.extend([orientation, 0, 0, 0, 0, 0, 0, 0]);
    bytes
}

#[test]
fn a_picture_that_its_camera_noted_as_turned_stands_upright() {
    let upright = sample(32, 16);
    // What a sensor saw that was turned; the note says how to turn it back.
    for (orientation, seen) in [
        (6, image::imageops::rotate270(&upright)),
        (8, image::imageops::rotate90(&upright)),
        (3, image::imageops::rotate180(&upright)),
        (2, image::imageops::flip_horizontal(&upright)),
        (1, upright.clone()),
    ] {
        let mut bytes = Vec::new();
        let mut encoder = JpegEncoder::new_with_quality(&mut bytes, 95);
        encoder.set_exif_metadata(exif(orientation)).unwrap();
        encoder.write_image(&seen, seen.width(), seen.height(), ExtendedColorType::Rgb8).unwrap();
        let found = decode(&bytes).unwrap();
        is_near(&found.picture, &upright, 12);
        assert_eq!(found.notes.is_empty(), orientation == 1, "{orientation}: {:?}", found.notes);
    }
}

#[test]
fn files_that_are_cut_off_or_flipped_anywhere_are_refused_or_read_and_never_end_the_program() {
    let picture = DynamicImage::from(sample(24, 24));
    for format in [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::Gif, ImageFormat::WebP] {
        let whole = as_format(&picture, format);
        for end in (0..whole.len()).step_by(1 + whole.len() / 80) {
            let _ = decode(&whole[..end]);
        }
        for at in (0..whole.len()).step_by(1 + whole.len() / 120) {
            let mut bad = whole.clone();
            bad[at] ^= 0x5a;
            if let Ok(found) = decode(&bad) {
                assert!(found.picture.width() > 0);
            }
        }
    }
    let png = as_format(&picture, ImageFormat::Png);
    refused(&png[..png.len() - 30], "ends too early");
    refused(b"", "is no picture");
    refused(b"hello, I am a picture", "is no picture");
    refused(b"II*\0 and more of it", "is a TIFF file");
    refused(b"\0\0\0\x20ftypheic....", "is a HEIF or AVIF file");
}

/// A PNG header that promises so many pixels and holds none.
fn promises(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".to_vec();
    let mut chunk = b"IHDR".to_vec();
    for side in [width, height] {
        bytes.extend(side.to_be_bytes());
        chunk.extend(side.to_be_bytes());
    }
    bytes.extend([8, 2, 0, 0, 0]);
    chunk.extend([8, 2, 0, 0, 0]);
    let mut crc = !0u32;
    for byte in chunk {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
        }
    }
    bytes.extend((!crc).to_be_bytes());
    bytes.extend(b"\0\0\0\x04IDAT\x78\x9c\x03\0\0\0\0\0");
    bytes
}

#[test]
fn a_header_that_promises_more_pixels_than_are_read_is_refused_before_memory_is_taken() {
    let begun = std::time::Instant::now();
    for (width, height) in [(60_000, 60_000), (16_000, 16_000), (20_000, 1), (u32::MAX >> 1, u32::MAX >> 1)] {
        refused(&promises(width, height), "");
    }
    assert!(begun.elapsed().as_secs() < 5);
}

#[test]
fn the_smallest_picture_and_one_without_a_shape_are_read() {
    for (w, h) in [(1, 1), (1, 500), (500, 1)] {
        let found =
            decode(&as_format(&RgbImage::from_pixel(w, h, image::Rgb([5, 6, 7])).into(), ImageFormat::Png)).unwrap();
        assert_eq!(found.picture.dimensions(), (w, h));
    }
}

#[test]
fn a_lossless_webp_and_its_name_do_not_matter_only_its_bytes_do() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("really.jpg");
    let picture = sample(16, 16);
    let mut bytes = Vec::new();
    WebPEncoder::new_lossless(&mut bytes).write_image(&picture, 16, 16, ExtendedColorType::Rgb8).unwrap();
    std::fs::write(&path, &bytes).unwrap();
    assert_eq!(read(&path).unwrap().picture, picture);
    assert!(read(folder.path()).is_err() && read(&folder.path().join("none.png")).is_err());
}

/// A picture of 8 x 8 pixels of one colour in four inks, as print shops' programs save it: inverted, and marked so.
fn in_four_inks(inks: [u8; 4]) -> Vec<u8> {
    let mut bytes = b"\xff\xd8\xff\xee\0\x0eAdobe\0\x64\0\0\0\0\0".to_vec();
    bytes.extend(b"\xff\xdb\0\x43\0");
    bytes.extend([1; 64]);
    bytes.extend(b"\xff\xc0\0\x14\x08\0\x08\0\x08\x04");
    (1..=4u8).for_each(|id| bytes.extend([id, 0x11, 0]));
    // Twelve sizes of a mean in four bits each; of what varies, nothing, in one bit.
    bytes.extend(b"\xff\xc4\0\x1f\0\0\0\0\x0c\0\0\0\0\0\0\0\0\0\0\0\0");
    bytes.extend(0..12u8);
    bytes.extend(b"\xff\xc4\0\x14\x10\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0");
    bytes.extend(b"\xff\xda\0\x0e\x04");
    (1..=4u8).for_each(|id| bytes.extend([id, 0]));
    bytes.extend([0, 63, 0]);
    let mut bits = String::new();
    for ink in inks {
        let mean = (i32::from(ink) - 128) * 8;
        let size = (i32::BITS - mean.abs().leading_zeros()) as usize;
        let written = if mean < 0 { mean + (1 << size) - 1 } else { mean };
        bits += &format!("{size:04b}");
        if size > 0 {
            bits += &format!("{written:0size$b}");
        }
        bits.push('0');
    }
    while !bits.len().is_multiple_of(8) {
        bits.push('1');
    }
    for at in (0..bits.len()).step_by(8) {
        let byte = u8::from_str_radix(&bits[at..at + 8], 2).unwrap();
        bytes.push(byte);
        if byte == 0xff {
            bytes.push(0);
        }
    }
    bytes.extend(b"\xff\xd9");
    bytes
}

#[test]
fn a_picture_in_four_inks_has_the_colour_that_they_print() {
    for (inks, colour) in
        [([200, 100, 50, 255], [200, 100, 50]), ([255, 255, 255, 128], [128; 3]), ([255; 4], [255; 3])]
    {
        let found = decode(&in_four_inks(inks)).unwrap().picture;
        assert!(
            found.pixels().all(|p| p.0.iter().zip(colour).all(|(a, b)| a.abs_diff(b) <= 2)),
            "{:?}",
            found.get_pixel(0, 0)
        );
    }
}

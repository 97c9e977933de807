use super::*;
use image::Rgb;
use serde_json::json;

fn picture() -> RgbImage {
    RgbImage::from_fn(24, 18, |x, y| Rgb([(x * 10) as u8, (y * 14) as u8, (x * y) as u8]))
}

fn parameters() -> Parameters {
    Parameters {
        prompt: "a woman's face, long hair".to_owned(),
        negative: "blurry, dark".to_owned(),
        steps: 30,
        sampler: "DDIM".to_owned(),
        guidance: 4.5,
        seed: u64::MAX,
        size: (128, 96),
        model: "atelier".to_owned(),
    }
}

fn full_notes() -> Notes {
    Notes {
        parameters: Some(parameters().to_text()),
        wordbrush: Some(json!({"format": 1, "events": [{"prompt": "猫 and \u{1b}[31m"}, {"edit": "a → b"}]})),
    }
}

/// A chunk with its length and checksum.
fn chunk(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let mut bytes = (data.len() as u32).to_be_bytes().to_vec();
    bytes.extend_from_slice(kind);
    bytes.extend_from_slice(data);
    let checksum = crc32(&bytes[4..]);
    bytes.extend_from_slice(&checksum.to_be_bytes());
    bytes
}

/// A file of a header for `width` x `height` and then `chunks`.
fn file(width: u32, height: u32, chunks: &[Vec<u8>]) -> Vec<u8> {
    let mut header = width.to_be_bytes().to_vec();
    header.extend_from_slice(&height.to_be_bytes());
    header.extend_from_slice(&[8, 2, 0, 0, 0]);
    let mut bytes = SIGNATURE.to_vec();
    bytes.extend(chunk(b"IHDR", &header));
    bytes.extend(chunks.concat());
    bytes
}

#[track_caller]
fn refused(bytes: &[u8], part: &str) {
    let message = format!("{:#}", notes(bytes).unwrap_err());
    assert!(message.contains(part), "`{message}` does not say `{part}`");
    assert!(message.chars().all(|c| crate::safe::is_printable(c) && c != '\n'), "{message:?}");
    assert!(decode(bytes).is_err());
}

#[test]
fn the_checksum_is_the_standards() {
    // The check value of CRC-32, and the four bytes that end every PNG file.
    assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    assert_eq!(crc32(b"IEND"), 0xae42_6082);
}

#[test]
fn pixels_and_notes_come_back_as_they_were_written() {
    let bytes = encode_with(&picture(), &full_notes()).unwrap();
    assert_eq!(decode(&bytes).unwrap(), (picture(), full_notes()));
}

#[test]
fn a_prompt_beyond_latin_1_is_kept() {
    for prompt in ["naïve café", "black hair → red", "猫", "two\nlines"] {
        let written = Notes { parameters: Some(prompt.to_owned()), wordbrush: None };
        assert_eq!(notes(&encode_with(&picture(), &written).unwrap()).unwrap(), written);
    }
}

#[test]
fn another_png_reader_sees_the_same_parameters() {
    let bytes = encode_with(&picture(), &full_notes()).unwrap();
    let reader = png::Decoder::new(std::io::Cursor::new(bytes)).read_info().unwrap();
    let text = &reader.info().uncompressed_latin1_text[0];
    assert_eq!((text.keyword.as_str(), &text.text), ("parameters", &parameters().to_text()));
}

#[test]
fn the_parameters_have_the_common_form() {
    assert_eq!(
        parameters().to_text(),
        "a woman's face, long hair\nNegative prompt: blurry, dark\nSteps: 30, Sampler: DDIM, CFG scale: 4.5, \
         Seed: 18446744073709551615, Size: 128x96, Model: atelier"
    );
}

#[test]
fn parameters_are_read_back_with_and_without_a_negative_prompt() {
    let with = parameters();
    let without = Parameters { negative: String::new(), prompt: "one\ntwo".to_owned(), ..parameters() };
    let empty = Parameters { negative: String::new(), prompt: String::new(), ..parameters() };
    let only_negative = Parameters { prompt: String::new(), ..parameters() };
    for each in [with, without, empty, only_negative] {
        assert_eq!(Parameters::parse(&each.to_text()), Some(each));
    }
}

#[test]
fn text_that_is_no_list_of_parameters_is_refused() {
    for text in
        ["", "a cat", "a cat\nSteps: many, Seed: 1, Size: 1x1", "Steps: 3, Seed: 1", "Steps: 3, Seed: 1, Size: x"]
    {
        assert_eq!(Parameters::parse(text), None, "{text}");
    }
}

#[test]
fn a_file_without_notes_has_none() {
    assert_eq!(notes(&encode(&picture()).unwrap()).unwrap(), Notes::default());
}

#[test]
fn what_is_not_a_png_file_says_so() {
    refused(b"", "not a PNG");
    refused(b"GIF89a", "not a PNG");
    refused(&SIGNATURE[..7], "not a PNG");
}

#[test]
fn a_file_cut_anywhere_is_refused_and_never_panics() {
    let bytes = encode_with(&picture(), &full_notes()).unwrap();
    for length in 0..bytes.len() {
        assert!(notes(&bytes[..length]).is_err(), "{length} of {} bytes were taken", bytes.len());
    }
}

#[test]
fn a_changed_byte_anywhere_is_refused() {
    let bytes = encode_with(&picture(), &full_notes()).unwrap();
    for place in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[place] ^= 0x20;
        assert!(notes(&damaged).is_err(), "byte {place} was changed unnoticed");
    }
}

#[test]
fn a_changed_byte_under_a_mended_checksum_never_panics() {
    let bytes = encode_with(&picture(), &full_notes()).unwrap();
    let mut start = SIGNATURE.len();
    while start < bytes.len() {
        let length = u32::from_be_bytes(bytes[start..start + 4].try_into().unwrap()) as usize;
        let end = start + 8 + length;
        for place in start + 4..end {
            for bit in [1, 0x20, 0x80] {
                let mut damaged = bytes.clone();
                damaged[place] ^= bit;
                let checksum = crc32(&damaged[start + 4..end]);
                damaged[end..end + 4].copy_from_slice(&checksum.to_be_bytes());
                let _ = decode(&damaged);
            }
        }
        start = end + 4;
    }
}

#[test]
fn a_chunk_that_claims_more_than_the_file_has_is_refused() {
    for length in [100u32, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff] {
        let mut bytes = file(4, 4, &[]);
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(b"tEXtparameters\0x");
        refused(&bytes, "the file ends before that");
    }
}

#[test]
fn a_wrong_checksum_names_the_chunk_and_the_place() {
    let mut text = chunk(b"tEXt", b"parameters\0a cat");
    *text.last_mut().unwrap() ^= 1;
    refused(&file(4, 4, &[text, chunk(b"IEND", b"")]), "`tEXt` at byte 33 is damaged");
}

#[test]
fn a_picture_of_absurd_size_is_refused_before_memory_is_taken() {
    refused(&file(u32::MAX, u32::MAX, &[chunk(b"IEND", b"")]), "too large: 4294967295 x 4294967295");
    refused(&file(8193, 8192, &[chunk(b"IEND", b"")]), "too large");
    refused(&file(0, 4, &[chunk(b"IEND", b"")]), "empty");
}

#[test]
fn a_text_over_the_limit_is_refused() {
    let mut data = b"wordbrush\0".to_vec();
    data.resize(data.len() + LONGEST_TEXT + 1, b' ');
    refused(&file(4, 4, &[chunk(b"tEXt", &data), chunk(b"IEND", b"")]), "too long");
}

#[test]
fn compressed_notes_are_read_as_those_that_are_not() {
    let packed = |text: &[u8]| {
        let mut packer = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
        std::io::Write::write_all(&mut packer, text).unwrap();
        packer.finish().unwrap()
    };
    let json = packed(b"{\"format\":2}");
    let itxt = [b"wordbrush\0\x01\0de\0Pinsel\0".as_slice(), &json].concat();
    let ztxt = [b"parameters\0\0".as_slice(), &packed(b"caf\xe9")].concat();
    let bytes = file(4, 4, &[chunk(b"zTXt", &ztxt), chunk(b"iTXt", &itxt), chunk(b"IEND", b"")]);
    let found = notes(&bytes).unwrap();
    assert_eq!(found.parameters.as_deref(), Some("café"));
    assert_eq!(found.wordbrush, Some(serde_json::json!({ "format": 2 })));
    let ztxt = [b"wordbrush\0\0".as_slice(), &json].concat();
    let bytes = file(4, 4, &[chunk(b"zTXt", &ztxt), chunk(b"IEND", b"")]);
    assert_eq!(notes(&bytes).unwrap().wordbrush, Some(serde_json::json!({ "format": 2 })));
}

#[test]
fn a_compressed_note_that_is_damaged_or_unpacks_to_more_than_the_limit_is_refused() {
    refused(&file(4, 4, &[chunk(b"zTXt", b"wordbrush\0\0xxxx"), chunk(b"IEND", b"")]), "cannot be unpacked");
    refused(&file(4, 4, &[chunk(b"iTXt", b"wordbrush\0\x01\0\0\0xx"), chunk(b"IEND", b"")]), "cannot be unpacked");
    refused(&file(4, 4, &[chunk(b"zTXt", b"wordbrush\0\x07xx"), chunk(b"IEND", b"")]), "a method 7");
    refused(&file(4, 4, &[chunk(b"zTXt", b"wordbrush\0"), chunk(b"IEND", b"")]), "cut short");
    // Forty gigabytes of blanks would fit into as many megabytes; here it is one byte over the limit.
    let mut packer = flate2::write::ZlibEncoder::new(b"wordbrush\0\0".to_vec(), flate2::Compression::fast());
    std::io::Write::write_all(&mut packer, &vec![b' '; LONGEST_TEXT + 1]).unwrap();
    refused(&file(4, 4, &[chunk(b"zTXt", &packer.finish().unwrap()), chunk(b"IEND", b"")]), "too long");
}

#[test]
fn json_that_is_none_or_too_deep_is_refused() {
    for text in ["{\"a\":", "not json", &"[".repeat(100_000)] {
        let data = [b"wordbrush\0\0\0\0\0", text.as_bytes()].concat();
        refused(&file(4, 4, &[chunk(b"iTXt", &data), chunk(b"IEND", b"")]), "not JSON");
    }
}

#[test]
fn a_hostile_chunk_name_never_reaches_the_screen() {
    refused(&file(4, 4, &[chunk(b"\x1b[2J", b""), chunk(b"IEND", b"")]), "no chunk at byte 33");
}

#[test]
fn other_programs_chunks_are_passed_over() {
    let other = [chunk(b"tEXt", b"Software\0x"), chunk(b"tEXt", b"no end"), chunk(b"iTXt", b"\xff\0\0\0\0\0\xff")];
    let ours = [chunk(b"tEXt", b"parameters\0caf\xe9"), chunk(b"IEND", b"")];
    let bytes = file(4, 4, &[other.as_slice(), ours.as_slice()].concat());
    assert_eq!(notes(&bytes).unwrap().parameters.as_deref(), Some("café"));
}

#[test]
fn pixels_that_are_missing_are_an_error_when_the_picture_is_wanted() {
    let bytes = file(4, 4, &[chunk(b"IEND", b"")]);
    assert!(notes(&bytes).is_ok());
    assert!(format!("{:#}", decode(&bytes).unwrap_err()).contains("pixels are damaged"));
}

#[test]
fn a_saved_picture_is_opened_again_and_a_folder_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("1.png");
    save(&path, &picture(), &full_notes()).unwrap();
    assert_eq!(open(&path).unwrap(), (picture(), full_notes()));
    assert_eq!(open_notes(&path).unwrap(), full_notes());
    assert!(format!("{:#}", open(folder.path()).unwrap_err()).contains("cannot read"));
}

#[test]
fn an_empty_picture_cannot_be_written() {
    assert!(encode(&RgbImage::new(0, 0)).is_err());
}

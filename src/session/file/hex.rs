//! A thumbprint's bytes as hexadecimal digits: a long session has millions of them, so no text is made on the way.

use std::fmt;

use serde::de::{Deserializer, Error, Visitor};
use serde::ser::Serializer;

use super::THUMBPRINT_BYTES;

/// The value of each hexadecimal digit, 255 for all other bytes.
const DIGITS: [u8; 256] = {
    let mut table = [255; 256];
    let mut n = 0;
    while n < 16 {
        table[b"0123456789abcdef"[n as usize] as usize] = n;
        table[b"0123456789ABCDEF"[n as usize] as usize] = n;
        n += 1;
    }
    table
};

pub(super) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    let digits = b"0123456789abcdef";
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        text.push(char::from(digits[usize::from(byte >> 4)]));
        text.push(char::from(digits[usize::from(byte & 15)]));
    }
    serializer.serialize_str(&text)
}

/// # Errors
/// It has other characters than hexadecimal digits, or not [`THUMBPRINT_BYTES`] bytes.
pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    struct Digits;

    impl Visitor<'_> for Digits {
        type Value = Vec<u8>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("hexadecimal digits")
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<Vec<u8>, E> {
            let (pairs, rest) = text.as_bytes().as_chunks::<2>();
            let mut bytes = Vec::with_capacity(pairs.len());
            for [high, low] in pairs {
                match (DIGITS[usize::from(*high)], DIGITS[usize::from(*low)]) {
                    (high @ 0..16, low @ 0..16) => bytes.push(high << 4 | low),
                    _ => break,
                }
            }
            if !rest.is_empty() || pairs.len() != THUMBPRINT_BYTES || bytes.len() != THUMBPRINT_BYTES {
                return Err(E::custom(format!("its thumbprint has not {THUMBPRINT_BYTES} bytes")));
            }
            Ok(bytes)
        }
    }

    deserializer.deserialize_str(Digits)
}

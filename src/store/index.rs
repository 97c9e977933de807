//! One entry of the index as bytes, and back.
//!
//! Layout, little-endian: version (1 byte), length of the maker (1), maker, digest (32), length of the value (8), place
//! (1: 0 a file, 1 inside), the value itself if inside, and 8 bytes of the blake3 digest of key and all before.

use super::Key;

const VERSION: u8 = 1;

/// What the index knows about a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Kernel family and engine version that made it; at most 255 bytes.
    pub(crate) maker: String,
    /// Digest of the encoded value.
    pub(crate) digest: [u8; 32],
    /// Bytes of the encoded value.
    pub(crate) length: u64,
    /// Where it is.
    pub(crate) place: Place,
}

/// Where a value is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// In a file named by its digest.
    File,
    /// Here.
    Inside(Vec<u8>),
}

impl Entry {
    pub(crate) fn encode(&self, key: &Key) -> Vec<u8> {
        let mut out = vec![VERSION, u8::try_from(self.maker.len()).expect("a maker has at most 60 characters")];
        out.extend_from_slice(self.maker.as_bytes());
        out.extend_from_slice(&self.digest);
        out.extend_from_slice(&self.length.to_le_bytes());
        match &self.place {
            Place::File => out.push(0),
            Place::Inside(bytes) => {
                out.push(1);
                out.extend_from_slice(bytes);
            }
        }
        let check = check(key, &out);
        out.extend_from_slice(&check);
        out
    }

    /// Reads what `encode` wrote under the same key; `None` for anything else.
    pub(crate) fn decode(bytes: &[u8], key: &Key) -> Option<Self> {
        let (body, found) = bytes.split_last_chunk::<8>()?;
        if *found != check(key, body) {
            return None;
        }
        let (&[version, maker], rest) = body.split_first_chunk::<2>()?;
        let (maker, rest) = rest.split_at_checked(usize::from(maker))?;
        let (digest, rest) = rest.split_first_chunk::<32>()?;
        let (length, rest) = rest.split_first_chunk::<8>()?;
        let place = match rest.split_first()? {
            (0, []) => Place::File,
            (1, bytes) => Place::Inside(bytes.to_vec()),
            _ => return None,
        };
        let maker = String::from_utf8(maker.to_vec()).ok()?;
        (version == VERSION).then_some(Self { maker, digest: *digest, length: u64::from_le_bytes(*length), place })
    }
}

fn check(key: &Key, body: &[u8]) -> [u8; 8] {
    let mut hash = blake3::Hasher::new();
    hash.update(&key.bytes());
    hash.update(body);
    let digest = hash.finalize();
    *digest.as_bytes().first_chunk().expect("a digest has 32 bytes")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::NodeId;
    use crate::store::ValueKind;

    #[test]
    fn an_entry_with_any_bit_flipped_or_under_another_key_is_not_read() {
        let key = Key::new(NodeId([7; 32]), ValueKind::Masks, 3);
        for place in [Place::File, Place::Inside(vec![1, 2, 3])] {
            let entry = Entry { maker: "avx2 1".to_owned(), digest: [9; 32], length: 3, place };
            let bytes = entry.encode(&key);
            assert_eq!(Entry::decode(&bytes, &key), Some(entry));
            assert_eq!(Entry::decode(&bytes, &key.at_layer(1)), None);
            for bit in 0..bytes.len() * 8 {
                let mut flipped = bytes.clone();
                flipped[bit / 8] ^= 1 << (bit % 8);
                assert_eq!(Entry::decode(&flipped, &key), None, "bit {bit}");
            }
        }
    }
}

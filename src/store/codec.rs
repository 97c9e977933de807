//! A tensor as bytes, and back.
//!
//! Layout, little-endian: `WBT1`, dtype (1 byte), number of axes (1 byte), each axis (8 bytes), then the values. The
//! digest of exactly these bytes names the value on disk, so shape and dtype are checked together with the numbers.

/// How one value of a tensor is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dtype {
    /// 32-bit floats.
    F32,
    /// 16-bit floats.
    F16,
    /// Bytes: pixels, or eight mask bits each.
    U8,
}

impl Dtype {
    /// Bytes of one value.
    #[must_use]
    pub fn width(self) -> usize {
        match self {
            Self::F32 => 4,
            Self::F16 => 2,
            Self::U8 => 1,
        }
    }

    fn number(self) -> u8 {
        match self {
            Self::F32 => 0,
            Self::F16 => 1,
            Self::U8 => 2,
        }
    }
}

/// A tensor at rest: values in row-major order, little-endian.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blob {
    dtype: Dtype,
    shape: Vec<usize>,
    data: Vec<u8>,
}

const MAGIC: &[u8; 4] = b"WBT1";
const MOST_AXES: usize = 8;

impl Blob {
    /// A blob of `shape`; `None` if `data` has not exactly the bytes that shape and dtype ask for, or there are more
    /// than 8 axes.
    #[must_use]
    pub fn new(dtype: Dtype, shape: &[usize], data: Vec<u8>) -> Option<Self> {
        let values = shape.iter().try_fold(1usize, |product, axis| product.checked_mul(*axis))?;
        let fits = shape.len() <= MOST_AXES && values.checked_mul(dtype.width())? == data.len();
        fits.then(|| Self { dtype, shape: shape.to_vec(), data })
    }

    /// A blob of 32-bit floats; `None` if their number is not that of the shape.
    #[must_use]
    pub fn from_f32(shape: &[usize], values: &[f32]) -> Option<Self> {
        Self::new(Dtype::F32, shape, values.iter().flat_map(|x| x.to_le_bytes()).collect())
    }

    /// A blob of 16-bit floats; `None` if their number is not that of the shape.
    #[must_use]
    pub fn from_f16(shape: &[usize], values: &[half::f16]) -> Option<Self> {
        Self::new(Dtype::F16, shape, values.iter().flat_map(|x| x.to_le_bytes()).collect())
    }

    /// A blob of bytes; `None` if their number is not that of the shape.
    #[must_use]
    pub fn from_u8(shape: &[usize], values: Vec<u8>) -> Option<Self> {
        Self::new(Dtype::U8, shape, values)
    }

    /// How one value is written.
    #[must_use]
    pub fn dtype(&self) -> Dtype {
        self.dtype
    }

    /// Length of each axis.
    #[must_use]
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The values as bytes.
    #[must_use]
    pub fn data(&self) -> &[u8] {
        &self.data
    }

    /// The values, bit for bit; `None` if they are not 32-bit floats.
    #[must_use]
    pub fn to_f32(&self) -> Option<Vec<f32>> {
        let float = |bytes: &[u8; 4]| f32::from_le_bytes(*bytes);
        (self.dtype == Dtype::F32).then(|| self.data.as_chunks().0.iter().map(float).collect())
    }

    /// The values, bit for bit; `None` if they are not 16-bit floats.
    #[must_use]
    pub fn to_f16(&self) -> Option<Vec<half::f16>> {
        let float = |bytes: &[u8; 2]| half::f16::from_le_bytes(*bytes);
        (self.dtype == Dtype::F16).then(|| self.data.as_chunks().0.iter().map(float).collect())
    }

    /// Bytes that this blob takes in memory.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        (self.data.len() + 8 * self.shape.len() + 64) as u64
    }

    /// The blob in the layout above.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(MAGIC.len() + 2 + 8 * self.shape.len() + self.data.len());
        out.extend_from_slice(MAGIC);
        out.push(self.dtype.number());
        out.push(u8::try_from(self.shape.len()).expect("a blob has at most 8 axes"));
        self.shape.iter().for_each(|axis| out.extend_from_slice(&(*axis as u64).to_le_bytes()));
        out.extend_from_slice(&self.data);
        out
    }

    /// Reads what [`Blob::encode`] wrote; `None` for anything else.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let rest = bytes.strip_prefix(MAGIC)?;
        let (&[dtype, axes], mut rest) = rest.split_first_chunk::<2>()?;
        let dtype = [Dtype::F32, Dtype::F16, Dtype::U8].into_iter().find(|known| known.number() == dtype)?;
        let mut shape = Vec::new();
        for _ in 0..axes {
            let (axis, after) = rest.split_first_chunk::<8>()?;
            shape.push(usize::try_from(u64::from_le_bytes(*axis)).ok()?);
            rest = after;
        }
        Self::new(dtype, &shape, rest.to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bit_of_a_float_survives_the_way_there_and_back() {
        let floats = [0.0, -0.0, 1.0e-45, f32::MAX, f32::INFINITY, f32::from_bits(0x7fc0_1234)];
        let blob = Blob::from_f32(&[2, 3], &floats).unwrap();
        let again = Blob::decode(&blob.encode()).unwrap();
        assert_eq!(again, blob);
        let bits = |values: &[f32]| values.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&again.to_f32().unwrap()), bits(&floats));
        let halves = [half::f16::from_bits(1), half::f16::from_f32(0.1)];
        let blob = Blob::from_f16(&[2], &halves).unwrap();
        assert_eq!(Blob::decode(&blob.encode()).unwrap().to_f16().unwrap(), halves);
        assert_eq!(blob.to_f32(), None);
    }

    #[test]
    fn a_shape_that_the_data_do_not_fill_is_refused() {
        assert!(Blob::from_f32(&[2, 2], &[0.0; 3]).is_none());
        assert!(Blob::from_u8(&[usize::MAX, 2], vec![0; 2]).is_none());
        assert!(Blob::from_u8(&[1; 9], vec![0]).is_none());
        assert!(Blob::from_u8(&[], vec![7]).is_some(), "no axes: one value");
        assert!(Blob::from_u8(&[0, 5], vec![]).is_some());
    }

    #[test]
    fn bytes_cut_off_anywhere_are_no_blob() {
        let bytes = Blob::from_f32(&[2, 1], &[1.0, 2.0]).unwrap().encode();
        for length in 0..bytes.len() {
            assert_eq!(Blob::decode(&bytes[..length]), None, "{length} bytes");
        }
        assert!(Blob::decode(&[&bytes[..], &[0]].concat()).is_none(), "one byte more");
    }
}

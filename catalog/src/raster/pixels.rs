//! Pixel types and typed buffers.

use std::fmt;

/// The pixel types that are read; products are written as `U8`, `I16`, `U16` or `F32`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DataType {
    /// Unsigned, 1 byte.
    U8,
    /// Signed, 2 bytes.
    I16,
    /// Unsigned, 2 bytes.
    U16,
    /// IEEE 754, 4 bytes.
    F32,
}

impl fmt::Display for DataType {
    /// The names of numpy: `uint8`, `int16`, `uint16`, `float32`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::U8 => "uint8",
            Self::I16 => "int16",
            Self::U16 => "uint16",
            Self::F32 => "float32",
        })
    }
}

impl DataType {
    /// Bytes a pixel.
    pub const fn bytes(self) -> usize {
        match self {
            Self::U8 => 1,
            Self::I16 | Self::U16 => 2,
            Self::F32 => 4,
        }
    }
}

/// A run of pixels of one type, row by row.
#[derive(Clone, Debug, PartialEq)]
pub enum Pixels {
    /// See [`DataType::U8`].
    U8(Vec<u8>),
    /// See [`DataType::I16`].
    I16(Vec<i16>),
    /// See [`DataType::U16`].
    U16(Vec<u16>),
    /// See [`DataType::F32`].
    F32(Vec<f32>),
}

impl Pixels {
    /// The type.
    pub const fn data_type(&self) -> DataType {
        match self {
            Self::U8(_) => DataType::U8,
            Self::I16(_) => DataType::I16,
            Self::U16(_) => DataType::U16,
            Self::F32(_) => DataType::F32,
        }
    }

    /// Number of pixels.
    pub fn len(&self) -> usize {
        match self {
            Self::U8(pixels) => pixels.len(),
            Self::I16(pixels) => pixels.len(),
            Self::U16(pixels) => pixels.len(),
            Self::F32(pixels) => pixels.len(),
        }
    }

    /// True without a pixel.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The stored value at an index, as f64.
    pub fn value(&self, index: usize) -> Option<f64> {
        match self {
            Self::U8(pixels) => pixels.get(index).map(|&v| f64::from(v)),
            Self::I16(pixels) => pixels.get(index).map(|&v| f64::from(v)),
            Self::U16(pixels) => pixels.get(index).map(|&v| f64::from(v)),
            Self::F32(pixels) => pixels.get(index).map(|&v| f64::from(v)),
        }
    }

    /// An empty buffer of a type.
    pub const fn empty(data_type: DataType) -> Self {
        match data_type {
            DataType::U8 => Self::U8(Vec::new()),
            DataType::I16 => Self::I16(Vec::new()),
            DataType::U16 => Self::U16(Vec::new()),
            DataType::F32 => Self::F32(Vec::new()),
        }
    }

    /// Bytes held.
    pub fn bytes(&self) -> usize {
        self.len() * self.data_type().bytes()
    }
}

/// How the samples of one encoded row are laid out.
#[derive(Clone, Copy, Debug)]
pub struct RowLayout {
    /// Samples of a pixel in the row.
    pub samples: usize,
    /// Which of them is wanted, from 0.
    pub sample: usize,
    /// Byte order of the samples.
    pub big_endian: bool,
    /// True when each sample is stored as the difference to the one of the pixel before (predictor 2).
    pub difference: bool,
}

/// A Rust type that is a pixel type.
pub trait Pixel: Copy + Send + Sync + PartialEq + Default + std::fmt::Debug + 'static {
    /// The matching data type.
    const DATA_TYPE: DataType;
    /// The buffer as this type, when it is of it.
    fn slice(pixels: &Pixels) -> Option<&[Self]>;
    /// The buffer as this type for appending, when it is of it.
    fn vec_mut(pixels: &mut Pixels) -> Option<&mut Vec<Self>>;
    /// Wraps a buffer.
    fn pixels(buffer: Vec<Self>) -> Pixels;
    /// From a stored value as f64 (saturating cast).
    fn from_f64(value: f64) -> Self;
    /// To f64.
    fn to_f64(self) -> f64;
    /// True for NaN.
    fn is_nan(self) -> bool;
    /// Unpacks one sample of an encoded row.
    #[doc(hidden)]
    fn unpack(row: &[u8], layout: RowLayout, out: &mut [Self]);
    /// Packs a row of one sample, little endian, as differences when asked.
    #[doc(hidden)]
    fn pack(row: &[Self], difference: bool, out: &mut [u8]);
    /// The mean of up to four values, rounded half away from zero for integers; the default value of none.
    #[doc(hidden)]
    fn mean(values: &[Self]) -> Self;
}

/// Mean of up to four integers of 16 bits, rounded half away from zero.
fn integer_mean(sum: i32, count: usize) -> i32 {
    let size = sum.abs();
    let mean = match count {
        4 => (size + 2) >> 2,
        3 => (2 * size + 3) / 6,
        2 => (size + 1) >> 1,
        _ => size,
    };
    if sum < 0 { -mean } else { mean }
}

/// Decodes the wanted sample of each pixel and adds up the differences when there are some.
fn unpack_with<const N: usize, B: Copy + Default, T>(
    row: &[u8],
    layout: RowLayout,
    out: &mut [T],
    decode: impl Fn([u8; N]) -> B,
    add: impl Fn(B, B) -> B,
    finish: impl Fn(B) -> T,
) {
    let mut before = B::default();
    if layout.samples == 1 {
        let encoded = row.as_chunks::<N>().0;
        if layout.difference {
            for (out, &bytes) in out.iter_mut().zip(encoded) {
                before = add(before, decode(bytes));
                *out = finish(before);
            }
        } else {
            for (out, &bytes) in out.iter_mut().zip(encoded) {
                *out = finish(decode(bytes));
            }
        }
        return;
    }
    let pixels = row.chunks_exact(layout.samples * N);
    for (out, pixel) in out.iter_mut().zip(pixels) {
        let Some(&bytes) = pixel.as_chunks::<N>().0.get(layout.sample) else {
            return;
        };
        let value = decode(bytes);
        before = if layout.difference {
            add(before, value)
        } else {
            value
        };
        *out = finish(before);
    }
}

macro_rules! pixel {
    ($($type:ty = $variant:ident, $bits:ty, $from:expr, $to:expr, $nan:expr, $mean:expr;)+) => {$(
        impl Pixel for $type {
            const DATA_TYPE: DataType = DataType::$variant;
            fn slice(pixels: &Pixels) -> Option<&[Self]> {
                match pixels {
                    Pixels::$variant(buffer) => Some(buffer),
                    _ => None,
                }
            }
            fn vec_mut(pixels: &mut Pixels) -> Option<&mut Vec<Self>> {
                match pixels {
                    Pixels::$variant(buffer) => Some(buffer),
                    _ => None,
                }
            }
            fn pixels(buffer: Vec<Self>) -> Pixels {
                Pixels::$variant(buffer)
            }
            fn from_f64(value: f64) -> Self {
                value as Self
            }
            fn to_f64(self) -> f64 {
                f64::from(self)
            }
            fn is_nan(self) -> bool {
                ($nan)(self)
            }
            fn unpack(row: &[u8], layout: RowLayout, out: &mut [Self]) {
                if layout.big_endian {
                    unpack_with(row, layout, out, <$bits>::from_be_bytes, <$bits>::wrapping_add, $from);
                } else {
                    unpack_with(row, layout, out, <$bits>::from_le_bytes, <$bits>::wrapping_add, $from);
                }
            }
            fn pack(row: &[Self], difference: bool, out: &mut [u8]) {
                const BYTES: usize = size_of::<$bits>();
                let out = out.as_chunks_mut::<BYTES>().0;
                if !difference {
                    for (out, &value) in out.iter_mut().zip(row) {
                        *out = ($to)(value).to_le_bytes();
                    }
                    return;
                }
                let Some((first, rest)) = out.split_first_mut() else { return };
                *first = ($to)(row[0]).to_le_bytes();
                for ((out, &before), &value) in rest.iter_mut().zip(row).zip(&row[1..]) {
                    *out = ($to)(value).wrapping_sub(($to)(before)).to_le_bytes();
                }
            }
            fn mean(values: &[Self]) -> Self {
                ($mean)(values)
            }
        }
    )+};
}

pixel! {
    u8 = U8, u8, |bits: u8| bits, |value: u8| value, |_| false,
        |v: &[u8]| integer_mean(v.iter().map(|&v| i32::from(v)).sum(), v.len()) as u8;
    i16 = I16, u16, |bits: u16| bits as i16, |value: i16| value as u16, |_| false,
        |v: &[i16]| integer_mean(v.iter().map(|&v| i32::from(v)).sum(), v.len()) as i16;
    u16 = U16, u16, |bits: u16| bits, |value: u16| value, |_| false,
        |v: &[u16]| integer_mean(v.iter().map(|&v| i32::from(v)).sum(), v.len()) as u16;
    f32 = F32, u32, f32::from_bits, f32::to_bits, |value: f32| value.is_nan(),
        |v: &[f32]| (v.iter().map(|&v| f64::from(v)).sum::<f64>() / v.len().max(1) as f64) as f32;
}

//! Pixel types and typed buffers.

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

    /// Bytes held.
    pub fn bytes(&self) -> usize {
        self.len() * self.data_type().bytes()
    }
}

/// A Rust type that is a pixel type.
pub trait Pixel: Copy + Send + Sync + PartialEq + Default + 'static {
    /// The matching data type.
    const DATA_TYPE: DataType;
    /// The buffer as this type, when it is of it.
    fn slice(pixels: &Pixels) -> Option<&[Self]>;
    /// Wraps a buffer.
    fn pixels(buffer: Vec<Self>) -> Pixels;
    /// From a stored value as f64 (saturating cast).
    fn from_f64(value: f64) -> Self;
    /// To f64.
    fn to_f64(self) -> f64;
}

macro_rules! pixel {
    ($($type:ty = $variant:ident;)+) => {$(
        impl Pixel for $type {
            const DATA_TYPE: DataType = DataType::$variant;
            fn slice(pixels: &Pixels) -> Option<&[Self]> {
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
        }
    )+};
}

pixel! {
    u8 = U8;
    i16 = I16;
    u16 = U16;
    f32 = F32;
}

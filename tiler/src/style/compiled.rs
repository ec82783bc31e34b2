//! A style made ready for one kind of file: stored value to palette index in one look-up.

use super::marks::Marks;
use super::{Resampling, Scheme, Style};
use crate::encode::Palette;
use sen_catalog::Result;
use sen_catalog::raster::{DataType, Pixel};

/// How stored values become physical ones.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Stored {
    pub(crate) data_type: DataType,
    /// physical = stored * scale + offset.
    pub(crate) scale: f64,
    pub(crate) offset: f64,
    pub(crate) nodata: Option<f64>,
}

/// From stored value to palette index. Tables are indexed by the value's bits.
#[derive(Debug)]
pub(crate) enum Lookup {
    U8(Box<[u8; 256]>),
    Sixteen(Box<[u8; 65536]>),
    Float(Scheme),
}

/// A style ready to draw one kind of file.
#[derive(Debug)]
pub(crate) struct CompiledStyle {
    pub(crate) palette: Palette,
    pub(crate) resampling: Resampling,
    pub(crate) stored: Stored,
    pub(crate) lookup: Lookup,
    pub(crate) marks: Marks,
}

impl CompiledStyle {
    /// # Errors
    /// Only when the program's own letters are damaged.
    pub(crate) fn new(style: &Style, stored: Stored) -> Result<Self> {
        let index = |value: f64| {
            if stored.nodata == Some(value) {
                0
            } else {
                style.scheme.index(value * stored.scale + stored.offset)
            }
        };
        let sixteen = |value: &dyn Fn(u16) -> f64| {
            let mut table = vec![0; 65536].into_boxed_slice();
            for (bits, entry) in (0..=u16::MAX).zip(table.iter_mut()) {
                *entry = index(value(bits));
            }
            Lookup::Sixteen(table.try_into().expect("the table was made with 65536 entries"))
        };
        let lookup = match stored.data_type {
            DataType::U8 => Lookup::U8(Box::new(std::array::from_fn(|value| index(value as f64)))),
            DataType::I16 => sixteen(&|bits| f64::from(bits as i16)),
            DataType::U16 => sixteen(&f64::from),
            DataType::F32 => Lookup::Float(style.scheme.clone()),
        };
        let mut palette = style.scheme.palette();
        let marks = Marks::new(&style.scheme, &mut palette)?;
        Ok(Self {
            palette: palette.into(),
            resampling: style.resampling,
            stored,
            lookup,
            marks,
        })
    }

    /// The palette index of a stored value that is not "no data".
    pub(crate) fn float_index(&self, stored: f64) -> u8 {
        match &self.lookup {
            Lookup::Float(scheme) => scheme.index(stored * self.stored.scale + self.stored.offset),
            Lookup::U8(table) => table[usize::from(u8::from_f64(stored))],
            Lookup::Sixteen(table) => match self.stored.data_type {
                DataType::I16 => table[usize::from(i16::from_f64(stored) as u16)],
                _ => table[usize::from(u16::from_f64(stored))],
            },
        }
    }
}

//! Pictures of palette indices, and the bytes they are sent as.

mod deflate;
mod png;
mod webp;

use sen_catalog::{Error, Result};
use std::sync::Arc;

/// Colours of a picture, at most 256; straight (not premultiplied) RGBA. Entry 0 is fully transparent.
pub type Palette = Arc<[[u8; 4]]>;

/// A picture whose pixels are indices into a palette.
#[derive(Clone, Debug)]
pub struct IndexedImage {
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// One index a pixel, row by row.
    pub indices: Vec<u8>,
    /// The colours.
    pub palette: Palette,
}

/// What pictures are sent as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// Palette PNG with transparency.
    Png,
    /// Lossless WebP.
    Webp,
}

impl Format {
    /// The media type.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::Webp => "image/webp",
        }
    }

    /// By the extension of a URL, any case.
    pub fn from_extension(extension: &str) -> Option<Self> {
        match extension.to_ascii_lowercase().as_str() {
            "png" => Some(Self::Png),
            "webp" => Some(Self::Webp),
            _ => None,
        }
    }
}

/// The bytes of a picture.
///
/// # Errors
/// A picture whose shape and pixels contradict each other.
pub fn encode(image: &IndexedImage, format: Format) -> Result<Vec<u8>> {
    if image.width == 0 || image.indices.len() != image.width * image.height || image.palette.len() > 256 {
        return Err(Error::Invalid(format!(
            "{} indices and {} colours are no picture of {} x {}",
            image.indices.len(),
            image.palette.len(),
            image.width,
            image.height
        )));
    }
    match format {
        Format::Png => png::encode(image),
        Format::Webp => webp::encode(image),
    }
}

#[cfg(test)]
mod tests;

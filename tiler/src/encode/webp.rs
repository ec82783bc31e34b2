//! Lossless WebP.

use super::IndexedImage;
use image_webp::{ColorType, WebPEncoder};
use sen_catalog::{Error, Result};

pub(super) fn encode(image: &IndexedImage) -> Result<Vec<u8>> {
    let colour = |index: &u8| image.palette.get(usize::from(*index)).copied().unwrap_or([0; 4]);
    let rgba: Vec<u8> = image.indices.iter().flat_map(colour).collect();
    let mut out = Vec::new();
    WebPEncoder::new(&mut out)
        .encode(&rgba, image.width as u32, image.height as u32, ColorType::Rgba8)
        .map_err(|error| Error::Invalid(format!("picture not encoded as webp: {error}")))?;
    Ok(out)
}

//! Cloud-optimised GeoTIFFs: [`Cog`] reads them block by block, [`CogWriter`] makes them.
//!
//! A file is opened once and read with positioned reads by many threads. Decoding is plain synchronous work.
//! `tiff` knows bytes and tags, `header` what they mean, `codec` blocks; `assemble` and `overview` serve the writer.

mod assemble;
mod codec;
mod cog;
mod header;
mod metadata;
mod overview;
mod pixels;
#[cfg(test)]
mod tests;
mod tiff;
mod writer;

pub use cog::{Cog, Level};
pub use pixels::{DataType, Pixel, Pixels};
pub use writer::{CogProfile, CogWriter, Compression, Overviews};

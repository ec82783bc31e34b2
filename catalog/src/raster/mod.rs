//! Cloud-optimised GeoTIFFs: [`Cog`] reads them block by block, [`CogWriter`] makes them.
//!
//! A file is opened once and read with positioned reads by many threads. Decoding is plain synchronous work.

mod codec;
mod cog;
mod header;
mod pixels;
mod writer;

pub use cog::{Cog, Level};
pub use pixels::{DataType, Pixel, Pixels};
pub use writer::{CogProfile, CogWriter, Compression, Overviews};

//! Reading by ranges.

use crate::Result;
use std::path::Path;

/// Bytes that are read in ranges, by many threads at once.
///
/// Into a buffer of the caller: who reads thousands of blocks or rows keeps one, where handing out bytes would make one each.
pub trait ReadAt: std::fmt::Debug + Send + Sync {
    /// How many bytes there are.
    fn size(&self) -> u64;

    /// Fills the buffer with the bytes from `offset` on.
    ///
    /// # Errors
    /// [`crate::Error::Io`] when they cannot be read or there are fewer, [`crate::Error::Damaged`] when they are others than
    /// were written.
    fn read_into(&self, buffer: &mut [u8], offset: u64) -> Result<()>;

    /// Where they lie, for what is said of them.
    fn location(&self) -> &Path;
}

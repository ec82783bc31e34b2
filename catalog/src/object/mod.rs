//! How the files that `sen` made are read: in ranges ([`ReadAt`]), and each piece held against its checksum the first time it is
//! touched ([`ObjectFile`]), so that one flipped bit is an error and never another number.
//!
//! Files are opened by [`crate::Assets`], which knows where they lie. What was found to fit is remembered for all readers of a
//! process together ([`VerifiedFiles`]), also after the file was closed.

mod file_sums;
mod object_file;
mod read_at;
#[cfg(test)]
mod tests;
mod verified;

pub use file_sums::{FileSums, sum_file};
pub(crate) use object_file::DIFFERS;
pub use object_file::ObjectFile;
pub use read_at::ReadAt;
pub(crate) use verified::VerifiedFiles;

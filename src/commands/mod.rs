//! One file a command.

pub(crate) mod backup;
pub(crate) mod check;
pub(crate) mod erosion;
mod fused;
pub(crate) mod import;
pub(crate) mod ingest;
pub(crate) mod init;
pub(crate) mod keys;
pub(crate) mod process;
pub(crate) mod restore;
pub(crate) mod serve;
pub(crate) mod validate;
mod weekly;

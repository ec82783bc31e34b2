//! One file a command.

pub(crate) mod backup;
pub(crate) mod check;
pub(crate) mod erosion;
pub(crate) mod import;
pub(crate) mod ingest;
pub(crate) mod init;
pub(crate) mod keys;
mod objects;
pub(crate) mod process;
pub(crate) mod restore;
mod run_report;
pub(crate) mod serve;
mod stopping;
pub(crate) mod validate;
mod weekly;
pub(crate) mod withdraw;
mod write_lock;

//! Who writes into a data folder.

use crate::{Error, Result};
use std::fs::{File, TryLockError};
use std::path::Path;

/// Held while a process makes weeks of a data folder or changes its layout; the kernel lets go of it however the process ends.
#[derive(Debug)]
pub struct WriteLock(#[expect(dead_code, reason = "held, not read")] File);

impl WriteLock {
    /// Takes the folder.
    ///
    /// # Errors
    /// [`Error::Store`] when somebody else has it, [`Error::Io`] when it cannot be written.
    pub fn take(folder: &Path) -> Result<Self> {
        let path = folder.join("write.lock");
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(|error| Error::io(&path, error))?;
        match file.try_lock() {
            Ok(()) => Ok(Self(file)),
            Err(TryLockError::WouldBlock) => Err(Error::Store(format!(
                "another sen is writing into {}; try again when it is done",
                folder.display()
            ))),
            Err(TryLockError::Error(error)) => Err(Error::io(&path, error)),
        }
    }
}

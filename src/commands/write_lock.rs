//! One writer to a data folder.

use crate::config::Data;

/// Held while a process writes into a data folder.
pub(crate) struct WriteLock(#[expect(dead_code, reason = "held, not read")] sen_catalog::store::WriteLock);

impl WriteLock {
    /// Takes the folder for writing, or says who has it.
    pub(crate) fn take(data: &Data) -> anyhow::Result<Self> {
        let lock = sen_catalog::store::WriteLock::take(&data.folder)?;
        data.assets.sweep()?;
        Ok(Self(lock))
    }
}

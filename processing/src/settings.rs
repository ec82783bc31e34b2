//! What can be set about the weekly run.

use crate::ancillary::Ancillary;
use crate::{Error, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Settings of the weekly run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Margin around clouds and cloud shadows that is dropped too, in metres (0 to 500).
    pub cloud_dilation_m: f64,
    /// Rows that are read at once and written together; products do not depend on it.
    pub block: usize,
    /// Bound on the bands of all looks held in memory at once, in MiB; fewer rows are read at once to keep it.
    pub memory_mib: usize,
    /// Rasters of your own that products may use; none is needed.
    pub ancillary: Ancillary,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            cloud_dilation_m: 60.0,
            block: 512,
            memory_mib: 256,
            ancillary: Ancillary::default(),
        }
    }
}

impl Settings {
    /// Says what cannot be used, naming the setting.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a margin that is none.
    pub fn check(&self) -> Result<()> {
        if (0.0..=500.0).contains(&self.cloud_dilation_m) {
            return Ok(());
        }
        Err(Error::Invalid(format!(
            "processing.cloud_dilation_m: {} is not within 0 to 500 metres",
            self.cloud_dilation_m
        )))
    }

    /// The margin around clouds in cells of a grid of metres.
    pub(crate) fn dilation(&self, cell_m: f64) -> f64 {
        self.cloud_dilation_m / cell_m
    }

    /// Rows of a strip when a row of all looks takes so many bytes: even, so that cells of 20 m stay whole.
    pub(crate) fn rows(&self, row_bytes: usize) -> usize {
        let fit = self.memory_mib.max(1) * (1 << 20) / row_bytes.max(1);
        (self.block.min(fit).max(16) / 2) * 2
    }
}

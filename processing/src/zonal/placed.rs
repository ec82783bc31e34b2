//! Zones placed on the grid, kept from week to week of a run: to place 200,000 plots costs some seconds, each time.

use super::layer::Zones;
use crate::Result;
use sen_catalog::zonal::Zone;
use sen_catalog::{Grid, Store};
use std::sync::{Arc, Mutex, PoisonError};

/// The zones of a layer, and where they lie on the grid that was asked for last.
pub(super) struct PlacedLayer {
    pub(super) zones: Zones,
    pub(super) placed: Mutex<Option<(Grid, Vec<Zone>)>>,
}

/// Layers of zones, as many as fit into a budget of bytes. A run has them, and while it goes on nobody changes zones.
#[derive(Default)]
pub struct PlacedZones {
    budget: usize,
    layers: Mutex<Vec<Arc<PlacedLayer>>>,
}

impl PlacedZones {
    /// None yet, and at most so many MiB later; the layer under way is kept whatever its size.
    pub fn new(memory_mib: usize) -> Self {
        Self {
            budget: memory_mib << 20,
            layers: Mutex::default(),
        }
    }

    /// The zones of a layer, read when they are not kept.
    ///
    /// # Errors
    /// When the catalogue cannot be read.
    pub(super) async fn read_layer(&self, store: &dyn Store, layer: &str) -> Result<Arc<PlacedLayer>> {
        let known = {
            let layers = self.layers.lock().unwrap_or_else(PoisonError::into_inner);
            layers.iter().find(|known| known.zones.layer == layer).cloned()
        };
        if let Some(known) = known {
            return Ok(known);
        }
        let read = Arc::new(PlacedLayer {
            zones: Zones::read(store, layer).await?,
            placed: Mutex::default(),
        });
        let mut layers = self.layers.lock().unwrap_or_else(PoisonError::into_inner);
        layers.push(Arc::clone(&read));
        let mut held: usize = layers.iter().map(|layer| layer.zones.bytes()).sum();
        while held > self.budget && layers.len() > 1 {
            held -= layers.remove(0).zones.bytes();
        }
        Ok(read)
    }
}

//! A digest of scenes as far as pixels depend on them.

use super::{AMPLITUDE, SIDECARS, is_amplitude};
use crate::settings::Settings;
use sen_catalog::{Item, asset};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// SHA-256 over what the pixels depend on: which scenes, how their numbers are to be read, the settings, and the
/// fingerprint of the user's rasters (empty for none). Where the files lie is left out, so that a moved folder remakes
/// nothing.
pub(crate) fn fingerprint_scenes<'s>(
    scenes: impl Iterator<Item = &'s Item>,
    settings: &Settings,
    given: &str,
) -> String {
    let mut hasher = Sha256::new();
    hasher.update(json!([settings.cloud_dilation_m]).to_string());
    hasher.update(given);
    for scene in scenes {
        let assets: Vec<Value> = scene
            .assets
            .iter()
            .map(|(name, a)| {
                json!([
                    name,
                    a.band,
                    a.band_index,
                    a.scale,
                    a.offset,
                    a.nodata,
                    a.sha256,
                    a.bytes
                ])
            })
            .collect();
        // only where there are any, so that other scenes are known as before
        if let Some(sidecars) = scene.properties.get(SIDECARS) {
            hasher.update(sidecars.to_string());
        }
        let units = if is_amplitude(scene) {
            Some(json!(AMPLITUDE))
        } else {
            scene.properties.get("sen:decibel").cloned()
        };
        hasher.update(
            json!([
                scene.collection,
                scene.id,
                scene.interval,
                scene.grid,
                units,
                assets
            ])
            .to_string(),
        );
    }
    asset::hex(&hasher.finalize())
}

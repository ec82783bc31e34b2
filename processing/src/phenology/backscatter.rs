//! VH of zones, look by look: what the crop calendar reads of plots, for whoever follows zones by radar.

use super::cells::Cells;
use super::kept::Kept;
use super::looks;
use super::mark_shapes;
use crate::Result;
use crate::look;
use crate::product::Sensor;
use crate::run::Progress;
use crate::settings::Settings;
use crate::source::fingerprint_scenes;
use chrono::NaiveDate;
use geo_types::MultiPolygon;
use sen_catalog::run::Failure;
use sen_catalog::{Assets, Grid, Item, asset};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// Version of the method.
const VERSION: u32 = 1;

/// The zones of a layer, and where their looks are kept.
pub(crate) struct Backscatter<'a> {
    pub(crate) assets: &'a Assets,
    pub(crate) grid: &'a Grid,
    pub(crate) processing: &'a Settings,
    pub(crate) layer: &'a str,
    /// Of the layer.
    pub(crate) revision: u64,
    /// Ascending.
    pub(crate) fids: &'a [i64],
    pub(crate) polygons: &'a [MultiPolygon<f64>],
}

/// One look at all zones.
pub(crate) struct RadarLook {
    /// Local day.
    pub(crate) day: NaiveDate,
    /// Relative orbit, or direction of flight where that is all that is known: looks of one are alike.
    pub(crate) orbit: String,
    /// Mean VH a zone, dB; NaN where it was not seen.
    pub(crate) values: Vec<f32>,
}

/// The looks of scenes, and the scenes that could not be read with the reason.
pub(crate) type RadarLooks = (Vec<RadarLook>, Vec<Failure>);

impl Backscatter<'_> {
    /// The looks of the scenes that can be read, in their order, and those that cannot with the reason; a scene is read once.
    pub(crate) fn looks(&self, scenes: &[Item], progress: &dyn Progress) -> Result<RadarLooks> {
        let cells = Cells::new(self.polygons, self.grid)?;
        let shapes = mark_shapes(self.polygons);
        let kept = Kept {
            part: 0,
            assets: self.assets,
            layer: self.layer,
            fids: self.fids,
            shapes: &shapes,
        };
        let (mut found, mut failed) = (Vec::new(), Vec::new());
        progress.begin(&format!("radar looks at {}", self.layer), scenes.len() as u64);
        for scene in scenes {
            progress.advance(1);
            let radar = look::sensor(&scene.collection) == Sensor::Radar;
            if !(radar && looks::is_wanted(scene)) {
                continue;
            }
            let name = format!("{}/{}", scene.collection, scene.id);
            let made_of = self.made_of(scene);
            let unmarked = || kept.load_unmarked(&name, &made_of).map(|kept| kept.look);
            let look = match kept.load_whole(&name, &made_of).or_else(unmarked) {
                Some(look) => Some(look),
                None => match looks::read(scene, &cells, self.fids.len(), self.assets, self.grid, 0.0) {
                    Ok(look) => {
                        if let Some(look) = &look {
                            kept.save(&name, &made_of, look)?;
                        }
                        look
                    }
                    Err(error) => {
                        progress.message(&format!("{}: {name} left out: {error}", self.layer));
                        failed.push(Failure::new(name, error));
                        None
                    }
                },
            };
            let day = look
                .as_ref()
                .and_then(|look| NaiveDate::from_num_days_from_ce_opt(look.day));
            if let (Some(look), Some(day)) = (look, day) {
                found.push(RadarLook {
                    day,
                    orbit: orbit(scene),
                    values: look.values,
                });
            }
        }
        Ok((found, failed))
    }

    fn made_of(&self, scene: &Item) -> String {
        let mut hasher = Sha256::new();
        hasher.update(serde_json::json!(["vh", VERSION, self.revision, self.grid]).to_string());
        hasher.update(fingerprint_scenes(std::iter::once(scene), self.processing, ""));
        asset::hex(&hasher.finalize())
    }
}

fn orbit(scene: &Item) -> String {
    let said = |name: &str| scene.properties.get(name).filter(|value| !value.is_null());
    let text = said("sat:relative_orbit").or_else(|| said("sat:orbit_state"));
    text.map_or_else(String::new, Value::to_string)
}

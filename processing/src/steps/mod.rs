//! The steps of a run: what each of them makes of what. The order follows from that ([`crate::runner`]). The roof: everything
//! else in this crate is below, and nothing there knows it.

mod calibrations;
mod crop_seasons;
mod danger_days;
mod fire_danger;
mod flood;
mod flood_causes;
mod flood_depth;
mod forest_change;
mod forest_cover;
mod hotspots;
pub(crate) mod rasters;
mod settings;
mod surfaces;
mod zone_statistics;

use crate::fire::Fire;
use crate::inundation::{DEPTH, Inundations, STRIP_ROWS};
use crate::product::PRODUCTS;
use crate::runner::{RunView, Step, StepContext};
use crate::source::WEEKLY_SCENES;
use sen_catalog::Period;
use sen_catalog::flood::FLOOD_TOLD;
use sen_catalog::run::{Dataset, Unit};
use std::sync::Arc;

/// Statistics of zones in the rasters that rest on a week's own scenes and readings.
const ZONE_STATISTICS: zone_statistics::ZoneTables = zone_statistics::ZoneTables {
    name: "zone_statistics",
    of_drawn: false,
};
/// Statistics of zones in the rasters drawn from records.
const DRAWN_STATISTICS: zone_statistics::ZoneTables = zone_statistics::ZoneTables {
    name: "drawn_statistics",
    of_drawn: true,
};

/// Every step, in no order.
pub const STEPS: &[&dyn Step] = &[
    &rasters::RASTERS,
    &surfaces::SurfaceRasters,
    &ZONE_STATISTICS,
    &calibrations::Calibrations,
    &danger_days::DangerDays,
    &forest_change::ForestChange,
    &hotspots::Hotspots,
    &crop_seasons::CropSeasons,
    &flood_causes::FloodCauses,
    &flood::FloodMaps,
    &fire_danger::FireDanger,
    &forest_cover::ForestCover,
    &flood_depth::FloodDepth,
    &DRAWN_STATISTICS,
];

/// The steps that an import of zones asks for.
pub const STATISTIC_STEPS: &[&dyn Step] = &[&ZONE_STATISTICS, &DRAWN_STATISTICS];

/// Layers drawn from records.
const DRAWN_LAYERS: [&str; 4] = [FLOOD_TOLD, "fire_danger", "forest_cover", DEPTH];

/// Names of all layers that a run makes: first those measured in looks, then those drawn from records.
pub fn layer_names() -> Vec<&'static str> {
    let measured = PRODUCTS.iter().map(|product| product.name());
    measured.chain(DRAWN_LAYERS).collect()
}

/// A unit of a dataset for each week.
fn weekly_units(dataset: &Dataset, weeks: impl IntoIterator<Item = Period>) -> Vec<Unit> {
    let unit = |week| Unit {
        dataset: dataset.clone(),
        period: Some(week),
    };
    weeks.into_iter().map(unit).collect()
}

/// The scenes that weeks are made of.
fn weekly_scenes() -> impl Iterator<Item = Dataset> {
    WEEKLY_SCENES
        .iter()
        .map(|name| Dataset::Scenes((*name).to_owned()))
}

/// The one unit of records of a kind, where a layer has features.
fn whole_unit_if(view: &RunView, layer: &str, kind: &str) -> Vec<Unit> {
    let features = Dataset::Shapes(layer.to_owned());
    if !view.holds(&features) {
        return Vec::new();
    }
    vec![Unit {
        dataset: Dataset::Records(kind.to_owned()),
        period: None,
    }]
}

/// The layer of records such as `crop_season/plots`.
fn layer_of_records(dataset: &Dataset) -> Option<&str> {
    match dataset {
        Dataset::Records(kind) => kind.split_once('/').map(|(_, layer)| layer),
        _ => None,
    }
}

fn fire_of<'a>(context: &StepContext<'a>) -> Fire<'a> {
    Fire {
        store: Arc::clone(&context.store),
        assets: context.assets.clone(),
        grid: context.grid,
        code_version: context.code_version.clone(),
        processing: context.settings.processing,
        settings: context.settings.fire,
    }
}

fn inundations_of<'a>(context: &StepContext<'a>) -> Inundations<'a> {
    Inundations {
        store: Arc::clone(&context.store),
        assets: context.assets.clone(),
        settings: context.settings.delta,
        stations: &context.settings.fusion.stations,
        strip_rows: STRIP_ROWS,
        cancelled: context.cancelled,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_measured_layers_come_first() {
        let mut names = layer_names();
        let measured = ["ndvi", "evi", "ndmi", "nbr", "mndwi", "flood_observed"];
        assert_eq!(names[..6], measured);
        assert_eq!(
            names[6..],
            ["flood", "fire_danger", "forest_cover", "flood_depth"]
        );
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}

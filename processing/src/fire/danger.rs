//! Index P and FWI of every day and forest block.

use super::Fire;
use super::weather::Weather;
use crate::Result;
use crate::run::Progress;
use geo::{Centroid, Distance, Geodesic};
use geo_types::Point;
use sen_catalog::fire::day::{StationDay, danger};
use sen_catalog::run::{Dataset, StepReport, StepStatus};
use sen_catalog::store::Basis;
use sen_catalog::{Feature, FeatureQuery, asset};
use serde_json::json;
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;

/// Version of the method; another one counts every day anew.
const VERSION: u32 = 3;
/// The name of the basis of the days.
pub(super) const BASIS: &str = "danger";

/// The forest blocks.
pub(crate) struct Blocks {
    /// With polygons, of all times, by `fid`.
    pub(crate) features: Vec<Feature>,
    /// Of the layer.
    pub(crate) revision: u64,
}

/// The forest blocks; none when the layer is not there.
pub(super) async fn blocks(fire: &Fire<'_>) -> Result<Option<Blocks>> {
    let name = &fire.settings.blocks;
    let layers = fire.store.layers().await?;
    let Some(layer) = layers.into_iter().find(|layer| layer.name == *name) else {
        return Ok(None);
    };
    let mut features = fire.store.features(&FeatureQuery::layer(name)).await?;
    features.retain(|feature| feature.polygons().is_some());
    Ok((!features.is_empty()).then_some(Blocks {
        features,
        revision: layer.revision,
    }))
}

/// Counts the days anew when stations said more, or blocks or settings are others.
pub(super) async fn days(
    fire: &Fire<'_>,
    blocks: &Blocks,
    report: &mut StepReport,
    progress: &dyn Progress,
) -> Result<()> {
    let (store, settings) = (fire.store.as_ref(), fire.settings);
    let layers = store.layers().await?;
    let stations = layers.iter().find(|layer| layer.name == settings.stations);
    let inputs = json!([
        VERSION,
        settings.blocks,
        settings.stations,
        settings.reset_mm,
        settings.levels,
        settings.window_min,
        settings.rain_gap_h,
        settings.reach_km,
        blocks.revision,
        stations.map(|layer| layer.revision),
        store.observation_revision().await?
    ]);
    let basis = Basis {
        digest: asset::hex(&Sha256::digest(inputs.to_string().as_bytes())),
        said: json!({
            "citation": settings.citation, "levels": settings.levels, "reset_mm": settings.reset_mm,
            "window_min": settings.window_min,
        }),
    };
    let danger_days = Dataset::Records("fire_danger_day".to_owned());
    report.figure("blocks", blocks.features.len());
    let known = store.fire_basis(BASIS).await?;
    if known.is_some_and(|known| known.digest == basis.digest) {
        // the citation alone may be another
        store.put_fire_basis(BASIS, &basis).await?;
        report.enter(danger_days, None, StepStatus::UpToDate);
        return Ok(());
    }
    progress.begin("fire danger", blocks.features.len() as u64);
    let stations = store.features(&FeatureQuery::layer(&settings.stations)).await?;
    let near = |block: &Feature| near(block, &stations, settings.reach_km);
    let reached: BTreeSet<String> = blocks.features.iter().flat_map(near).collect();
    let weather = Weather::read(store, &reached, settings).await?;
    let mut rows = Vec::with_capacity(blocks.features.len());
    for block in &blocks.features {
        let codes: Vec<String> = near(block).into_iter().filter(|code| weather.has(code)).collect();
        let mut days: Vec<(chrono::NaiveDate, Vec<&StationDay>)> = Vec::new();
        if let Some((first, last)) = weather.span {
            for day in first.iter_days().take_while(|day| *day <= last) {
                let said = codes.iter().filter_map(|code| weather.of(code, day)).collect();
                days.push((day, said));
            }
        }
        let latitude = middle(block).map_or(10.5, geo::Point::y);
        rows.push((block.fid, danger(&days, settings, latitude)));
        progress.advance(1);
    }
    report.figure("blocks_changed", store.put_danger(rows).await?);
    store.put_fire_basis(BASIS, &basis).await?;
    report.enter(danger_days, None, StepStatus::Made);
    Ok(())
}

fn middle(feature: &Feature) -> Option<Point<f64>> {
    feature.geometry.centroid()
}

/// Codes of the stations within reach of a block, the nearest first.
fn near(block: &Feature, stations: &[Feature], reach_km: f64) -> Vec<String> {
    let Some(place) = middle(block) else {
        return Vec::new();
    };
    let mut near: Vec<(f64, &str)> = stations
        .iter()
        .filter_map(|station| {
            let metres = Geodesic.distance(place, middle(station)?);
            (metres <= reach_km * 1000.0).then_some((metres, station.code.as_str()))
        })
        .collect();
    near.sort_by(|a, b| a.0.total_cmp(&b.0).then_with(|| a.1.cmp(b.1)));
    near.dedup_by(|a, b| a.1 == b.1);
    near.into_iter().map(|(_, code)| code.to_owned()).collect()
}

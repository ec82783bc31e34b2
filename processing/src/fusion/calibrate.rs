//! The configured comparisons of layers with stations, version by version in the store.

use super::calibration::{Pair, compare, judge};
use super::matchup::matchup;
use super::settings::FusionSettings;
use crate::Result;
use sen_catalog::calibration::Calibration;
use sen_catalog::{Assets, FeatureQuery, ItemQuery, Store, asset};
use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;

/// Version of the method.
const VERSION: u32 = 1;

/// What became of one comparison.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CalibrationReport {
    /// What stations measure.
    pub property: String,
    /// The layer.
    pub collection: String,
    /// Pairs found.
    pub pairs: usize,
    /// Version in the store; none when the pairs do not make a comparison.
    pub version: Option<u32>,
    /// True when the correction is applied.
    pub applied: bool,
    /// Why or why not.
    pub reason: String,
}

/// Makes every configured comparison; one whose pairs have not changed keeps its version.
///
/// # Errors
/// When the catalogue or a raster cannot be read.
pub async fn calibrate(
    store: &dyn Store,
    assets: &Assets,
    settings: &FusionSettings,
) -> Result<Vec<CalibrationReport>> {
    let mut reports = Vec::new();
    if settings.calibrations.is_empty() {
        return Ok(reports);
    }
    let stations = store.features(&FeatureQuery::layer(&settings.stations)).await?;
    let streams = store.datastreams(None).await?;
    for setting in &settings.calibrations {
        let items = store.items(&ItemQuery::collection(&setting.collection)).await?;
        let (mut pairs, mut lineage) = (Vec::new(), BTreeSet::new());
        for stream in streams
            .iter()
            .filter(|stream| stream.property == setting.property)
        {
            let Some(station) = stations.iter().find(|station| station.code == stream.station) else {
                continue;
            };
            for item in &items {
                let zones = setting.zones.as_deref();
                let found = matchup(store, assets, station, stream, item, zones, setting.days).await?;
                if let Some((found, satellite)) = found.and_then(|m| m.satellite().map(|value| (m, value))) {
                    lineage.insert(found.item);
                    lineage.insert(format!("datastreams/{}", stream.id));
                    pairs.push(Pair {
                        station: found.station,
                        satellite,
                        ground: found.ground,
                    });
                }
            }
        }
        reports.push(decide(store, &setting.property, &setting.collection, &pairs, lineage).await?);
    }
    Ok(reports)
}

/// Compares, judges and keeps the outcome.
async fn decide(
    store: &dyn Store,
    property: &str,
    collection: &str,
    pairs: &[Pair],
    lineage: BTreeSet<String>,
) -> Result<CalibrationReport> {
    let mut report = CalibrationReport {
        property: property.to_owned(),
        collection: collection.to_owned(),
        pairs: pairs.len(),
        version: None,
        applied: false,
        reason: "too few pairs to compare".to_owned(),
    };
    let Some(comparison) = compare(pairs) else {
        return Ok(report);
    };
    let verdict = judge(pairs, &comparison);
    let mut figures = match json!(comparison) {
        Value::Object(figures) => figures,
        _ => serde_json::Map::new(),
    };
    figures.insert("rmse_left_out".into(), json!(verdict.rmse_left_out));
    let inputs = json!([VERSION, pairs]).to_string();
    let calibration = Calibration {
        property: property.to_owned(),
        collection: collection.to_owned(),
        version: 0,
        inputs: asset::hex(&Sha256::digest(inputs.as_bytes())),
        slope: comparison.theil_sen.slope,
        intercept: comparison.theil_sen.intercept,
        applied: verdict.apply,
        reason: verdict.reason.clone(),
        figures,
        lineage: lineage.into_iter().collect(),
    };
    report.version = Some(store.put_calibration(&calibration).await?);
    report.applied = verdict.apply;
    report.reason = verdict.reason;
    Ok(report)
}

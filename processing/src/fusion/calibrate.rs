//! The configured comparisons of layers with stations, version by version in the store.

use super::calibration::{Pair, Verdict, compare, judge};
use super::matchup::matchup;
use super::settings::CalibrationSettings;
use crate::Result;
use sen_catalog::calibration::Calibration;
use sen_catalog::observation::Datastream;
use sen_catalog::run::{Dataset, Failure, StepReport, StepStatus};
use sen_catalog::{Assets, Feature, FeatureQuery, ItemQuery, Store, asset};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;

/// Version of the method.
const VERSION: u32 = 1;

/// Makes every configured comparison; one whose pairs have not changed keeps its version. What fails is named in the report
/// and the rest done.
///
/// # Errors
/// When the catalogue cannot be read.
pub async fn calibrate(
    store: &dyn Store,
    assets: &Assets,
    layer: &str,
    settings: &[&CalibrationSettings],
    report: &mut StepReport,
) -> Result<()> {
    let stations = store.features(&FeatureQuery::layer(layer)).await?;
    let streams = store.datastreams(None).await?;
    for setting in settings {
        let streams = streams
            .iter()
            .filter(|stream| stream.property == setting.property);
        let stations = streams.filter_map(|stream| {
            let station = stations.iter().find(|station| station.code == stream.station)?;
            Some((station, stream))
        });
        let outcome = compared(store, assets, setting, stations.collect(), report).await;
        let name = format!("calibration/{}/{}", setting.property, setting.collection);
        report.enter_outcome(Dataset::Records(name), None, outcome);
    }
    Ok(())
}

/// One comparison, of the stations that measure its property.
async fn compared(
    store: &dyn Store,
    assets: &Assets,
    setting: &CalibrationSettings,
    stations: Vec<(&Feature, &Datastream)>,
    report: &mut StepReport,
) -> Result<StepStatus> {
    let items = store.items(&ItemQuery::collection(&setting.collection)).await?;
    let (mut pairs, mut lineage) = (Vec::new(), BTreeSet::new());
    for (station, stream) in stations {
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
    let what = format!("{} against {}", setting.collection, setting.property);
    let count = pairs.len();
    let (status, said) = match decide(store, setting, &pairs, lineage).await? {
        None => (
            StepStatus::NoInput,
            "correction not applied: too few pairs to compare".to_owned(),
        ),
        Some((status, verdict)) => {
            let applied = if verdict.apply { "" } else { "not " };
            (status, format!("correction {applied}applied: {}", verdict.reason))
        }
    };
    report
        .notes
        .push(Failure::new(what, format!("{count} pairs, {said}")));
    Ok(status)
}

/// Compares, judges and keeps the outcome; none when the pairs do not make a comparison.
async fn decide(
    store: &dyn Store,
    setting: &CalibrationSettings,
    pairs: &[Pair],
    lineage: BTreeSet<String>,
) -> Result<Option<(StepStatus, Verdict)>> {
    let Some(comparison) = compare(pairs) else {
        return Ok(None);
    };
    let verdict = judge(pairs, &comparison);
    let mut figures = match json!(comparison) {
        Value::Object(figures) => figures,
        _ => serde_json::Map::new(),
    };
    figures.insert("rmse_left_out".into(), json!(verdict.rmse_left_out));
    let inputs = json!([VERSION, pairs]).to_string();
    let calibration = Calibration {
        property: setting.property.clone(),
        collection: setting.collection.clone(),
        version: 0,
        inputs: asset::hex(&Sha256::digest(inputs.as_bytes())),
        slope: comparison.theil_sen.slope,
        intercept: comparison.theil_sen.intercept,
        applied: verdict.apply,
        reason: verdict.reason.clone(),
        figures,
        lineage: lineage.into_iter().collect(),
    };
    let known = store.calibrations(&setting.property, &setting.collection).await?;
    let newest = known.iter().map(|one| one.version).max();
    let version = store.put_calibration(&calibration).await?;
    let status = if newest == Some(version) {
        StepStatus::UpToDate
    } else {
        StepStatus::Made
    };
    Ok(Some((status, verdict)))
}

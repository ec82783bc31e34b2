//! Series of the forest blocks from the statistics of their weeks and from radar, and their alerts.

use super::Fire;
use super::danger::Blocks;
use crate::Result;
use crate::phenology::Backscatter;
use crate::run::{Progress, blocking};
use crate::source::{fingerprint_scenes, sentinel1_grd};
use geo_types::MultiPolygon;
use sen_catalog::fire::change::{ForestWeek, Indicator, State, judge as judge_block};
use sen_catalog::run::{Dataset, Failure, StepReport, StepStatus};
use sen_catalog::statistic::{StatisticTable, asset_name};
use sen_catalog::store::Basis;
use sen_catalog::{Feature, Item, ItemQuery, Period, asset};
use serde_json::json;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, HashMap};

/// Version of the method; another one judges every block anew.
const VERSION: u32 = 2;
/// The name of the basis of the series.
pub(super) const BASIS: &str = "forest_change";

/// Series by block and week.
type Series = BTreeMap<i64, BTreeMap<Period, ForestWeek>>;

/// Judges the blocks anew when there are other statistics, radar scenes, blocks or settings.
pub(super) async fn judge(
    fire: &Fire<'_>,
    blocks: &Blocks,
    report: &mut StepReport,
    progress: &dyn Progress,
) -> Result<()> {
    let store = fire.store.as_ref();
    let table = asset_name(&fire.settings.blocks);
    let mut items: Vec<(Indicator, Item)> = Vec::new();
    for indicator in [Indicator::Nbr, Indicator::Ndmi, Indicator::Ndvi] {
        let found = store.items(&ItemQuery::collection(indicator.name())).await?;
        let own = found.into_iter().filter(|item| item.assets.contains_key(&table));
        items.extend(own.map(|item| (indicator, item)));
    }
    let mut scenes = Vec::new();
    for collection in ["sentinel-1-rtc", "sentinel-1-grd"] {
        scenes.extend(store.items(&ItemQuery::collection(collection)).await?);
    }
    sentinel1_grd::one_backscatter(&mut scenes);
    crate::duplicate::settle(&mut scenes);
    let tables: Vec<_> = items
        .iter()
        .map(|(_, item)| item.assets.get(&table).map(|asset| &asset.sha256))
        .collect();
    let radar = fingerprint_scenes(scenes.iter(), fire.processing, "");
    let inputs = json!([
        VERSION,
        fire.settings.change,
        blocks.revision,
        tables,
        radar,
        fire.grid
    ]);
    let basis = Basis {
        digest: asset::hex(&Sha256::digest(inputs.to_string().as_bytes())),
        said: json!({"dnbr": "uncalibrated", "settings": fire.settings.change}),
    };
    let mut status = StepStatus::UpToDate;
    if store.fire_basis(BASIS).await?.is_none_or(|known| known != basis) {
        let mut series: Series = blocks
            .features
            .iter()
            .map(|block| (block.fid, BTreeMap::new()))
            .collect();
        for (indicator, item) in &items {
            if let Some(asset) = item.assets.get(&table) {
                let table = StatisticTable::over(fire.assets.open_object(asset)?)?;
                fill(
                    &mut series,
                    *indicator,
                    item.period(),
                    &table,
                    fire.settings.change.seen_share,
                )?;
            }
        }
        report.left_out = fill_radar(fire, blocks, &scenes, &mut series, progress)?;
        let changes = series
            .into_iter()
            .map(|(fid, weeks)| {
                (
                    fid,
                    judge_block(weeks.into_values().collect(), &fire.settings.change),
                )
            })
            .collect();
        store.put_forest_change(changes).await?;
        if report.left_out.is_empty() {
            // else the scenes that could not be read are tried again
            store.put_fire_basis(BASIS, &basis).await?;
        }
        status = StepStatus::Made;
    }
    let (mut confirmed, mut suspected) = (0, 0);
    for block in &blocks.features {
        match store.forest_change(block.fid).await?.map(|change| change.state) {
            Some(State::Confirmed) => confirmed += 1,
            Some(State::Suspected) => suspected += 1,
            Some(State::Usual | State::NotJudged) | None => {}
        }
    }
    report.figure("alerts_confirmed", confirmed);
    report.figure("alerts_suspected", suspected);
    report.enter(Dataset::Records("forest_change".to_owned()), None, status);
    Ok(())
}

fn week_of(weeks: &mut BTreeMap<Period, ForestWeek>, week: Period) -> &mut ForestWeek {
    weeks.entry(week).or_insert_with(|| ForestWeek {
        from: week.first_day(),
        ..ForestWeek::default()
    })
}

/// The means of a week, where enough of a block was seen.
///
/// # Errors
/// When the table cannot be read.
fn fill(
    series: &mut Series,
    indicator: Indicator,
    week: Period,
    table: &StatisticTable,
    seen_share: f64,
) -> Result<()> {
    for (fid, weeks) in series {
        let Some(row) = table.row_of(*fid)? else { continue };
        let statistic = table.statistic(row)?;
        let Some(mean) = statistic.mean.filter(|_| statistic.valid_fraction >= seen_share) else {
            continue;
        };
        // four digits are what the raster holds
        let mean = (mean * 1e4).round() / 1e4;
        let own = week_of(weeks, week);
        match indicator {
            Indicator::Nbr => own.nbr = Some(mean),
            Indicator::Ndmi => own.ndmi = Some(mean),
            Indicator::Ndvi => own.ndvi = Some(mean),
            Indicator::Vh => {}
        }
    }
    Ok(())
}

/// VH of the blocks: each look less the median of all looks of its orbit, for orbits see a stand under other angles. Gives the
/// scenes that could not be read.
fn fill_radar(
    fire: &Fire<'_>,
    blocks: &Blocks,
    scenes: &[Item],
    series: &mut Series,
    progress: &dyn Progress,
) -> Result<Vec<Failure>> {
    let fids: Vec<i64> = blocks.features.iter().map(|block| block.fid).collect();
    let polygons: Vec<MultiPolygon<f64>> = blocks.features.iter().filter_map(Feature::polygons).collect();
    let radar = Backscatter {
        assets: &fire.assets,
        grid: &fire.grid,
        processing: fire.processing,
        layer: &fire.settings.blocks,
        revision: blocks.revision,
        fids: &fids,
        polygons: &polygons,
    };
    let (looks, failed) = blocking(|| radar.looks(scenes, progress))?;
    for (index, fid) in fids.iter().enumerate() {
        let mut by_orbit: HashMap<&str, Vec<f64>> = HashMap::new();
        for look in &looks {
            let value = look.values[index];
            if !value.is_nan() {
                by_orbit.entry(&look.orbit).or_default().push(f64::from(value));
            }
        }
        let usual: HashMap<&str, f64> = by_orbit
            .into_iter()
            .filter_map(|(orbit, mut values)| {
                values.sort_by(f64::total_cmp);
                Some((orbit, *values.get(values.len() / 2)?))
            })
            .collect();
        let mut sums: BTreeMap<Period, (f64, f64)> = BTreeMap::new();
        for look in &looks {
            let (value, usual) = (f64::from(look.values[index]), usual.get(look.orbit.as_str()));
            if let Some(usual) = usual.filter(|_| !value.is_nan()) {
                let sum = sums.entry(Period::of_date(look.day)).or_default();
                *sum = (sum.0 + value - usual, sum.1 + 1.0);
            }
        }
        if let Some(weeks) = series.get_mut(fid) {
            for (week, (sum, count)) in sums {
                week_of(weeks, week).vh_db = Some((sum / count * 1e3).round() / 1e3);
            }
        }
    }
    Ok(failed)
}

//! The layer `fire_danger`: a class raster a week with the level of its worst day inside each forest block, and one a day
//! beside it (`day1`, Monday, to `day7`).

use super::danger::Blocks;
use super::{Fire, FireReport};
use crate::Result;
use crate::phenology::cells::Cells;
use crate::pipeline::files::Temporary;
use crate::pipeline::publish;
use chrono::{Datelike, NaiveDate};
use geo_types::MultiPolygon;
use sen_catalog::fire::FIRE_DANGER;
use sen_catalog::fire::day::DangerDay;
use sen_catalog::raster::{CogProfile, CogWriter, Compression, DataType, Overviews};
use sen_catalog::{Asset, Assets, Grid, Item, Period, asset};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// Version of the method; another one remakes every week.
const VERSION: u32 = 1;
/// Outside of forest blocks.
const NODATA: u8 = 255;
/// In a forest block whose level is not known.
const NOT_KNOWN: u8 = 253;
/// Assets of the days, Monday first.
const DAYS: [&str; 7] = ["day1", "day2", "day3", "day4", "day5", "day6", "day7"];

/// The classes of a block: worst of the week, then its days.
type Classes = [u8; 8];

/// Makes the weeks that are missing or out of date: those asked for, and later ones that stations tell of.
pub(super) async fn weeks(
    fire: &Fire<'_>,
    blocks: &Blocks,
    weeks: &[Period],
    report: &mut FireReport,
) -> Result<()> {
    let mut by_week: BTreeMap<Period, Vec<Classes>> = BTreeMap::new();
    let newest = weeks.iter().max().copied();
    for (index, block) in blocks.features.iter().enumerate() {
        let days = fire.store.danger(block.fid, None, None).await?;
        for (week, days) in by_weeks(&days) {
            if !(weeks.contains(&week) || newest.is_some_and(|newest| week > newest)) {
                continue;
            }
            let all = by_week
                .entry(week)
                .or_insert_with(|| vec![[NOT_KNOWN; 8]; blocks.features.len()]);
            all[index] = classes(&days);
        }
    }
    let mut cells = None;
    for (week, classes) in by_week {
        // a block is drawn while it is valid
        let shown: Vec<Option<Classes>> = blocks
            .features
            .iter()
            .zip(&classes)
            .map(|(block, classes)| block.valid_on(week.last_day()).then_some(*classes))
            .collect();
        if newest.is_some_and(|newest| week > newest) {
            report.later.insert(week);
        }
        if make(fire, blocks, week, &shown, &mut cells).await? {
            report.weeks_made += 1;
        } else {
            report.weeks_up_to_date += 1;
        }
    }
    Ok(())
}

fn by_weeks(days: &[DangerDay]) -> BTreeMap<Period, Vec<&DangerDay>> {
    let mut weeks: BTreeMap<Period, Vec<&DangerDay>> = BTreeMap::new();
    for day in days {
        weeks.entry(Period::of_date(day.day)).or_default().push(day);
    }
    weeks
}

/// The worst of the days that are known (lower bounds beside them count: it was not less), and each day.
fn classes(days: &[&DangerDay]) -> Classes {
    let mut classes = [NOT_KNOWN; 8];
    for day in days {
        let number = day.day.weekday().number_from_monday() as usize;
        classes[number] = day.level.map_or(NOT_KNOWN, u8::from);
    }
    if days.iter().any(|day| day.level.is_some()) {
        let least = days.iter().filter_map(|day| day.level.max(day.level_at_least));
        classes[0] = least.max().map_or(NOT_KNOWN, u8::from);
    }
    classes
}

/// Makes a week unless it is there; true when it was made.
async fn make(
    fire: &Fire<'_>,
    blocks: &Blocks,
    week: Period,
    shown: &[Option<Classes>],
    cells: &mut Option<(Grid, Cells)>,
) -> Result<bool> {
    let factor = (fire.settings.cell_m / fire.grid.cell_width).round().max(1.0) as usize;
    let grid = fire.grid.coarser(factor);
    let codes: Vec<&str> = blocks.features.iter().map(|block| block.code.as_str()).collect();
    let inputs = json!([
        VERSION,
        grid,
        blocks.revision,
        codes,
        shown,
        fire.settings.levels,
        fire.settings.citation
    ]);
    let inputs = asset::hex(&Sha256::digest(inputs.to_string().as_bytes()));
    let id = Item::weekly_id(FIRE_DANGER, week);
    let known = fire.store.item(FIRE_DANGER, &id).await?;
    let is_current = known.as_ref().is_some_and(|item| {
        let whole = |asset: &Asset| {
            std::fs::metadata(fire.assets.path(&asset.href)).is_ok_and(|file| file.len() == asset.bytes)
        };
        item.properties.get("sen:inputs") == Some(&json!(inputs)) && item.assets.values().all(whole)
    });
    if is_current {
        return Ok(false);
    }
    if cells.is_none() {
        let polygons: Vec<MultiPolygon<f64>> = blocks
            .features
            .iter()
            .filter_map(sen_catalog::Feature::polygons)
            .collect();
        *cells = Some((grid, Cells::new(&polygons, &grid)?));
    }
    let Some((_, cells)) = cells.as_ref() else {
        return Ok(false);
    };
    let mut item = Item {
        id,
        collection: FIRE_DANGER.to_owned(),
        interval: week.interval(),
        grid,
        bbox: grid.lon_lat_bounds()?,
        assets: BTreeMap::new(),
        lineage: vec![fire.settings.stations.clone(), fire.settings.blocks.clone()],
        properties: properties(fire, week.first_day(), shown, &inputs),
    };
    let mut files = Vec::new();
    for (number, name) in std::iter::once(FIRE_DANGER).chain(DAYS).enumerate() {
        let (mut asset, temporary) = write(fire, name, number, shown, cells, &grid)?;
        asset.href = Assets::href(&item, name, "tif");
        item.assets.insert(name.to_owned(), asset);
        files.push((name, temporary));
    }
    let document = publish::document(&fire.assets, &item)?;
    if known.is_some() {
        // the row goes before its files change, and comes back after the last
        fire.store.delete_item(&item.collection, &item.id).await?;
    }
    for (name, temporary) in &files {
        fire.assets
            .publish(&temporary.0, &Assets::href(&item, name, "tif"))?;
    }
    fire.assets
        .publish(&document.0, &Assets::href(&item, &item.id, "json"))?;
    fire.store.put_item(&item).await?;
    Ok(true)
}

fn properties(
    fire: &Fire<'_>,
    monday: NaiveDate,
    shown: &[Option<Classes>],
    inputs: &str,
) -> Map<String, Value> {
    let settings = fire.settings;
    let valid: Vec<&Classes> = shown.iter().flatten().collect();
    let known = valid.iter().filter(|classes| classes[0] != NOT_KNOWN).count();
    let share = known as f64 / valid.len().max(1) as f64;
    let unknown: Vec<NaiveDate> = (1..8)
        .filter(|day| valid.iter().any(|classes| classes[*day] == NOT_KNOWN))
        .map(|day| monday + chrono::TimeDelta::days(day as i64 - 1))
        .collect();
    let rule = format!(
        "index P (sum of temperature times saturation deficit at 13:00 since the last {} mm of rain in 24 h) of the \
         nearest station, in levels above {:?}; the worst day of the week, assets day1 (Monday) to day7 the days; 253: \
         readings are missing and it did not rain since",
        settings.reset_mm, settings.levels
    );
    let pairs = [
        ("title", json!("Forest fire danger, worst day of the week")),
        ("sen:code_version", json!(fire.code_version)),
        ("sen:product_version", json!(VERSION)),
        ("sen:rule", json!(rule)),
        ("sen:citation", json!(settings.citation)),
        ("sen:levels", json!(settings.levels)),
        ("sen:inputs", json!(inputs)),
        ("sen:days_not_known", json!(unknown)),
        ("sen:seen_share", json!((share * 1e4).round() / 1e4)),
    ];
    pairs
        .map(|(name, value)| (name.to_owned(), value))
        .into_iter()
        .collect()
}

/// Writes one raster under a temporary name: the class of the given number in the cells of each block.
fn write(
    fire: &Fire<'_>,
    name: &str,
    number: usize,
    shown: &[Option<Classes>],
    cells: &Cells,
    grid: &Grid,
) -> Result<(Asset, Temporary)> {
    const ROWS: usize = 512;
    let temporary = Temporary(fire.assets.temporary(name));
    let profile = CogProfile {
        grid: *grid,
        data_type: DataType::U8,
        nodata: Some(f64::from(NODATA)),
        scale: 1.0,
        offset: 0.0,
        compression: Compression::Zstd(3),
        block: 512,
        overviews: Overviews::Mode,
        description: name.to_owned(),
    };
    let mut writer = CogWriter::create(&temporary.0, profile)?;
    let mut top = 0;
    while top < grid.height {
        let rows = top..(top + ROWS).min(grid.height);
        top = rows.end;
        let mut strip = vec![NODATA; rows.len() * grid.width];
        for (block, row, columns) in cells.runs(rows.clone()) {
            let Some(classes) = shown.get(block).copied().flatten() else {
                continue;
            };
            let line = (row - rows.start) * grid.width;
            strip[line + columns.start..line + columns.end].fill(classes[number]);
        }
        writer.write_rows(&strip)?;
    }
    writer.finish()?;
    let (sha256, bytes) = asset::checksum(&temporary.0)?;
    let asset = Asset {
        nodata: Some(f64::from(NODATA)),
        sha256: Some(sha256),
        bytes,
        ..Asset::new("")
    };
    Ok((asset, temporary))
}

#[cfg(test)]
mod tests {
    use super::*;
    use sen_catalog::fire::danger::Level;

    fn day(number: u32, level: Option<Level>, at_least: Option<Level>) -> DangerDay {
        DangerDay {
            day: NaiveDate::from_ymd_opt(2026, 8, 2 + number).expect("a day"),
            p: None,
            level,
            level_at_least: at_least,
            rain_day: None,
            unknown: None,
            fwi: None,
            fwi_since: None,
            station: None,
            temperature_c: None,
            humidity_percent: None,
            rain_mm: None,
        }
    }

    #[test]
    fn a_week_has_the_level_of_its_worst_day_and_days_that_are_not_known_say_so() {
        let days = [
            day(1, Some(Level::II), None),
            day(2, Some(Level::III), None),
            day(3, None, None),
            day(4, None, Some(Level::I)),
        ];
        let all: Vec<&DangerDay> = days.iter().collect();
        assert_eq!(classes(&all), [3, 2, 3, 253, 253, 253, 253, 253]);
        assert_eq!(classes(&all[2..]), [253; 8], "a lower bound alone is not a level");
        assert_eq!(classes(&[]), [253; 8]);
    }
}

//! What a station measured beside what the satellite saw there: by cell, and by zone where statistics of zones exist.

use crate::Result;
use crate::run::for_each_reading;
use chrono::TimeDelta;
use geo::Contains;
use sen_catalog::crs::Transform;
use sen_catalog::observation::{Datastream, Flag, Observation};
use sen_catalog::raster::{Cog, DataType};
use sen_catalog::statistic::StatisticTable;
use sen_catalog::{Asset, Assets, Bounds, Crs, Feature, FeatureQuery, Item, Store, Window};
use serde::Serialize;

/// A zone counts when at least this share of it was seen.
const SEEN_SHARE: f64 = 0.7;
/// An observation with the cell of an item it falls on, and the zone where there is one.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Matchup {
    /// Code of the station.
    pub station: String,
    /// What was measured.
    pub property: String,
    /// Median of the good observations within the time allowed around the look.
    pub ground: f64,
    /// Number of these observations.
    pub observations: usize,
    /// The item, `collection/id`.
    pub item: String,
    /// Value of the cell, in its unit.
    pub cell: Option<f64>,
    /// Metres from the station to the centre of the cell.
    pub distance_m: f64,
    /// Days from the look to the end of the item's week.
    pub age_days: f64,
    /// Code of the zone the station stands in.
    pub zone: Option<String>,
    /// Mean of the zone, where enough of it was seen.
    pub zone_mean: Option<f64>,
}

impl Matchup {
    /// The satellite's side of a pair: the zone's mean, otherwise the cell.
    pub fn satellite(&self) -> Option<f64> {
        self.zone_mean.or(self.cell)
    }
}

/// Pairs a station's datastream with an item; none where the station lies outside, the cell was not seen and the zone
/// was not either, or nothing good was measured within `days` of the look.
pub async fn matchup(
    store: &dyn Store,
    assets: &Assets,
    station: &Feature,
    stream: &Datastream,
    item: &Item,
    zones: Option<&str>,
    days: f64,
) -> Result<Option<Matchup>> {
    let (Some(bounds), Some(main)) = (station.bounds(), item.main_asset()) else {
        return Ok(None);
    };
    let (lon, lat) = (
        f64::midpoint(bounds.west, bounds.east),
        f64::midpoint(bounds.south, bounds.north),
    );
    let Some((x, y)) = Transform::new(Crs::WGS84, item.grid.crs)?.point(lon, lat) else {
        return Ok(None);
    };
    let Some((column, row)) = item.grid.cell(x, y) else {
        return Ok(None);
    };
    let centre = (
        item.grid.west + (column as f64 + 0.5) * item.grid.cell_width,
        item.grid.north - (row as f64 + 0.5) * item.grid.cell_height,
    );
    let cell = cell(main, assets, column, row)?;
    let age = match item.assets.get("age_days") {
        Some(asset) => crate::fusion::matchup::cell(asset, assets, column, row)?,
        None => None,
    };
    let (zone, zone_mean) = match zones {
        Some(layer) => zone(store, assets, item, layer, (lon, lat)).await?,
        None => (None, None),
    };
    if cell.is_none() && zone_mean.is_none() {
        return Ok(None);
    }
    // without an age the whole week is the look
    let age_days = age.unwrap_or(3.5);
    let look = item.interval.end - seconds(age_days + 0.5);
    let mut values = Vec::new();
    let hear = |reading: Observation| {
        let value = reading.value.filter(|_| reading.flag == Flag::Good);
        values.extend(value);
    };
    for_each_reading(store, stream.id, look - seconds(days), look + seconds(days), hear).await?;
    if values.is_empty() {
        return Ok(None);
    }
    values.sort_by(f64::total_cmp);
    Ok(Some(Matchup {
        station: station.code.clone(),
        property: stream.property.clone(),
        ground: values[values.len() / 2],
        observations: values.len(),
        item: format!("{}/{}", item.collection, item.id),
        cell,
        distance_m: (centre.0 - x).hypot(centre.1 - y),
        age_days,
        zone,
        zone_mean,
    }))
}

fn seconds(days: f64) -> TimeDelta {
    TimeDelta::seconds((days.clamp(0.0, 3650.0) * 86_400.0) as i64)
}

/// The physical value of one cell of a raster; none where it holds no data.
fn cell(asset: &Asset, assets: &Assets, column: usize, row: usize) -> Result<Option<f64>> {
    let cog = Cog::over(assets.open_object(asset)?)?;
    let window = Window {
        column,
        row,
        width: 1,
        height: 1,
    };
    let band = asset.band_index.saturating_sub(1);
    let stored = match cog.data_type() {
        DataType::U8 => cog
            .read_window::<u8>(0, band, window)?
            .first()
            .copied()
            .map(f64::from),
        DataType::I16 => cog
            .read_window::<i16>(0, band, window)?
            .first()
            .copied()
            .map(f64::from),
        DataType::U16 => cog
            .read_window::<u16>(0, band, window)?
            .first()
            .copied()
            .map(f64::from),
        DataType::F32 => cog
            .read_window::<f32>(0, band, window)?
            .first()
            .copied()
            .map(f64::from),
    };
    let nodata = asset.nodata.or(cog.nodata());
    Ok(stored
        .filter(|value| value.is_finite() && Some(*value) != nodata)
        .map(|value| value * asset.scale + asset.offset))
}

/// The zone of a layer at a place, and its mean where enough of it was seen.
async fn zone(
    store: &dyn Store,
    assets: &Assets,
    item: &Item,
    layer: &str,
    (lon, lat): (f64, f64),
) -> Result<(Option<String>, Option<f64>)> {
    let query = FeatureQuery {
        bbox: Some(Bounds::new(lon, lat, lon, lat)),
        valid_on: Some(item.period().last_day()),
        ..FeatureQuery::layer(layer)
    };
    let place = geo_types::Point::new(lon, lat);
    let features = store.features(&query).await?;
    let Some(zone) = features.iter().find(|feature| {
        feature
            .polygons()
            .is_some_and(|polygons| polygons.contains(&place))
    }) else {
        return Ok((None, None));
    };
    let mean = match item.assets.get(&sen_catalog::statistic::asset_name(layer)) {
        Some(asset) => {
            let table = StatisticTable::over(assets.open_object(asset)?)?;
            let row = table.row_of(zone.fid)?;
            let statistic = row.map(|row| table.statistic(row)).transpose()?;
            statistic
                .filter(|statistic| statistic.valid_fraction >= SEEN_SHARE)
                .and_then(|statistic| statistic.mean)
        }
        None => None,
    };
    Ok((Some(zone.code.clone()), mean))
}

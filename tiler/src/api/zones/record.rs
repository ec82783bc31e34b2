//! `/api/v1/zones/{kind}/{code}/week/{period}`: everything known of a zone in one week, in one record.

use super::fire::{FireRecord, fire};
use super::statistics::Numbers;
use super::tables::Tables;
use super::trust::{Evidence, Trust, Votes};
use super::{Which, centre, label, statistics};
use crate::api::calibrations::Corrected;
use crate::api::zonal;
use crate::document;
use crate::headers::{MINUTE, SEN_PERIOD};
use crate::layers::layers;
use crate::problem::{Outcome, Problem};
use crate::query::{Query, segments};
use crate::sensors_near::{self, Near};
use crate::state::{Pick, Shared, text_header};
use crate::station_week::{StationWeek, station_week};
use crate::style::Text;
use crate::time::When;
use crate::values::{Place, beside, tidy};
use crate::zone_page::words::{Said, sentence};
use axum::extract::{Request, State};
use sen_catalog::calibration::{Calibration, in_use};
use sen_catalog::intake::STATIONS;
use sen_catalog::inundation::{Cause, Inundation};
use sen_catalog::season::{Season, Stage, stage_on};
use sen_catalog::statistic::ZonalStatistic;
use sen_catalog::{Asset, Feature, Item, Period};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Collections that are drawn between stations instead of seen from above.
pub(super) const SURFACES: [&str; 2] = ["water_level", "salinity"];

/// The collection that tells of plants, and by which the record as a whole is judged.
const INDEX: &str = "ndvi";
/// Most cells of a zone whose votes are measured for its record: 200 km2 of 10 m, some tens of milliseconds.
const VOTE_CELLS: f64 = 2e6;
/// The collection that tells of water.
pub(super) const FLOOD: &str = "flood";

/// What is known of a zone in one week.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    /// The week.
    pub(crate) period: Period,
    /// What each collection says, by name.
    pub(crate) statistics: Vec<(String, ZonalStatistic)>,
    /// Variance of the surfaces in the middle of the zone, by name.
    variances: Map<String, Value>,
    /// Share of the seen part of the zone under open water of any kind.
    water_share: Option<f64>,
    /// Share of the seen part of the zone under flood: class 5, neither permanent nor expected.
    flood_share: Option<f64>,
    /// The nearest sensor of each property.
    pub(crate) sensors: Vec<Near>,
    /// The crops of the zone, of all times.
    pub(crate) seasons: Vec<Season>,
    /// Days since the look behind the index value in the middle of the zone.
    age_days: Option<f64>,
    /// Why it is under water, for dyke compartments.
    pub(crate) inundation: Option<Inundation>,
    /// How far to rely on the index, NDVI.
    pub(crate) trust: Trust,
    /// How far to rely on each collection, by name; none for what no rule judges.
    pub(crate) trust_of: BTreeMap<String, Trust>,
    /// Fire danger and change, for forest blocks.
    pub(crate) fire: Option<FireRecord>,
    /// What it measured itself, for stations.
    pub(crate) station: Option<StationWeek>,
    /// One sentence.
    pub(crate) sentence: Text,
}

/// Share of the seen part of a zone that is open water of any kind.
pub(crate) fn water_share(app: &crate::App, flood: &ZonalStatistic) -> Option<f64> {
    statistics::share(flood, app.styles.style("flood"))
}

/// The votes behind the flood map of a zone; nothing where they are not stored.
fn votes(app: &crate::App, item: &Arc<Item>, feature: &Feature) -> Outcome<Votes> {
    let of = |asset: &str| {
        if !item.assets.contains_key(asset) {
            return Ok(None);
        }
        let pick = Pick {
            asset: Some(asset),
            style: None,
        };
        let raster = app.raster_of(item, pick)?;
        zonal::small(&raster, feature, VOTE_CELLS)
    };
    Ok(Votes::of(of("n_clear")?.as_ref(), of("likelihood")?.as_ref()))
}

/// What grows in a week: on its middle day.
fn stage_in(seasons: &[Season], week: Period) -> Option<Stage<'_>> {
    stage_on(seasons, week.first_day() + chrono::TimeDelta::days(3))
}

/// The record of a zone.
pub(crate) async fn record(app: &Shared, feature: &Feature, period: Period) -> Outcome<Record> {
    let snapshot = app.lookup.snapshot().await?;
    let mut tables = Vec::new();
    for collection in layers(&snapshot) {
        let weeks = Tables::weeks(app, &snapshot, collection, &feature.layer).await?;
        if let Some(week) = weeks.iter().find(|week| week.period == period) {
            tables.push((collection.to_owned(), week.clone()));
        }
    }
    let when = When::week(period);
    let mut beside_layers = Vec::new();
    let mut flood = None;
    for collection in layers(&snapshot) {
        if collection != INDEX && !tables.iter().any(|(known, _)| known == collection) {
            continue;
        }
        let Some(item) = app.lookup.item(&snapshot, collection, when).await? else {
            continue;
        };
        if collection == FLOOD {
            flood = Some(Arc::clone(&item));
        }
        let asset = if SURFACES.contains(&collection) {
            "variance"
        } else {
            "age_days"
        };
        if item.main_asset().is_some_and(Asset::is_raster) {
            let raster = app.raster_of(&item, Pick::default())?;
            beside_layers.push((collection.to_owned(), asset, raster));
        }
    }
    let place = centre(feature).map(|place| Place {
        lon: place.x(),
        lat: place.y(),
    });
    let (shared, asked) = (Arc::clone(app), feature.clone());
    let work = move || -> Outcome<_> {
        let mut found = Vec::new();
        for (collection, week) in tables {
            let table = shared.tables.open(&shared.assets, &week)?;
            if let Some(row) = table.row_of(asked.fid)? {
                found.push((collection, table.statistic(row)?));
            }
        }
        let mut middle = Map::new();
        for (collection, asset, raster) in &beside_layers {
            let value = match place {
                Some(place) => beside(&shared.rasters, &shared.assets, raster, asset, place)?,
                None => Value::Null,
            };
            middle.insert(collection.clone(), value);
        }
        let votes = flood.map(|item| votes(&shared, &item, &asked)).transpose()?;
        Ok((found, middle, votes.unwrap_or_default()))
    };
    let (statistics, middle, votes) = app.cpu.run(work).await??;
    let age_days = middle.get(INDEX).and_then(Value::as_f64);
    let of = |name: &str| {
        let found = statistics.iter().find(|(collection, _)| collection == name);
        found.map(|(_, statistic)| statistic)
    };
    let ndvi = of(INDEX);
    let water_share = of(FLOOD).and_then(|flood| water_share(app, flood));
    let flood_share = of(FLOOD).and_then(|flood| statistics::flood_share(flood, app.styles.style(FLOOD)));
    let seasons = app.lookup.store().seasons(feature.fid).await?;
    let station = if feature.layer == STATIONS {
        Some(station_week(app.lookup.store(), feature, period).await?)
    } else {
        None
    };
    let sensors = match (&station, place) {
        // a station speaks for itself
        (Some(station), _) => station.readings.clone(),
        (None, Some(place)) => sensors_near::near(app.lookup.store(), place, period).await?,
        (None, None) => Vec::new(),
    };
    let stage = stage_in(&seasons, period);
    let seen = ndvi.map(|ndvi| ndvi.valid_fraction);
    let inundation = app.lookup.store().inundations_of(feature.fid).await?;
    let inundation = inundation.into_iter().find(|record| record.period == period);
    let cause = inundation
        .as_ref()
        .filter(|record| !matches!(record.class, Cause::None | Cause::NotClassified))
        .map(|record| (super::cause_title(app, record.class), record.sure));
    let said = Said {
        ndvi: ndvi.and_then(|ndvi| ndvi.mean),
        seen,
        growth: stage.as_ref().map(|stage| stage.growth.names()),
        weeks_since_sowing: stage.as_ref().and_then(|stage| stage.weeks_since_sowing),
        water: water_share,
        water_seen: of(FLOOD).map(|flood| tidy(statistics::seen(flood, app.styles.style(FLOOD)))),
        nothing: statistics.is_empty() && cause.is_none(),
        cause,
    };
    let fire = fire(app, feature, Some(period)).await?;
    let evidence = Evidence {
        styles: &app.styles,
        statistics: &statistics,
        beside: &middle,
        votes,
        sensors: &sensors,
        fire: fire.as_ref(),
    };
    Ok(Record {
        period,
        sentence: match &station {
            Some(station) => station.sentence(period),
            None => sentence(period, &said),
        },
        station,
        trust_of: evidence.trusts(),
        trust: Trust::in_look(seen, age_days),
        fire,
        inundation,
        water_share,
        flood_share,
        sensors,
        seasons,
        age_days,
        variances: middle,
        statistics,
    })
}

/// The answer.
pub(super) async fn week(State(app): State<Shared>, request: Request) -> Outcome {
    let (uri, headers) = (request.uri(), request.headers());
    let parts = segments(uri.path())?;
    let part = |index: usize| parts.get(index).map_or("", AsRef::as_ref);
    let period: Period = part(6)
        .parse()
        .map_err(|error: sen_catalog::Error| Problem::bad("period", error.to_string()))?;
    let query = Query::of(uri, &["on", "scheme"])?;
    let which = Which::of(&query)?.in_week(period);
    let feature = which.zone(&app, part(3), part(4)).await?;
    let record = record(&app, &feature, period).await?;
    let snapshot = app.lookup.snapshot().await?;
    let calibrations = app.lookup.calibrations(&snapshot).await?;
    let document = json_of(&app, &feature, &record, &calibrations);
    let mut response = document::json(headers, MINUTE, &document);
    response
        .headers_mut()
        .insert(SEN_PERIOD, text_header(&period.to_string()));
    Ok(response)
}

fn both(text: &Text) -> Value {
    json!({"vi": text.vi, "en": text.en})
}

fn json_of(app: &crate::App, feature: &Feature, record: &Record, calibrations: &[Calibration]) -> Value {
    let statistics: Map<String, Value> = record
        .statistics
        .iter()
        .map(|(collection, statistic)| {
            let style = app.styles.style(collection);
            let mut entry = json!(Numbers::of(statistic, style));
            entry["unit"] = json!(style.map_or("", |style| &style.unit));
            entry["trust"] = json!(record.trust_of.get(collection).map(Trust::json));
            let corrected = Corrected::of(in_use(calibrations, collection), statistic.mean);
            if let (Some(corrected), Some(entry)) = (corrected, entry.as_object_mut()) {
                corrected.put_into(entry);
            }
            (collection.clone(), entry)
        })
        .collect();
    let interpolated: Map<String, Value> = record
        .statistics
        .iter()
        .filter(|(collection, _)| SURFACES.contains(&collection.as_str()))
        .map(|(collection, statistic)| {
            let unit = app.styles.style(collection).map_or("", |style| &style.unit);
            let value = json!({"value": statistic.mean.map(tidy), "unit": unit,
                "variance": record.variances.get(collection)});
            (collection.clone(), value)
        })
        .collect();
    let crop = stage_in(&record.seasons, record.period).map(|stage| {
        let (vi, en) = stage.growth.names();
        json!({"season": stage.season, "stage": stage.growth, "title": {"vi": vi, "en": en},
            "weeks_since_sowing": stage.weeks_since_sowing})
    });
    let ndvi = record
        .statistics
        .iter()
        .find(|(collection, _)| collection == INDEX);
    let told = record
        .statistics
        .iter()
        .any(|(collection, _)| collection == "flood_depth");
    let depth_reason = (record.inundation.is_some() && !told).then(|| {
        json!({
            "vi": "chưa biết độ sâu: chưa có cao độ mặt đất (DEM) cùng mốc với trạm đo, hoặc tuần này không có mực nước",
            "en": "not told: no ground heights (DEM) on the gauges' datum are given, or no level between gauges this week",
        })
    });
    json!({
        "kind": feature.layer, "code": feature.code, "name": label(feature),
        "period": record.period.to_string(),
        "from": record.period.first_day(), "to": record.period.last_day(),
        "sentence": both(&record.sentence),
        "statistics": statistics,
        "water_share": record.water_share.map(tidy), "flood_share": record.flood_share.map(tidy),
        "inundation": record.inundation.as_ref().map(|water| super::inundation::json_of(app, water)),
        "sensors": record.sensors.iter().map(Near::json).collect::<Vec<_>>(),
        "depth_reason": depth_reason,
        "interpolated": interpolated,
        "crop": crop,
        "fire": record.fire.as_ref().map(FireRecord::json),
        "station": record.station.as_ref().map(StationWeek::json),
        "quality": {"seen": ndvi.map(|(_, ndvi)| tidy(ndvi.valid_fraction)), "age_days": record.age_days},
        "trust": record.trust.json(),
    })
}

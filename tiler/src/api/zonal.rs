//! `POST /api/v1/zonal`: what the weekly rasters say of polygons that somebody drew; `asset=` asks a layer beside the
//! main one, such as `likelihood`.
//!
//! A Feature, a FeatureCollection or a bare geometry in lon/lat comes in and goes out again with
//! `properties.statistics: {collection, unit, values: [{period, count, mean, ...}]}`, the numbers that the tables of
//! zones hold. A feature that cannot be measured gets `properties.problem` while the others are answered.

mod crossing;
mod holes;
mod shape;

use super::Standard;
use super::zones::Row;
use crate::admission::class::ZONAL_BODY;
use crate::body::Packing;
use crate::document;
use crate::headers::SEN_PERIOD;
use crate::layers::asked;
use crate::problem::{Outcome, Problem};
use crate::query::Query;
use crate::state::{Pick, Raster, Shared};
use crate::time::When;
use axum::Router;
use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::http::HeaderValue;
use axum::routing::post;
use sen_catalog::coverage::Projection;
use sen_catalog::raster::Cog;
use sen_catalog::statistic::ZonalStatistic;
use sen_catalog::zonal::{Layer, Options, Zone, statistics};
use sen_catalog::{Crs, Feature, Grid, ItemQuery, Period, TimeQuery, feature};
use serde_json::{Value, json};
use shape::{Document, Shape};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Weeks of one answer: two years.
const MAX_WEEKS: usize = 104;
/// Cells that are looked at for one answer, over all features and weeks; some seconds of work.
const MAX_CELLS: f64 = 6e7;

/// See the module.
pub(crate) struct Zonal;

impl Standard for Zonal {
    fn routes(&self) -> Router<Shared> {
        let how = async || -> Outcome {
            Err(Problem::bad(
                "body",
                "send the polygon as GeoJSON in the body of a POST to this address",
            ))
        };
        Router::new().route("/api/v1/zonal", post(zonal).get(how))
    }
}

/// Tells the work to stop when nobody waits for it any more.
struct Waiting(Arc<AtomicBool>);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

async fn zonal(State(app): State<Shared>, request: Request) -> Outcome {
    let (head, body) = request.into_parts();
    let query = Query::of(&head.uri, &["collection", "datetime", "nearest", "asset"])?;
    let snapshot = app.lookup.snapshot().await?;
    let collection = asked(&snapshot, &query)?.to_owned();
    let when = When::of(&query)?;
    let pick = Pick {
        asset: query.get("asset"),
        style: None,
    };
    let rasters = rasters(&app, &snapshot, &collection, when, pick).await?;
    let packing = Packing::of(&head.headers)?;
    let body = to_bytes(body, ZONAL_BODY).await.map_err(|_| {
        Problem::too_large(format!(
            "the body is longer than {} MB or did not arrive whole; send fewer or simpler polygons at once",
            ZONAL_BODY >> 20
        ))
    })?;
    let stop = Arc::new(AtomicBool::new(false));
    let waiting = Waiting(Arc::clone(&stop));
    let style = app.styles.style(pick.asset.unwrap_or(&collection));
    let unit = style.map(|style| style.unit.clone()).unwrap_or_default();
    let period = (rasters.len() == 1).then(|| rasters[0].period_header.clone());
    let answer = app
        .cpu
        .run(move || {
            let body = packing.text(body.into(), ZONAL_BODY)?;
            let mut document = Document::parse(&body)?;
            drop(body);
            measure(&rasters, &mut document, &stop, &collection, &unit)?;
            Ok::<Value, Problem>(document.answer())
        })
        .await??;
    drop(waiting);
    let mut response = document::geo_json(&head.headers, HeaderValue::from_static("no-store"), &answer);
    if let Some(period) = period {
        response.headers_mut().insert(SEN_PERIOD, period);
    }
    Ok(response)
}

/// The rasters of the time asked for, oldest first.
async fn rasters(
    app: &Shared,
    snapshot: &crate::lookup::Snapshot,
    collection: &str,
    when: When,
    pick: Pick<'_>,
) -> Outcome<Vec<Arc<Raster>>> {
    if !matches!(when.query, TimeQuery::Between(..)) {
        let raster = app.raster(snapshot, collection, when, pick).await?;
        return raster
            .map(|raster| vec![raster])
            .ok_or_else(|| when.nothing(collection));
    }
    let rasters = between(app, collection, when.query.weeks(), pick).await?;
    if rasters.is_empty() {
        return Err(when.nothing(collection));
    }
    Ok(rasters)
}

/// The rasters between two weeks (both included), oldest first; weeks without the asset are left out.
async fn between(
    app: &Shared,
    collection: &str,
    (from, to): (Option<Period>, Option<Period>),
    pick: Pick<'_>,
) -> Outcome<Vec<Arc<Raster>>> {
    let newest = ItemQuery {
        from,
        to,
        newest_first: true,
        limit: Some(MAX_WEEKS + 1),
        ..ItemQuery::collection(collection)
    };
    let mut items = app.lookup.store().items(&newest).await?;
    if items.len() > MAX_WEEKS {
        return Err(Problem::too_large(format!(
            "the time asked for holds more than {MAX_WEEKS} weeks; ask in parts"
        )));
    }
    items.reverse();
    app.rasters_of(items, pick)
}

/// What a layer beside the main one says of a zone between two weeks, oldest first. Such layers have no tables: the
/// zone is measured now.
pub(crate) async fn beside(
    app: &Shared,
    collection: &str,
    asset: &str,
    weeks: (Option<Period>, Option<Period>),
    feature: &Feature,
) -> Outcome<Vec<Row>> {
    let pick = Pick {
        asset: Some(asset),
        style: None,
    };
    let rasters = between(app, collection, weeks, pick).await?;
    let polygons = feature
        .polygons()
        .ok_or_else(|| Problem::bad("kind", "only polygons have statistics"))?;
    let area_m2 = feature.area_m2;
    let measured = move || -> Outcome<Vec<Row>> {
        let (mut rows, mut cells) = (Vec::with_capacity(rasters.len()), 0.0);
        for raster in rasters {
            let cog = raster.open_cog()?;
            let grid = *cog.grid();
            let zone = [Zone::new(&polygons, area_m2, &projection(&cog)?)?];
            cells += work(&zone, &grid);
            if cells > MAX_CELLS {
                return Err(Problem::too_large(
                    "the zone is too large for so many weeks; ask for fewer",
                ));
            }
            let own = statistics(&Layer::new(&cog, &raster.asset), &zone, Options::default())?;
            rows.extend(own.into_iter().map(|statistic| Row {
                period: raster.period,
                statistic,
            }));
        }
        Ok(rows)
    };
    app.cpu.run(measured).await?
}

/// What one raster says of a zone of at most so many cells; none for larger ones and for what is no polygon. Reads the
/// file: not for the reactor.
pub(crate) fn small(raster: &Raster, feature: &Feature, cells: f64) -> Outcome<Option<ZonalStatistic>> {
    let Some(polygons) = feature.polygons() else {
        return Ok(None);
    };
    let cog = raster.open_cog()?;
    let grid = *cog.grid();
    let zone = [Zone::new(&polygons, feature.area_m2, &projection(&cog)?)?];
    if work(&zone, &grid) > cells {
        return Ok(None);
    }
    let options = Options {
        without_quantiles: true,
        ..Options::default()
    };
    Ok(statistics(&Layer::new(&cog, &raster.asset), &zone, options)?.pop())
}

/// One week of a zone in the words of the statistics of zones.
pub(crate) fn record(period: Period, statistic: &ZonalStatistic) -> Value {
    let mut record = json!(statistic);
    if let Some(record) = record.as_object_mut() {
        record.insert("period".into(), json!(period.to_string()));
    }
    record
}

/// Measures every shape of the document in every week and enters the numbers.
fn measure(
    rasters: &[Arc<Raster>],
    document: &mut Document,
    stop: &AtomicBool,
    collection: &str,
    unit: &str,
) -> Outcome<()> {
    let mut placed: Option<(Grid, Vec<Zone>)> = None;
    let mut series: Vec<Vec<Value>> = vec![Vec::with_capacity(rasters.len()); document.shapes.len()];
    let mut cells = 0.0;
    for raster in rasters {
        let cog = raster.open_cog()?;
        let grid = *cog.grid();
        let zones = match &mut placed {
            Some((own, zones)) if *own == grid => zones,
            other => &mut other.insert((grid, zones(document, &projection(&cog)?))).1,
        };
        cells += work(zones, &grid);
        if cells > MAX_CELLS {
            return Err(Problem::too_large(format!(
                "these polygons hold more than {:.0} million cells over the weeks asked for; draw smaller ones, or ask for fewer weeks",
                MAX_CELLS / 1e6
            )));
        }
        let options = Options {
            cancelled: Some(stop),
            ..Options::default()
        };
        let own = statistics(&Layer::new(&cog, &raster.asset), zones, options)?;
        for (values, statistic) in series.iter_mut().zip(&own) {
            values.push(record(raster.period, statistic));
        }
    }
    let mut series = series.into_iter();
    for shape in &mut document.shapes {
        let values = series.next().unwrap_or_default();
        if let Shape::Area { answer, .. } = shape {
            *answer = Some(json!({"collection": collection, "unit": unit, "values": values}));
        }
    }
    Ok(())
}

/// The way from degrees to a raster of ours: that its system is not known is no fault of the request.
fn projection(cog: &Cog) -> Outcome<Projection> {
    Ok(Projection::new(Crs::WGS84, cog.grid()).map_err(|error| error.in_file(cog.path()))?)
}

/// The shapes on a grid; those with a problem are nowhere.
fn zones(document: &mut Document, projection: &Projection) -> Vec<Zone> {
    let place = |shape: &mut Shape| match shape {
        Shape::Area { polygons, .. } => {
            let area_m2 = feature::polygons_area_m2(polygons);
            match Zone::new(polygons, area_m2, projection) {
                Ok(zone) => zone,
                Err(error) => {
                    *shape = Shape::Problem(error.to_string().into());
                    Zone::nowhere(0.0)
                }
            }
        }
        Shape::Problem(_) => Zone::nowhere(0.0),
    };
    document.shapes.iter_mut().map(place).collect()
}

/// Cells that one week costs: those of the zones' boxes within the grid.
fn work(zones: &[Zone], grid: &Grid) -> f64 {
    let boxes = zones
        .iter()
        .filter_map(|zone| zone.outline().window(grid.width, grid.height));
    boxes
        .map(|window| window.width as f64 * window.height as f64)
        .sum()
}

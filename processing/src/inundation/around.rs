//! What lies in and around the compartments: plots with their crops, neighbours, gauges.

use super::settings::DeltaSettings;
use crate::Result;
use crate::run::for_each_reading;
use geo::{Contains, InteriorPoint};
use geo_types::{MultiPolygon, Point};
use rstar::primitives::{GeomWithData, Rectangle};
use rstar::{AABB, RTree};
use sen_catalog::inundation::crop::Plot;
use sen_catalog::inundation::gauge::GaugeWeek;
use sen_catalog::observation::{Flag, Observation};
use sen_catalog::period::local_zone;
use sen_catalog::{Bounds, Feature, FeatureQuery, Period, Store, fusion};
use std::collections::BTreeMap;

/// Degrees (some 300 m) within which two compartments' boxes make them neighbours.
const NEAR_DEG: f64 = 0.0027;
/// Features read from the store at once.
const PAGE: usize = 20_000;
/// Metres from which a gauge says nothing of a compartment.
const GAUGE_REACH_M: f64 = 30_000.0;
/// What gauges measure.
const LEVEL: &str = "water_level";

/// Plots and neighbours, by the compartment's place in the list.
pub(super) struct Around {
    pub(super) plots: Vec<Vec<Plot>>,
    pub(super) neighbours: Vec<Vec<usize>>,
}

type Boxed = GeomWithData<Rectangle<[f64; 2]>, usize>;

impl Around {
    /// Puts each plot into the compartment that holds a point within it.
    pub(super) async fn read(
        store: &dyn Store,
        settings: &DeltaSettings,
        compartments: &[Feature],
    ) -> Result<Self> {
        let shapes: Vec<(Option<Bounds>, MultiPolygon<f64>)> = compartments
            .iter()
            .map(|one| (one.bounds(), one.polygons().unwrap_or(MultiPolygon(Vec::new()))))
            .collect();
        let boxes = shapes.iter().enumerate().filter_map(|(index, (bounds, _))| {
            let b = bounds.as_ref()?;
            let corners = Rectangle::from_corners([b.west, b.south], [b.east, b.north]);
            Some(Boxed::new(corners, index))
        });
        let tree = RTree::bulk_load(boxes.collect());
        let neighbours = shapes.iter().enumerate().map(|(index, (bounds, _))| {
            let Some(b) = bounds else { return Vec::new() };
            let near = AABB::from_corners(
                [b.west - NEAR_DEG, b.south - NEAR_DEG],
                [b.east + NEAR_DEG, b.north + NEAR_DEG],
            );
            let mut found: Vec<usize> = tree
                .locate_in_envelope_intersecting(&near)
                .map(|one| one.data)
                .filter(|other| *other != index)
                .collect();
            found.sort_unstable();
            found
        });
        let neighbours = neighbours.collect();
        let mut plots: Vec<Vec<Plot>> = vec![Vec::new(); compartments.len()];
        let mut after = None;
        loop {
            let query = FeatureQuery {
                after,
                limit: Some(PAGE),
                ..FeatureQuery::layer(&settings.plots)
            };
            let page = store.features(&query).await?;
            let placed: Vec<(usize, i64, f64)> = page
                .iter()
                .filter_map(|plot| Some((holder(plot, &tree, &shapes)?, plot.fid, plot.area_m2)))
                .collect();
            let fids: Vec<i64> = placed.iter().map(|(_, fid, _)| *fid).collect();
            let mut crops = store.seasons_of(&fids).await?;
            for (compartment, fid, area) in placed {
                plots[compartment].push(Plot {
                    area,
                    seasons: crops.remove(&fid).unwrap_or_default(),
                });
            }
            if page.len() < PAGE {
                break;
            }
            after = page.last().map(|plot| plot.fid);
        }
        Ok(Self { plots, neighbours })
    }
}

/// The compartment that holds a plot.
fn holder(
    plot: &Feature,
    tree: &RTree<Boxed>,
    shapes: &[(Option<Bounds>, MultiPolygon<f64>)],
) -> Option<usize> {
    let place: Point<f64> = plot.polygons()?.interior_point()?;
    let found = tree.locate_in_envelope_intersecting(&AABB::from_point([place.x(), place.y()]));
    found
        .map(|one| one.data)
        .filter(|index| shapes[*index].1.contains(&place))
        .min()
}

/// The weeks of the gauges that have alarm levels.
pub(super) struct Gauges {
    stations: Vec<Feature>,
    /// By station and week, with no distance yet.
    weeks: BTreeMap<(String, Period), GaugeWeek>,
}

impl Gauges {
    /// Reads good readings only: neither a spike nor a stuck float raises an alarm.
    pub(super) async fn read(
        store: &dyn Store,
        settings: &DeltaSettings,
        layer: &str,
        weeks: impl Iterator<Item = Period>,
    ) -> Result<Self> {
        let mut stations = store.features(&FeatureQuery::layer(layer)).await?;
        stations.retain(|station| settings.alarm_levels(station).is_some());
        let streams = store.datastreams(None).await?;
        let periods: Vec<Period> = weeks.collect();
        let mut weeks = BTreeMap::new();
        for station in &stations {
            let stream = streams
                .iter()
                .find(|stream| stream.station == station.code && stream.property == LEVEL);
            let Some((stream, levels)) = stream.zip(settings.alarm_levels(station)) else {
                continue;
            };
            for period in &periods {
                let interval = period.interval();
                let mut levels_of_days = Vec::new();
                let hear = |reading: Observation| {
                    let day = reading.time.with_timezone(&local_zone()).date_naive();
                    let level = reading.value.filter(|_| reading.flag == Flag::Good);
                    levels_of_days.extend(level.map(|level| (day, level)));
                };
                for_each_reading(store, stream.id, interval.start, interval.end, hear).await?;
                let week = GaugeWeek::of(&station.code, 0.0, levels, levels_of_days);
                weeks.extend(week.map(|week| ((station.code.clone(), *period), week)));
            }
        }
        Ok(Self { stations, weeks })
    }

    /// The nearest gauge that was heard in a week, within reach of a compartment.
    pub(super) fn week(&self, compartment: &Feature, period: Period) -> Option<GaugeWeek> {
        let b = compartment.bounds()?;
        self.near(
            f64::midpoint(b.west, b.east),
            f64::midpoint(b.south, b.north),
            period,
        )
    }

    /// The same of a place, degrees.
    pub(super) fn near(&self, lon: f64, lat: f64, period: Period) -> Option<GaugeWeek> {
        let heard = self
            .stations
            .iter()
            .filter(|station| self.weeks.contains_key(&(station.code.clone(), period)));
        let near = fusion::nearest(heard, lon, lat).into_iter().next();
        let near = near.filter(|near| near.distance_m <= GAUGE_REACH_M)?;
        let week = self.weeks.get(&(near.station.code.clone(), period))?;
        Some(GaugeWeek {
            distance_m: near.distance_m.round(),
            ..week.clone()
        })
    }
}

//! The calendar against what is known: the demo province's truth, and three crops a year at Thoi Lai in 2022.

use super::*;
use crate::run::Silent;
use crate::source::{self, SourceOptions};
use chrono::NaiveDate;
use sen_catalog::store::SqliteStore;
use sen_catalog::{Bounds, Crs, Feature};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

fn at(path: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path);
    if path.exists() {
        return Some(path);
    }
    eprintln!("skipped: {} is not here", path.display());
    None
}

async fn made(store: &Arc<dyn Store>, folder: &Path, grid: Grid, settings: &CalendarSettings) -> StepReport {
    made_in_parts(store, folder, grid, settings, PLOTS_AT_ONCE).await
}

async fn made_in_parts(
    store: &Arc<dyn Store>,
    folder: &Path,
    grid: Grid,
    settings: &CalendarSettings,
    plots_at_once: usize,
) -> StepReport {
    let calendar = Calendar {
        store: Arc::clone(store),
        assets: Assets::open(folder).expect("assets"),
        grid,
        processing: &Settings::default(),
        settings,
        plots_at_once,
        cancelled: &AtomicBool::new(false),
    };
    let mut report = StepReport::new("crop_seasons");
    calendar
        .run(&["plots"], &mut report, &Silent)
        .await
        .expect("a calendar");
    report
}

/// Sorted absolute values: median and 90th percentile, in days.
fn quantiles(mut errors: Vec<i64>) -> (i64, i64) {
    for error in &mut errors {
        *error = error.abs();
    }
    errors.sort_unstable();
    (errors[errors.len() / 2], errors[errors.len() * 9 / 10])
}

type Truth = BTreeMap<String, Vec<[Option<NaiveDate>; 3]>>;

fn truth(path: &Path) -> Truth {
    let mut truth = Truth::new();
    for line in std::fs::read_to_string(path).expect("truth").lines().skip(1) {
        let fields: Vec<&str> = line.split(',').collect();
        let dates = [2, 3, 4].map(|index| fields[index].parse().ok());
        truth.entry(fields[0].to_owned()).or_default().push(dates);
    }
    truth
}

#[tokio::test(flavor = "multi_thread")]
async fn crops_of_the_demo_province_are_dated_within_days() {
    let (Some(rows), Some(plots), Some(seasons)) = (
        at("demo/data/catalog.sqlite"),
        at("demo/source/zones/plots.geojson"),
        at("demo/truth/seasons.csv"),
    ) else {
        return;
    };
    let folder = tempfile::tempdir().expect("temporary folder");
    let copy = folder.path().join("catalog.sqlite");
    std::fs::copy(&rows, &copy).expect("copied");
    let wal = rows.with_extension("sqlite-wal");
    if wal.exists() {
        std::fs::copy(wal, copy.with_extension("sqlite-wal")).expect("copied");
    }
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open(&copy).expect("opens"));
    let grid: Grid = if let Some(grid) = store.grid().await.expect("asked") {
        grid
    } else {
        // a demo of an older version
        let file = std::fs::read(rows.with_file_name("grid.json")).expect("the demo's grid");
        serde_json::from_slice(&file).expect("a grid")
    };
    let collection: geojson_lite::Collection =
        serde_json::from_slice(&std::fs::read(plots).expect("plots")).expect("GeoJSON");
    // every ninth plot: the same areas, orchards among them, in a ninth of the time
    let features: Vec<Feature> = collection.features().step_by(9).collect();
    let by_code: Vec<String> = features.iter().map(|feature| feature.code.clone()).collect();
    store.put_features(features).await.expect("put");

    let settings = CalendarSettings::default();
    let report = made(&store, folder.path(), grid, &settings).await;
    assert!(report.total().made == 1 && report.is_complete(), "{report:?}");
    let revision = store.revision().await.expect("a revision");
    let again = made(&store, folder.path(), grid, &settings).await;
    assert_eq!(again.total().up_to_date, 1, "nothing to do: {again:?}");
    assert!(!again.figures.contains_key("plots_changed"), "{again:?}");
    assert_eq!(store.revision().await.expect("a revision"), revision);

    // a part of the plots after the other: the same crops
    let other = tempfile::tempdir().expect("temporary folder");
    store.put_calendar_digest("plots", "").await.expect("put");
    let parts = made_in_parts(&store, other.path(), grid, &settings, 700).await;
    assert_eq!(parts.total().made, 1, "{parts:?}");
    assert_eq!(parts.figures["plots_changed"], 0, "{parts:?}");
    assert_eq!(store.revision().await.expect("a revision"), revision);

    let truth = truth(&seasons);
    let (first, last) = ("2026-05-18", "2026-11-15");
    let [first, last]: [NaiveDate; 2] = [first, last].map(|text| text.parse().expect("a date"));
    let (mut sowing, mut heading, mut harvest) = (Vec::new(), Vec::new(), Vec::new());
    let (mut covered, mut expected, mut found, mut wrong, mut labels) = (0, 0, 0, 0, 0);
    for code in &by_code {
        let feature = store
            .feature("plots", code, None)
            .await
            .expect("asked")
            .expect("there");
        let crops = store.seasons(feature.fid).await.expect("asked");
        let real = truth.get(code).map_or(&[][..], Vec::as_slice);
        for dates in real {
            // both ends within the looks, and the plants up
            if dates[0].is_some_and(|day| day > first) && dates[2].is_some_and(|day| day < last) {
                expected += 1;
            }
        }
        for crop in &crops {
            let near = |real: &&[Option<NaiveDate>; 3]| {
                let close = |a: Option<NaiveDate>, b: Option<NaiveDate>| {
                    a.zip(b).is_some_and(|(a, b)| (a - b).num_days().abs() <= 25)
                };
                close(real[0], crop.sowing) || close(real[2], crop.harvest)
            };
            let Some(real) = real.iter().find(near) else {
                wrong += 1;
                eprintln!("not real: {code} {crop:?} of {real:?}");
                continue;
            };
            let error = |index: usize, date: Option<NaiveDate>| {
                date.zip(real[index]).map(|(date, real)| (date - real).num_days())
            };
            sowing.extend(error(0, crop.sowing));
            heading.extend(error(1, crop.heading));
            harvest.extend(error(2, crop.harvest));
            if let Some(error) = error(2, crop.harvest) {
                let spread = crop.harvest_uncertainty_days.expect("with the date");
                covered += usize::from(error.abs() as f64 <= spread + 0.5);
            }
            let whole = real[0].is_some_and(|day| day > first) && real[2].is_some_and(|day| day < last);
            if whole && crop.sowing.is_some() && crop.harvest.is_some() {
                found += 1;
            }
            labels += usize::from(!crop.season.starts_with("2026-"));
        }
    }
    let share = covered as f64 / harvest.len() as f64;
    eprintln!(
        "sowing {} {:?}, heading {} {:?}, harvest {} {:?} (median and 90 % of |error| in days); \
         {found} of {expected} whole crops, {wrong} not real; intervals hold {share:.3}",
        sowing.len(),
        quantiles(sowing.clone()),
        heading.len(),
        quantiles(heading.clone()),
        harvest.len(),
        quantiles(harvest.clone()),
    );
    assert!(sowing.len() > 500 && harvest.len() > 1000);
    assert!(quantiles(sowing).0 <= 3 && quantiles(harvest).0 <= 3);
    assert!(quantiles(heading).0 <= 7);
    assert!(found * 100 >= expected * 97 && wrong * 100 <= by_code.len() * 3);
    assert!(share > 0.9, "{share}");
    assert_eq!(labels, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn three_crops_of_thoi_lai_are_found_in_2022() {
    let (Some(optical), Some(radar), Some(points)) = (
        at("../shared/data/angiang2022/s2_thoilai_w"),
        at("../shared/data/angiang2022/s1_thoilai_w"),
        at("../shared/data/angiang2022/points_thoilai_w.csv"),
    ) else {
        return;
    };
    let folder = tempfile::tempdir().expect("temporary folder");
    let store: Arc<dyn Store> = Arc::new(SqliteStore::in_memory().expect("opens"));
    let layout = |text: &str| toml::from_str(text).expect("a layout");
    let options = SourceOptions {
        geotiff: vec![
            layout(
                "name = 's2'\ncollection = 'sentinel-2-l2a'\nfiles = 'S2_L2A_{%Y%m%dT%H%M%S}_thoilai_w.tif'\n\
                 bands = ['blue', 'green', 'red', 'rededge071', 'nir', 'swir16', 'swir22', 'scl']\n\
                 scale = 0.0001\noffset_tag = 'BOA_ADD_OFFSET'\nnodata = 0",
            ),
            layout(
                "name = 's1'\ncollection = 'sentinel-1-rtc'\nfiles = 'S1_RTC_{%Y%m%dT%H%M%S}_thoilai_w.tif'\n\
                 bands = ['vv', 'vh']\nunits = 'linear'\nnodata = -32768",
            ),
        ],
        ..SourceOptions::default()
    };
    for place in [optical, radar] {
        let found = source::discover(place.to_str().expect("UTF-8"), &options).expect("found");
        for scene in found.scenes {
            store.put_item(&scene).await.expect("put");
        }
    }
    let box_ = Bounds::new(105.4847, 9.9590, 105.5073, 9.9921);
    let box_ = box_.transform(Crs::WGS84, Crs::UTM_48N).expect("a box");
    let grid = Grid::covering(Crs::UTM_48N, box_, 10.0).expect("a grid");
    let fields: Vec<Feature> = std::fs::read_to_string(points)
        .expect("points")
        .lines()
        .skip(1)
        .filter(|line| line.ends_with(",Rice"))
        .enumerate()
        .map(|(index, line)| {
            let place: Vec<f64> = line.split(',').filter_map(|text| text.parse().ok()).collect();
            Feature::new(
                "plots",
                format!("TL-{index}"),
                geojson_lite::square(place[1], place[0], 0.00025),
            )
        })
        .collect();
    let count = fields.len();
    store.put_features(fields).await.expect("put");
    let report = made(&store, folder.path(), grid, &CalendarSettings::default()).await;
    assert!(report.is_complete(), "{report:?}");

    // medians of the fields' NDVI: bare on 1 March, 9 June, 17 September, flood until December
    let mut by_label: BTreeMap<String, [Vec<NaiveDate>; 2]> = BTreeMap::new();
    for index in 0..count {
        let feature = store
            .feature("plots", &format!("TL-{index}"), None)
            .await
            .expect("asked");
        for crop in store.seasons(feature.expect("there").fid).await.expect("asked") {
            let entry = by_label.entry(crop.season).or_default();
            entry[0].extend(crop.sowing);
            entry[1].extend(crop.harvest);
        }
    }
    let median = |dates: &[NaiveDate]| {
        let mut dates = dates.to_vec();
        dates.sort_unstable();
        dates
            .get(dates.len() / 2)
            .map(ToString::to_string)
            .unwrap_or_default()
    };
    let mut summary: Vec<(String, usize, String, usize, String)> = Vec::new();
    for (label, [sown, cut]) in &by_label {
        summary.push((label.clone(), sown.len(), median(sown), cut.len(), median(cut)));
    }
    eprintln!("{count} fields: {summary:?}");
    let cycle = |label: &str| {
        by_label
            .get(label)
            .unwrap_or_else(|| panic!("{label}: {summary:?}"))
    };
    let within = |dates: &[NaiveDate], from: &str, to: &str| {
        let median = median(dates);
        assert!(
            dates.len() * 10 >= count * 6,
            "{} of {count}: {summary:?}",
            dates.len()
        );
        assert!(median.as_str() >= from && median.as_str() <= to, "{median}");
    };
    within(&cycle("2021-dong-xuan")[1], "2022-02-10", "2022-03-05");
    within(&cycle("2022-he-thu")[0], "2022-03-05", "2022-04-05");
    within(&cycle("2022-he-thu")[1], "2022-06-01", "2022-06-20");
    within(&cycle("2022-thu-dong")[0], "2022-06-09", "2022-07-05");
    within(&cycle("2022-thu-dong")[1], "2022-09-10", "2022-09-30");
    within(&cycle("2022-dong-xuan")[0], "2022-11-10", "2022-12-05");
}

/// As much GeoJSON as the tests need.
mod geojson_lite {
    use geo_types::{Geometry, LineString, Polygon};
    use sen_catalog::Feature;
    use serde::Deserialize;

    #[derive(Deserialize)]
    pub(super) struct Collection {
        features: Vec<Plot>,
    }

    #[derive(Deserialize)]
    struct Plot {
        properties: serde_json::Value,
        geometry: Shape,
    }

    #[derive(Deserialize)]
    struct Shape {
        coordinates: Vec<Vec<[f64; 2]>>,
    }

    impl Collection {
        pub(super) fn features(&self) -> impl Iterator<Item = Feature> + '_ {
            self.features.iter().map(|plot| {
                let ring: Vec<(f64, f64)> = plot.geometry.coordinates[0]
                    .iter()
                    .map(|p| (p[0], p[1]))
                    .collect();
                let polygon = Polygon::new(LineString::from(ring), vec![]);
                let code = plot.properties["code"].as_str().expect("a code");
                Feature::new("plots", code, Geometry::Polygon(polygon))
            })
        }
    }

    /// A square around a point, `half` degrees to each side.
    pub(super) fn square(lon: f64, lat: f64, half: f64) -> Geometry<f64> {
        let (west, east, south, north) = (lon - half, lon + half, lat - half, lat + half);
        let ring = vec![
            (west, south),
            (east, south),
            (east, north),
            (west, north),
            (west, south),
        ];
        Geometry::Polygon(Polygon::new(LineString::from(ring), vec![]))
    }
}

//! While weeks are made again readers see each as it was or as it is, and nothing in between.

use crate::harness::{Sen, Service};
use crate::scenes::{self, RICE, WATER, ring};
use geo_types::{LineString, Polygon};
use sen_catalog::{Feature, store};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};

const WEEKS: [&str; 3] = ["2026-W33", "2026-W34", "2026-W35"];
const LAYER: &str = "dyke_compartments";

/// Scenes of three weeks, `wet` columns of them under water.
fn scenes_of(sen: &Sen, name: &str, days: [&str; 3], wet: usize) -> std::path::PathBuf {
    let source = sen.path(name);
    for day in days {
        let at = format!("2026-08-{day}T03:21:31Z");
        let id = format!("S2A_48PWS_202608{day}_0_L2A");
        scenes::sentinel2(
            &source,
            &id,
            &at,
            |column, _| {
                if column < wet { WATER } else { RICE }
            },
        );
    }
    source
}

/// What an address answered while the weeks were made, and how often.
type Answers = BTreeMap<String, BTreeSet<String>>;

/// The answer of an address; anything but a good one ends the test.
fn answer(service: &Service, path: &str) -> String {
    let response = service.get(path);
    assert_eq!(response.status(), 200, "{path}");
    let body = response.bytes().expect("a body");
    match serde_json::from_slice::<Value>(&body) {
        Ok(json) => json.to_string(),
        Err(_) => format!("{body:?}"),
    }
}

#[test]
fn readers_see_each_week_as_it_was_or_as_it_is() {
    let sen = Sen::new();
    sen.ingest(&scenes_of(&sen, "first", ["11", "18", "25"], 40), &[])
        .expect(0);
    let features = (0..12_u32).map(|index| {
        let (column, row) = (
            f64::from(index % 4) * 30.0 + 2.0,
            f64::from(index / 4) * 40.0 + 2.0,
        );
        let outline = Polygon::new(LineString::from(ring(column, row, 24.0)), vec![]);
        Feature::new(LAYER, format!("OB-{index:02}"), outline.into())
    });
    let store = store::open("catalog.sqlite", &sen.data()).expect("opens");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime
        .block_on(store.put_features(features.collect()))
        .expect("stored");
    drop(store);
    sen.run(&["process"]).expect(0);

    let service = sen.serve();
    let (z, x, y) = scenes::tile(14, 60, 60);
    let mut whole: Vec<String> = Vec::new();
    for week in WEEKS {
        whole.push(format!("/ndvi/{z}/{x}/{y}.png?datetime={week}"));
        for (collection, statistic) in [("ndvi", "mean"), ("mndwi", "mean"), ("flood", "count")] {
            whole.push(format!(
                "/api/v1/zones/{LAYER}/values?collection={collection}&datetime={week}&statistic={statistic}"
            ));
        }
    }
    let series = format!("/api/v1/zones/{LAYER}/OB-01/statistics?collection=ndvi");
    let pages = [
        format!("/zones/{LAYER}/OB-00"),
        format!("/api/v1/zones/{LAYER}/OB-01/week/2026-W34"),
        format!("/api/v1/zones/{LAYER}/OB-01/inundation"),
        format!("/api/v1/zones/{LAYER}"),
        "/catalog".to_owned(),
    ];
    let before: BTreeMap<String, String> = whole
        .iter()
        .map(|path| (path.clone(), answer(&service, path)))
        .collect();
    let old_series = service.json(&series);

    let late = scenes_of(&sen, "late", ["12", "19", "26"], 90);
    let mut child = sen
        .command(&["ingest", late.to_str().expect("UTF-8")])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("starts");
    let is_done = AtomicBool::new(false);
    let (mut seen, mut courses) = (Answers::new(), Vec::new());
    // a reader a class: more of them are told to come again while one is in work
    let (tiles, values): (Vec<&String>, Vec<&String>) = whole.iter().partition(|path| path.contains(".png"));
    let read = |paths: &[&String], seen: &mut Answers| {
        for path in paths {
            let answers = seen.entry((*path).clone()).or_default();
            answers.insert(answer(&service, path));
        }
    };
    std::thread::scope(|scope| {
        let numbers = scope.spawn(|| {
            let (mut seen, mut courses) = (Answers::new(), Vec::new());
            while !is_done.load(Ordering::Relaxed) {
                read(&values, &mut seen);
                courses.push(service.json(&series));
            }
            (seen, courses)
        });
        let pictures = scope.spawn(|| {
            let mut seen = Answers::new();
            while !is_done.load(Ordering::Relaxed) {
                read(&tiles, &mut seen);
                for page in &pages {
                    answer(&service, page);
                }
            }
            seen
        });
        let status = child.wait();
        is_done.store(true, Ordering::Relaxed);
        let good = "no answer but a good one";
        (seen, courses) = numbers.join().expect(good);
        seen.extend(pictures.join().expect(good));
        assert!(status.expect("ends").success());
    });
    std::thread::sleep(std::time::Duration::from_millis(1500));
    let mut changed = 0;
    for (path, answers) in seen {
        let after = answer(&service, &path);
        changed += usize::from(after != before[&path]);
        for one in answers {
            assert!(
                one == before[&path] || one == after,
                "{path}: neither as it was nor as it is"
            );
        }
    }
    assert!(changed >= 9, "what was made again is another: {changed}");

    let new_series = service.json(&series);
    let means = |course: &Value| -> Vec<Value> {
        let values = course["values"].as_array().expect("values");
        values.iter().map(|value| value["mean"].clone()).collect()
    };
    let (old, new) = (means(&old_series), means(&new_series));
    assert!(old.len() == WEEKS.len() && old != new, "{old_series}");
    assert!(courses.len() > 2, "{}", courses.len());
    for course in &courses {
        let own = means(course);
        assert_eq!(own.len(), WEEKS.len(), "no week is missing: {course}");
        for (place, value) in own.iter().enumerate() {
            assert!(*value == old[place] || *value == new[place], "{course}");
        }
    }
}

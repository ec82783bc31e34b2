//! The crop calendar through the binary: the demo's plots, its scenes, its truth.

use crate::harness::{Sen, count};
use chrono::NaiveDate;
use sen_catalog::season::{Season, stage_on};
use sen_catalog::{FeatureQuery, store};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

pub(crate) fn demo(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("demo").join(name);
    assert!(
        path.exists(),
        "{} is missing; `make demo` makes it",
        path.display()
    );
    path
}

/// The demo's data folder once more: the catalogue copied, the files (which only ever get replaced) linked.
pub(crate) fn demo_again() -> Sen {
    let sen = Sen::new();
    again(&demo("data"), &sen.data());
    sen
}

fn again(from: &Path, to: &Path) {
    fs::create_dir(to).expect("a folder");
    for entry in fs::read_dir(from).expect("the demo").flatten() {
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if from.is_dir() {
            again(&from, &to);
        } else if from.extension().is_none_or(|end| end != "tif" && end != "arrow")
            || fs::hard_link(&from, &to).is_err()
        {
            fs::copy(&from, &to).expect("copied");
        }
    }
}

/// The crops of every plot by code, as another program would read them.
fn seasons(sen: &Sen) -> BTreeMap<String, Vec<Season>> {
    let store = store::open("catalog.sqlite", &sen.data()).expect("opens");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let features = store
            .features(&FeatureQuery::layer("plots"))
            .await
            .expect("asked");
        let fids: Vec<i64> = features.iter().map(|feature| feature.fid).collect();
        let mut crops = store.seasons_of(&fids).await.expect("asked");
        let own = |feature: &sen_catalog::Feature| {
            (
                feature.code.clone(),
                crops.remove(&feature.fid).unwrap_or_default(),
            )
        };
        features.iter().map(own).collect()
    })
}

/// Median of absolute differences in days.
fn median(errors: &mut [i64]) -> i64 {
    for error in errors.iter_mut() {
        *error = error.abs();
    }
    errors.sort_unstable();
    errors[errors.len() / 2]
}

#[test]
fn every_plot_of_the_demo_has_its_crops_within_days_and_a_rerun_finds_nothing_to_do() {
    let sen = demo_again();
    let crops = seasons(&sen);
    assert!(crops.len() > 15_000, "{}", crops.len());

    let (mut sowing, mut harvest, mut wrong, mut with_crops) = (Vec::new(), Vec::new(), 0, 0);
    let truth = std::fs::read_to_string(demo("truth/seasons.csv")).expect("truth");
    let mut real: BTreeMap<&str, Vec<Vec<&str>>> = BTreeMap::new();
    for line in truth.lines().skip(1) {
        let fields: Vec<&str> = line.split(',').collect();
        real.entry(fields[0]).or_default().push(fields);
    }
    for (code, crops) in &crops {
        with_crops += usize::from(!crops.is_empty());
        for crop in crops {
            let Some(real) = real
                .get(code.as_str())
                .and_then(|all| all.iter().find(|real| real[1] == crop.season))
            else {
                wrong += 1;
                continue;
            };
            let error = |found: Option<NaiveDate>, column: usize| {
                let real: NaiveDate = real[column].parse().ok()?;
                Some((found? - real).num_days())
            };
            sowing.extend(error(crop.sowing, 2));
            harvest.extend(error(crop.harvest, 4));
        }
    }
    let counts = (sowing.len(), harvest.len());
    let medians = (median(&mut sowing), median(&mut harvest));
    println!(
        "sowing and harvest: {counts:?} dates, median absolute errors {medians:?} days, {wrong} not real"
    );
    // 6.2 and 5.7 days are published for radar in this delta
    assert!(medians.0 <= 6 && medians.1 <= 6, "{medians:?}");
    assert!(counts.0 > 6_000 && counts.1 > 14_000, "{counts:?}");
    assert!(
        with_crops > 14_000 && wrong * 50 < counts.1,
        "{with_crops} {wrong}"
    );

    // a plot has a stage on a day of its crop and none while it lies fallow
    let day: NaiveDate = "2026-09-24".parse().expect("a date");
    let growing = crops
        .values()
        .filter(|crops| stage_on(crops, day).is_some())
        .count();
    assert!((2_000..13_000).contains(&growing), "{growing}");

    let digest = sen.digest();
    let again = sen.run(&["process", "--period", "2026-W46", "--json"]);
    let again = again.expect(0).json();
    assert_eq!(
        count(&again, "crop_seasons", "records/crop_season/plots", "up_to_date"),
        1,
        "{again}"
    );
    assert_eq!(sen.digest(), digest);
}

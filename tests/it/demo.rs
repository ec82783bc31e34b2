//! The demo province, as `make demo` leaves it, against its own truth.

use crate::harness::Service;
use sen_catalog::raster::Cog;
use std::path::{Path, PathBuf};

fn demo(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("demo").join(name);
    assert!(
        path.exists(),
        "{} is missing; `make demo` makes it",
        path.display()
    );
    path
}

fn periods(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = std::fs::read_dir(folder)
        .expect("folder")
        .flatten()
        .filter_map(|entry| {
            entry
                .file_name()
                .to_str()?
                .strip_suffix(".tif")
                .map(str::to_owned)
        })
        .collect();
    names.sort();
    names
}

fn weekly(collection: &str, period: &str, asset: &str) -> Option<Cog> {
    let year = &period[..4];
    let place = format!("{collection}/{year}/{collection}_{period}/{asset}.tif");
    let path = crate::harness::asset(&demo("data"), &place);
    path.exists().then(|| Cog::open(&path).expect("opens"))
}

/// Both rasters of one grid, cell by cell.
fn pairs<A: sen_catalog::raster::Pixel, B: sen_catalog::raster::Pixel>(a: &Cog, b: &Cog) -> Vec<(A, B)> {
    assert_eq!(a.grid(), b.grid(), "the province grid is the truth's grid");
    let window = a.grid().window();
    let left = a.read_window::<A>(0, 0, window).expect("reads");
    let right = b.read_window::<B>(0, 0, window).expect("reads");
    left.into_iter().zip(right).collect()
}

#[test]
fn weekly_ndvi_is_what_a_cloudless_look_would_have_measured() {
    let mut weeks = 0;
    for period in periods(&demo("truth/ndvi")) {
        let Some(cog) = weekly("ndvi", &period, "ndvi") else {
            continue;
        };
        let truth = Cog::open(&demo("truth/ndvi").join(format!("{period}.tif"))).expect("opens");
        let pairs = pairs::<i16, i16>(&cog, &truth);
        let mut errors: Vec<i32> = pairs
            .into_iter()
            .filter(|(seen, real)| *seen != i16::MIN && *real != i16::MIN)
            .map(|(seen, real)| (i32::from(seen) - i32::from(real)).abs())
            .collect();
        if errors.len() < 10_000 {
            continue;
        }
        errors.sort_unstable();
        let (median, p90) = (errors[errors.len() / 2], errors[errors.len() * 9 / 10]);
        assert!(
            median < 500 && p90 < 2_500,
            "{period}: NDVI is off by {median} (median), {p90} (p90) of 10000"
        );
        weeks += 1;
    }
    assert!(weeks >= 15, "only {weeks} weeks could be compared");
}

#[test]
fn the_demo_has_twenty_weeks_every_layer_and_a_story_to_tell() {
    let service = Service::start(&demo("data"));
    for layer in ["ndvi", "evi", "ndmi", "nbr", "mndwi", "flood", "fire_danger"] {
        let answer = service.json(&format!("/api/v1/periods/{layer}"));
        let count = answer["periods"].as_array().expect("periods").len();
        assert!(count >= 20, "{layer} has {count} weeks");
    }
    let catalog = service.json("/catalog");
    assert!(catalog["tiles"]["ndvi"].is_object(), "{catalog}");
    let answer = service.get("/");
    assert_eq!(answer.status(), 200);
    assert!(
        answer
            .text()
            .expect("HTML")
            .to_lowercase()
            .contains("<!doctype html")
    );
}

#[test]
fn open_water_of_the_flood_weeks_is_found() {
    let mut best = 0.0_f64;
    for period in periods(&demo("truth/flood")) {
        let Some(cog) = weekly("flood", &period, "flood") else {
            continue;
        };
        let truth = Cog::open(&demo("truth/flood").join(format!("{period}.tif"))).expect("opens");
        let (mut both, mut either, mut river) = (0_u32, 0_u32, 0_u32);
        for (seen, real) in pairs::<u8, u8>(&cog, &truth) {
            if seen > 5 {
                continue;
            }
            // any kind of open water; 2 is partly water
            let wet = matches!(seen, 1 | 3..=5);
            both += u32::from(wet && real > 0);
            either += u32::from(wet || real > 0);
            river += u32::from(real == 1);
        }
        if river > 50_000 {
            best = best.max(f64::from(both) / f64::from(either.max(1)));
        }
    }
    assert!(
        best >= 0.6,
        "the best flood week has an IoU of {best:.2} with the truth's water"
    );
}

#[test]
fn the_river_flood_is_told_from_paddies_in_every_week_it_stands() {
    let river = |(both, either, real): (u64, u64, u64), (seen, truth): (u8, u8)| {
        let (told, is) = (seen == 5, truth == 1);
        let one = |yes: bool| u64::from(yes && seen <= 5);
        (both + one(told && is), either + one(told || is), real + one(is))
    };
    let mut weeks = Vec::new();
    for period in periods(&demo("truth/flood")) {
        let Some(cog) = weekly("flood", &period, "flood") else {
            continue;
        };
        let truth = Cog::open(&demo("truth/flood").join(format!("{period}.tif"))).expect("opens");
        let counts = pairs::<u8, u8>(&cog, &truth).into_iter().fold((0, 0, 0), river);
        weeks.push((period, counts));
    }
    let full = weeks.iter().map(|(_, (.., real))| *real).max().expect("weeks");
    let (mut standing, mut both, mut either) = (0, 0, 0);
    for (period, (week_both, week_either, real)) in weeks {
        both += week_both;
        either += week_either;
        let iou = week_both as f64 / week_either.max(1) as f64;
        println!("{period}: {real} cells of river flood, IoU {iou:.3}");
        if real * 10 >= full * 9 {
            standing += 1;
            assert!(iou >= 0.9, "{period}: IoU {iou:.3} with the true river flood");
        }
    }
    assert!(standing >= 8, "{standing} weeks");
    // with the weeks in which it comes and goes
    let pooled = both as f64 / either as f64;
    println!("pooled {pooled:.3}");
    assert!(pooled >= 0.86, "pooled IoU {pooled:.3}");
}

#[test]
fn the_dry_spell_the_fire_and_the_straw_are_told_as_they_were() {
    let service = Service::start(&demo("data"));
    let text = std::fs::read_to_string(demo("truth/hotspots.csv")).expect("truth");
    let truth: std::collections::BTreeMap<String, &str> = text
        .lines()
        .skip(1)
        .filter_map(|line| {
            let mut fields = line.split(',');
            let (lat, lon, day, clock, kind) = (
                fields.next()?,
                fields.next()?,
                fields.next()?,
                fields.next()?,
                fields.next()?,
            );
            Some((format!("{}T{clock}-{lat}-{lon}", day.replace('-', "")), kind))
        })
        .collect();
    let fires = service.json("/api/v1/fires?datetime=2026-W20/2026-W47");
    let (mut right, mut all, mut forest) = (0, 0, 0);
    for fire in fires["features"].as_array().expect("fires") {
        for code in fire["properties"]["hotspots"].as_array().expect("codes") {
            let (_, place) = code
                .as_str()
                .and_then(|code| code.split_once('-'))
                .expect("a code");
            let spot = service.json(&format!(
                "/api/v1/zones/hotspots/{}?geometry=none",
                code.as_str().expect("text")
            ));
            let burning = spot["properties"]["burning"].as_str().expect("told").to_owned();
            let kind = truth
                .get(place)
                .unwrap_or_else(|| panic!("{place} was not delivered"));
            all += 1;
            right += usize::from(burning == *kind);
            forest += usize::from(*kind == "forest" && burning == "forest");
        }
    }
    assert_eq!(all, truth.len(), "every hot spot is in one fire");
    assert_eq!(
        forest,
        truth.values().filter(|kind| **kind == "forest").count(),
        "no forest fire is missed"
    );
    assert!(right * 100 >= all * 95, "{right} of {all} as they were");

    // at the end of the dry spell the levels are high everywhere, and the burned block raises a confirmed alert
    let blocks = service.json("/api/v1/zones/forest_blocks?geometry=none&limit=100");
    let codes: Vec<String> = blocks["features"]
        .as_array()
        .expect("blocks")
        .iter()
        .map(|block| block["properties"]["code"].as_str().expect("a code").to_owned())
        .collect();
    let (mut dangerous, mut confirmed) = (0, Vec::new());
    for code in &codes {
        let week = service.json(&format!("/api/v1/zones/forest_blocks/{code}/week/2026-W32"));
        dangerous += usize::from(week["fire"]["level"]["number"].as_u64() >= Some(3));
        let fire = service.json(&format!("/api/v1/zones/forest_blocks/{code}/fire"));
        if fire["change"]["state"] == "confirmed" {
            confirmed.push((
                code.clone(),
                fire["change"]["since"].as_str().unwrap_or_default().to_owned(),
            ));
        }
    }
    assert_eq!(dangerous, codes.len(), "three weeks without rain");
    let burned = service.json("/api/v1/fires?datetime=2026-W32&burning=forest");
    assert!(burned["numberReturned"].as_u64() >= Some(1), "{burned}");
    assert!(!confirmed.is_empty(), "the burned block");
    assert!(
        confirmed.iter().all(|(_, since)| since.as_str() >= "2026-W32"),
        "{confirmed:?}"
    );
}

//! Each kind of delivery, with the real samples where they are present and with tiny made files everywhere.

use super::*;
use sen_catalog::Crs;

/// Real data beside the workspace; `None` (said on stderr) where they are absent.
fn shared(path: &str) -> Option<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../shared/data")
        .join(path);
    let found = path.exists().then(|| path.display().to_string());
    if found.is_none() {
        #[expect(clippy::print_stderr, reason = "a skipped test says so")]
        {
            eprintln!("skipped: {} is absent", path.display());
        }
    }
    found
}

fn layout(text: &str) -> GeotiffLayout {
    let layout: GeotiffLayout = toml::from_str(text).expect("layout");
    layout.check().expect("sound layout");
    layout
}

fn with_layouts(texts: &[&str]) -> SourceOptions {
    SourceOptions {
        geotiff: texts.iter().map(|text| layout(text)).collect(),
        ..SourceOptions::default()
    }
}

const ANGIANG_S2: &str = r#"
    name = "angiang"
    collection = "sentinel-2-l2a"
    files = "S2_L2A_{%Y%m%dT%H%M%S}_*.tif"
    bands = ["blue", "green", "red", "_", "nir", "swir16", "swir22", "scl"]
    offset_tag = "BOA_ADD_OFFSET"
"#;
const ANGIANG_S1: &str = r#"
    name = "angiang-s1"
    collection = "sentinel-1-rtc"
    files = "S1_RTC_{%Y%m%dT%H%M%S}_*.tif"
    bands = ["vv", "vh"]
    units = "linear"
"#;

#[test]
fn an_giang_gives_every_date_with_the_offset_of_its_tag() {
    let Some(folder) = shared("angiang2022") else {
        return;
    };
    let found = discover(&folder, &with_layouts(&[ANGIANG_S2, ANGIANG_S1])).expect("imagery");
    assert_eq!(found.failures, []);
    let optical: Vec<_> = found
        .scenes
        .iter()
        .filter(|item| item.collection == "sentinel-2-l2a")
        .collect();
    let radar: Vec<_> = found
        .scenes
        .iter()
        .filter(|item| item.collection == "sentinel-1-rtc")
        .collect();
    assert_eq!((optical.len(), radar.len()), (3 * 69, 3 * 57));
    assert!(found.scenes.is_sorted_by_key(|item| item.interval.start));
    for item in optical {
        // tag -1000 from 2022-01-30 on (gdalinfo 3.6.2)
        let late = item.interval.start
            >= "2022-01-25T00:00:00Z"
                .parse::<chrono::DateTime<chrono::Utc>>()
                .expect("time");
        assert!(
            (item.assets["red"].offset - if late { -0.1 } else { 0.0 }).abs() < 1e-12,
            "{}",
            item.id
        );
        assert_eq!((item.assets["scl"].scale, item.assets["scl"].offset), (1.0, 0.0));
        assert_eq!(
            (item.assets["nir"].band_index, item.assets["nir"].nodata),
            (5, Some(0.0))
        );
        assert_eq!(item.grid.crs, Crs::WGS84);
    }
    let first = radar
        .iter()
        .find(|item| item.id == "angiang-s1_20220109T224606_thoaison")
        .expect("first date");
    assert_eq!(
        (first.grid.crs, first.grid.width, first.grid.height),
        (Crs::UTM_48N, 687, 86)
    );
    assert_eq!(first.assets["vh"].nodata, Some(-32768.0));
    assert_eq!(first.properties["sen:units"], "linear");
}

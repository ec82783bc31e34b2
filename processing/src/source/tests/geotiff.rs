//! Described GeoTIFFs, made and real.

use super::*;

const TWO_BANDS: &str = r#"
    name = "made"
    collection = "sentinel-2-l2a"
    files = "S2_{%Y%m%dT%H%M%S}_*.tif"
    bands = ["red", "nir"]
"#;

fn one_file(folder: &Path, metadata: &[(&str, &str)]) -> String {
    let pixels = vec![vec![1500.0; 100], vec![5000.0; 100]];
    made(&folder.join("S2_20220301T031649_x.tif"), 10, &pixels, metadata);
    folder.display().to_string()
}

#[test]
fn a_layout_without_offset_is_refused_with_the_words_to_write() {
    let folder = tempfile::tempdir().expect("folder");
    let location = one_file(folder.path(), &[]);
    let options = with_layouts(&[TWO_BANDS]);
    let found = discover(&location, &options).expect("imagery");
    assert!(found.scenes.is_empty());
    assert!(
        found.failures[0].reason.contains("`offset = -1000`"),
        "{:?}",
        found.failures
    );
    let said = SourceOptions {
        offset: Some(-1000.0),
        ..options
    };
    let scene = only(discover(&location, &said).expect("imagery"));
    assert_eq!(scene.id, "made_20220301T031649_x");
    assert!((scene.assets["nir"].offset + 0.1).abs() < 1e-12 && scene.assets["nir"].scale == 1e-4);
    assert_eq!(scene.assets["nir"].bytes, scene.assets["red"].bytes);
    assert_eq!(scene.assets["nir"].sha256.as_ref().map(String::len), Some(64));
}

#[test]
fn the_offset_tag_of_the_file_counts_and_its_absence_is_said() {
    let folder = tempfile::tempdir().expect("folder");
    let options = with_layouts(&[&format!("{TWO_BANDS} offset_tag = \"BOA_ADD_OFFSET\"")]);
    let location = one_file(folder.path(), &[]);
    let found = discover(&location, &options).expect("imagery");
    assert!(
        found.failures[0]
            .reason
            .contains("no metadata item BOA_ADD_OFFSET"),
        "{:?}",
        found.failures
    );
    one_file(folder.path(), &[("BOA_ADD_OFFSET", "-1000")]);
    let scene = only(discover(&location, &options).expect("imagery"));
    assert!((scene.assets["red"].offset + 0.1).abs() < 1e-12);
}

/// GDAL's notes beside a file, with scale and offset of its two bands.
fn stating(folder: &Path, scale: f64, offset: f64) -> String {
    let location = one_file(folder, &[]);
    let band = |index| {
        format!(
            "<PAMRasterBand band=\"{index}\"><Offset>{offset}</Offset><Scale>{scale}</Scale></PAMRasterBand>"
        )
    };
    let notes = format!("<PAMDataset>{}{}</PAMDataset>", band(1), band(2));
    std::fs::write(folder.join("S2_20220301T031649_x.tif.aux.xml"), notes).expect("written");
    location
}

#[test]
fn scale_and_offset_of_the_file_itself_are_used_where_the_layout_is_silent() {
    let folder = tempfile::tempdir().expect("folder");
    let location = stating(folder.path(), 2e-5, -0.2);
    let options = with_layouts(&[TWO_BANDS]);
    let scene = only(discover(&location, &options).expect("imagery"));
    assert_eq!(
        (scene.assets["nir"].scale, scene.assets["nir"].offset),
        (2e-5, -0.2)
    );
    assert!(
        !scene.properties.contains_key(sen_catalog::item::SCENE_NOTES),
        "{:?}",
        scene.properties
    );
    assert_eq!(
        scene.properties[SIDECARS].as_object().map(serde_json::Map::len),
        Some(2)
    );
    // an offset that nobody asked for is not used, which is said
    let said = SourceOptions {
        offset: Some(-1000.0),
        ..options
    };
    let scene = only(discover(&location, &said).expect("imagery"));
    assert_eq!(scene.assets["nir"].offset, -0.2);
    let note = scene.properties[sen_catalog::item::SCENE_NOTES][0]
        .as_str()
        .expect("a sentence");
    assert!(note.contains("--offset -1000") && note.contains("-0.2"), "{note}");
    let scaled = with_layouts(&[&format!("{TWO_BANDS} scale = 0.0001")]);
    let reason = only_failure(discover(&location, &scaled).expect("imagery")).reason;
    assert!(
        reason.contains("scale 0.00002") && reason.contains("`offset`"),
        "{reason}"
    );
    let location = stating(folder.path(), 0.0, -0.2);
    let reason = only_failure(discover(&location, &with_layouts(&[TWO_BANDS])).expect("imagery")).reason;
    assert!(reason.contains("scale 0 "), "{reason}");
}

#[test]
fn a_file_that_states_another_scale_or_offset_than_is_used_is_told_with_its_scene() {
    let folder = tempfile::tempdir().expect("folder");
    let location = stating(folder.path(), 1e-4, -0.1);
    let note = |offset: &str| {
        let options = with_layouts(&[&format!("{TWO_BANDS} offset = {offset}")]);
        let scene = only(discover(&location, &options).expect("imagery"));
        scene
            .properties
            .get(sen_catalog::item::SCENE_NOTES)
            .map(ToString::to_string)
    };
    let told = note("0").expect("a contradiction");
    for word in [
        "red",
        "nir",
        "S2_20220301T031649_x.tif",
        "offset -0.1",
        "offset 0",
    ] {
        assert!(told.contains(word), "{told}");
    }
    assert!(!told.contains(folder.path().to_str().expect("UTF-8")), "{told}");
    assert_eq!(note("-1000"), None, "both say -0.1");
}

#[test]
fn an_alpha_band_at_the_end_need_not_be_listed() {
    let folder = tempfile::tempdir().expect("folder");
    let location = one_file(folder.path(), &[]);
    let path = folder.path().join("S2_20220301T031649_x.tif");
    made(
        &path,
        10,
        &[vec![1500.0; 100], vec![5000.0; 100], vec![1.0; 100]],
        &[],
    );
    let options = with_layouts(&[&format!("{TWO_BANDS} offset = 0")]);
    let reason = only_failure(discover(&location, &options).expect("imagery")).reason;
    assert!(reason.contains("has 3 bands"), "{reason}");
    let notes =
        "<PAMDataset><PAMRasterBand band=\"3\"><ColorInterp>Alpha</ColorInterp></PAMRasterBand></PAMDataset>";
    std::fs::write(path.with_file_name("S2_20220301T031649_x.tif.aux.xml"), notes).expect("written");
    assert_eq!(
        only(discover(&location, &options).expect("imagery")).assets.len(),
        2
    );
}

#[test]
fn a_layout_that_contradicts_the_file_fails_that_file_and_others_go_on() {
    let folder = tempfile::tempdir().expect("folder");
    let location = one_file(folder.path(), &[]);
    made(
        &folder.path().join("S2_20220306T031649_x.tif"),
        10,
        &[vec![1.0; 100]],
        &[],
    );
    std::fs::write(folder.path().join("S2_20220311T031649_x.tif"), "II*").expect("written");
    std::fs::write(folder.path().join("other.tif"), "II*").expect("written");
    let options = with_layouts(&[&format!("{TWO_BANDS} offset = 0")]);
    let found = discover(&location, &options).expect("imagery");
    assert_eq!(found.scenes.len(), 1);
    let reasons: Vec<_> = found
        .failures
        .iter()
        .map(|failure| failure.reason.as_str())
        .collect();
    assert!(
        reasons[0].contains("has 1 bands, its layout lists 2"),
        "{reasons:?}"
    );
    assert!(reasons[1].contains("cannot be read"), "{reasons:?}");
    assert!(reasons[2].contains("no [[geotiff]] layout"), "{reasons:?}");
    assert!(
        found
            .failures
            .iter()
            .all(|failure| failure.what.ends_with(".tif"))
    );
}

#[test]
fn layouts_that_cannot_be_used_say_which_field() {
    let bad = [
        (
            "collection = \"sentinel-2-l2a\"",
            "collection = \"s2\"",
            "collection",
        ),
        ("bands = [\"red\", \"nir\"]", "bands = [\"red\", \"nri\"]", "nri"),
        ("{%Y%m%dT%H%M%S}", "*", "says no time"),
        ("bands = [\"red\", \"nir\"]", "bands = [\"vv\"]", "units"),
        ("name = \"made\"", "name = \"a b\"", "name"),
    ];
    for (text, instead, word) in bad {
        let layout: GeotiffLayout = toml::from_str(&TWO_BANDS.replace(text, instead)).expect("toml");
        let error = layout.check().expect_err(instead).to_string();
        assert!(error.contains(word), "{error}");
    }
    assert!(toml::from_str::<GeotiffLayout>(&format!("{TWO_BANDS} ofset = 0")).is_err());
}

#[test]
fn radar_that_is_not_what_its_layout_says_is_refused() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("S1_20220109T224606.tif");
    let pixels: Vec<f32> = (0..400).map(|index| -8.0 - (index % 15) as f32).collect();
    crate::gdal_io::write_raster(&path, ("GTiff", "Float32"), &grid(20), &[pixels], None, &[]);
    let text = "name = \"s1\"\ncollection = \"sentinel-1-rtc\"\nfiles = \"S1_{%Y%m%dT%H%M%S}.tif\"\nbands = [\"vv\"]\n";
    let location = folder.path().display().to_string();
    let found = discover(&location, &with_layouts(&[&format!("{text}units = \"linear\"")])).expect("imagery");
    assert!(
        found.failures[0].reason.contains("look like dB"),
        "{:?}",
        found.failures
    );
    let scene =
        only(discover(&location, &with_layouts(&[&format!("{text}units = \"db\"")])).expect("imagery"));
    assert_eq!(
        (&scene.properties["sen:decibel"], &scene.properties["sen:units"]),
        (&true.into(), &"dB".into())
    );
    let confirmed = SourceOptions {
        units: Some(Units::Linear),
        ..with_layouts(&[&format!("{text}units = \"linear\"")])
    };
    let scene = only(discover(&location, &confirmed).expect("imagery"));
    assert_eq!(scene.properties["sen:units"], "linear", "said for this ingest");
}

#[test]
fn linear_power_said_to_be_decibel_is_refused_until_it_is_said_again() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("S1_20220109T224606.tif");
    let pixels: Vec<f32> = (0..400).map(|index| 0.01 * (1 + index % 15) as f32).collect();
    crate::gdal_io::write_raster(&path, ("GTiff", "Float32"), &grid(20), &[pixels], None, &[]);
    let layout = "name = \"s1\"\ncollection = \"sentinel-1-rtc\"\nfiles = \"S1_{%Y%m%dT%H%M%S}.tif\"\nbands = [\"vv\"]\nunits = \"db\"";
    let location = folder.path().display().to_string();
    let found = discover(&location, &with_layouts(&[layout])).expect("imagery");
    let reason = &found.failures[0].reason;
    assert!(
        reason.contains("linear power") && reason.contains("--units"),
        "{reason}"
    );
    let corrected = SourceOptions {
        units: Some(Units::Linear),
        ..with_layouts(&[layout])
    };
    let scene = only(discover(&location, &corrected).expect("imagery"));
    assert!(!scene.properties.contains_key("sen:decibel"));
}

fn raster(path: &Path, grid: &Grid, value: impl Fn(usize) -> f32) {
    std::fs::create_dir_all(path.parent().expect("in a folder")).expect("made");
    let pixels = (0..grid.width * grid.height).map(value).collect();
    crate::gdal_io::write_raster(path, ("GTiff", "Float32"), grid, &[pixels], None, &[]);
}

const HYP3: &str = r#"
    name = "hyp3"
    collection = "sentinel-1-rtc"
    files = "S1?_IW_{%Y%m%dT%H%M%S}_*_{band}.tif"
    bands = ["vv", "vh"]
    band_names = { VV = "vv", VH = "vh" }
"#;

#[test]
fn amplitude_is_told_by_layouts_by_names_and_by_pixels() {
    let with = |units: &str, code: &str, said: Option<Units>| {
        let folder = tempfile::tempdir().expect("folder");
        // land of -10 dB in VV, as amplitude
        for (band, value) in [("VV", 0.32_f32), ("VH", 0.15)] {
            let name = format!("S1A_IW_20260518T224500_DVP_{code}_A1B2_{band}.tif");
            raster(&folder.path().join(name), &grid(20), |index| {
                value + 0.001 * (index % 20) as f32
            });
        }
        raster(
            &folder
                .path()
                .join(format!("S1A_IW_20260518T224500_DVP_{code}_A1B2_dem.tif")),
            &grid(20),
            |_| 1.0,
        );
        let options = SourceOptions {
            units: said,
            ..with_layouts(&[&format!("{HYP3}\nunits = \"{units}\"")])
        };
        discover(&folder.path().display().to_string(), &options).expect("imagery")
    };
    let scene = only(with("amplitude", "RTC10_G_gaunem", None));
    assert_eq!(scene.properties["sen:units"], "amplitude");
    assert_eq!(scene.assets.keys().collect::<Vec<_>>(), ["vh", "vv"]);
    // by the name, by the pixels, and not at all where the user says so for this ingest
    let reason = only_failure(with("linear", "RTC10_G_gaunem", None)).reason;
    assert!(
        reason.contains("HyP3") && reason.contains("--units amplitude"),
        "{reason}"
    );
    let reason = only_failure(with("linear", "X", None)).reason;
    assert!(
        reason.contains("look like amplitude") && reason.contains("--units linear"),
        "{reason}"
    );
    let reason = only_failure(with("amplitude", "RTC10_G_gpunem", None)).reason;
    assert!(reason.contains("says linear"), "{reason}");
    assert_eq!(
        only(with("linear", "X", Some(Units::Amplitude))).properties["sen:units"],
        "amplitude"
    );
    assert_eq!(
        only(with("linear", "X", Some(Units::Linear))).properties["sen:units"],
        "linear"
    );
}

#[test]
fn a_pattern_whose_band_takes_too_much_says_what_it_took() {
    let folder = tempfile::tempdir().expect("folder");
    raster(
        &folder.path().join("S1A_IW_20260518T224500_A_HH.tif"),
        &grid(20),
        |_| 0.1,
    );
    let found = discover(
        &folder.path().display().to_string(),
        &with_layouts(&[&format!("{HYP3}\nunits = \"linear\"")]),
    );
    let failure = only_failure(found.expect("imagery"));
    assert!(failure.reason.contains("takes `HH`"), "{failure:?}");
    raster(
        &folder.path().join("S1A_IW_20260518T224500_A_VV.tif"),
        &grid(20),
        |_| 0.1,
    );
    let found = discover(
        &folder.path().display().to_string(),
        &with_layouts(&[&format!("{HYP3}\nunits = \"linear\"")]),
    );
    let failure = only_failure(found.expect("imagery"));
    assert!(
        failure.reason.contains("band vh is missing") && failure.reason.contains("takes `HH`"),
        "{failure:?}"
    );
}

#[test]
fn of_two_files_of_one_band_the_finest_is_used_and_the_other_named() {
    let folder = tempfile::tempdir().expect("folder");
    let layout = r#"
        name = "s2"
        collection = "sentinel-2-l2a"
        files = "T48_{%Y%m%dT%H%M%S}_{band}_??m.tif"
        bands = ["red", "nir"]
        offset = 0
    "#;
    let coarse = Grid {
        cell_width: 20.0,
        cell_height: 20.0,
        ..grid(10)
    };
    // wildcards are part of a scene's id, so that `??` alone would make two scenes
    let layout = layout.replace("_??m", "");
    for (name, grid) in [("a", &coarse), ("b", &grid(20)), ("c", &coarse)] {
        for band in ["B04", "B08"] {
            raster(
                &folder
                    .path()
                    .join(name)
                    .join(format!("T48_20220301T031649_{band}.tif")),
                grid,
                |_| 900.0,
            );
        }
    }
    let found = discover(&folder.path().display().to_string(), &with_layouts(&[&layout])).expect("imagery");
    assert!(
        found.notes[0].reason.contains("cells of 10) is used")
            && found.notes[0].reason.contains("cells of 20) left out"),
        "{:?}",
        found.notes
    );
    let scene = only(found);
    assert!(scene.assets["red"].href.contains("/b/") && scene.assets["nir"].href.contains("/b/"));
    // none is finer: nobody knows which
    std::fs::remove_dir_all(folder.path().join("b")).expect("removed");
    let found = discover(&folder.path().display().to_string(), &with_layouts(&[&layout])).expect("imagery");
    let failure = only_failure(found);
    assert!(failure.reason.contains("of the same scene as"), "{failure:?}");
}

#[test]
fn an_ending_that_the_layout_spells_out_is_read() {
    let folder = tempfile::tempdir().expect("folder");
    let pixels = vec![vec![500.0; 100], vec![3000.0; 100]];
    for name in ["S2_20220301T031649.dat", "S2_20220306T031649.GTIF"] {
        made(&folder.path().join(name), 10, &pixels, &[]);
    }
    let layout = |ending: &str| {
        format!(
            "name = \"a{}\"\ncollection = \"sentinel-2-l2a\"\nfiles = \"S2_{{%Y%m%dT%H%M%S}}.{ending}\"\n\
             bands = [\"red\", \"nir\"]\noffset = 0",
            ending.len()
        )
    };
    let options = with_layouts(&[&layout("dat"), &layout("GTIF")]);
    let found = discover(&folder.path().display().to_string(), &options).expect("imagery");
    assert_eq!(
        (found.scenes.len(), found.failures.len(), found.notes.len()),
        (2, 0, 0)
    );
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
        let late = item.interval.start >= "2022-01-25T00:00:00Z".parse::<DateTime<Utc>>().expect("time");
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

#[test]
fn one_file_a_band_two_dates_in_a_file_and_landsat_chips_are_described_too() {
    let Some(folder) = shared("scenes") else { return };
    let india = r#"
        name = "india"
        collection = "sentinel-2-l2a"
        files = "s2_india_parlakhemundi/{band}.tif"
        bands = ["green", "red", "nir"]
        datetime = "2023-01-01T05:00:00Z"
        offset = -1000
        nodata = 0
    "#;
    let austria = |name: &str, bands: &str, date: &str| {
        format!(
            "name = \"{name}\"\ncollection = \"sentinel-2-l2a\"\nfiles = \"s2_austria_two_dates.tif\"\n\
             bands = [{bands}]\ndatetime = \"{date}T10:00:00Z\"\noffset = 0\nnodata = 0"
        )
    };
    let first = austria(
        "austria-1",
        r#""red","green","blue","nir","_","_","_","_""#,
        "2023-05-01",
    );
    let second = austria(
        "austria-2",
        r#""_","_","_","_","red","green","blue","nir""#,
        "2023-08-01",
    );
    let elkton = r#"
        name = "elkton"
        collection = "landsat-c2-l2"
        files = "L8-{band}-Elkton-VA.tiff"
        bands = ["blue", "green", "red", "nir08", "swir16", "swir22"]
        band_names = { B2 = "blue", B3 = "green", B4 = "red", B5 = "nir08", B6 = "swir16", B7 = "swir22" }
        datetime = "2016-09-08T15:40:00Z"
        scale = 0.0001
        offset = 0
    "#;
    let options = with_layouts(&[india, &first, &second, elkton]);
    let found = discover(&folder, &options).expect("imagery");
    let ids: Vec<_> = found.scenes.iter().map(|item| item.id.as_str()).collect();
    let expected = [
        "elkton_20160908T154000",
        "india_20230101T050000",
        "austria-1_20230501T100000",
        "austria-2_20230801T100000",
    ];
    assert_eq!(ids, expected);
    assert_eq!(
        (found.scenes[1].grid.width, found.scenes[1].grid.height),
        (1055, 1050)
    );
    assert_eq!(found.scenes[1].grid.crs, Crs::epsg(32644));
    assert_eq!(found.scenes[3].assets["nir"].band_index, 8);
    assert_eq!(
        found.scenes[0].assets["nir"].href,
        found.scenes[0].assets["nir08"].href
    );
    // Landsat 5 of 1988 is Collection 1 Level 1: told why not
    let old = found
        .failures
        .iter()
        .find(|failure| failure.what.ends_with("_MTL.txt"))
        .expect("named");
    assert!(
        old.reason.contains("Collection 1") && old.reason.contains("[[geotiff]]"),
        "{}",
        old.reason
    );
}

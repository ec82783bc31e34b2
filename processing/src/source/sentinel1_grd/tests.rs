//! Made images whose sigma0 is known, and the geolocation of a real one.

use super::geolocation::Geolocation;
use super::made::Made;
use super::*;
use sen_catalog::{Interval, Item};
use std::collections::BTreeMap;
use std::path::Path;

/// Writes a product; `number` is the stored number of each polarisation, line and pixel.
fn written(folder: &Path, made: Made, number: impl Fn(&str, usize, usize) -> u16) -> BTreeMap<Band, Files> {
    for (name, text) in made.texts(&["vv", "vh"]) {
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().expect("in a folder")).expect("made");
        std::fs::write(path, text).expect("written");
    }
    std::fs::create_dir_all(folder.join("measurement")).expect("made");
    let mut files = BTreeMap::new();
    for (band, name) in [(Band::Vv, "vv"), (Band::Vh, "vh")] {
        let path = folder.join(Made::measurement(name));
        let pixels = (0..made.columns * made.lines)
            .map(|index| f32::from(number(name, index / made.columns, index % made.columns)))
            .collect();
        crate::gdal_io::write_raster(
            &path,
            ("GTiff", "UInt16"),
            &made.image_grid(),
            &[pixels],
            None,
            &[],
        );
        let file = |name: String| folder.join(name).display().to_string();
        let stem = path.file_stem().expect("named").to_string_lossy().into_owned();
        files.insert(
            band,
            Files {
                measurement: path.display().to_string(),
                annotation: file(format!("annotation/{stem}.xml")),
                calibration: file(format!("annotation/calibration/calibration-{stem}.xml")),
                noise: file(format!("annotation/calibration/noise-{stem}.xml")),
            },
        );
    }
    files
}

/// Numbers that differ from pixel to pixel, between 40 and 295; none at all in one corner.
fn uneven(line: usize, pixel: usize) -> u16 {
    if line < 20 && pixel < 30 {
        return 0;
    }
    let mixed = (line as u64 * 7919 + pixel as u64 * 104_729 + 13).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    40 + (mixed >> 56) as u16
}

#[test]
fn sigma0_on_the_province_grid_is_that_of_esas_formula() {
    let folder = tempfile::tempdir().expect("folder");
    let made = Made::default();
    let files = written(folder.path(), made, |_, line, pixel| uneven(line, pixel));
    let province = made.province();
    for (band, name) in [(Band::Vv, "vv"), (Band::Vh, "vh")] {
        let (image, facts) = GroundRange::open(&files[&band], None).expect("opened");
        assert_eq!(
            (facts.mission.as_str(), facts.pass.as_str()),
            ("S1A", "descending")
        );
        let found = image.read(province.window(), &province).expect("read");
        let (mut seen, mut empty) = (0, 0);
        for (index, &found) in found.iter().enumerate() {
            let (row, column) = (index / province.width, index % province.width);
            let (line, pixel) = Made::pixel(
                province.west + (column as f64 + 0.5) * 10.0,
                province.north - (row as f64 + 0.5) * 10.0,
            );
            match expected(made, name, line, pixel) {
                Expected::Unsure => {}
                Expected::Nothing => {
                    assert!(found.is_nan(), "{line} {pixel}: {found}");
                    empty += 1;
                }
                Expected::Value(value) => {
                    let off = (f64::from(found) - value).abs() / value;
                    assert!(
                        off < 1e-3,
                        "{name} line {line} pixel {pixel}: {found}, should be {value}"
                    );
                    seen += 1;
                }
            }
        }
        assert!(seen > 40_000 && empty > 20_000, "{seen} {empty}");
    }
}

enum Expected {
    Value(f64),
    Nothing,
    /// At the very edge between pixels, where rounding decides.
    Unsure,
}

/// (number^2 - noise) / calibration^2 of the four pixels around a place, weighted by their nearness.
fn expected(made: Made, polarisation: &str, line: f64, pixel: f64) -> Expected {
    if ((line - 0.5).round() - (line - 0.5)).abs() < 1e-3
        || ((pixel - 0.5).round() - (pixel - 0.5)).abs() < 1e-3
    {
        return Expected::Unsure;
    }
    let sigma0 = |line: f64, pixel: f64| -> Option<f64> {
        let inside = (0.0..made.lines as f64).contains(&line) && (0.0..made.columns as f64).contains(&pixel);
        let number = f64::from(if inside {
            uneven(line as usize, pixel as usize)
        } else {
            0
        });
        (number > 0.0).then(|| {
            (number * number - made.noise(polarisation, line, pixel)) / Made::calibration(line, pixel).powi(2)
        })
    };
    if sigma0(line.round(), pixel.round()).is_none() {
        return Expected::Nothing;
    }
    let (mut sum, mut weights) = (0.0, 0.0);
    for (dy, dx) in [(0.0, 0.0), (0.0, 1.0), (1.0, 0.0), (1.0, 1.0)] {
        let (y, x) = (line.floor() + dy, pixel.floor() + dx);
        let weight = (1.0 - (line - y).abs()) * (1.0 - (pixel - x).abs());
        if let Some(value) = sigma0(y, x) {
            sum += weight * value;
            weights += weight;
        }
    }
    Expected::Value(sum / weights)
}

#[test]
fn strips_and_parts_give_the_same_cells_as_the_whole() {
    let folder = tempfile::tempdir().expect("folder");
    let made = Made::default();
    let files = written(folder.path(), made, |_, line, pixel| uneven(line, pixel));
    let (image, _) = GroundRange::open(&files[&Band::Vv], None).expect("opened");
    let province = made.province();
    let whole = image.read(province.window(), &province).expect("read");
    let part = Window {
        column: 37,
        row: 51,
        width: 101,
        height: 67,
    };
    for (index, value) in image.read(part, &province).expect("read").iter().enumerate() {
        let (row, column) = (part.row + index / part.width, part.column + index % part.width);
        let same = whole[row * province.width + column];
        assert_eq!(value.to_bits(), same.to_bits(), "row {row} column {column}");
    }
}

#[test]
fn calm_water_below_the_noise_stays_water() {
    let folder = tempfile::tempdir().expect("folder");
    let made = Made::default();
    // numbers of 5: 25 of power under some 300 of noise
    let files = written(folder.path(), made, |_, _, _| 5);
    let (image, _) = GroundRange::open(&files[&Band::Vh], None).expect("opened");
    let found = image
        .read(made.province().window(), &made.province())
        .expect("read");
    let seen: Vec<f32> = found.into_iter().filter(|value| !value.is_nan()).collect();
    assert!(seen.len() > 40_000 && seen.iter().all(|&value| value == LEAST_SIGMA0));
}

#[test]
fn larger_cells_are_the_mean_of_the_power_in_them() {
    let folder = tempfile::tempdir().expect("folder");
    let made = Made::default();
    let files = written(folder.path(), made, |name, line, pixel| {
        made.number(name, 0.2, line, pixel)
    });
    let (image, _) = GroundRange::open(&files[&Band::Vv], None).expect("opened");
    let coarse = Grid {
        cell_width: 30.0,
        cell_height: 30.0,
        width: 100,
        height: 90,
        ..made.province()
    };
    let found = image.read(coarse.window(), &coarse).expect("read");
    let seen: Vec<f32> = found.into_iter().filter(|value| !value.is_nan()).collect();
    // numbers are rounded: 270 +- 0.5
    assert!(seen.len() > 4_400 && seen.iter().all(|&value| (value - 0.2).abs() < 1e-3));
}

#[test]
fn border_noise_of_old_products_is_cut_off_in_both_polarisations() {
    let folder = tempfile::tempdir().expect("folder");
    let made = Made {
        version: "002.72",
        ..Made::default()
    };
    // land of -10 dB begins at column 60 and ends at 200; outside are small numbers that are not zero
    let number = |_: &str, _: usize, pixel: usize| if (60..200).contains(&pixel) { 190 } else { 3 };
    let files = written(folder.path(), made, number);
    let copolarised = &files[&Band::Vv];
    for band in [Band::Vv, Band::Vh] {
        let (image, _) = GroundRange::open(&files[&band], Some(copolarised)).expect("opened");
        let found = image
            .read(made.province().window(), &made.province())
            .expect("read");
        for (index, value) in found.iter().enumerate() {
            let (line, pixel) = Made::pixel(
                made.province().west + ((index % 300) as f64 + 0.5) * 10.0,
                made.province().north - ((index / 300) as f64 + 0.5) * 10.0,
            );
            let inside = (60.0..199.0).contains(&pixel) && (0.0..199.0).contains(&line);
            let outside = !(59.4..199.6).contains(&pixel);
            assert!(!outside || value.is_nan(), "{band}: {line} {pixel} {value}");
            assert!(!inside || !value.is_nan(), "{band}: {line} {pixel}");
        }
    }
    assert!(leaves_border(Some("2.72")) && !leaves_border(Some("2.90")) && !leaves_border(None));
}

#[test]
fn a_real_geolocation_grid_finds_its_own_points_and_the_footprint_of_the_manifest() {
    let path = "metadata/safe/S1A_IW_GRDH_1SDV_20210809T173953_20210809T174018_039156_049F13_6FF8.SAFE/annotation/\
                s1a-iw-grd-vv-20210809t173953-20210809t174018-039156-049f13-001.xml";
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../shared/data")
        .join(path);
    if !path.exists() {
        eprintln!("skipped: {} is absent", path.display());
        return;
    }
    let text = std::fs::read_to_string(&path).expect("read");
    let annotation = Annotation::read("annotation", &text).expect("real annotation");
    assert_eq!(annotation.size, (26_144, 16_676));
    assert_eq!(
        (annotation.orbit, annotation.pass.as_str(), annotation.denoised),
        (39_156, "ascending", false)
    );
    let geolocation: &Geolocation = &annotation.geolocation;
    // a point of the file itself: line 0, pixel 1308
    let (line, pixel) = geolocation
        .pixel(2.092_766_128_562_142, 44.557_756_814_398_93)
        .expect("inside");
    assert!(
        line.abs() < 1e-3 && (pixel - 1308.0).abs() < 1e-3,
        "{line} {pixel}"
    );
    // the corners that the manifest states as footprint: last line first pixel, last line last pixel, first line last
    // pixel, first line first pixel; stated without the heights of the ground (to 1 km in the mountains), so to 150 px
    let corners = [
        (46.033_890, 1.512_143, 16_675.0, 0.0),
        (46.436_539, 4.851_360, 16_675.0, 26_143.0),
        (44.938_713, 5.188_996, 0.0, 26_143.0),
        (44.536_255, 1.937_196, 0.0, 0.0),
    ];
    for (lat, lon, line, pixel) in corners {
        let (y, x) = geolocation.pixel(lon, lat).expect("inside");
        assert!(
            (y - line).abs() < 150.0 && (x - pixel).abs() < 150.0,
            "{y} {x}, stated {line} {pixel}"
        );
    }
    assert!(
        geolocation.pixel(105.6, 10.4).is_none(),
        "the Mekong delta is not in France"
    );
    let (near, far) = geolocation.incidence();
    assert!(near > 29.0 && far < 47.0);
}

#[test]
fn one_look_does_not_count_twice_and_sigma0_is_not_mixed_with_gamma0() {
    let scene = |collection: &str, start: &str, west: f64| {
        let grid = Made::default().province();
        Item {
            id: format!("{collection}{start}{west}"),
            collection: collection.into(),
            interval: Interval::instant(start.parse().expect("instant")),
            grid,
            bbox: Bounds::new(west, 9.0, west + 2.0, 11.0),
            assets: BTreeMap::new(),
            lineage: Vec::new(),
            properties: serde_json::Map::new(),
        }
    };
    let all = vec![
        scene(COLLECTION, "2026-08-18T22:46:06Z", 105.0),
        scene(RTC, "2026-08-18T22:46:18Z", 105.2),
        scene(COLLECTION, "2026-08-18T22:46:06Z", 107.0),
        scene(COLLECTION, "2026-08-19T11:12:00Z", 105.0),
    ];
    let kept = |rule: fn(&mut Vec<Item>)| {
        let mut scenes = all.clone();
        rule(&mut scenes);
        scenes.into_iter().map(|scene| scene.id).collect::<Vec<_>>()
    };
    let others: Vec<String> = all[1..].iter().map(|scene| scene.id.clone()).collect();
    assert_eq!(kept(prefer_rtc), others);
    assert_eq!(kept(one_backscatter), [all[1].id.clone()]);
}

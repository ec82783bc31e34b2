//! Warping against gdalwarp, and what damaged files get.

use super::*;
use std::fs;

fn source_grid() -> Grid {
    Grid {
        crs: Crs::UTM_48N,
        west: 500_000.0,
        north: 1_150_000.0,
        cell_width: 10.0,
        cell_height: 10.0,
        width: 40,
        height: 40,
    }
}

/// The deterministic picture of the oracle script: 1000 + (37 x + 91 y + (x y mod 17) 50) mod 3000, a hole of nodata.
fn picture() -> Vec<f32> {
    let value = |x: usize, y: usize| {
        let hole = (12..20).contains(&x) && (10..15).contains(&y);
        if hole {
            0.0
        } else {
            (1000 + (x * 37 + y * 91 + (x * y) % 17 * 50) % 3000) as f32
        }
    };
    (0..40 * 40).map(|index| value(index % 40, index / 40)).collect()
}

fn write(folder: &Path, name: &str) -> String {
    let path = folder.join(name);
    let driver = if name.ends_with("jp2") {
        "JP2OpenJPEG"
    } else {
        "GTiff"
    };
    write_raster(
        &path,
        (driver, "UInt16"),
        &source_grid(),
        &[picture()],
        Some(0.0),
        &[],
    );
    path.display().to_string()
}

#[test]
fn warping_agrees_with_gdalwarp_3_6_2() {
    let folder = tempfile::tempdir().expect("folder");
    let href = write(folder.path(), "a.tif");
    // python3-gdal 3.6.2: gdal.Warp(dstSRS='EPSG:4326', errorThreshold=0.125, dstNodata=nan), count of NaN, mean
    let oracle = [
        (
            Resampling::Nearest,
            36,
            1e-4,
            323,
            2483.883864337102,
            [(18, 18, 2088.0), (18, 3, 1459.0), (12, 12, 1183.0)],
        ),
        (
            Resampling::Bilinear,
            36,
            1e-4,
            323,
            2482.4198005574335,
            [(18, 18, 1740.8389), (18, 3, 2134.4727), (12, 12, 2037.896)],
        ),
        (
            Resampling::Average,
            12,
            3e-4,
            24,
            2512.8523610432944,
            [(6, 6, 1833.4102), (6, 3, 1466.8909), (4, 4, 2599.672)],
        ),
    ];
    for (resampling, side, cell, missing, mean, cells) in oracle {
        let grid = Grid {
            crs: Crs::WGS84,
            west: 105.0,
            north: 10.4025,
            cell_width: cell,
            cell_height: cell,
            width: side,
            height: side,
        };
        let pixels = warp_onto(&href, 1, &grid, resampling, None).expect("warped");
        let valid: Vec<f64> = pixels
            .iter()
            .filter(|pixel| !pixel.is_nan())
            .map(|&pixel| f64::from(pixel))
            .collect();
        assert_eq!(pixels.len() - valid.len(), missing, "{resampling:?}");
        let found = valid.iter().sum::<f64>() / valid.len() as f64;
        assert!(
            (found - mean).abs() < 1e-3,
            "{resampling:?}: {found} against {mean}"
        );
        for (row, column, value) in cells {
            let pixel: f32 = pixels[row * side + column];
            assert!(
                (pixel - value).abs() < 0.01,
                "{resampling:?} {row} {column}: {pixel} against {value}"
            );
        }
    }
}

#[test]
fn cells_that_coincide_are_copied_and_cells_outside_are_missing() {
    let folder = tempfile::tempdir().expect("folder");
    let href = write(folder.path(), "a.tif");
    let grid = Grid {
        west: 499_970.0,
        north: 1_150_020.0,
        width: 50,
        height: 20,
        ..source_grid()
    };
    let pixels = warp_onto(&href, 1, &grid, Resampling::Bilinear, None).expect("read");
    let picture = picture();
    for row in 0..20 {
        for column in 0..50 {
            let inside = row >= 2 && (3..43).contains(&column);
            let expected = if inside {
                picture[(row - 2) * 40 + column - 3]
            } else {
                0.0
            };
            let pixel = pixels[row * 50 + column];
            assert!(
                if expected == 0.0 {
                    pixel.is_nan()
                } else {
                    pixel == expected
                },
                "{row} {column} {pixel}"
            );
        }
    }
    let far = Grid {
        west: 900_000.0,
        ..source_grid()
    };
    let pixels = warp_onto(&href, 1, &far, Resampling::Nearest, None).expect("read");
    assert!(pixels.iter().all(|pixel| pixel.is_nan()));
}

#[test]
fn jpeg_2000_is_read_from_any_thread() {
    let folder = tempfile::tempdir().expect("folder");
    let href = write(folder.path(), "a.jp2");
    assert_eq!(info(&href).expect("header").grid, source_grid());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..5 {
                    let pixels =
                        warp_onto(&href, 1, &source_grid(), Resampling::Nearest, Some(0.0)).expect("read");
                    let expected = picture();
                    let same =
                        |(pixel, &value): (&f32, &f32)| *pixel == value || (pixel.is_nan() && value == 0.0);
                    assert!(pixels.iter().zip(&expected).all(same));
                }
            });
        }
    });
}

#[test]
fn a_file_replaced_since_is_read_anew() {
    let folder = tempfile::tempdir().expect("folder");
    let href = write(folder.path(), "a.tif");
    assert_eq!(info(&href).expect("header").grid.width, 40);
    let small = Grid {
        width: 7,
        height: 5,
        ..source_grid()
    };
    write_raster(
        Path::new(&href),
        ("GTiff", "UInt16"),
        &small,
        &[vec![1.0; 35]],
        None,
        &[],
    );
    assert_eq!(info(&href).expect("header").grid.width, 7);
}

#[test]
fn damaged_files_are_errors_that_name_the_file() {
    let folder = tempfile::tempdir().expect("folder");
    let cut = |name: &str, share: f64| {
        let href = write(folder.path(), name);
        let bytes = fs::read(&href).expect("read");
        fs::write(&href, &bytes[..(bytes.len() as f64 * share) as usize]).expect("write");
        href
    };
    for href in [
        cut("cut.tif", 0.6),
        cut("cut.jp2", 0.5),
        cut("stump.tif", 0.01),
        cut("empty.jp2", 0.0),
    ] {
        let error = warp_onto(&href, 1, &source_grid(), Resampling::Nearest, None).expect_err("damaged");
        assert!(error.to_string().starts_with(&href), "{error}");
    }
    let text = folder.path().join("text.tif");
    fs::write(&text, "<html>not found</html>").expect("write");
    assert!(info(&text.display().to_string()).is_err());
    let absent = info("/nowhere/a.tif").expect_err("absent").to_string();
    assert!(absent.contains("there is no such file"), "{absent}");
    let href = write(folder.path(), "whole.tif");
    let error = warp_onto(&href, 3, &source_grid(), Resampling::Nearest, None)
        .expect_err("band 3")
        .to_string();
    assert!(error.contains("no band 3"), "{error}");
}

#[test]
fn absurd_dimensions_and_indirect_formats_are_refused() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("huge.tif");
    let mut options = gdal::raster::RasterCreationOptions::new();
    for option in [
        "SPARSE_OK=TRUE",
        "TILED=YES",
        "BLOCKXSIZE=4096",
        "BLOCKYSIZE=4096",
        "BIGTIFF=YES",
    ] {
        options.add_string(option).expect("added");
    }
    init();
    let driver = DriverManager::get_driver_by_name("GTiff").expect("there");
    let made = driver.create_with_band_type_with_options::<u8, _>(&path, 200_000, 100_000, 1, &options);
    drop(made.expect("created"));
    let error = info(&path.display().to_string())
        .expect_err("refused")
        .to_string();
    assert!(error.contains("200000 x 100000"), "{error}");
    let whole = write(folder.path(), "whole.tif");
    let vrt = folder.path().join("indirect.tif");
    let text = format!(
        "<VRTDataset rasterXSize=\"40\" rasterYSize=\"40\"><VRTRasterBand dataType=\"UInt16\" band=\"1\"><SimpleSource>\
         <SourceFilename>{whole}</SourceFilename><SourceBand>1</SourceBand></SimpleSource></VRTRasterBand></VRTDataset>"
    );
    fs::write(&vrt, text).expect("write");
    assert!(info(&vrt.display().to_string()).is_err());
}

#[test]
fn a_raster_without_coordinate_system_or_rotated_is_refused() {
    let folder = tempfile::tempdir().expect("folder");
    init();
    let driver = DriverManager::get_driver_by_name("GTiff").expect("there");
    for (name, transform, why) in [
        (
            "nowhere.tif",
            [500_000.0, 10.0, 0.0, 1_150_000.0, 0.0, -10.0],
            "coordinate system unknown",
        ),
        (
            "turned.tif",
            [500_000.0, 10.0, 1.0, 1_150_000.0, 1.0, -10.0],
            "not north-up",
        ),
    ] {
        let path = folder.path().join(name);
        let mut made = driver
            .create_with_band_type::<u8, _>(&path, 4, 4, 1)
            .expect("created");
        made.set_geo_transform(&transform).expect("set");
        drop(made);
        let error = info(&path.display().to_string())
            .expect_err("refused")
            .to_string();
        assert!(error.contains(why), "{error}");
    }
}

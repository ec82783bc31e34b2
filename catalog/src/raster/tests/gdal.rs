//! Agreement with GDAL both ways (3.6.2 when this was written); passes with a message where its tools are not installed.

use super::super::*;
use super::{grid, picture, profile};
use std::path::{Path, PathBuf};
use std::process::Command;

const WIDTH: usize = 301;
const HEIGHT: usize = 217;

/// Runs a tool; false (with a message) when it is not there.
fn run(tool: &str, arguments: &[&str]) -> bool {
    let Ok(output) = Command::new(tool).args(arguments).output() else {
        eprintln!("{tool} is not installed; its part of the test is left out");
        return false;
    };
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{tool} {arguments:?}: {said}");
    assert!(
        !said.contains("ERROR") && !said.contains("Warning"),
        "{tool} {arguments:?}: {said}"
    );
    true
}

fn text(path: &Path) -> &str {
    path.to_str().expect("temporary paths are UTF-8")
}

/// Writes `rows` with our writer.
fn ours<T: Pixel>(path: &Path, rows: &[T], compression: Compression) {
    let mut writer = CogWriter::create(path, profile::<T>(WIDTH, HEIGHT, compression)).expect("create");
    writer.write_rows(rows).expect("rows");
    writer.finish().expect("finish");
}

fn plus<T: Pixel>(rows: &[T], more: f64) -> Vec<T> {
    let add = |&v: &T| {
        if v.to_f64() == 0.0 {
            v
        } else {
            T::from_f64((v.to_f64() + more) % 200.0 + 1.0)
        }
    };
    rows.iter().map(add).collect()
}

const COMMON: &[&[&str]] = &[
    &[],
    &["COMPRESS=DEFLATE", "TILED=YES", "BLOCKXSIZE=64", "BLOCKYSIZE=32"],
    &["COMPRESS=DEFLATE", "PREDICTOR=2", "TILED=YES"],
    &[
        "COMPRESS=ZSTD",
        "PREDICTOR=2",
        "TILED=YES",
        "BLOCKXSIZE=128",
        "BLOCKYSIZE=128",
    ],
    &["COMPRESS=ZSTD"],
    &["COMPRESS=DEFLATE", "PREDICTOR=2", "BLOCKYSIZE=7"],
    &["BLOCKYSIZE=217"],
    &["ENDIANNESS=BIG"],
    &["ENDIANNESS=BIG", "COMPRESS=DEFLATE", "PREDICTOR=2", "TILED=YES"],
    &["ENDIANNESS=BIG", "COMPRESS=ZSTD", "BIGTIFF=YES"],
    &["BIGTIFF=YES", "COMPRESS=ZSTD", "PREDICTOR=2", "TILED=YES"],
    &[
        "SPARSE_OK=TRUE",
        "COMPRESS=DEFLATE",
        "TILED=YES",
        "BLOCKXSIZE=16",
        "BLOCKYSIZE=16",
    ],
];
const FLOAT: &[&[&str]] = &[
    &["COMPRESS=DEFLATE", "PREDICTOR=3", "TILED=YES"],
    &["COMPRESS=ZSTD", "PREDICTOR=3"],
    // not with ENDIANNESS=BIG: libtiff 4.5.0 writes the planes upside down then and does not read its own file back
];

fn reads_what_gdal_writes<T: Pixel>() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let base = picture::<T>(WIDTH, HEIGHT);
    let bands = [base.clone(), plus(&base, 31.0), plus(&base, 77.0)];
    let names: Vec<PathBuf> = (0..3)
        .map(|band| folder.path().join(format!("{band}.tif")))
        .collect();
    for (name, rows) in names.iter().zip(&bands) {
        ours(name, rows, Compression::Deflate(1));
    }
    let stack = folder.path().join("stack.vrt");
    let names: Vec<&str> = names.iter().map(|name| text(name)).collect();
    if !run(
        "gdalbuildvrt",
        &["-q", "-separate", text(&stack), names[0], names[1], names[2]],
    ) {
        return;
    }
    let out = folder.path().join("out.tif");
    let float = if T::DATA_TYPE == DataType::F32 { FLOAT } else { &[] };
    for options in COMMON.iter().chain(float) {
        for (source, count, interleave) in [
            (names[0], 1, "PIXEL"),
            (text(&stack), 3, "PIXEL"),
            (text(&stack), 3, "BAND"),
        ] {
            let interleave = format!("INTERLEAVE={interleave}");
            let mut arguments = vec!["-q", "-co", &interleave];
            arguments.extend(options.iter().flat_map(|option| ["-co", option]));
            arguments.extend([source, text(&out)]);
            run("gdal_translate", &arguments);
            let cog = Cog::open(&out).unwrap_or_else(|e| panic!("{arguments:?}: {e}"));
            assert_eq!(
                (cog.bands(), cog.data_type(), cog.nodata()),
                (count, T::DATA_TYPE, Some(0.0))
            );
            assert_eq!(cog.grid(), &grid(WIDTH, HEIGHT));
            for (band, expected) in bands.iter().enumerate().take(count) {
                let rows = cog.read_window::<T>(0, band, cog.grid().window()).expect("read");
                assert!(&rows == expected, "{arguments:?} band {band}");
                let level = cog.levels()[0];
                let (column, row) = (level.block_columns() - 1, level.block_rows() - 1);
                let block = cog.read_block(0, band, column, row).expect("the last block");
                let block = T::slice(&block).expect("its type");
                let corner = row * level.block_height * WIDTH + column * level.block_width;
                assert_eq!(
                    (block.len(), block[0]),
                    (level.block_width * level.block_height, expected[corner])
                );
            }
        }
    }
}

#[test]
fn files_of_gdal_are_read_to_the_bit_u8() {
    reads_what_gdal_writes::<u8>();
}

#[test]
fn files_of_gdal_are_read_to_the_bit_i16() {
    reads_what_gdal_writes::<i16>();
}

#[test]
fn files_of_gdal_are_read_to_the_bit_u16() {
    reads_what_gdal_writes::<u16>();
}

#[test]
fn files_of_gdal_are_read_to_the_bit_f32() {
    reads_what_gdal_writes::<f32>();
}

fn gdal_reads_ours<T: Pixel>(compression: Compression) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (path, raw) = (folder.path().join("ours.tif"), folder.path().join("raw.bin"));
    let base = picture::<T>(WIDTH, HEIGHT);
    ours(&path, &base, compression);
    let cog = Cog::open(&path).expect("open");
    for (index, level) in cog.levels().iter().enumerate() {
        let overview = format!("OVERVIEW_LEVEL={}", index.wrapping_sub(1));
        let mut arguments = vec!["-q", "-of", "ENVI", text(&path), text(&raw)];
        if index > 0 {
            arguments.extend(["-oo", &overview]);
        }
        if !run("gdal_translate", &arguments) {
            return;
        }
        let window = crate::Window {
            column: 0,
            row: 0,
            width: level.width,
            height: level.height,
        };
        let own = cog.read_window::<T>(index, 0, window).expect("read");
        let mut bytes = vec![0; own.len() * T::DATA_TYPE.bytes()];
        T::pack(&own, false, &mut bytes);
        assert!(
            std::fs::read(&raw).expect("raw") == bytes,
            "{:?} level {index}",
            T::DATA_TYPE
        );
    }
    // GDAL's Python comes with the system's interpreter
    let validator = ["-m", "osgeo_utils.samples.validate_cloud_optimized_geotiff"];
    let there = Command::new("/usr/bin/python3")
        .args(["-c", "import osgeo_utils"])
        .output();
    if there.is_ok_and(|output| output.status.success()) {
        run(
            "/usr/bin/python3",
            &[validator[0], validator[1], "-q", text(&path)],
        );
    } else {
        eprintln!("python3-gdal is not installed; the validator's part of the test is left out");
    }
    let info = Command::new("gdalinfo")
        .args(["-json", text(&path)])
        .output()
        .expect("gdalinfo");
    let info: serde_json::Value = serde_json::from_slice(&info.stdout).expect("json");
    assert_eq!(
        info["geoTransform"],
        serde_json::json!([500000.0, 10.0, 0.0, 1160000.0, 0.0, -10.0])
    );
    assert_eq!(info["bands"][0]["description"], "a < b & c");
    assert_eq!(info["bands"][0]["scale"], 0.0001);
    assert_eq!(info["bands"][0]["noDataValue"], 0.0);
    assert_eq!(info["metadata"]["IMAGE_STRUCTURE"]["LAYOUT"], "COG");
    assert_eq!(info["stac"]["proj:epsg"], 32648);
}

#[test]
fn gdal_reads_what_is_written_here() {
    for compression in [Compression::Zstd(1), Compression::Deflate(6)] {
        gdal_reads_ours::<u8>(compression);
        gdal_reads_ours::<i16>(compression);
        gdal_reads_ours::<u16>(compression);
        gdal_reads_ours::<f32>(compression);
    }
}

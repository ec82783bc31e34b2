//! Round trips of our own files, GDAL's files, and damaged ones.

mod damaged;
mod gdal;
mod speed;

use super::*;
use crate::{Crs, Grid, Window};
use std::path::Path;

fn grid(width: usize, height: usize) -> Grid {
    Grid {
        crs: Crs::UTM_48N,
        west: 500_000.0,
        north: 1_160_000.0,
        cell_width: 10.0,
        cell_height: 10.0,
        width,
        height,
    }
}

fn profile<T: Pixel>(width: usize, height: usize, compression: Compression) -> CogProfile {
    CogProfile {
        grid: grid(width, height),
        data_type: T::DATA_TYPE,
        nodata: Some(0.0),
        scale: 0.0001,
        offset: 0.0,
        compression,
        block: 64,
        overviews: Overviews::Average,
        description: "a < b & c".into(),
    }
}

/// A picture with smooth parts, noise and holes of 0.
fn picture<T: Pixel>(width: usize, height: usize) -> Vec<T> {
    let pixel = |index: usize| {
        let (x, y) = (index % width, index / width);
        if (x / 70 + y / 70) % 3 == 0 {
            return T::from_f64(0.0);
        }
        T::from_f64((x * 3 + y * 2 + (x * 7919 + y * 104_729) % 17) as f64 % 251.0 + 1.0)
    };
    (0..width * height).map(pixel).collect()
}

fn round_trip<T: Pixel>(compression: Compression) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("a.tif");
    let (width, height) = (301, 217);
    let rows = picture::<T>(width, height);
    let mut writer = CogWriter::create(&path, profile::<T>(width, height, compression)).expect("create");
    for part in rows.chunks(width * 50) {
        writer.write_rows(part).expect("rows");
    }
    writer.finish().expect("finish");
    let cog = Cog::open(&path).expect("open");
    assert_eq!(cog.grid(), &grid(width, height));
    assert_eq!(
        (cog.data_type(), cog.bands(), cog.nodata()),
        (T::DATA_TYPE, 1, Some(0.0))
    );
    assert_eq!(cog.scale_offset(0), (0.0001, 0.0));
    assert_eq!(cog.band_metadata(0, "DESCRIPTION"), Some("a < b & c"));
    let whole = cog.read_window::<T>(0, 0, cog.grid().window()).expect("read");
    assert!(whole == rows, "{:?} {compression:?}", T::DATA_TYPE);
    let sizes: Vec<_> = cog
        .levels()
        .iter()
        .map(|level| (level.width, level.height))
        .collect();
    assert_eq!(sizes, [(301, 217), (151, 109), (76, 55), (38, 28)]);
    let window = Window {
        column: 60,
        row: 63,
        width: 77,
        height: 3,
    };
    let part = cog.read_window::<T>(0, 0, window).expect("read");
    for (index, value) in part.iter().enumerate() {
        assert_eq!(*value, rows[(63 + index / 77) * width + 60 + index % 77]);
    }
}

#[test]
fn every_type_survives_every_compression() {
    for compression in [Compression::Zstd(1), Compression::Deflate(1)] {
        round_trip::<u8>(compression);
        round_trip::<i16>(compression);
        round_trip::<u16>(compression);
        round_trip::<f32>(compression);
    }
}

#[test]
fn a_missing_file_is_an_io_error() {
    assert!(matches!(
        Cog::open(Path::new("/nonexistent.tif")),
        Err(crate::Error::Io { .. })
    ));
}

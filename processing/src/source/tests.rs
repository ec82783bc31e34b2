//! Each kind of delivery: tiny made files everywhere, the real samples where they are present.

use super::*;
use chrono::{DateTime, Utc};
use sen_catalog::{Crs, Grid};

mod api;
mod geotiff;
mod landsat;
mod safe;
mod sentinel1;
mod stac;

/// Real data beside the workspace; `None` (said on stderr) where they are absent.
fn shared(path: &str) -> Option<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../shared/data")
        .join(path);
    let found = path.exists().then(|| path.display().to_string());
    if found.is_none() {
        eprintln!("skipped: {} is absent", path.display());
    }
    found
}

fn with_layouts(texts: &[&str]) -> SourceOptions {
    let layout = |text: &&str| {
        let layout: GeotiffLayout = toml::from_str(text).expect("layout");
        layout.check().expect("sound layout");
        layout
    };
    SourceOptions {
        geotiff: texts.iter().map(layout).collect(),
        ..SourceOptions::default()
    }
}

/// A square grid of 10 m cells in the delta.
fn grid(side: usize) -> Grid {
    Grid {
        crs: Crs::UTM_48N,
        west: 560_000.0,
        north: 1_150_000.0,
        cell_width: 10.0,
        cell_height: 10.0,
        width: side,
        height: side,
    }
}

/// Writes a small UInt16 GeoTIFF on [`grid`].
fn made(path: &Path, side: usize, bands: &[Vec<f32>], metadata: &[(&str, &str)]) {
    std::fs::create_dir_all(path.parent().expect("in a folder")).expect("made");
    crate::gdal_io::write_raster(path, ("GTiff", "UInt16"), &grid(side), bands, None, metadata);
}

/// The one scene of a find without failures.
fn only(found: Found) -> Item {
    assert_eq!(found.failures, []);
    assert_eq!(found.scenes.len(), 1);
    found.scenes.into_iter().next().expect("one")
}

fn only_failure(found: Found) -> Failure {
    assert!(found.scenes.is_empty(), "{:?}", found.scenes);
    assert_eq!(found.failures.len(), 1, "{:?}", found.failures);
    found.failures.into_iter().next().expect("one")
}

#[test]
fn what_is_not_there_or_no_imagery_is_refused() {
    let options = SourceOptions::default();
    assert!(
        discover("/nowhere/at/all", &options)
            .expect_err("absent")
            .to_string()
            .contains("no such file")
    );
    let folder = tempfile::tempdir().expect("folder");
    std::fs::write(folder.path().join("notes.txt"), "nothing").expect("written");
    let location = folder.path().display().to_string();
    assert!(
        discover(&location, &options)
            .expect_err("empty")
            .to_string()
            .contains("no imagery")
    );
    let unknown = SourceOptions {
        source: Some("modis".into()),
        ..options
    };
    assert!(
        discover(&location, &unknown)
            .expect_err("unknown")
            .to_string()
            .contains("sentinel-2-safe")
    );
}

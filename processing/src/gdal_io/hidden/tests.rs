//! Files whose cells are hidden in every way that programs hide them.

use super::super::{Resampling, info, sample, spatial_ref, warp_onto};
use gdal::DriverManager;
use gdal::raster::{Buffer, ColorInterpretation, RasterCreationOptions};
use sen_catalog::{Crs, Grid};
use std::path::{Path, PathBuf};

const SIDE: usize = 40;

fn grid() -> Grid {
    Grid {
        crs: Crs::UTM_48N,
        west: 500_000.0,
        north: 1_150_000.0,
        cell_width: 10.0,
        cell_height: 10.0,
        width: SIDE,
        height: SIDE,
    }
}

/// The left half is hidden; the stored numbers below it look like any others.
fn hidden(column: usize) -> bool {
    column < SIDE / 2
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum How {
    MaskInside,
    MaskBeside,
    Alpha,
    NodataBeside,
}

/// Two bands of 1234 and, for [`How::Alpha`], a third one.
fn write(folder: &Path, how: How) -> PathBuf {
    super::super::init();
    let path = folder.join(format!("{how:?}.tif"));
    let inside = if how == How::MaskInside { "YES" } else { "NO" };
    gdal::config::set_thread_local_config_option("GDAL_TIFF_INTERNAL_MASK", inside).expect("set");
    let driver = DriverManager::get_driver_by_name("GTiff").expect("built in");
    let bands = if how == How::Alpha { 3 } else { 2 };
    let mut options = RasterCreationOptions::new();
    options.add_name_value("TILED", "YES").expect("added");
    let mut made = driver
        .create_with_band_type_with_options::<u16, _>(&path, SIDE, SIDE, bands, &options)
        .expect("created");
    made.set_geo_transform(&grid().geotransform()).expect("set");
    made.set_spatial_ref(&spatial_ref(Crs::UTM_48N).expect("known"))
        .expect("set");
    let size = (SIDE, SIDE);
    let cells =
        |of: &dyn Fn(usize) -> u16| Buffer::new(size, (0..SIDE * SIDE).map(|at| of(at % SIDE)).collect());
    for band in 1..=2 {
        let stored = |column| {
            if how == How::NodataBeside && hidden(column) {
                7
            } else {
                1234
            }
        };
        let mut band = made.rasterband(band).expect("there");
        band.write((0, 0), size, &mut cells(&stored)).expect("written");
    }
    match how {
        How::Alpha => {
            let mut band = made.rasterband(3).expect("there");
            band.set_color_interpretation(ColorInterpretation::AlphaBand)
                .expect("set");
            // what is a little opaque counts
            let opaque = |column| {
                if hidden(column) {
                    0
                } else {
                    1 + (column % 2) as u16 * 254
                }
            };
            band.write((0, 0), size, &mut cells(&opaque)).expect("written");
        }
        How::NodataBeside => {
            let notes = "<PAMDataset><PAMRasterBand band=\"1\"><NoDataValue>7</NoDataValue><Scale>0.01</Scale>\
                         <Offset>-0.5</Offset></PAMRasterBand></PAMDataset>";
            std::fs::write(folder.join(format!("{how:?}.tif.aux.xml")), notes).expect("written");
        }
        How::MaskInside | How::MaskBeside => {
            let mut band = made.rasterband(1).expect("there");
            band.create_mask_band(true).expect("made");
            let mut mask = band.open_mask_band().expect("there");
            let seen = (0..SIDE * SIDE)
                .map(|at| if hidden(at % SIDE) { 0_u8 } else { 255 })
                .collect();
            mask.write((0, 0), size, &mut Buffer::new(size, seen))
                .expect("written");
        }
    }
    drop(made);
    gdal::config::clear_thread_local_config_option("GDAL_TIFF_INTERNAL_MASK").expect("cleared");
    path
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("there").flatten();
    let mut names: Vec<String> = entries
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn masks_alpha_bands_and_what_lies_beside_a_file_hide_cells_copied_warped_or_sampled() {
    for how in [How::MaskInside, How::MaskBeside, How::Alpha, How::NodataBeside] {
        let folder = tempfile::tempdir().expect("folder");
        let path = write(folder.path(), how);
        let href = path.to_str().expect("UTF-8");
        let before = names(folder.path());
        assert_eq!(
            before.contains(&"MaskBeside.tif.msk".to_owned()),
            how == How::MaskBeside
        );
        let bands = if how == How::NodataBeside { 1..=1 } else { 1..=2 };
        for band in bands {
            let copied = warp_onto(href, band, &grid(), Resampling::Nearest, None).expect("reads");
            let sampled = sample(href, band, SIDE, None).expect("reads");
            for pixels in [copied, sampled] {
                for (at, pixel) in pixels.iter().enumerate() {
                    assert_eq!(
                        pixel.is_nan(),
                        hidden(at % SIDE),
                        "{how:?}, band {band}, cell {at}: {pixel}"
                    );
                    assert!(pixel.is_nan() || *pixel == 1234.0, "{how:?}: {pixel}");
                }
            }
            // half a cell aside and finer: nothing of what is hidden is mixed in
            let aside = Grid {
                west: grid().west + 10.0 * (SIDE / 4) as f64 + 2.5,
                cell_width: 5.0,
                cell_height: 5.0,
                ..grid()
            };
            for resampling in [Resampling::Nearest, Resampling::Bilinear, Resampling::Average] {
                let pixels = warp_onto(href, band, &aside, resampling, None).expect("reads");
                let seen: Vec<f32> = pixels.iter().copied().filter(|pixel| !pixel.is_nan()).collect();
                assert!(
                    seen.len() * 3 > pixels.len() && seen.len() * 3 < 2 * pixels.len(),
                    "{how:?} {resampling:?}: {} of {} cells are seen",
                    seen.len(),
                    pixels.len()
                );
                assert!(
                    seen.iter().all(|pixel| (pixel - 1234.0).abs() < 1e-2),
                    "{how:?} {resampling:?}"
                );
            }
        }
        let header = info(href).expect("opens");
        assert_eq!(header.alpha, (how == How::Alpha).then_some(3));
        if how == How::NodataBeside {
            assert_eq!(
                (header.nodata[0], header.calibrations[0]),
                (Some(7.0), (0.01, -0.5))
            );
        }
        assert_eq!(
            names(folder.path()),
            before,
            "reading writes nothing beside a delivery"
        );
    }
}

#[test]
fn a_mask_or_notes_that_cannot_be_read_are_named_and_never_passed_over() {
    let folder = tempfile::tempdir().expect("folder");
    let path = write(folder.path(), How::MaskBeside);
    let href = path.to_str().expect("UTF-8");
    let mask = folder.path().join("MaskBeside.tif.msk");
    let whole = std::fs::read(&mask).expect("there");
    let reason = || {
        let error = warp_onto(href, 1, &grid(), Resampling::Nearest, None).expect_err("refused");
        error.to_string()
    };
    std::fs::write(&mask, &whole[..20]).expect("written");
    assert!(reason().contains("MaskBeside.tif.msk"), "{}", reason());
    std::fs::write(&mask, "<VRTDataset/>").expect("written");
    assert!(reason().contains("MaskBeside.tif.msk"), "{}", reason());
    // a mask of another raster
    let small = [vec![1.0; 9]];
    super::super::write_raster(
        &mask,
        ("GTiff", "UInt16"),
        &Grid {
            width: 3,
            height: 3,
            ..grid()
        },
        &small,
        None,
        &[],
    );
    assert!(reason().contains("3 x 3"), "{}", reason());
    std::fs::write(&mask, whole).expect("written");
    assert!(warp_onto(href, 1, &grid(), Resampling::Nearest, None).is_ok());
    for notes in [
        "<PAMDataset><PAMRasterBand",
        "<PAMDataset><NoDataValue>7</NoData",
        "",
    ] {
        std::fs::write(folder.path().join("MaskBeside.tif.aux.xml"), notes).expect("written");
        assert!(
            reason().contains("MaskBeside.tif.aux.xml"),
            "{notes}: {}",
            reason()
        );
    }
}

//! The methods against the figures measured on chip Spain_7370579 of Sen1Floods11 (NumPy 1.24.2, and the sources named
//! beside each method), where the project's folder of real data is present.

use super::change::changed;
use super::optical::{self, Dswx, Spectrum};
use super::radar::{Bands, Join, RULE, Rule, Thresholds};
use super::threshold::Histogram;
use super::{decibel, ensemble, linear_of, power, radar, speckle};
use crate::gdal_io::{self, Resampling};
use std::path::{Path, PathBuf};

fn chip(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../shared/data/flood")
        .join(name);
    if !path.exists() {
        println!("skipped: {} is not on this machine", path.display());
        return None;
    }
    Some(path)
}

fn band(path: &Path, index: usize) -> Vec<f32> {
    let href = path.to_str().expect("UTF-8");
    let grid = gdal_io::info(href).expect("opens").grid;
    gdal_io::warp_onto(href, index, &grid, Resampling::Nearest, None).expect("reads")
}

fn label() -> Option<Vec<f32>> {
    chip("labels/Spain_7370579_LabelHand.tif").map(|path| band(&path, 1))
}

fn iou(label: &[f32], water: impl Fn(usize) -> bool) -> f64 {
    let (mut both, mut either) = (0.0, 0.0);
    for (cell, &label) in label.iter().enumerate().filter(|(_, label)| **label >= 0.0) {
        both += f64::from(u8::from(label == 1.0 && water(cell)));
        either += f64::from(u8::from(label == 1.0 || water(cell)));
    }
    both / either
}

#[track_caller]
fn near(got: f64, expected: f64) {
    assert!(
        (got - expected).abs() <= 1e-4,
        "IoU {got:.5}, measured {expected}"
    );
}

/// Near infrared as DSWx takes it.
const B8A: usize = 9;
/// Near infrared of 10 m, as NDWI and AWEI were measured with.
const B8: usize = 8;

fn spectra(nir: usize) -> Option<Vec<Spectrum>> {
    let path = chip("s2/Spain_7370579_S2Hand.tif")?;
    // bands B2, B3, B4, B8 or B8A, B11, B12 of thirteen
    let bands: Vec<Vec<f32>> = [2, 3, 4, nir, 12, 13]
        .iter()
        .map(|&index| band(&path, index))
        .collect();
    let cell = |index: usize| Spectrum {
        blue: bands[0][index] / 10_000.0,
        green: bands[1][index] / 10_000.0,
        red: bands[2][index] / 10_000.0,
        nir: bands[3][index] / 10_000.0,
        swir16: bands[4][index] / 10_000.0,
        swir22: bands[5][index] / 10_000.0,
    };
    Some((0..bands[0].len()).map(cell).collect())
}

#[test]
fn dswx_bits_of_the_spanish_chip_are_those_counted_with_float32_reflectance() {
    let Some(spectra) = spectra(B8A) else { return };
    let mut counts = [0_u32; 32];
    for spectrum in &spectra {
        counts[usize::from(spectrum.dswx_bits())] += 1;
    }
    let listed = [
        (0b00000, 165_998),
        (0b00001, 5177),
        (0b00010, 43),
        (0b00011, 1),
        (0b00100, 2513),
        (0b00101, 5276),
        (0b00110, 1896),
        (0b00111, 8964),
        (0b01000, 360),
        (0b01001, 18),
        (0b01100, 828),
        (0b01101, 2335),
        (0b01110, 187),
        (0b01111, 28058),
        (0b10000, 3397),
        (0b10001, 767),
        (0b10100, 10),
        (0b10101, 22),
        (0b11000, 689),
        (0b11001, 469),
        (0b11100, 702),
        (0b11101, 2731),
        (0b11110, 73),
        (0b11111, 31630),
    ];
    let mut expected = [0; 32];
    for (bits, count) in listed {
        expected[bits] = count;
    }
    assert_eq!(counts, expected);
}

#[test]
fn optical_methods_score_as_measured_on_the_spanish_chip() {
    let (Some(spectra), Some(broad), Some(label)) = (spectra(B8A), spectra(B8), label()) else {
        return;
    };
    let values = |of: fn(&Spectrum) -> f32| spectra.iter().map(of).collect::<Vec<f32>>();
    let mndwi = values(Spectrum::mndwi);
    let ndwi: Vec<f32> = broad.iter().map(Spectrum::ndwi).collect();
    near(iou(&label, |cell| mndwi[cell] > 0.0), 0.6124);
    near(iou(&label, |cell| mndwi[cell] > 0.124), 0.7077);
    near(iou(&label, |cell| ndwi[cell] > 0.0), 0.6763);
    let (threshold, _) = Histogram::full(&mndwi)
        .expect("values")
        .otsu()
        .expect("two classes");
    assert!((threshold - 0.157).abs() < 1e-3, "{threshold}");
    near(iou(&label, |cell| mndwi[cell] > threshold), 0.7186);
    let (threshold, _) = Histogram::full(&ndwi)
        .expect("values")
        .otsu()
        .expect("two classes");
    assert!((threshold + 0.019).abs() < 1e-3, "{threshold}");
    near(iou(&label, |cell| ndwi[cell] > threshold), 0.6923);
    near(iou(&label, |cell| broad[cell].awei_sh() > 0.0), 0.7076);
    near(iou(&label, |cell| broad[cell].awei_nsh() > 0.0), 0.7172);
    near(iou(&label, |cell| spectra[cell].dswx() == Dswx::High), 0.7127);
    near(iou(&label, |cell| spectra[cell].dswx().is_open()), 0.7563);
    let conservative = |class: Dswx| class.is_open() || class == Dswx::PartialConservative;
    near(iou(&label, |cell| conservative(spectra[cell].dswx())), 0.7528);
}

#[test]
fn radar_methods_score_as_measured_on_the_spanish_chip() {
    let (Some(path), Some(label)) = (chip("s1/Spain_7370579_S1Hand.tif"), label()) else {
        return;
    };
    let (vv, vh) = (band(&path, 1), band(&path, 2));
    let otsu = |values: &[f32]| {
        Histogram::full(values)
            .expect("values")
            .otsu()
            .expect("two classes")
            .0
    };
    let check = |values: &[f32], threshold: f32, expected: (f32, f64)| {
        assert!((threshold - expected.0).abs() < 0.006, "{threshold}");
        near(iou(&label, |cell| values[cell] < threshold), expected.1);
    };
    check(&vh, otsu(&vh), (-21.82, 0.5661));
    check(&vv, otsu(&vv), (-13.77, 0.5671));
    let (median_vh, median_vv) = (speckle::median(&vh, 512, 3), speckle::median(&vv, 512, 3));
    let (at_vh, at_vv) = (otsu(&median_vh), otsu(&median_vv));
    check(&median_vh, at_vh, (-21.32, 0.6096));
    check(&median_vv, at_vv, (-13.92, 0.6062));
    near(
        iou(&label, |cell| median_vh[cell] < at_vh || median_vv[cell] < at_vv),
        0.6254,
    );
    let kittler = Histogram::clipped(&median_vh)
        .expect("values")
        .kittler_illingworth()
        .expect("two classes");
    check(&median_vh, kittler, (-21.73, 0.6021));
    let lee = |values: &[f32]| radar::filtered(&linear_of(values), 512);
    let (lee_vh, lee_vv) = (lee(&vh), lee(&vv));
    check(&lee_vh, otsu(&lee_vh), (-20.99, 0.5927));
    near(
        iou(&label, |cell| lee_vv[cell] < -15.5 || lee_vh[cell] < -23.0),
        0.5642,
    );
    near(iou(&label, |cell| vh[cell] < -25.13), 0.4665);
}

#[test]
fn kittler_on_the_raw_histogram_runs_into_the_bright_tail_and_is_dropped() {
    let Some(path) = chip("s1/Spain_7370579_S1Hand.tif") else {
        return;
    };
    let vv = band(&path, 1);
    let raw = Histogram::full(&vv)
        .expect("values")
        .kittler_illingworth()
        .expect("two classes");
    assert!(raw > 0.0, "a threshold of {raw} dB would call everything water");
    assert_eq!(radar::VV.within([raw].into_iter()), None);
    assert_eq!(radar::VV.held([raw].into_iter()), Some(-11.0));
}

#[test]
fn one_hump_is_no_threshold_and_two_are() {
    // sums of twelve uniform numbers: nearly Gaussian, standard deviation 1
    let mut uniform = uniform(7);
    let mut gauss = |mean: f32| (0..12).map(|_| uniform()).sum::<f32>() - 6.0 + mean;
    let land: Vec<f32> = (0..16_384).map(|_| gauss(-15.0)).collect();
    assert_eq!(radar::VH.of_tile(&land), None);
    let mixed: Vec<f32> = (0..16_384)
        .map(|cell| gauss(if cell % 4 == 0 { -24.0 } else { -15.0 }))
        .collect();
    let found = radar::VH.of_tile(&mixed).expect("two humps");
    assert!((-21.0..-18.0).contains(&found.otsu), "{found:?}");
    assert!((-22.0..-18.0).contains(&found.kittler), "{found:?}");
    let few: Vec<f32> = (0..16_384)
        .map(|cell| gauss(if cell % 50 == 0 { -24.0 } else { -15.0 }))
        .collect();
    assert_eq!(
        radar::VH.of_tile(&few),
        None,
        "2 % water is too little to set a threshold by"
    );
}

#[test]
fn change_is_a_difference_of_decibel_in_either_polarisation_and_silent_where_it_was_dark_before() {
    let at = Thresholds::default(); // VV -15.5, VH -21
    // fell by 4 dB; by 4 dB of -20 (a ratio of 1.2); by 2 dB; by 4 dB but still bright; no reference
    let after = [-18.0, -24.0, -22.0, -14.0, -18.0];
    let before = [-14.0, -20.0, -20.0, -10.0, f32::NAN];
    let one = |vv: bool| {
        let bands = |values| {
            if vv {
                Bands {
                    vv: Some(values),
                    vh: None,
                }
            } else {
                Bands {
                    vv: None,
                    vh: Some(values),
                }
            }
        };
        changed(bands(&after), bands(&before), &at).water
    };
    let (vv, vh) = (one(true), one(false));
    assert_eq!((vv[0], vv[3]), (1.0, 0.0));
    assert!(
        vv[1].is_nan() && vv[2].is_nan() && vv[4].is_nan(),
        "-20 dB of VV was dark before: {vv:?}"
    );
    assert_eq!(vh[..4], [0.0, 1.0, 0.0, 0.0], "-18 dB is no water in VH");
}

/// Tiles of 128 x 128 cells side by side, each of two halves of nearly Gaussian decibel: means and standard deviations.
fn made_tiles(tiles: &[[(f32, f32); 2]], seed: u64) -> (Vec<f32>, usize) {
    let mut uniform = uniform(seed);
    let width = 128 * tiles.len();
    let mut cell = |index: usize| {
        let column = index % width;
        let (mean, spread) = tiles[column / 128][usize::from(column % 128 >= 64)];
        mean + spread * ((0..12).map(|_| uniform()).sum::<f32>() - 6.0)
    };
    ((0..128 * width).map(&mut cell).collect(), width)
}

#[test]
fn tiles_whose_threshold_lies_outside_the_bounds_are_dropped_and_not_clamped() {
    let (water, field, town) = ((-26.0, 1.0), (-15.0, 1.0), (-3.0, 1.0));
    // fields beside towns part at -9 dB: held at the bound they would make VH -18
    let (vh, width) = made_tiles(
        &[
            [water, field],
            [field, town],
            [field, town],
            [water, field],
            [field, town],
        ],
        11,
    );
    let only = |vh: &[f32], width| {
        Thresholds::of_image(
            Bands {
                vv: None,
                vh: Some(vh),
            },
            width,
        )
    };
    let at = only(&vh, width);
    assert!((-23.0..-18.5).contains(&at.vh), "{at:?}");
    assert!(at.tiles > 0);
    let (towns, width) = made_tiles(&[[field, town], [field, town]], 12);
    assert_eq!(
        only(&towns, width),
        Thresholds::default(),
        "nothing is left: the fixed ones"
    );
    // each method for itself: Kittler's tile is dropped, Otsu's of the same tile counts, and the reverse
    let split = |otsu, kittler| super::threshold::Split { otsu, kittler };
    let of = |tiles: &[_]| Thresholds::from_tiles(&[], tiles).vh;
    assert_eq!(
        of(&[split(-20.0, -30.0), split(-22.0, -12.0), split(-24.0, -21.0)]),
        -21.0
    );
    assert_eq!(of(&[split(-20.0, -30.0)]), -20.0);
    assert_eq!(of(&[split(-17.0, -19.0)]), -19.0);
    // optics keep their floor
    assert_eq!(
        optical::Thresholds::from_tiles(&[split(-0.5, 0.0)], &[]).mndwi,
        0.0
    );
}

#[test]
fn regions_are_grown_by_the_higher_of_otsu_and_kittler() {
    // wide dark water beside narrow land: Otsu parts them in the middle, Kittler close to the land
    let (vh, width) = made_tiles(&[[(-26.0, 2.4), (-18.8, 0.5)]], 13);
    let tile = radar::VH.of_tile(&vh).expect("two humps");
    assert!(tile.kittler > tile.otsu + 1.0, "{tile:?}");
    let look = Bands {
        vv: None,
        vh: Some(&vh),
    };
    let at = Thresholds::of_image(look, width);
    assert_eq!((at.vh, at.tiles), (tile.kittler, 1));
    let found = |vh: f32| {
        let at = Thresholds { vh, ..at };
        let water = radar::regions(look, width, &at, &RULE).water;
        let wet = water.iter().enumerate().filter(|(cell, _)| cell % 128 < 64);
        wet.filter(|(_, water)| **water == 1.0).count() as f64 / (64.0 * 128.0)
    };
    assert!(
        found(at.vh) > 0.97 && found(tile.otsu) < 0.97,
        "{} {}",
        found(at.vh),
        found(tile.otsu)
    );
}

#[test]
fn a_field_that_is_dark_in_vv_alone_is_no_water_and_without_vh_it_is() {
    let (vv, vh) = ([-17.0_f32; 9], [-19.0_f32; 9]);
    let water = |vh| {
        let look = Bands { vv: Some(&vv), vh };
        ensemble::radar_look(look, None, 3, &Thresholds::default(), &RULE).water
    };
    assert_eq!(water(Some(&vh)), [0.0; 9]);
    assert_eq!(water(None), [1.0; 9]);
}

#[test]
fn two_algorithms_that_disagree_are_water_and_three_vote() {
    // a little below the threshold: by its cells water, by its regions none, for there is no seed
    let (vv, vh) = ([-17.0_f32; 9], [-22.0_f32; 9]);
    let look = Bands {
        vv: Some(&vv),
        vh: Some(&vh),
    };
    let at = Thresholds::default(); // VV -15.5, VH -21
    assert_eq!(radar::regions(look, 3, &at, &RULE).water, [0.0; 9]);
    assert_eq!(radar::by_cell(look, &at).water, [1.0; 9]);
    let of = |reference, join| ensemble::radar_look(look, reference, 3, &at, &Rule { join, ..RULE }).water;
    assert_eq!(of(None, Join::Union), [1.0; 9]);
    // likelihoods 67 by the cells, (2 x 67 + 100) / 3 = 78 by the regions
    assert_eq!(of(None, Join::Likelihood), [1.0; 9]);
    let (field, dark_field) = ([-9.0_f32; 9], [-15.4_f32; 9]);
    let before = |vv| Bands {
        vv: Some(vv),
        vh: None,
    };
    assert_eq!(
        of(Some(before(&field)), Join::Union),
        [1.0; 9],
        "fell by 8 dB: two of three"
    );
    assert_eq!(
        of(Some(before(&dark_field)), Join::Union),
        [0.0; 9],
        "fell by 1.6 dB: one of three"
    );
    assert_eq!(
        of(Some(look), Join::Union),
        [1.0; 9],
        "the reference was as dark and has no vote"
    );
    // bright in VV: 53 and (2 x 53 + 0) / 3 = 36, where union and likelihood part
    let (vv, vh) = ([-9.0_f32; 9], [-21.2_f32; 9]);
    let look = Bands {
        vv: Some(&vv),
        vh: Some(&vh),
    };
    let of = |join| ensemble::radar_look(look, None, 3, &at, &Rule { join, ..RULE }).water;
    assert_eq!(
        (of(Join::Union), of(Join::Likelihood)),
        (vec![1.0; 9], vec![0.0; 9])
    );
}

/// Numbers from 0 to 1.
fn uniform(seed: u64) -> impl FnMut() -> f32 {
    let mut state = seed;
    move || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        ((state >> 40) as f32 + 0.5) / 16_777_216.0
    }
}

#[test]
fn a_lake_that_wind_has_made_as_bright_as_land_in_vv_is_water_by_vh() {
    const SIDE: usize = 256;
    let lake = |cell: usize| cell % SIDE < 150;
    let mut uniform = uniform(3);
    // gamma speckle of four looks
    let mut band = |water: f32, land: f32| -> Vec<f32> {
        let mut speckle = || -0.25 * (0..4).map(|_| uniform().ln()).sum::<f32>();
        let power: Vec<f32> = (0..SIDE * SIDE)
            .map(|cell| power(if lake(cell) { water } else { land }) * speckle())
            .collect();
        radar::filtered(&power, SIDE)
    };
    let (vv, vh) = (band(-11.0, -9.0), band(-26.0, -15.0));
    let look = Bands {
        vv: Some(&vv),
        vh: Some(&vh),
    };
    // thresholds of a scene without two humps, and of this one
    for at in [Thresholds::default(), Thresholds::of_image(look, SIDE)] {
        let found = ensemble::radar_look(look, None, SIDE, &at, &radar::RULE);
        let share = |of: &dyn Fn(usize) -> bool| {
            let cells: Vec<usize> = (0..SIDE * SIDE).filter(|&cell| of(cell)).collect();
            let wet = cells.iter().filter(|&&cell| found.water[cell] == 1.0).count();
            wet as f64 / cells.len() as f64
        };
        assert!(share(&lake) > 0.95, "{} of the lake, {at:?}", share(&lake));
        let land = share(&|cell| !lake(cell));
        assert!(land < 0.02, "{land} of the land, {at:?}");
        let middle = SIDE * SIDE / 2 + 60;
        assert!(found.likelihood[middle] > 50.0, "{}", found.likelihood[middle]);
    }
}

#[test]
fn where_the_scene_asks_for_darker_vh_than_the_fixed_limit_vh_alone_does_not_suffice_above_it() {
    let (vv, vh) = ([-12.0_f32; 9], [-24.0_f32; 9]);
    let look = Bands {
        vv: Some(&vv),
        vh: Some(&vh),
    };
    // dry sand is as dark as this where water is darker still
    let water = |vh: f32| {
        let at = Thresholds {
            vv: -15.5,
            vh,
            tiles: 1,
        };
        ensemble::radar_look(look, None, 3, &at, &radar::RULE).water
    };
    assert_eq!(water(-26.0), [0.0; 9]);
    assert_eq!(water(-22.0), [1.0; 9]);
}

#[test]
fn soil_beside_plants_has_two_humps_and_is_no_water() {
    let mut uniform = uniform(5);
    let mut cell = |index: usize| {
        let around = 0.9 + 0.2 * uniform();
        let [blue, green, red, nir, swir16, swir22] = if index % 128 < 64 {
            [0.08, 0.11, 0.14, 0.20, 0.28, 0.24] // soil
        } else {
            [0.03, 0.06, 0.03, 0.43, 0.17, 0.08] // plants
        };
        Spectrum {
            blue,
            green: green * around,
            red,
            nir,
            swir16,
            swir22,
        }
    };
    let cells: Vec<Spectrum> = (0..128 * 128).map(&mut cell).collect();
    let at = optical::Thresholds::of_image(&cells, 128);
    assert_eq!(at.ndwi, 0.0, "the floor, not the -0.5 between soil and plants");
    assert!(at.mndwi >= 0.0);
    assert!(
        cells
            .iter()
            .all(|cell| ensemble::optical_cell(cell, &at).0 == 0.0)
    );
}

#[test]
fn decibel_and_linear_power_are_told_apart_by_their_values() {
    let decibels: Vec<f32> = (0..200).map(|i| -25.0 + 0.1 * i as f32).collect();
    assert_eq!(radar::units(&decibels), radar::Units::Decibel);
    assert_eq!(radar::units(&linear_of(&decibels)), radar::Units::Linear);
    assert_eq!(radar::units(&decibels[..10]), radar::Units::Unknown);
    assert_eq!(decibel(1.0), 0.0);
}

#[test]
fn filters_leave_cells_without_data_alone_and_constants_unchanged() {
    let mut power = vec![0.1_f32; 63];
    power[10] = f32::NAN;
    for filtered in [
        speckle::lee(&power, 9, 3, 4.4),
        speckle::mean(&power, 9, 2),
        speckle::median(&power, 9, 1),
    ] {
        assert!(filtered[10].is_nan());
        assert!(
            filtered
                .iter()
                .enumerate()
                .all(|(cell, v)| cell == 10 || (v - 0.1).abs() < 1e-6)
        );
    }
}

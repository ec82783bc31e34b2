//! Looks of a few cells, and weeks that follow each other.

use super::*;
use crate::flood::Thresholds;
use crate::mask;
use crate::product::LookBlock;
use sen_catalog::Window;
use sen_catalog::flood::NO_DATA;

fn block(looks: Vec<LookBlock<'_>>, width: usize, height: usize) -> Block<'_> {
    Block {
        width,
        height,
        core: Window {
            column: 0,
            row: 0,
            width,
            height,
        },
        phase: (0, 0),
        given: Vec::new().into(),
        looks,
    }
}

fn look(pass: usize, vv: Vec<f32>) -> LookBlock<'static> {
    LookBlock {
        sensor: Sensor::Radar,
        pass,
        age_days: 1,
        bands: vec![(Band::Vv, vv.into(), 1)],
        mask: None,
        thresholds: Thresholds::default(),
        reference: Vec::new(),
    }
}

#[test]
fn a_radar_scene_without_data_is_no_data_and_never_dry() {
    let week = FLOOD.compute(&block(vec![look(0, vec![f32::NAN; 4])], 2, 2));
    assert_eq!(
        Encoding::Classes.encode(&week.composite.values),
        sen_catalog::raster::Pixels::U8(vec![NO_DATA; 4])
    );
    assert_eq!(week.composite.n_clear, [0; 4]);
}

#[test]
fn a_single_dark_speckle_is_no_water_and_edges_of_the_data_are_not_smeared() {
    let mut vv = vec![0.1_f32; 49];
    vv[24] = 0.001;
    assert!(
        FLOOD
            .compute(&block(vec![look(0, vv.clone())], 7, 7))
            .composite
            .values
            .iter()
            .all(|&v| v == 0.0)
    );
    let mut pond = vec![0.005_f32; 49];
    pond[0] = f32::NAN;
    let values = FLOOD.compute(&block(vec![look(0, pond)], 7, 7)).composite.values;
    assert!(values[0].is_nan() && values[1..].iter().all(|&v| v == 1.0));
}

#[test]
fn clouds_are_told_from_no_data_and_radar_sees_through_them() {
    let bits = [mask::CLEAR, mask::DATA, 0, mask::CLEAR];
    let bands = |green: Vec<f32>, swir: Vec<f32>| {
        vec![(Band::Green, green.into(), 1), (Band::Swir16, swir.into(), 1)]
    };
    let optical = LookBlock {
        sensor: Sensor::Optical,
        pass: 0,
        age_days: 4,
        bands: bands(vec![0.10, 0.1, 0.1, 0.10], vec![0.02, 0.1, 0.1, 0.09]),
        mask: Some(&bits),
        thresholds: Thresholds::default(),
        reference: Vec::new(),
    };
    let alone = FLOOD
        .compute(&block(vec![optical.clone()], 4, 1))
        .composite
        .values;
    assert_eq!(alone[..2], [1.0, 253.0]);
    assert!(alone[2].is_nan());
    assert_eq!(alone[3], 0.0, "MNDWI 0.05 is below the threshold");
    let both = FLOOD
        .compute(&block(vec![optical, look(1, vec![0.005; 4])], 4, 1))
        .composite;
    assert_eq!(both.values, [1.0; 4], "a tie goes to the later look");
    assert_eq!(both.n_clear, [2, 1, 1, 2]);
}

#[test]
fn among_strong_scatterers_radar_alone_does_not_classify_and_optics_do() {
    let town = || look(1, vec![1.0; 4]);
    let alone = FLOOD.compute(&block(vec![town()], 2, 2));
    assert_eq!(alone.composite.values, [f32::from(NOT_CLASSIFIED); 4]);
    assert_eq!(alone.composite.n_clear, [0; 4]);
    assert_eq!(alone.extra[1], [f32::from(BRIGHT); 4]);
    let optical = LookBlock {
        sensor: Sensor::Optical,
        bands: vec![
            (Band::Green, vec![0.1, 0.1, 0.1, f32::NAN].into(), 1),
            (Band::Swir16, vec![0.02, 0.1, 0.2, f32::NAN].into(), 1),
        ],
        ..look(0, Vec::new())
    };
    let both = FLOOD.compute(&block(vec![optical, town()], 2, 2));
    assert_eq!(both.composite.values, [1.0, 0.0, 0.0, f32::from(NOT_CLASSIFIED)]);
    assert_eq!(both.extra[1], [0.0, 0.0, 0.0, f32::from(BRIGHT)]);
}

#[test]
fn rasters_of_the_user_are_used_where_they_are_given() {
    let given = vec![0, ancillary::PERMANENT, ancillary::RADAR_BLIND, ancillary::HIGH];
    let pond = Block {
        given: given.into(),
        ..block(vec![look(0, vec![0.005; 4])], 2, 2)
    };
    let week = FLOOD.compute(&pond);
    let expected = [OPEN_WATER, PERMANENT, NOT_CLASSIFIED, NOT_WATER].map(f32::from);
    assert_eq!(week.composite.values, expected);
    assert_eq!(week.extra[1], [0.0, 0.0, f32::from(BLIND), 0.0]);
}

#[test]
fn what_fell_since_the_look_of_the_same_orbit_counts_and_without_one_it_does_not() {
    // VH of -21.5 dB is water by the cells and not by the regions, which find no seed: the third algorithm decides
    let thresholds = radar::Thresholds {
        vv: -17.0,
        vh: -21.0,
        tiles: 1,
    };
    let both = || {
        let (vv, vh) = (vec![0.017_78; 9], vec![0.007_08; 9]);
        vec![(Band::Vv, vv.into(), 1), (Band::Vh, vh.into(), 1)]
    };
    let now = LookBlock {
        thresholds: Thresholds {
            radar: thresholds,
            ..Thresholds::default()
        },
        bands: both(),
        ..look(0, Vec::new())
    };
    let water = |look| FLOOD.compute(&block(vec![look], 3, 3)).composite.values;
    assert_eq!(water(now.clone()), [1.0; 9], "two that disagree");
    let before = |power: f32| LookBlock {
        reference: vec![(Band::Vv, vec![power; 9].into())],
        ..now.clone()
    };
    assert_eq!(
        water(before(0.1)),
        [1.0; 9],
        "7.5 dB darker than the field of -10 dB was"
    );
    assert_eq!(water(before(0.03)), [0.0; 9], "2.3 dB darker only: one of three");
    assert_eq!(
        water(before(0.015)),
        [1.0; 9],
        "as dark before: nothing can be told"
    );
}

/// Half a kilometre of land beside a river of 160 m, as it was classified in a week.
mod weeks {
    use super::super::*;
    use crate::product::Earlier;
    use sen_catalog::flood::{FLOOD as FLOODED, NOT_WATER as DRY, OPEN_WATER as WATER, SEASONAL};
    use sen_catalog::raster::{Cog, CogProfile, CogWriter, Compression, Overviews};
    use sen_catalog::{Crs, Grid, Period};
    use std::path::Path;

    const SIDE: usize = 128;

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

    fn raster(land: impl Fn(usize, usize) -> u8) -> Vec<u8> {
        let cell = |index: usize| match index % SIDE {
            0..16 => WATER,
            column => land(column, index / SIDE),
        };
        (0..SIDE * SIDE).map(cell).collect()
    }

    fn published(folder: &Path, back: u32, classes: &[u8]) -> Earlier {
        let path = folder.join(format!("{back}.tif"));
        let profile = CogProfile {
            grid: grid(),
            data_type: sen_catalog::raster::DataType::U8,
            nodata: Some(255.0),
            scale: 1.0,
            offset: 0.0,
            compression: Compression::Zstd(1),
            block: 512,
            overviews: Overviews::None,
            description: "flood".to_owned(),
        };
        let mut writer = CogWriter::create(&path, profile).expect("created");
        writer.write_rows(classes).expect("written");
        writer.finish().expect("finished");
        Earlier {
            period: Period::week(2026, 40 - back).expect("a week"),
            classes: Cog::open(&path).expect("opens"),
        }
    }

    /// The classes of week 40 after `before` weeks, of which `of(back)` gives the land, when its own land is `now`.
    fn week_40(
        before: u32,
        of: impl Fn(u32, usize, usize) -> u8,
        now: impl Fn(usize, usize) -> u8,
    ) -> impl Fn(usize, usize) -> u8 {
        let folder = tempfile::tempdir().expect("a folder");
        let earlier: Vec<Earlier> = (1..=before)
            .map(|back| published(folder.path(), back, &raster(|column, row| of(back, column, row))))
            .collect();
        let mut classes = raster(now);
        FLOOD
            .finish(Whole {
                grid: &grid(),
                period: Period::week(2026, 40).expect("a week"),
                classes: &mut classes,
                earlier: &earlier,
            })
            .expect("read");
        move |column, row| classes[row * SIDE + column]
    }

    /// A field of 20 x 20 cells.
    fn field(column: usize, row: usize) -> bool {
        (60..80).contains(&column) && (60..80).contains(&row)
    }

    #[test]
    fn without_a_past_water_is_of_unknown_kind() {
        let class = week_40(0, |_, _, _| DRY, |_, _| WATER);
        assert_eq!(class(3, 3), WATER);
        assert_eq!(class(70, 70), WATER);
    }

    #[test]
    fn a_river_is_permanent_and_a_field_under_water_for_sowing_is_not_a_flood() {
        let class = week_40(
            14,
            |_, _, _| DRY,
            |column, row| if field(column, row) { WATER } else { DRY },
        );
        assert_eq!(class(3, 3), PERMANENT);
        assert_eq!(class(70, 70), SEASONAL);
        assert_eq!(class(100, 100), DRY);
        let early = week_40(11, |_, _, _| DRY, |_, _| DRY);
        assert_eq!(
            early(3, 3),
            WATER,
            "eleven weeks are too few to call a river permanent"
        );
    }

    #[test]
    fn a_river_in_its_first_weeks_is_no_paddy_though_wind_hid_it_once() {
        let windy = |back: u32, column, row| {
            if field(column, row) && back != 3 {
                WATER
            } else {
                DRY
            }
        };
        let now = |column, row| if field(column, row) { WATER } else { DRY };
        assert_eq!(week_40(8, windy, now)(70, 70), WATER, "too early to tell");
        assert_eq!(week_40(14, windy, now)(70, 70), PERMANENT);
    }

    #[test]
    fn land_that_is_wetted_all_at_once_is_flooded_and_what_stays_for_weeks_is_too() {
        let sudden = week_40(14, |_, _, _| DRY, |_, _| WATER);
        assert_eq!((sudden(3, 3), sudden(70, 70)), (PERMANENT, FLOODED));
        let wet_for = |weeks: u32| {
            let past = move |back: u32, column, row| {
                if field(column, row) && back < weeks {
                    SEASONAL
                } else {
                    DRY
                }
            };
            week_40(
                14,
                past,
                |column, row| if field(column, row) { WATER } else { DRY },
            )
        };
        assert_eq!(wet_for(5)(70, 70), SEASONAL, "four weeks after the first wet one");
        assert_eq!(wet_for(6)(70, 70), FLOODED, "five weeks after it");
    }

    #[test]
    fn weeks_without_a_look_are_no_dry_weeks_and_not_seen_stays_not_seen() {
        let hidden = |back: u32, _, _| if back <= 6 { CLOUD } else { DRY };
        let class = week_40(14, hidden, |column, _| if column > 100 { CLOUD } else { WATER });
        assert_eq!(
            class(70, 70),
            SEASONAL,
            "the look before is too old to call it sudden"
        );
        assert_eq!(class(110, 3), CLOUD);
    }
}

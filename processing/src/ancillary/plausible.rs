//! What the numbers of a user's raster can be, so that "no data" that nobody tagged is not taken for one of them.

use super::Mask;
use crate::gdal_io::RasterInfo;

/// What a value says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Says {
    Counts,
    CountsNot,
    /// It may be "no data" that nobody tagged, or is none that such a raster can have.
    Doubtful,
}

/// What the values of a raster can be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Plausible {
    /// The greatest value that means something.
    pub(super) greatest: f64,
    /// Numbers that the file's pixel type and customs make likely "no data"; none where the file tags its own.
    fills: &'static [f64],
    /// The file says itself where it has no data.
    tagged: bool,
}

/// Months of a year.
const MONTHS: f64 = 12.0;
/// Percent.
const WHOLE: f64 = 100.0;
/// Metres above the sea; above the nearest drainage it is less.
const HIGHEST: f64 = 9000.0;

/// Numbers that stand for "no data" by custom, besides the ends of the pixel type.
const CUSTOMARY: [f64; 4] = [-9999.0, -99_999.0, -32_767.0, -32_768.0];

/// The numbers at the ends of a pixel type of GDAL.
fn ends(data_type: &str) -> &'static [f64] {
    match data_type {
        "UInt8" | "Byte" => &[255.0],
        "Int8" => &[127.0, -128.0],
        "UInt16" => &[65_535.0],
        "Int16" => &[32_767.0, -32_768.0],
        "UInt32" => &[4_294_967_295.0],
        "Int32" => &[2_147_483_647.0, -2_147_483_648.0],
        _ => &[],
    }
}

impl Plausible {
    pub(super) fn of(name: &str, mask: &Mask, info: &RasterInfo) -> Self {
        let greatest = match (name, mask.at_least) {
            ("high_ground", Some(_)) => HIGHEST,
            // in how many months of the year there is water; a permanent one in as few percent of looks would be none
            ("permanent_water", Some(least)) if least <= MONTHS => MONTHS,
            (_, Some(least)) if least <= WHOLE => WHOLE,
            _ => f64::INFINITY,
        };
        let nodata = info.nodata.get(mask.band - 1).copied().flatten();
        Self {
            greatest,
            fills: ends(&info.data_type),
            tagged: nodata.is_some() || info.alpha.is_some(),
        }
    }

    /// True for a number that stands for "no data", as a rule.
    fn is_fill(&self, value: f64) -> bool {
        // larger than any number here means something
        value.abs() >= 1e9
            || CUSTOMARY.contains(&value)
            || self.fills.iter().any(|&fill| f64::from(fill as f32) == value)
    }
}

impl Mask {
    pub(super) fn says(&self, value: f32, plausible: &Plausible) -> Says {
        let value = f64::from(value);
        if self.values.contains(&value) {
            return Says::Counts;
        }
        let beyond = match self.at_least {
            _ if value.is_nan() => return Says::CountsNot,
            None if !self.values.is_empty() || value == 0.0 => return Says::CountsNot,
            Some(least) if value < least => return Says::CountsNot,
            None => value < 0.0,
            Some(_) => value > plausible.greatest,
        };
        match (beyond, plausible.is_fill(value)) {
            (true, true) => Says::CountsNot,
            (true, false) => Says::Doubtful,
            (false, true) if !plausible.tagged => Says::Doubtful,
            (false, _) => Says::Counts,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sen_catalog::{Crs, Grid};
    use std::collections::BTreeMap;

    fn mask(values: &[f64], at_least: Option<f64>) -> Mask {
        Mask {
            path: String::new(),
            band: 1,
            values: values.to_vec(),
            at_least,
        }
    }

    /// What the numbers say in a raster of the type, tagged or not.
    fn said<const N: usize>(
        name: &str,
        mask: &Mask,
        data_type: &str,
        tagged: bool,
        values: [f32; N],
    ) -> [Says; N] {
        let plausible = Plausible {
            fills: ends(data_type),
            tagged,
            ..Plausible::of(name, mask, &info())
        };
        values.map(|value| mask.says(value, &plausible))
    }

    fn info() -> RasterInfo {
        let grid = Grid {
            crs: Crs::UTM_48N,
            west: 0.0,
            north: 0.0,
            cell_width: 10.0,
            cell_height: 10.0,
            width: 1,
            height: 1,
        };
        RasterInfo {
            grid,
            data_type: String::new(),
            bands: 1,
            nodata: vec![None],
            calibrations: vec![(1.0, 0.0)],
            alpha: None,
            descriptions: Vec::new(),
            units: Vec::new(),
            metadata: BTreeMap::new(),
        }
    }

    const YES: Says = Says::Counts;
    const NO: Says = Says::CountsNot;
    const DOUBT: Says = Says::Doubtful;

    #[test]
    fn values_count_that_are_listed_or_large_enough_and_otherwise_all_but_zero() {
        let counted = |mask: &Mask| said("built_up", mask, "UInt8", true, [0.0, 1.0, 10.0, 50.0, f32::NAN]);
        assert_eq!(counted(&mask(&[], None)), [NO, YES, YES, YES, NO]);
        assert_eq!(counted(&mask(&[], Some(10.0))), [NO, NO, YES, YES, NO]);
        assert_eq!(counted(&mask(&[1.0], Some(50.0))), [NO, YES, NO, YES, NO]);
    }

    #[test]
    fn no_data_that_nobody_tagged_never_counts() {
        let months = mask(&[], Some(10.0));
        let of = |values| said("permanent_water", &months, "UInt8", false, values);
        assert_eq!(
            of([0.0, 9.0, 10.0, 12.0, 255.0, 99.0]),
            [NO, NO, YES, YES, NO, DOUBT]
        );
        let of = |values| said("permanent_water", &months, "Int16", false, values);
        assert_eq!(
            of([12.0, 32_767.0, -32_768.0, -9999.0, 255.0]),
            [YES, NO, NO, NO, DOUBT]
        );
        let of = |values| said("permanent_water", &mask(&[], Some(75.0)), "UInt8", false, values);
        assert_eq!(of([74.0, 75.0, 100.0, 101.0, 255.0]), [NO, YES, YES, DOUBT, NO]);
        let of = |values| said("forest", &mask(&[], Some(30.0)), "Float32", false, values);
        assert_eq!(
            of([29.0, 100.0, f32::MAX, f32::INFINITY, -9999.0]),
            [NO, YES, NO, NO, NO]
        );
        let heights = mask(&[], Some(15.0));
        let of = |values| said("high_ground", &heights, "Float32", false, values);
        assert_eq!(
            of([14.0, 15.0, 8848.0, f32::MAX, 9999.0, -9999.0]),
            [NO, YES, YES, NO, DOUBT, NO]
        );
        // 255 m above the river, or nothing
        let of = |values, tagged| said("high_ground", &heights, "UInt8", tagged, values);
        assert_eq!(
            (of([16.0, 255.0], false), of([16.0, 255.0], true)),
            ([YES, DOUBT], [YES, YES])
        );
    }

    #[test]
    fn of_a_plain_mask_the_end_of_the_pixel_type_must_be_told_from_no_data() {
        let plain = mask(&[], None);
        let of = |values, tagged| said("built_up", &plain, "UInt8", tagged, values);
        assert_eq!(of([0.0, 1.0, 255.0], false), [NO, YES, DOUBT]);
        assert_eq!(
            of([0.0, 1.0, 255.0], true),
            [NO, YES, YES],
            "the file says what is no data"
        );
        assert_eq!(
            said(
                "built_up",
                &mask(&[255.0], None),
                "UInt8",
                false,
                [0.0, 1.0, 255.0]
            ),
            [NO, NO, YES]
        );
        assert_eq!(
            said("forest", &plain, "Float32", false, [1.0, -9999.0, -1.0, f32::MIN]),
            [YES, NO, DOUBT, NO]
        );
    }
}

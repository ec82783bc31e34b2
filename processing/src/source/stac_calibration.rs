//! How stored numbers of a STAC Item become reflectance: from metadata, never from the date.
//!
//! The trap: from processing baseline 04.00 on Sentinel-2 numbers carry an offset of +1000. Planetary Computer
//! leaves it in and says only the baseline; Earth Search has taken it out of the pixels of one collection
//! (`earthsearch:boa_offset_applied`) but still lists `offset: -0.1` in `raster:bands` there.

use super::stac::Kind;
use super::stac_assets::BandMetadata;
use crate::{Error, Result};
use serde_json::Value;

/// Sentinel-2's quantification: reflectance of one step of the stored number.
const SENTINEL2_SCALE: f64 = 1e-4;
/// Sentinel-2's offset from processing baseline 04.00 on, in stored numbers.
const SENTINEL2_OFFSET: f64 = -1000.0;
/// Scale of Landsat Collection 2 Level-2 surface reflectance (USGS, Landsat 8-9 C2 L2 Science Product Guide).
const LANDSAT_SCALE: f64 = 2.75e-5;
/// Offset of the same, in reflectance.
const LANDSAT_OFFSET: f64 = -0.2;

/// value = stored * scale + offset, and where that comes from.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Calibration {
    pub(super) scale: f64,
    pub(super) offset: f64,
    pub(super) text: String,
}

impl Calibration {
    fn new(scale: f64, offset: f64, text: impl Into<String>) -> Self {
        Self {
            scale,
            offset,
            text: text.into(),
        }
    }
}

/// The calibration of a measured band of an item.
pub(super) fn calibration(
    kind: Kind,
    item: &Value,
    band: &BandMetadata,
    said: Option<f64>,
) -> Result<Calibration> {
    match kind {
        Kind::Sentinel2L2a | Kind::Sentinel2L1c => sentinel2(item, band, said),
        Kind::LandsatC2L2 => Ok(match (band.scale, band.offset) {
            (Some(scale), Some(offset)) => {
                Calibration::new(scale, offset, "scale and offset of the item's raster:bands")
            }
            _ => Calibration::new(
                LANDSAT_SCALE,
                LANDSAT_OFFSET,
                "Landsat Collection 2 Level-2 by its product definition (0.0000275, -0.2)",
            ),
        }),
        Kind::Sentinel1Rtc => {
            let (scale, offset) = (band.scale.unwrap_or(1.0), band.offset.unwrap_or(0.0));
            Ok(Calibration::new(scale, offset, "gamma0 as stored"))
        }
    }
}

fn sentinel2(item: &Value, band: &BandMetadata, said: Option<f64>) -> Result<Calibration> {
    let properties = &item["properties"];
    let scale = band.scale.unwrap_or(SENTINEL2_SCALE);
    let applied = offset_flag(properties);
    if applied == Some(true) {
        let text = "boa_offset_applied = true: the mirror has put the offset into the pixels, none is left";
        return Ok(Calibration::new(scale, 0.0, text));
    }
    let baseline = baseline(properties);
    if let (Some(stated), Some(named)) = (&baseline, named_baseline(properties))
        && baseline_has_offset(stated) != baseline_has_offset(&named)
        && band.offset.is_none()
    {
        let why = format!("its processing baseline is {stated} as stated, {named} by its product name");
        return said.map_or_else(|| Err(ask(item, &why)), |said| Ok(by_user(scale, said)));
    }
    let from_baseline = baseline.as_deref().map(|text| {
        if baseline_has_offset(text) {
            SENTINEL2_OFFSET
        } else {
            0.0
        }
    });
    if let Some(offset) = band.offset {
        let contradicts = from_baseline.is_some_and(|expected| (offset / scale - expected).abs() > 0.5);
        return match (contradicts, said) {
            (false, _) => Ok(Calibration::new(
                scale,
                offset,
                "scale and offset of the item's raster:bands",
            )),
            (true, Some(said)) => Ok(by_user(scale, said)),
            (true, None) => Err(ask(
                item,
                &format!(
                    "raster:bands says offset {offset}, processing baseline {} means {}",
                    baseline.unwrap_or_default(),
                    from_baseline.unwrap_or_default() * scale
                ),
            )),
        };
    }
    if let (Some(text), Some(offset)) = (&baseline, from_baseline) {
        // this mirror took the offset out of some of its items; where it does not say so nobody can know
        let silent_mirror =
            offset != 0.0 && applied.is_none() && item["collection"] == "sentinel-s2-l2a-cogs";
        if !silent_mirror {
            return Ok(Calibration::new(
                scale,
                offset * scale,
                format!("processing baseline {text}: offset {offset} DN"),
            ));
        }
    }
    match (said, stated_baseline(properties)) {
        (Some(said), _) => Ok(by_user(scale, said)),
        (None, Some(other)) if parse_baseline(other).is_none() => Err(ask(
            item,
            &format!(
                "raster:bands says no offset of its numbers, and its processing baseline `{other}` is none of ESA's"
            ),
        )),
        (None, _) => Err(ask(
            item,
            "neither raster:bands nor a processing baseline says the offset of its numbers",
        )),
    }
}

fn by_user(scale: f64, offset: f64) -> Calibration {
    Calibration::new(
        scale,
        offset * scale,
        format!("said by the user: offset {offset} DN"),
    )
}

fn ask(item: &Value, why: &str) -> Error {
    let id = item["id"].as_str().unwrap_or("item without id");
    Error::unreadable(
        id,
        format!(
            "{why}; say --offset -1000 (processing baseline 04.00 and later, offset still in the pixels) or --offset 0"
        ),
    )
}

/// Whether a mirror says that it took the offset out of the pixels.
pub(super) fn offset_flag(properties: &Value) -> Option<bool> {
    ["earthsearch:boa_offset_applied", "sentinel:boa_offset_applied"]
        .into_iter()
        .find_map(|key| properties[key].as_bool())
}

/// ESA's processing baseline: as a property, or in the name of the product (`_N0510_`).
pub(super) fn baseline(properties: &Value) -> Option<String> {
    stated_baseline(properties)
        .filter(|text| parse_baseline(text).is_some())
        .map(str::to_owned)
        .or_else(|| named_baseline(properties))
}

fn stated_baseline(properties: &Value) -> Option<&str> {
    ["s2:processing_baseline", "processing:version"]
        .into_iter()
        .find_map(|key| properties[key].as_str())
}

fn named_baseline(properties: &Value) -> Option<String> {
    let name = ["s2:product_uri", "sentinel:product_id", "earthsearch:s3_path"]
        .into_iter()
        .find_map(|key| properties[key].as_str().filter(|text| text.contains("MSIL")))?;
    baseline_in_name(name)
}

/// The baseline in a product name: `S2A_MSIL2A_20200714T115221_N0214_R123_...` is 02.14.
pub(crate) fn baseline_in_name(name: &str) -> Option<String> {
    let digits = name
        .split('_')
        .find_map(|part| part.strip_prefix('N').filter(|digits| digits.len() == 4))?;
    let (major, minor) = digits.split_at_checked(2)?;
    let text = format!("{major}.{minor}");
    parse_baseline(&text).map(|_| text)
}

/// Major and minor of a baseline that ESA may have given; runs of other people's Sen2Cor write 99.99 or 99.33, which
/// says nothing of the numbers.
pub(crate) fn parse_baseline(text: &str) -> Option<(u32, u32)> {
    let (major, minor) = text.trim().split_once('.')?;
    let number: (u32, u32) = (major.parse().ok()?, minor.parse().ok()?);
    (1..90).contains(&number.0).then_some(number)
}

/// True from 04.00 on.
pub(super) fn baseline_has_offset(text: &str) -> bool {
    parse_baseline(text).is_some_and(|(major, _)| major >= 4)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn item(properties: &Value) -> Value {
        json!({"id": "S2X", "collection": "sentinel-2-l2a", "properties": properties})
    }

    #[expect(clippy::needless_pass_by_value, reason = "json! values are made in place")]
    fn of(
        properties: Value,
        scale: Option<f64>,
        offset: Option<f64>,
        said: Option<f64>,
    ) -> Result<Calibration> {
        let band = BandMetadata {
            scale,
            offset,
            ..BandMetadata::default()
        };
        calibration(Kind::Sentinel2L2a, &item(&properties), &band, said)
    }

    #[test]
    fn an_offset_already_in_the_pixels_is_not_applied_again_whatever_raster_bands_lists() {
        let earth_search = json!({"s2:processing_baseline": "05.09", "earthsearch:boa_offset_applied": true});
        let found = of(earth_search, Some(1e-4), Some(-0.1), None).expect("calibrated");
        assert_eq!((found.scale, found.offset), (1e-4, 0.0));
    }

    #[test]
    fn baselines_that_esa_never_gave_say_nothing() {
        for other in ["99.99", "99.33", "00.01", "five"] {
            let properties = json!({"s2:processing_baseline": other});
            let error = of(properties.clone(), None, None, None)
                .expect_err(other)
                .to_string();
            assert!(error.contains(other) && error.contains("--offset 0"), "{error}");
            assert_eq!(of(properties, None, None, Some(0.0)).expect("said").offset, 0.0);
        }
        let name = "S2A_MSIL2A_20210519T031521_N9999_R118_T48PWS_20260101T120000.SAFE";
        assert_eq!(baseline_in_name(name), None);
        // two that contradict each other are asked about
        let both =
            json!({"s2:processing_baseline": "02.14", "s2:product_uri": name.replace("N9999", "N0500")});
        assert!(of(both.clone(), None, None, None).is_err());
        assert!((of(both, None, None, Some(-1000.0)).expect("said").offset + 0.1).abs() < 1e-12);
    }

    #[test]
    fn the_baseline_decides_where_nothing_else_does() {
        for (baseline, offset) in [("02.12", 0.0), ("03.01", 0.0), ("04.00", -0.1), ("05.11", -0.1)] {
            let found =
                of(json!({"s2:processing_baseline": baseline}), None, None, None).expect("calibrated");
            assert!(
                (found.offset - offset).abs() < 1e-12,
                "{baseline}: {}",
                found.offset
            );
        }
        let old =
            json!({"sentinel:product_id": "S2A_MSIL2A_20200714T115221_N0214_R123_T28QCH_20200714T191310"});
        assert_eq!(of(old, None, None, None).expect("calibrated").offset, 0.0);
    }

    #[test]
    fn without_any_word_on_the_offset_the_user_is_asked_and_may_say_it() {
        let error = of(json!({}), Some(1e-4), None, None)
            .expect_err("unknown")
            .to_string();
        assert!(
            error.contains("--offset -1000") && error.contains("--offset 0"),
            "{error}"
        );
        assert!((of(json!({}), None, None, Some(-1000.0)).expect("said").offset + 0.1).abs() < 1e-12);
        // a late date alone decides nothing
        assert!(of(json!({"datetime": "2024-01-01T03:20:00Z"}), None, None, None).is_err());
    }

    #[test]
    fn raster_bands_that_contradict_the_baseline_are_refused() {
        let late = json!({"s2:processing_baseline": "05.00"});
        assert!(of(late.clone(), Some(1e-4), Some(0.0), None).is_err());
        assert_eq!(
            of(late.clone(), Some(1e-4), Some(0.0), Some(0.0))
                .expect("said")
                .offset,
            0.0
        );
        assert_eq!(
            of(late, Some(1e-4), Some(-0.1), None).expect("agree").offset,
            -0.1
        );
    }
}

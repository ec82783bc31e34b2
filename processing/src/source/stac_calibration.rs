//! How stored numbers of a STAC Item become reflectance: from metadata, never from the date.
//!
//! The trap: from processing baseline 04.00 on Sentinel-2 numbers carry an offset of +1000. Planetary Computer
//! leaves it in and says only the baseline; Earth Search has taken it out of the pixels of one collection
//! (`earthsearch:boa_offset_applied`) but still lists `offset: -0.1` in `raster:bands` there.

use super::stac::{BandMetadata, Kind};
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
    let applied = ["earthsearch:boa_offset_applied", "sentinel:boa_offset_applied"]
        .into_iter()
        .find_map(|key| Some((key, properties[key].as_bool()?)));
    if let Some((key, true)) = applied {
        let text = format!("{key} = true: the mirror has put the offset into the pixels, none is left");
        return Ok(Calibration::new(scale, 0.0, text));
    }
    let baseline = baseline(properties);
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
            (true, Some(said)) => Ok(Calibration::new(
                scale,
                said * scale,
                format!("said by the user: offset {said} DN"),
            )),
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
    match said {
        Some(said) => Ok(Calibration::new(
            scale,
            said * scale,
            format!("said by the user: offset {said} DN"),
        )),
        None => Err(ask(
            item,
            "neither raster:bands nor a processing baseline says the offset of its numbers",
        )),
    }
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

/// The processing baseline that metadata state: as a property, or in the name of the product (`_N0510_`).
pub(super) fn baseline(properties: &Value) -> Option<String> {
    let stated = ["s2:processing_baseline", "processing:version"]
        .into_iter()
        .find_map(|key| properties[key].as_str());
    stated
        .filter(|text| parse_baseline(text).is_some())
        .map(str::to_owned)
        .or_else(|| {
            let name = ["s2:product_uri", "sentinel:product_id", "earthsearch:s3_path"]
                .into_iter()
                .find_map(|key| properties[key].as_str().filter(|text| text.contains("MSIL")))?;
            baseline_in_name(name)
        })
}

/// The baseline in a product name: `S2A_MSIL2A_20200714T115221_N0214_R123_...` is 02.14.
pub(super) fn baseline_in_name(name: &str) -> Option<String> {
    let digits = name
        .split('_')
        .find_map(|part| part.strip_prefix('N').filter(|digits| digits.len() == 4))?;
    let (major, minor) = digits.split_at_checked(2)?;
    let text = format!("{major}.{minor}");
    parse_baseline(&text).map(|_| text)
}

fn parse_baseline(text: &str) -> Option<(u32, u32)> {
    let (major, minor) = text.split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
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

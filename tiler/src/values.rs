//! Physical values at a point, with what is known of their quality.

use crate::problem::{Outcome, Problem};
use crate::source::{RasterAsset, RasterSource, Sample};
use crate::state::Raster;
use crate::style::Language;
use sen_catalog::{Assets, Result};
use serde_json::{Map, Value, json};

/// A place on Earth, degrees.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Place {
    pub(crate) lon: f64,
    pub(crate) lat: f64,
}

impl Place {
    /// Reads `lon,lat`.
    pub(crate) fn parse(text: &str) -> Outcome<Self> {
        let wrong = || {
            let detail =
                format!("`{text}` is no place; write longitude,latitude in degrees such as 105.63,10.46");
            Problem::bad("lon,lat", detail)
        };
        let (lon, lat) = text.split_once(',').ok_or_else(wrong)?;
        let number = |text: &str| {
            text.trim()
                .parse::<f64>()
                .ok()
                .filter(|number| number.is_finite())
        };
        let (lon, lat) = number(lon).zip(number(lat)).ok_or_else(wrong)?;
        let on_earth = (-180.0..=180.0).contains(&lon) && (-90.0..=90.0).contains(&lat);
        if on_earth {
            Ok(Self { lon, lat })
        } else {
            Err(wrong())
        }
    }
}

/// Why there is no value.
pub(crate) const OUTSIDE: &str = "outside";
/// See [`OUTSIDE`].
pub(crate) const NOT_SEEN: &str = "not seen";

/// Rounds away what the scaling of integers leaves behind the sixth decimal.
pub(crate) fn tidy(value: f64) -> f64 {
    (value * 1e6).round() / 1e6
}

/// The value of a raster at a place, or the reason why there is none.
pub(crate) fn value(
    source: &RasterSource,
    raster: &Raster,
    place: Place,
) -> Result<Result<f64, &'static str>> {
    Ok(match source.sample(&raster.asset(), place.lon, place.lat)? {
        Sample::Outside => Err(OUTSIDE),
        Sample::NoData => Err(NOT_SEEN),
        Sample::Value(value) if raster.style.is_not_seen(value) => Err(NOT_SEEN),
        Sample::Value(value) => Ok(tidy(value)),
    })
}

/// A number of an asset beside the main one (`n_clear`, `age_days`, `quality`), `null` where there is none.
///
/// # Errors
/// When the asset's file cannot be read: that is no "none".
pub(crate) fn beside(
    source: &RasterSource,
    assets: &Assets,
    raster: &Raster,
    name: &str,
    place: Place,
) -> Result<Value> {
    let Some(asset) = raster.item.assets.get(name) else {
        return Ok(Value::Null);
    };
    Ok(
        match source.sample(&RasterAsset::new(assets, asset), place.lon, place.lat)? {
            Sample::Value(value) => json!(tidy(value)),
            Sample::Outside | Sample::NoData => Value::Null,
        },
    )
}

/// One entry of the answer at a point.
///
/// # Errors
/// When a file of the layer cannot be read.
pub(crate) fn layer(
    source: &RasterSource,
    assets: &Assets,
    raster: &Raster,
    place: Place,
    language: Language,
) -> Result<Map<String, Value>> {
    let mut entry = Map::new();
    entry.insert("collection".into(), json!(raster.item.collection));
    entry.insert("period".into(), json!(raster.period.to_string()));
    let found = value(source, raster, place)?;
    entry.insert("value".into(), json!(found.ok()));
    entry.insert("unit".into(), json!(raster.style.unit));
    if let Some(class) = found.ok().and_then(|value| raster.style.class_title(value)) {
        entry.insert("class".into(), json!(class.get(language)));
    }
    if let Some(citation) = raster.citation() {
        entry.insert("citation".into(), citation.clone());
    }
    // whatever else the item says of the cell, such as the likelihood of water
    let more = raster.item.assets.iter().filter(|(name, asset)| {
        asset.is_raster() && asset.band.is_none() && **name != raster.item.collection
    });
    let always = ["quality", "n_clear", "age_days"];
    let more = more
        .map(|(name, _)| name.as_str())
        .filter(|name| !always.contains(name));
    for name in always.into_iter().chain(more) {
        let number = if found == Err(OUTSIDE) {
            Value::Null
        } else {
            beside(source, assets, raster, name, place)?
        };
        entry.insert(name.to_owned(), number);
    }
    if let Err(reason) = found {
        entry.insert("reason".into(), json!(reason));
    }
    Ok(entry)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_places_on_earth_are_read() {
        assert_eq!(
            Place::parse("105.5,10.25").ok(),
            Some(Place {
                lon: 105.5,
                lat: 10.25
            })
        );
        for bad in ["", "1", "1,", "a,b", "181,0", "0,91", "nan,0", "1,2,3", "inf,0"] {
            assert!(Place::parse(bad).is_err(), "{bad}");
        }
    }
}

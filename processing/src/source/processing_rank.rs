//! How good a processing of a look is: tier, baseline and time of processing, as metadata or the product's name tell them.

use super::sentinel1_grd::PROCESSOR;
use super::stac_calibration::{baseline_in_name, parse_baseline};
use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use sen_catalog::Item;
use serde_json::Value;
use std::cmp::Ordering;

/// Property of a scene: when it was processed, where metadata say it.
pub(crate) const PROCESSED: &str = "sen:processed";

/// How good a processing is among those of one look; the greatest counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ProcessingRank {
    /// Landsat: 3 for tier 1, 2 for tier 2, 1 for real time.
    tier: u8,
    /// Baseline of the processor; none for those that its maker never gave.
    baseline: Option<(u32, u32)>,
    /// When it was processed.
    processed: Option<DateTime<Utc>>,
}

impl ProcessingRank {
    /// The rank of a scene, by its properties and its id.
    pub(crate) fn of(scene: &Item) -> Self {
        let text = |name: &str| scene.properties.get(name).and_then(Value::as_str);
        let parts: Vec<&str> = scene.id.split('_').collect();
        let landsat = scene.collection.starts_with("landsat");
        let category = text("landsat:collection_category").or(parts.last().copied().filter(|_| landsat));
        let tier = match category {
            Some("T1") => 3,
            Some("T2") => 2,
            Some("RT") => 1,
            _ => 0,
        };
        let product = text("s2:product_uri").unwrap_or(&scene.id);
        let baseline = text("s2:processing_baseline")
            .map(str::to_owned)
            .or_else(|| baseline_in_name(product))
            .or_else(|| text(PROCESSOR).map(str::to_owned));
        let named = if landsat {
            // LC09_L2SP_125053_20260520_20260522_02_T1: taken, processed
            parts.get(4).and_then(|text| instant(text))
        } else if product.contains("_MSIL") {
            let last = product
                .strip_suffix(".SAFE")
                .unwrap_or(product)
                .rsplit('_')
                .next();
            last.and_then(instant)
        } else {
            None
        };
        Self {
            tier,
            baseline: baseline.as_deref().and_then(parse_baseline),
            processed: text(PROCESSED).and_then(instant).or(named),
        }
    }

    /// How two processings of one look compare where one may be left out. The processing time of Sentinel-2 does not
    /// count then: tiles received in two parts differ in nothing else.
    pub(crate) fn compare(self, other: Self, collection: &str) -> Ordering {
        let known = |rank: Self| {
            let time = rank.processed.filter(|_| !collection.starts_with("sentinel-2"));
            (rank.tier, rank.baseline, time)
        };
        let (a, b) = (known(self), known(other));
        if a.2.is_some() == b.2.is_some() {
            a.cmp(&b)
        } else {
            (a.0, a.1).cmp(&(b.0, b.1))
        }
    }
}

/// The instant in a text: RFC 3339, or one of the compact forms of product names and TIFF tags.
fn instant(text: &str) -> Option<DateTime<Utc>> {
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Some(time.with_timezone(&Utc));
    }
    let formats = ["%Y%m%dT%H%M%S", "%Y:%m:%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S%.f"];
    let time = formats
        .into_iter()
        .find_map(|format| NaiveDateTime::parse_from_str(text, format).ok());
    let date = || (text.len() == 8).then(|| NaiveDate::parse_from_str(text, "%Y%m%d").ok())?;
    time.or_else(|| date().map(|date| date.and_time(NaiveTime::MIN)))
        .map(|time| time.and_utc())
}

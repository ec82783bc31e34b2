//! Numbers of a whole raster as TiTiler names them, from the finest overview that is small enough.

use crate::state::Raster;
use crate::values::tidy;
use sen_catalog::Result;
use sen_catalog::raster::DataType;
use serde_json::{Value, json};

/// The type's name in numpy's words.
pub(crate) fn type_name(data_type: DataType) -> &'static str {
    match data_type {
        DataType::U8 => "uint8",
        DataType::I16 => "int16",
        DataType::U16 => "uint16",
        DataType::F32 => "float32",
    }
}

/// The statistics of the level whose longer side is at most `longest` (the coarsest where none is).
pub(crate) fn of(raster: &Raster, longest: usize, bins: usize) -> Result<Value> {
    let cog = raster.open_cog()?;
    let levels = cog.levels();
    let fits = levels
        .iter()
        .position(|level| level.width.max(level.height) <= longest);
    let level = fits.unwrap_or(levels.len().saturating_sub(1));
    let band = raster.asset.band_index.saturating_sub(1);
    let window = cog.level_grid(level).window();
    let stored: Vec<f64> = match cog.data_type() {
        DataType::U8 => cog
            .read_window::<u8>(level, band, window)?
            .into_iter()
            .map(f64::from)
            .collect(),
        DataType::I16 => cog
            .read_window::<i16>(level, band, window)?
            .into_iter()
            .map(f64::from)
            .collect(),
        DataType::U16 => cog
            .read_window::<u16>(level, band, window)?
            .into_iter()
            .map(f64::from)
            .collect(),
        DataType::F32 => cog
            .read_window::<f32>(level, band, window)?
            .into_iter()
            .map(f64::from)
            .collect(),
    };
    let nodata = raster.asset.nodata.or(cog.nodata());
    let total = stored.len();
    let physical = |value: f64| value * raster.asset.scale + raster.asset.offset;
    let valid =
        |value: &f64| value.is_finite() && Some(*value) != nodata && !raster.style.is_not_seen(*value);
    let mut values: Vec<f64> = stored.into_iter().filter(valid).map(physical).collect();
    values.sort_by(f64::total_cmp);
    Ok(summary(&values, total, bins))
}

fn summary(sorted: &[f64], total: usize, bins: usize) -> Value {
    let count = sorted.len();
    let (Some(&min), Some(&max)) = (sorted.first(), sorted.last()) else {
        return json!({"count": 0, "valid_percent": 0.0, "valid_pixels": 0, "masked_pixels": total,
            "min": null, "max": null, "mean": null, "std": null, "median": null});
    };
    let sum: f64 = sorted.iter().sum();
    let mean = sum / count as f64;
    let variance = sorted.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count as f64;
    // linear between the two nearest ranks, as numpy does it
    let quantile = |share: f64| {
        let rank = share * (count - 1) as f64;
        let at = |index: f64| sorted.get(index as usize).copied().unwrap_or(max);
        at(rank.floor()) + (at(rank.ceil()) - at(rank.floor())) * rank.fract()
    };
    let width = if max > min { (max - min) / bins as f64 } else { 1.0 };
    let mut counts = vec![0_usize; bins];
    for value in sorted {
        let bin = (((value - min) / width) as usize).min(bins - 1);
        counts[bin] += 1;
    }
    let edges: Vec<f64> = (0..=bins).map(|edge| tidy(min + width * edge as f64)).collect();
    json!({
        "min": tidy(min), "max": tidy(max), "mean": tidy(mean), "count": count, "sum": tidy(sum),
        "std": tidy(variance.sqrt()), "median": tidy(quantile(0.5)),
        "percentile_2": tidy(quantile(0.02)), "percentile_98": tidy(quantile(0.98)),
        "histogram": [counts, edges],
        "valid_percent": tidy(100.0 * count as f64 / total as f64),
        "valid_pixels": count, "masked_pixels": total - count,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_agrees_with_numpy_1_24() {
        // numpy.percentile([1, 2, 3, 4, 10], [2, 98]) = [1.08, 9.52]; std = 3.1622776...
        let found = summary(&[1.0, 2.0, 3.0, 4.0, 10.0], 10, 3);
        assert_eq!(found["percentile_2"], 1.08);
        assert_eq!(found["percentile_98"], 9.52);
        assert_eq!(found["std"], 3.162_278);
        assert_eq!(found["histogram"][0], serde_json::json!([3, 1, 1]));
        assert_eq!(found["valid_percent"], 50.0);
        assert_eq!(summary(&[], 4, 3)["count"], 0);
    }
}

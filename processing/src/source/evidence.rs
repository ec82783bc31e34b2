//! What pixels say against their metadata: a few windows of a band are read, never all of it.

use super::Units;
use super::scene::{Scene, SceneBand, is_local};
use crate::gdal_io::{self, Resampling};
use crate::{Error, Result};
use sen_catalog::{Band, Window};
use serde_json::json;

/// Side of a sampled window, cells.
const SIDE: usize = 128;
/// Fewer valid pixels say nothing.
const LEAST: usize = 50;
/// Sentinel-2's offset in stored numbers, from processing baseline 04.00 on.
const OFFSET: f64 = -1000.0;
/// Stored numbers this far below the offset's zero are no noise any more.
const NOISE: f64 = 100.0;
/// Reflectances up to this (stored, the offset taken off) are land and water; clouds are brighter.
const BRIGHT: f64 = 2000.0;

/// Bands whose reflectance over land and water is above 0, the surest first.
const VISIBLE: [Band; 3] = [Band::Red, Band::Green, Band::Blue];

/// Valid stored values from the middle and the four quarters of a band.
fn sample(band: &SceneBand) -> Result<Vec<f64>> {
    let grid = gdal_io::info(&band.href)?.grid;
    let (width, height) = (grid.width.min(SIDE), grid.height.min(SIDE));
    let mut windows: Vec<Window> = [(2, 2), (1, 1), (3, 1), (1, 3), (3, 3)]
        .into_iter()
        .map(|(x, y)| Window {
            column: (grid.width * x / 4)
                .saturating_sub(width / 2)
                .min(grid.width - width),
            row: (grid.height * y / 4)
                .saturating_sub(height / 2)
                .min(grid.height - height),
            width,
            height,
        })
        .collect();
    windows.dedup();
    let mut values = Vec::new();
    for window in windows {
        let part = grid.crop(window);
        let read = gdal_io::warp_onto(
            &band.href,
            band.band_index,
            &part,
            Resampling::Nearest,
            band.nodata,
        )?;
        values.extend(read.into_iter().filter(|value| !value.is_nan()).map(f64::from));
    }
    Ok(values)
}

fn is_readable(band: &SceneBand) -> bool {
    is_local(&band.href) && gdal_io::local_file(&band.href).is_file()
}

/// The value that a share of the values lies below.
fn quantile(values: &mut [f64], share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let index = (share * values.len() as f64) as usize;
    values.get(index).copied().unwrap_or(f64::NAN)
}

/// Who says the offset of a scene.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OffsetOrigin {
    /// The provider's metadata.
    Metadata,
    /// A mirror's flag that the offset is still in the pixels, which is wrong now and then: remote pixels are looked at
    /// too.
    Flag,
    /// The user's own layout: that the ground is bright needs no word.
    Layout,
}

/// Holds the offset of a Sentinel-2 scene against its pixels. Where they speak against it, the number that the user
/// `said` for this ingest counts, and the scene says so; without one it is refused with the words to say.
///
/// # Errors
/// Names the scene whose reflectances would fall below 0, or the file that cannot be read.
pub(super) fn check_offset(scene: &mut Scene, said: Option<f64>, origin: OffsetOrigin) -> Result<()> {
    if !scene.collection.starts_with("sentinel-2") {
        return Ok(());
    }
    scene.check_metadata()?;
    let visible = VISIBLE
        .into_iter()
        .filter_map(|name| scene.bands.iter().find(|band| band.band == name));
    let visible: Vec<&SceneBand> = visible
        .filter(|band| is_readable(band) || origin == OffsetOrigin::Flag && !is_local(&band.href))
        .collect();
    let Some(first) = visible.first() else {
        return Ok(());
    };
    let offset = (first.offset / first.scale).round();
    // numbers of another scale (reflectance itself, percent) know no such offset
    if !(0.5e-4..2e-4).contains(&first.scale) {
        return Ok(());
    }
    let mut values = match sample(first) {
        Ok(values) => values,
        // what cannot be read over the network today is told when the week is made
        Err(_) if !is_local(&first.href) => return Ok(()),
        Err(error) => return Err(error),
    };
    if values.len() < LEAST {
        return Ok(());
    }
    if offset <= OFFSET / 2.0 {
        let dark = values.iter().filter(|value| *value + offset < BRIGHT).count();
        let below = values.iter().filter(|value| *value + offset < -NOISE).count();
        if below * 4 < dark || below * 20 < values.len() {
            return Ok(());
        }
        let found = format!(
            "with the offset of {offset} DN that its metadata state, {} % of its {} reflectances fall below 0",
            100 * below / values.len(),
            first.band
        );
        return match said {
            Some(said) if said != offset => {
                let note = format!("{found}; --offset {said} is taken instead");
                replace(scene, said, note);
                Ok(())
            }
            Some(_) => {
                scene
                    .notes
                    .push(format!("{found}; kept, as --offset says the same"));
                Ok(())
            }
            None => Err(Error::unreadable(
                &scene.id,
                format!(
                    "{found}: the offset seems to be out of the pixels already; say --offset 0, or confirm --offset {offset}"
                ),
            )),
        };
    }
    let left_in = offset.abs() < -OFFSET / 2.0 && holds_offset(&values) && {
        let others = visible[1..].iter().filter(|band| is_readable(band));
        let mut all = true;
        for band in others {
            all &= holds_offset(&sample(band)?);
        }
        all
    };
    match said {
        Some(said) if left_in && said <= OFFSET / 2.0 => {
            let note = format!(
                "its metadata state no offset, but hardly a pixel is darker than {} DN; --offset {said} is taken",
                -OFFSET
            );
            replace(scene, said, note);
        }
        None if left_in && origin != OffsetOrigin::Layout && quantile(&mut values, 0.05) < -1.6 * OFFSET => scene.notes.push(format!(
            "its metadata state no offset, but hardly a pixel is darker than {} DN: haze or bright ground, or the offset \
             is still in the pixels; say --offset {OFFSET} then",
            -OFFSET
        )),
        _ => {}
    }
    Ok(())
}

/// True when hardly a pixel is darker than the offset.
fn holds_offset(values: &[f64]) -> bool {
    let darker = values.iter().filter(|value| **value < -OFFSET).count();
    values.len() >= LEAST && darker * 200 < values.len()
}

/// Takes another offset (stored numbers) for every measured band.
fn replace(scene: &mut Scene, offset: f64, note: String) {
    for band in scene.bands.iter_mut().filter(|band| !band.band.is_categorical()) {
        band.offset = offset * band.scale;
    }
    let text = format!("said by the user: offset {offset} DN, against the metadata");
    scene.properties.insert("sen:calibration".into(), json!(text));
    scene.notes.push(note);
}

/// Writes down the units of a radar scene and checks that the pixels can be what is said: linear power is never
/// negative and seldom as bright as its root, decibel of land and water is nearly always negative. Units that the user
/// has `said` for this very ingest are confirmed: they hold against metadata, configuration, names and pixels.
///
/// # Errors
/// Names the file whose name or pixels contradict the units.
pub(super) fn check_units(scene: &mut Scene, units: Units, said: Option<Units>) -> Result<()> {
    let confirmed = said.filter(|said| *said != Units::Reflectance && units != Units::Reflectance);
    let units = confirmed.unwrap_or(units);
    if units == Units::Reflectance {
        return Ok(());
    }
    scene.properties.insert("sen:units".into(), json!(units.word()));
    if units == Units::Db {
        scene.properties.insert("sen:decibel".into(), json!(true));
    }
    if confirmed.is_some() {
        return Ok(());
    }
    let radar = |band: &&SceneBand| matches!(band.band, Band::Vv | Band::Vh);
    for band in scene.bands.iter().filter(radar) {
        let refused = |looks: Units, why: &str| {
            let (looks, said) = (looks.setting(), units.setting());
            Err(Error::unreadable(
                &band.href,
                format!(
                    "{} should be {}, but {why}; say so with `units = \"{looks}\"` in the layout or --units {looks}, or \
                     confirm with --units {said}",
                    band.band,
                    units.word()
                ),
            ))
        };
        if let Some(named) = hyp3_units(&band.href)
            && named != units
        {
            let code = format!("the HyP3 name of the file says {}", named.word());
            return refused(named, &code);
        }
        if !is_readable(band) {
            continue;
        }
        let stored = sample(band)?;
        let mut values: Vec<f64> = stored
            .iter()
            .map(|value| value * band.scale + band.offset)
            .collect();
        let valid = values.len();
        let negative = values.iter().filter(|value| **value < 0.0).count();
        // Of 171 scenes of rice, towns and floods three quarters of VH lay between 0.006 and 0.073 in power, so between 0.074
        // and 0.27 in amplitude; VV of flooded rice is too bright in power to tell more than the rarest amplitude
        let (bright, dark) = if band.band == Band::Vv {
            (0.6, 0.05)
        } else {
            (0.1, 0.045)
        };
        let upper = quantile(&mut values, 0.75);
        match units {
            Units::Linear | Units::Amplitude if negative * 10 > valid => {
                return refused(Units::Db, "many pixels are negative: they look like dB");
            }
            Units::Linear if valid > 100 && upper > bright => {
                let why = format!("a quarter of the pixels lie above {bright}: they look like amplitude");
                return refused(Units::Amplitude, &why);
            }
            Units::Amplitude if valid > 100 && upper < dark => {
                let why =
                    format!("three quarters of the pixels lie below {dark}: they look like linear power");
                return refused(Units::Linear, &why);
            }
            Units::Db if valid > 100 && negative * 10 < valid => {
                return refused(
                    Units::Linear,
                    "hardly a pixel is negative: they look like linear power",
                );
            }
            _ => {}
        }
    }
    Ok(())
}

/// The units that the name of a HyP3 product tells: `..._RTC10_G_gpuned_...`, where the second letter of the code is p
/// for power, a for amplitude, d for decibel (ASF, HyP3 RTC product guide).
fn hyp3_units(href: &str) -> Option<Units> {
    let name = href.rsplit('/').next().unwrap_or(href);
    let parts: Vec<&str> = name.split('_').collect();
    let code = parts.windows(3).find_map(|three| {
        let [kind, "G", code] = three else { return None };
        (kind.starts_with("RTC") && code.len() == 6).then_some(*code)
    })?;
    let mut letters = code.chars();
    if !matches!(letters.next(), Some('g' | 's')) {
        return None;
    }
    match letters.next() {
        Some('p') => Some(Units::Linear),
        Some('a') => Some(Units::Amplitude),
        Some('d') => Some(Units::Db),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_of_hyp3_tell_their_units() {
        let of = |code: &str| {
            hyp3_units(&format!(
                "/x/S1A_IW_20260518T224500_DVP_RTC10_G_{code}_A1B2/a_RTC10_G_{code}_A1B2_VV.tif"
            ))
        };
        assert_eq!(of("gpunem"), Some(Units::Linear));
        assert_eq!(of("gaunem"), Some(Units::Amplitude));
        assert_eq!(of("sdufem"), Some(Units::Db));
        assert_eq!(of("other1"), None);
        assert_eq!(hyp3_units("/x/S1_RTC_20220109T224606_thoaison.tif"), None);
    }
}

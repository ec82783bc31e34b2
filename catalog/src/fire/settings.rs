//! What is set about forest fire: the table of levels and who issued it, stations, hot spots, alerts on series.

use crate::{Error, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Forest fire.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct FireSettings {
    /// Layer of the forest blocks.
    pub blocks: String,
    /// Layer of the stations.
    pub stations: String,
    /// Layer of the paddies: straw is burned there.
    pub paddies: String,
    /// Rain of a day, mm, from which on index P begins anew: 5, 6 or 7 by locality.
    pub reset_mm: f64,
    /// Largest P of levels I, II, III and IV; above is V.
    pub levels: [f64; 4],
    /// Whose table this is; shown beside every level.
    pub citation: Citation,
    /// How far from 13:00 (12:00 for FWI) a reading may be, minutes.
    pub window_min: u32,
    /// More hours in a row than this without a rain value make a day's rain unknown.
    pub rain_gap_h: u32,
    /// Stations farther from the middle of a block than this say nothing of it, km.
    pub reach_km: f64,
    /// Cell size of the layer `fire_danger`, metres: rounded to whole cells of the province grid.
    pub cell_m: f64,
    /// Hot spots.
    pub hotspots: HotspotSettings,
    /// Alerts on the series of a forest block.
    pub change: ChangeSettings,
}

/// A source of law, or of a default.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Citation {
    /// In Vietnamese.
    pub vi: String,
    /// In English.
    pub en: String,
    /// True when the province's People's Committee issued the table for this province.
    #[serde(default)]
    pub in_force_here: bool,
}

/// How hot spots become fires.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct HotspotSettings {
    /// Hot spots of VIIRS this near to each other, metres, are one fire.
    pub viirs_m: f64,
    /// The same where one of the two is of MODIS, whose pixels are larger.
    pub modis_m: f64,
    /// Hours between two of them at most.
    pub chain_h: f64,
    /// A hot spot this near to a forest block is a forest fire, metres, whatever grows below it.
    pub forest_m: f64,
    /// Cell in which days with hot spots are counted to find chimneys and flares, metres.
    pub static_cell_m: f64,
    /// More days than this with a hot spot in one cell ...
    pub static_days: usize,
    /// ... within so many days are a static source.
    pub static_within_days: i64,
}

/// When a series of a forest block raises an alert.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ChangeSettings {
    /// Weeks with a look from which the usual value and its spread are taken; nothing is judged before.
    pub baseline_weeks: usize,
    /// Least share of a block that must be seen for a week to count.
    pub seen_share: f64,
    /// What the sum forgives a week, in spreads.
    pub drift: f64,
    /// The sum, in spreads, from which on an alert is raised.
    pub threshold: f64,
    /// Later looks that must agree before an alert is confirmed.
    pub confirm_looks: usize,
    /// Least spread of an index, so that a calm series does not cry at nothing.
    pub index_spread: f64,
    /// The same for VH, decibel.
    pub vh_spread_db: f64,
    /// Weeks before a look from which the NBR before it is taken (their median), for dNBR.
    pub before_weeks: usize,
}

impl FireSettings {
    /// Says what contradicts itself.
    ///
    /// # Errors
    /// [`Error::Invalid`] naming the setting.
    pub fn check(&self) -> Result<()> {
        let rising = self.levels.windows(2).all(|pair| pair[0] < pair[1]);
        if !(rising && self.levels[0] > 0.0 && self.levels[3].is_finite()) {
            return Err(Error::Invalid(format!(
                "fire.levels: {:?} must rise from above 0; give the largest P of levels I, II, III and IV",
                self.levels
            )));
        }
        if !(self.reset_mm > 0.0 && self.reset_mm.is_finite()) {
            return Err(Error::Invalid(format!(
                "fire.reset_mm: {} must be above 0; the decrees have 5, 6 or 7",
                self.reset_mm
            )));
        }
        if self.window_min > 180 {
            return Err(Error::Invalid(format!(
                "fire.window_min: {} is more than three hours from 13:00; take at most 180",
                self.window_min
            )));
        }
        if !(self.cell_m > 0.0 && self.reach_km > 0.0) {
            return Err(Error::Invalid(
                "fire.cell_m and fire.reach_km must be above 0".to_owned(),
            ));
        }
        let hotspots = &self.hotspots;
        let lengths = [hotspots.viirs_m, hotspots.modis_m, hotspots.static_cell_m];
        if !lengths.iter().all(|m| *m > 0.0 && m.is_finite()) {
            return Err(Error::Invalid(
                "fire.hotspots: viirs_m, modis_m and static_cell_m must be above 0".to_owned(),
            ));
        }
        Ok(())
    }
}

impl Default for FireSettings {
    /// The table of Thua Thien Hue: no decision of Dong Thap was found, so it is a default and no law there.
    fn default() -> Self {
        Self {
            blocks: "forest_blocks".into(),
            stations: "stations".into(),
            paddies: "plots".into(),
            reset_mm: 5.0,
            levels: [5_000.0, 10_000.0, 15_000.0, 20_000.0],
            citation: Citation {
                vi: "Bảng cấp của tỉnh Thừa Thiên Huế (Quyết định 33/2022/QĐ-UBND), dùng tạm khi chưa có bảng của tỉnh; \
                     năm cấp theo Điều 46 Nghị định 156/2018/NĐ-CP"
                    .into(),
                en: "Table of Thua Thien Hue province (Decision 33/2022/QD-UBND), a default until the province's own \
                     table is set; five levels by article 46 of Decree 156/2018/ND-CP"
                    .into(),
                in_force_here: false,
            },
            window_min: 60,
            rain_gap_h: 3,
            reach_km: 30.0,
            cell_m: 20.0,
            hotspots: HotspotSettings::default(),
            change: ChangeSettings::default(),
        }
    }
}

impl Default for HotspotSettings {
    fn default() -> Self {
        Self {
            viirs_m: 1_000.0,
            modis_m: 1_500.0,
            chain_h: 24.0,
            forest_m: 500.0,
            static_cell_m: 500.0,
            static_days: 10,
            static_within_days: 90,
        }
    }
}

impl Default for ChangeSettings {
    fn default() -> Self {
        Self {
            baseline_weeks: 8,
            seen_share: 0.5,
            drift: 0.5,
            threshold: 4.0,
            confirm_looks: 2,
            index_spread: 0.03,
            vh_spread_db: 0.5,
            before_weeks: 8,
        }
    }
}

//! Why water stands in a dyke compartment, week by week: what was seen, since when, and the cause as far as it can be told.
//!
//! Pure rules and the record they make, shared by the weekly run and the service. [`rules`] is the table of causes,
//! [`course`] walks through the weeks of one compartment, [`crop`] and [`gauge`] say what the fields and the river did.

pub mod course;
pub mod crop;
pub mod gauge;
pub mod rules;
#[cfg(test)]
mod tests;

use crate::period::Period;
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

/// Why a compartment is wet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// It is not wet.
    None,
    /// It is wet, or was not seen, and the cause cannot be told from what is known.
    NotClassified,
    /// Irrigation: land preparation, transplanting, the first weeks of the crop.
    PaddyWater,
    /// Water let in on purpose under a registered plan.
    PlannedRelease,
    /// The river over land that is not shut off from it.
    RiverFlood,
    /// A high tide that falls again within days.
    TidalFlood,
    /// Water on a standing crop behind a closed dyke, fast, while the river is high: an alert.
    #[serde(rename = "dyke_overtopping_or_breach")]
    DykeBreach,
}

impl Cause {
    /// Every cause, in the order of their numbers.
    pub const ALL: [Self; 7] = [
        Self::None,
        Self::NotClassified,
        Self::PaddyWater,
        Self::PlannedRelease,
        Self::RiverFlood,
        Self::TidalFlood,
        Self::DykeBreach,
    ];

    /// The name in answers and tiles.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::NotClassified => "not_classified",
            Self::PaddyWater => "paddy_water",
            Self::PlannedRelease => "planned_release",
            Self::RiverFlood => "river_flood",
            Self::TidalFlood => "tidal_flood",
            Self::DykeBreach => "dyke_overtopping_or_breach",
        }
    }

    /// The cause of a name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|cause| cause.name() == name)
    }

    /// The number by which the style `inundation` colours it: 0 for none, then as in [`Cause::ALL`].
    pub fn number(self) -> u8 {
        self as u8
    }

    /// True when somebody has to act now.
    pub fn is_alert(self) -> bool {
        self == Self::DykeBreach
    }
}

/// What the cause was told from, or why it could not be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Less than a tenth of what was seen is under water, or less than three tenths and no flood came before.
    Dry,
    /// Too little of the compartment was seen.
    NotSeen,
    /// Closed, no crop above the seedling stage, river below BĐ1.
    NoCropRiverLow,
    /// The river is below BĐ1: the water on these fields is not its water.
    RiverLow,
    /// Closed and without a standing crop, but the river is at BĐ1 or above, or not known: irrigation is likely.
    NoCrop,
    /// A registered plan lets the water in.
    Plan,
    /// Water rose by more than three tenths within twelve days on a standing crop, with the river at BĐ2 or the neighbours wet.
    RoseOnCrop,
    /// Open to the river, which is at BĐ1 or above.
    RiverHigh,
    /// The same, but no way for the water was seen; canals narrower than a cell are not.
    RiverHighUnconnected,
    /// Above BĐ3 at high tide for at most three days in a row, below BĐ1 at low tide.
    HighTide,
    /// The same water as in the weeks before.
    Continues,
    /// No gauge with alarm levels was heard this week.
    NoGauge,
    /// Nobody has said whether the compartment is closed.
    ClosureUnknown,
    /// The crop is not known.
    CropUnknown,
    /// No look within the twelve days before: whether the water rose fast is not known.
    FirstLook,
    /// Water on a standing crop that neither the river nor a plan explains: rain, irrigation, or the map is wrong.
    Unexplained,
}

impl Reason {
    /// For people: Vietnamese, English.
    pub fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Dry => ("không ngập", "not under water"),
            Self::NotSeen => ("mây che hoặc chưa có ảnh", "cloud, or no image"),
            Self::NoCropRiverLow => (
                "đê kín, lúa chưa qua giai đoạn mạ, sông dưới BĐ1",
                "closed dyke, no crop past the seedling stage, river below BĐ1",
            ),
            Self::RiverLow => (
                "sông dưới BĐ1 nên không phải nước sông",
                "river below BĐ1, so not the river's water",
            ),
            Self::NoCrop => (
                "đê kín, không có lúa đang lớn; có lẽ là nước tưới",
                "closed dyke, no standing crop; probably irrigation",
            ),
            Self::Plan => (
                "theo kế hoạch xả lũ đã đăng ký",
                "under the registered release plan",
            ),
            Self::RoseOnCrop => (
                "nước lên nhanh trên lúa đang lớn trong đê kín khi lũ cao",
                "water rose fast on a standing crop behind a closed dyke while the river is high",
            ),
            Self::RiverHigh => (
                "không có đê kín, sông từ BĐ1 trở lên",
                "open to the river, which is at BĐ1 or above",
            ),
            Self::RiverHighUnconnected => (
                "không có đê kín, sông từ BĐ1 trở lên; chưa thấy đường nước vào",
                "open to the river, which is at BĐ1 or above; no way for the water was seen",
            ),
            Self::HighTide => (
                "triều cường trên BĐ3, rút trong vài ngày",
                "spring tide above BĐ3 that falls within days",
            ),
            Self::Continues => ("nước của các tuần trước", "the water of the weeks before"),
            Self::NoGauge => ("tuần này không có số đo mực nước", "no gauge was heard this week"),
            Self::ClosureUnknown => (
                "chưa biết đê có kín hay không",
                "whether the dyke is closed is not known",
            ),
            Self::CropUnknown => ("chưa biết vụ lúa", "the crop is not known"),
            Self::FirstLook => (
                "chỉ có một lần nhìn, chưa biết nước lên nhanh hay chậm",
                "a single look: how fast the water rose is not known",
            ),
            Self::Unexplained => (
                "nước trên lúa đang lớn mà sông không cao: mưa, tưới, hoặc bản đồ sai",
                "water on a standing crop though the river is not high: rain, irrigation, or the map is wrong",
            ),
        }
    }
}

/// A compartment's week.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Inundation {
    /// The compartment, by the store's number.
    #[serde(skip)]
    pub fid: i64,
    /// The week.
    pub period: Period,
    /// Local day of the look behind the week's map, where one is known.
    pub looked: Option<NaiveDate>,
    /// Share of the compartment that was seen, 0 to 1.
    pub seen: f64,
    /// Share of the seen part under water, rivers and canals not counted.
    pub flooded_share: Option<f64>,
    /// The same in hectares.
    pub flooded_ha: Option<f64>,
    /// Hectares of the largest body of water within the compartment (cells that share an edge).
    pub connected_ha: Option<f64>,
    /// Share of its water that hangs together with water outside.
    pub outside_share: Option<f64>,
    /// First look at which three tenths or more were under water, of the water that stands now or was last to leave.
    pub first_wet: Option<NaiveDate>,
    /// Last such look.
    pub last_wet: Option<NaiveDate>,
    /// From the first to the last, both counted: at least so long.
    pub days_under_water: Option<i64>,
    /// Why.
    pub class: Cause,
    /// False when the class is likely, not told by the table alone.
    pub sure: bool,
    /// From what.
    pub reason: Reason,
    /// What the river did, where a gauge was heard.
    pub gauge: Option<gauge::GaugeWeek>,
}

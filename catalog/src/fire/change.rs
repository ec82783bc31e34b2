//! What a forest block lost: burn severity from NBR, and alerts on its series that two later looks must confirm.

use super::settings::ChangeSettings;
use crate::period::Period;
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

/// Classes of the fall of NBR. Calibrated on North American forest: uncalibrated for melaleuca, and said so wherever shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Below -0.25.
    RegrowthHigh,
    /// -0.25 to -0.10.
    RegrowthLow,
    /// -0.10 to 0.10.
    Unburned,
    /// 0.10 to 0.27.
    Low,
    /// 0.27 to 0.44.
    ModerateLow,
    /// 0.44 to 0.66.
    ModerateHigh,
    /// From 0.66 on.
    High,
}

impl Severity {
    /// The class of a dNBR (NBR before less NBR after).
    ///
    /// ```
    /// # use sen_catalog::fire::change::Severity;
    /// assert_eq!(Severity::of(0.27), Severity::ModerateLow);
    /// assert_eq!(Severity::of(0.099), Severity::Unburned);
    /// ```
    pub fn of(dnbr: f64) -> Self {
        match dnbr {
            d if d < -0.25 => Self::RegrowthHigh,
            d if d < -0.10 => Self::RegrowthLow,
            d if d < 0.10 => Self::Unburned,
            d if d < 0.27 => Self::Low,
            d if d < 0.44 => Self::ModerateLow,
            d if d < 0.66 => Self::ModerateHigh,
            _ => Self::High,
        }
    }

    /// For people: Vietnamese, English.
    pub fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::RegrowthHigh => ("mọc lại nhiều", "strong regrowth"),
            Self::RegrowthLow => ("mọc lại ít", "some regrowth"),
            Self::Unburned => ("không cháy", "unburned"),
            Self::Low => ("nhẹ", "low"),
            Self::ModerateLow => ("vừa, phía nhẹ", "moderate-low"),
            Self::ModerateHigh => ("vừa, phía nặng", "moderate-high"),
            Self::High => ("nặng", "high"),
        }
    }
}

/// What a series is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Indicator {
    /// Normalized burn ratio.
    Nbr,
    /// Moisture index.
    Ndmi,
    /// Vegetation index: told, but it raises no alert alone, for melaleuca is flooded every year.
    Ndvi,
    /// Cross-polarised backscatter, decibel, against the usual of its orbit.
    Vh,
}

impl Indicator {
    /// All.
    pub const ALL: [Self; 4] = [Self::Nbr, Self::Ndmi, Self::Ndvi, Self::Vh];

    /// The word in JSON, which for indices is the collection.
    pub fn name(self) -> &'static str {
        match self {
            Self::Nbr => "nbr",
            Self::Ndmi => "ndmi",
            Self::Ndvi => "ndvi",
            Self::Vh => "vh",
        }
    }
}

/// How far an alert has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Too few looks to know what is usual.
    NotJudged,
    /// Nothing out of the usual.
    Usual,
    /// Raised, and not yet confirmed by later looks.
    Suspected,
    /// Confirmed by later looks.
    Confirmed,
}

/// What the sum over a series says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Judgement {
    /// How far it has come at the end of the series.
    pub state: State,
    /// The week in which the sum passed the threshold, while an alert stands.
    pub since: Option<Period>,
    /// The week of the look that confirmed it.
    pub confirmed: Option<Period>,
    /// The usual value and its spread.
    pub usual: Option<(f64, f64)>,
    /// The sum week by week, from the first that was judged.
    pub sums: Vec<(Period, f64)>,
}

/// One-sided CUSUM for falls: S = max(0, S + (usual - x) / spread - drift), an alert while S is above the threshold.
///
/// Usual and spread are mean and standard deviation of the first looks. An alert that the next looks do not bear out is
/// withdrawn; once confirmed it stands until the sum falls below the threshold again.
pub fn cusum(series: &[(Period, f64)], least_spread: f64, settings: &ChangeSettings) -> Judgement {
    let mut judgement = Judgement {
        state: State::NotJudged,
        since: None,
        confirmed: None,
        usual: None,
        sums: Vec::new(),
    };
    let count = settings.baseline_weeks.max(2);
    if series.len() <= count {
        return judgement;
    }
    let (before, after) = series.split_at(count);
    let mean = before.iter().map(|(_, x)| x).sum::<f64>() / count as f64;
    let variance = before.iter().map(|(_, x)| (x - mean).powi(2)).sum::<f64>() / (count - 1) as f64;
    let spread = variance.sqrt().max(least_spread);
    judgement.usual = Some((mean, spread));
    judgement.state = State::Usual;
    let (mut sum, mut later) = (0.0_f64, 0);
    for (week, x) in after {
        sum = (sum + (mean - x) / spread - settings.drift).max(0.0);
        judgement.sums.push((*week, sum));
        if sum <= settings.threshold {
            (judgement.since, judgement.confirmed, judgement.state) = (None, None, State::Usual);
            continue;
        }
        match judgement.state {
            State::Confirmed => {}
            State::Suspected => later += 1,
            State::Usual | State::NotJudged => {
                (judgement.since, judgement.state, later) = (Some(*week), State::Suspected, 0);
            }
        }
        if judgement.state == State::Suspected && later >= settings.confirm_looks {
            (judgement.confirmed, judgement.state) = (Some(*week), State::Confirmed);
        }
    }
    judgement
}

/// What is known of a forest block's cover in one week.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ForestWeek {
    /// The first day of the week.
    pub from: NaiveDate,
    /// Means over the block; none where too little was seen.
    pub nbr: Option<f64>,
    /// See `nbr`.
    pub ndmi: Option<f64>,
    /// See `nbr`.
    pub ndvi: Option<f64>,
    /// Mean of the week's looks less the usual of their orbit, dB.
    pub vh_db: Option<f64>,
    /// NBR of the weeks before less that of this week.
    pub dnbr: Option<f64>,
    /// Its class, uncalibrated.
    pub severity: Option<Severity>,
}

/// The cover of a forest block through time, and what stands out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ForestChange {
    /// Weeks with a look, rising.
    pub weeks: Vec<ForestWeek>,
    /// What each series says.
    pub judgements: Vec<(Indicator, Judgement)>,
    /// The alert of the block: that of NBR or NDMI, whichever has come farther.
    pub state: State,
    /// Since when.
    pub since: Option<Period>,
    /// Confirmed when.
    pub confirmed: Option<Period>,
    /// True when radar, which sees through clouds, raises an alert too.
    pub radar_agrees: bool,
}

/// dNBR and its class for each week, against the median of the weeks before; a week without any has none.
pub fn severities(weeks: &mut [ForestWeek], settings: &ChangeSettings) {
    for index in 0..weeks.len() {
        let Some(after) = weeks[index].nbr else { continue };
        let first = weeks[index].from - chrono::TimeDelta::weeks(settings.before_weeks.min(520) as i64);
        let mut before: Vec<f64> = weeks[..index]
            .iter()
            .filter(|week| week.from >= first)
            .filter_map(|week| week.nbr)
            .collect();
        before.sort_by(f64::total_cmp);
        let Some(median) = before.get(before.len() / 2) else {
            continue;
        };
        let dnbr = median - after;
        weeks[index].dnbr = Some(dnbr);
        weeks[index].severity = Some(Severity::of(dnbr));
    }
}

/// Judges the series of a block.
pub fn judge(mut weeks: Vec<ForestWeek>, settings: &ChangeSettings) -> ForestChange {
    weeks.sort_by_key(|week| week.from);
    severities(&mut weeks, settings);
    let series = |value: fn(&ForestWeek) -> Option<f64>| -> Vec<(Period, f64)> {
        let seen = weeks
            .iter()
            .filter_map(|week| Some((Period::of_date(week.from), value(week)?)));
        seen.collect()
    };
    let judgements: Vec<(Indicator, Judgement)> = Indicator::ALL
        .map(|indicator| {
            let (values, least) = match indicator {
                Indicator::Nbr => (series(|week| week.nbr), settings.index_spread),
                Indicator::Ndmi => (series(|week| week.ndmi), settings.index_spread),
                Indicator::Ndvi => (series(|week| week.ndvi), settings.index_spread),
                Indicator::Vh => (series(|week| week.vh_db), settings.vh_spread_db),
            };
            (indicator, cusum(&values, least, settings))
        })
        .into();
    let of = |wanted: Indicator| judgements.iter().find(|(indicator, _)| *indicator == wanted);
    let optical = [of(Indicator::Nbr), of(Indicator::Ndmi)];
    let strongest = optical
        .into_iter()
        .flatten()
        .map(|(_, judgement)| judgement)
        .reduce(|a, b| if b.state > a.state { b } else { a });
    let alert = |judgement: &Judgement| judgement.state >= State::Suspected;
    ForestChange {
        state: strongest.map_or(State::NotJudged, |judgement| judgement.state),
        since: strongest.and_then(|judgement| judgement.since),
        confirmed: strongest.and_then(|judgement| judgement.confirmed),
        radar_agrees: of(Indicator::Vh).is_some_and(|(_, judgement)| alert(judgement)),
        judgements,
        weeks,
    }
}

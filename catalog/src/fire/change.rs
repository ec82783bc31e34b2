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

/// An alert as it stood after a look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alert {
    /// The week in which the sum passed the threshold.
    pub since: Period,
    /// The week of the look that confirmed it; none while that is awaited.
    pub confirmed: Option<Period>,
}

impl Alert {
    /// How far it has come.
    pub fn state(&self) -> State {
        if self.confirmed.is_some() {
            State::Confirmed
        } else {
            State::Suspected
        }
    }
}

/// What became of the cover of a block, as the looks up to a week tell; the numbers are the classes of `forest_cover`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum Cover {
    /// As usual: no alert.
    Kept = 1,
    /// An alert that later looks have not confirmed yet.
    Suspected = 2,
    /// An alert that later looks confirmed.
    Lost = 3,
    /// A confirmed alert, and the index is back within a spread of the usual: green again, by whatever plants.
    Regrowth = 4,
}

impl Cover {
    /// What a look at `value` tells beside the alert that stands after it.
    fn of(alert: Option<Alert>, value: f64, usual: (f64, f64)) -> Self {
        match alert.map(|alert| alert.state()) {
            Some(State::Confirmed) if value >= usual.0 - usual.1 => Self::Regrowth,
            Some(State::Confirmed) => Self::Lost,
            Some(_) => Self::Suspected,
            None => Self::Kept,
        }
    }

    /// The one to act on of what several indices tell.
    fn graver(self, other: Self) -> Self {
        let order = [Self::Kept, Self::Regrowth, Self::Suspected, Self::Lost];
        let rank = |cover| order.iter().position(|one| *one == cover);
        if rank(other) > rank(self) { other } else { self }
    }
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
    let mut sum = 0.0_f64;
    for (week, x) in after {
        sum = (sum + (mean - x) / spread - settings.drift).max(0.0);
        judgement.sums.push((*week, sum));
    }
    let last = alerts(&judgement.sums, settings).pop().flatten();
    judgement.state = last.map_or(State::Usual, |alert| alert.state());
    judgement.since = last.map(|alert| alert.since);
    judgement.confirmed = last.and_then(|alert| alert.confirmed);
    judgement
}

/// The alert that stood after each look, by the sums up to it: none at or below the threshold.
fn alerts(sums: &[(Period, f64)], settings: &ChangeSettings) -> Vec<Option<Alert>> {
    let (mut alert, mut later): (Option<Alert>, usize) = (None, 0);
    let after = |(week, sum): &(Period, f64)| {
        if *sum <= settings.threshold {
            alert = None;
        } else if alert.is_some() {
            later += 1;
        } else {
            (alert, later) = (
                Some(Alert {
                    since: *week,
                    confirmed: None,
                }),
                0,
            );
        }
        if let Some(alert) = alert.as_mut().filter(|_| later >= settings.confirm_looks) {
            alert.confirmed.get_or_insert(*week);
        }
        alert
    };
    sums.iter().map(after).collect()
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
    /// NBR of the weeks before less that of this week; while an alert stands, of the weeks before the alert.
    pub dnbr: Option<f64>,
    /// Its class, uncalibrated.
    pub severity: Option<Severity>,
    /// The alert that stood after this week's look.
    pub alert: Option<Alert>,
    /// What the looks up to this one tell of the cover; none without a look, and while too few are known.
    pub cover: Option<Cover>,
}

impl ForestWeek {
    /// True when enough of the block was seen by an instrument that raises alerts.
    pub fn is_seen(&self) -> bool {
        self.nbr.is_some() || self.ndmi.is_some()
    }
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
///
/// While an alert stands these are the weeks before the alert: later ones have seen the loss, and some weeks after a fire
/// it would no longer show.
fn severities(weeks: &mut [ForestWeek], settings: &ChangeSettings) {
    for index in 0..weeks.len() {
        let Some(after) = weeks[index].nbr else { continue };
        let alert = weeks[index].alert;
        let end = alert.map_or(weeks[index].from, |alert| alert.since.first_day());
        let first = end - chrono::TimeDelta::weeks(settings.before_weeks.min(520) as i64);
        let mut before: Vec<f64> = weeks[..index]
            .iter()
            .filter(|week| week.from >= first && week.from < end)
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
    for (indicator, judgement) in &judgements {
        let value: fn(&ForestWeek) -> Option<f64> = match indicator {
            Indicator::Nbr => |week| week.nbr,
            Indicator::Ndmi => |week| week.ndmi,
            Indicator::Ndvi | Indicator::Vh => continue,
        };
        mark(&mut weeks, judgement, value, settings);
    }
    severities(&mut weeks, settings);
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

/// Notes on each week what a judgement said after its look, where that is graver than what is noted already.
fn mark(
    weeks: &mut [ForestWeek],
    judgement: &Judgement,
    value: fn(&ForestWeek) -> Option<f64>,
    settings: &ChangeSettings,
) {
    let Some(usual) = judgement.usual else { return };
    for ((period, _), alert) in judgement.sums.iter().zip(alerts(&judgement.sums, settings)) {
        let Some(week) = weeks
            .iter_mut()
            .find(|week| Period::of_date(week.from) == *period)
        else {
            continue;
        };
        let Some(value) = value(week) else { continue };
        let cover = Cover::of(alert, value, usual);
        week.cover = Some(week.cover.map_or(cover, |known| known.graver(cover)));
        let far = |alert: Option<Alert>| alert.map(|alert| alert.state());
        if far(alert) > far(week.alert) {
            week.alert = alert;
        }
    }
}

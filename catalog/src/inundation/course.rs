//! The weeks of one compartment, one after the other: what came before decides what water is called.

use super::crop::{Plot, crop_on};
use super::gauge::GaugeWeek;
use super::rules::{ENOUGH_SEEN, Evidence, HIGH, LOW, RISE_DAYS, classify};
use super::{Cause, Inundation};
use crate::period::Period;
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

/// Share that paddies reach when they are flooded for a crop.
const PADDIES_FULL: f64 = 0.5;

/// Share of dry land that a rise is counted against at least: the last dry corners say nothing.
const LEAST_DRY: f64 = 2.0 / 3.0;

/// What the flood map of a week shows of a compartment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// The week.
    pub period: Period,
    /// Local day of the look behind most of the map.
    pub looked: Option<NaiveDate>,
    /// Share that was seen.
    pub seen: f64,
    /// Share of the seen part under water, without permanent water; none where nothing was seen.
    pub share: Option<f64>,
    /// The same in hectares.
    pub flooded_ha: Option<f64>,
    /// Hectares of the largest body of water.
    pub connected_ha: Option<f64>,
    /// Share of the water that hangs together with water outside.
    pub outside_share: Option<f64>,
}

/// What is known of a week beside the map.
#[derive(Clone, Debug, Default)]
pub struct Circumstances {
    /// See [`Evidence::closed`].
    pub closed: Option<bool>,
    /// See [`Evidence::plan`].
    pub plan: bool,
    /// The gauge's week.
    pub gauge: Option<GaugeWeek>,
    /// See [`Evidence::neighbours_wet`].
    pub neighbours_wet: Option<bool>,
}

/// The records of a compartment. `weeks` rise in time; weeks without a map are left out.
pub fn course(fid: i64, plots: &[Plot], weeks: Vec<(Measured, Circumstances)>) -> Vec<Inundation> {
    let mut state = State::default();
    weeks
        .into_iter()
        .map(|(measured, circumstances)| state.week(fid, plots, &measured, circumstances))
        .collect()
}

/// What is remembered from week to week.
#[derive(Default)]
struct State {
    /// Looks of the last [`RISE_DAYS`] days.
    looks: Vec<(NaiveDate, f64)>,
    /// Class of the water that stands.
    standing: Option<Cause>,
    /// First and last wet look of the water that stands or was last to leave.
    wet: Option<(NaiveDate, NaiveDate)>,
    /// True while three tenths or more are under water.
    is_high: bool,
    /// Highest share since the water came.
    peak: f64,
    /// When the water of transplanting was last seen to have fallen to half its extent or less.
    drained: Option<NaiveDate>,
    /// Last day on which the river was at BĐ1, or may have been: a week in which no gauge was heard counts whole.
    river_high: Option<NaiveDate>,
}

impl State {
    fn week(
        &mut self,
        fid: i64,
        plots: &[Plot],
        measured: &Measured,
        circumstances: Circumstances,
    ) -> Inundation {
        let share = measured.share.filter(|_| measured.seen >= ENOUGH_SEEN);
        // Thursday stands for a week whose look has no date
        let day = measured
            .looked
            .unwrap_or(measured.period.first_day() + chrono::TimeDelta::days(3));
        self.looks
            .retain(|(looked, _)| (1..=RISE_DAYS).contains(&(day - *looked).num_days()));
        let lowest = self.looks.iter().map(|(_, share)| *share).reduce(f64::min);
        self.river_high = match &circumstances.gauge {
            Some(gauge) => gauge.last_alarm.or(self.river_high),
            None => Some(measured.period.last_day()),
        };
        let evidence = Evidence {
            closed: circumstances.closed,
            crop: crop_on(plots, self.drained, day),
            share,
            // of the land that was dry then: water that stood before does not hide what comes
            rise: share
                .zip(lowest)
                .map(|(share, lowest)| (share - lowest) / (1.0 - lowest).max(LEAST_DRY)),
            outside_share: measured.outside_share,
            gauge: circumstances.gauge.as_ref(),
            neighbours_wet: circumstances.neighbours_wet,
            plan: circumstances.plan,
            before: self.standing,
            river_left_days: self.river_high.map(|high| (day - high).num_days()),
        };
        let verdict = classify(&evidence);
        if let Some(share) = share {
            self.remember(day, share, verdict.class);
        }
        let wet = self.wet.filter(|_| share.is_none_or(|share| share >= LOW));
        Inundation {
            fid,
            period: measured.period,
            looked: measured.looked,
            seen: measured.seen,
            flooded_share: measured.share,
            flooded_ha: measured.flooded_ha,
            connected_ha: measured.connected_ha,
            outside_share: measured.outside_share,
            first_wet: wet.map(|(first, _)| first),
            last_wet: wet.map(|(_, last)| last),
            days_under_water: wet.map(|(first, last)| (last - first).num_days() + 1),
            class: verdict.class,
            sure: verdict.sure,
            reason: verdict.reason,
            gauge: circumstances.gauge,
        }
    }

    fn remember(&mut self, day: NaiveDate, share: f64, class: Cause) {
        self.looks.push((day, share));
        if share >= HIGH {
            // a dyke that breaks brings water of its own
            let other = class == Cause::DykeBreach && self.standing != Some(Cause::DykeBreach);
            self.wet = match self.wet {
                Some((first, _)) if self.is_high && !other => Some((first, day)),
                _ => Some((day, day)),
            };
            self.peak = if self.is_high { self.peak.max(share) } else { share };
            self.is_high = true;
            self.standing = Some(class);
            if share <= self.peak / 2.0 {
                self.fell(day);
            }
            return;
        }
        if self.is_high {
            self.fell(day);
        }
        self.is_high = false;
        if share < LOW {
            self.standing = None;
            self.wet = None;
        }
    }

    /// The water of transplanting has fallen away, the first time since it came.
    fn fell(&mut self, day: NaiveDate) {
        let paddies = self.peak >= PADDIES_FULL && self.standing == Some(Cause::PaddyWater);
        let first = self.wet.map_or(day, |(first, _)| first);
        if paddies && self.drained.is_none_or(|drained| drained < first) {
            self.drained = Some(day);
        }
    }
}

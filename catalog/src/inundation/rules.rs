//! The table of causes (section 3.5 of the science notes), row by row, and what is said where no row fits.
//!
//! | closed | crop | water | river | class |
//! |---|---|---|---|---|
//! | yes | fallow, preparation, first 25 days | high | < BĐ1 | paddy water |
//! | yes | fallow, August to November, plan registered | high | any | planned release |
//! | yes | tillering to maturity | rises by more than 30 % in 12 days or less | >= BĐ2, or neighbours wet | overtopping or breach |
//! | no | any | high, connected to a channel | >= BĐ1 | river flood |
//! | any | tide, near the gauge, falls within 3 days | | >= BĐ3 | tidal flood |
//!
//! Water keeps its class until it has gone; what a river flood leaves behind on land that is open to it is paddy water once the
//! river has stood below BĐ1 for a week ([`LEFT_DAYS`]), because the next crop is sown into it. Where a closed compartment without a standing crop is wet while the river is
//! high, the table is silent: irrigation is likely, and said as likely ([`Verdict::sure`] is false). The depth that the
//! table asks of paddies ("shallow") cannot be seen from above and is not asked for.

use super::crop::Crop;
use super::gauge::GaugeWeek;
use super::{Cause, Reason};

/// Share of the seen part from which the water is high.
pub const HIGH: f64 = 0.3;
/// Share below which the compartment is dry again.
pub const LOW: f64 = 0.1;
/// Share of the compartment that must have been seen.
pub const ENOUGH_SEEN: f64 = 0.5;
/// Rise of the share that is fast within [`RISE_DAYS`].
pub const FAST_RISE: f64 = 0.3;
/// See [`FAST_RISE`].
pub const RISE_DAYS: i64 = 12;
/// Days below BĐ1 after which the water that a river left behind is its flood no more.
pub const LEFT_DAYS: i64 = 7;
/// Share of its water that must hang together with water outside for a compartment to be connected.
const CONNECTED: f64 = 0.5;
/// Farther from its gauge a compartment is not near the river whose tide the gauge shows, metres.
const TIDE_REACH_M: f64 = 5_000.0;

/// What is known of a compartment's week.
#[derive(Clone, Debug, Default)]
pub struct Evidence<'a> {
    /// Shut off from the river in this week; none: nobody said.
    pub closed: Option<bool>,
    /// The crop on the day of the look.
    pub crop: Crop,
    /// Share under water; none: not seen.
    pub share: Option<f64>,
    /// Share of the land dry at the driest look of the last twelve days (of two thirds at least) that came under water
    /// since; none without a look in them.
    pub rise: Option<f64>,
    /// Share of the water that hangs together with water outside.
    pub outside_share: Option<f64>,
    /// The gauge.
    pub gauge: Option<&'a GaugeWeek>,
    /// Whether a neighbour that is open to the river is under water; none: no neighbour was seen.
    pub neighbours_wet: Option<bool>,
    /// A plan for this week is registered, and it lies in August to November.
    pub plan: bool,
    /// The class of the same water in the week before; none when it was dry.
    pub before: Option<Cause>,
    /// Days from the last one on which the river was at BĐ1 to the look; none: not heard in every week since.
    pub river_left_days: Option<i64>,
}

/// A class and how it was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Why the compartment is wet.
    pub class: Cause,
    /// False when it is likely, not certain by the table.
    pub sure: bool,
    /// From what.
    pub reason: Reason,
}

fn verdict(class: Cause, sure: bool, reason: Reason) -> Verdict {
    Verdict { class, sure, reason }
}

/// The table.
pub fn classify(evidence: &Evidence) -> Verdict {
    let Some(share) = evidence.share else {
        return verdict(Cause::NotClassified, false, Reason::NotSeen);
    };
    if share < HIGH {
        return match evidence.before {
            Some(before) if share >= LOW => verdict(before, false, Reason::Continues),
            _ => verdict(Cause::None, true, Reason::Dry),
        };
    }
    let crop = &evidence.crop;
    if evidence.plan && evidence.closed != Some(false) && !crop.is_standing() {
        let sure = evidence.closed == Some(true) && crop.is_resting();
        return verdict(Cause::PlannedRelease, sure, Reason::Plan);
    }
    if evidence.before == Some(Cause::DykeBreach) {
        return verdict(Cause::DykeBreach, true, Reason::Continues);
    }
    if let Some(verdict) = breach(evidence) {
        return verdict;
    }
    let tide = evidence
        .gauge
        .is_some_and(|gauge| gauge.tide && gauge.distance_m <= TIDE_REACH_M);
    if tide && evidence.before.is_none_or(|before| before == Cause::TidalFlood) {
        return verdict(Cause::TidalFlood, true, Reason::HighTide);
    }
    if evidence.closed == Some(false) {
        open(evidence)
    } else {
        shut(evidence)
    }
}

fn alarm(evidence: &Evidence) -> Option<u8> {
    evidence.gauge.map(|gauge| gauge.alarm)
}

fn is_rising(evidence: &Evidence) -> bool {
    evidence.rise.is_some_and(|rise| rise > FAST_RISE)
}

/// The third row, and what keeps it from being told.
fn breach(evidence: &Evidence) -> Option<Verdict> {
    if evidence.closed == Some(false) || !evidence.crop.is_standing() {
        return None;
    }
    let unknown = |reason| Some(verdict(Cause::NotClassified, false, reason));
    let high = alarm(evidence).map(|alarm| alarm >= 2);
    let threatened = high == Some(true) || evidence.neighbours_wet == Some(true);
    let fresh = evidence.before.is_none() || evidence.before == Some(Cause::NotClassified);
    match (is_rising(evidence), threatened) {
        (true, true) if evidence.closed == Some(true) => {
            Some(verdict(Cause::DykeBreach, true, Reason::RoseOnCrop))
        }
        (true, true) => unknown(Reason::ClosureUnknown),
        (true, false) if high.is_none() => unknown(Reason::NoGauge),
        (false, true) if evidence.rise.is_none() && fresh => unknown(Reason::FirstLook),
        _ => None,
    }
}

/// Land that the river can reach.
fn open(evidence: &Evidence) -> Verdict {
    let same_flood = evidence.before == Some(Cause::RiverFlood) && !is_rising(evidence);
    match alarm(evidence) {
        Some(1..) => {
            let connected = evidence.outside_share.is_none_or(|share| share >= CONNECTED);
            let reason = if connected {
                Reason::RiverHigh
            } else {
                Reason::RiverHighUnconnected
            };
            verdict(Cause::RiverFlood, connected, reason)
        }
        Some(0) if same_flood && evidence.river_left_days >= Some(LEFT_DAYS) => {
            verdict(Cause::PaddyWater, false, Reason::RiverLow)
        }
        _ if same_flood => verdict(Cause::RiverFlood, false, Reason::Continues),
        Some(0) if evidence.crop.is_standing() && !evidence.crop.is_resting() => {
            verdict(Cause::NotClassified, false, Reason::Unexplained)
        }
        Some(0) => verdict(Cause::PaddyWater, evidence.crop.is_sown(), Reason::RiverLow),
        None if evidence.crop.is_sown() => verdict(Cause::PaddyWater, false, Reason::NoGauge),
        None => verdict(Cause::NotClassified, false, Reason::NoGauge),
    }
}

/// Land behind a closed dyke, or of which nobody said.
fn shut(evidence: &Evidence) -> Verdict {
    let (crop, alarm) = (&evidence.crop, alarm(evidence));
    let unknown = |reason| verdict(Cause::NotClassified, false, reason);
    let likely = |reason| verdict(Cause::PaddyWater, false, reason);
    let closed = evidence.closed == Some(true);
    if let Some(before @ (Cause::PlannedRelease | Cause::RiverFlood)) = evidence.before
        && !is_rising(evidence)
    {
        return verdict(before, false, Reason::Continues);
    }
    if crop.is_resting() {
        return match alarm {
            Some(0) if closed => verdict(Cause::PaddyWater, true, Reason::NoCropRiverLow),
            Some(0) => likely(Reason::RiverLow),
            Some(_) if closed || crop.is_sown() => likely(Reason::NoCrop),
            Some(_) => unknown(Reason::ClosureUnknown),
            None if crop.is_sown() => likely(Reason::NoGauge),
            None => unknown(Reason::NoGauge),
        };
    }
    if evidence.before == Some(Cause::PaddyWater) && !is_rising(evidence) {
        return likely(Reason::Continues);
    }
    if crop.is_standing() {
        return unknown(Reason::Unexplained);
    }
    match alarm {
        Some(0) => likely(Reason::RiverLow),
        _ => unknown(Reason::CropUnknown),
    }
}

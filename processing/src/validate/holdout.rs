//! The constants that are this project's own, tried on labelled chips: each event is scored with the values that were the best on
//! all other events.
//!
//! Only what is not taken from a publication is tried. The fixed VH threshold is not: chips without two humps do not tell.

use super::Counts;
use crate::flood::optical::NDVI_BELOW;
use crate::flood::radar::{Join, RULE, Rule};

/// Limits of NDVI below which open water is believed.
pub const NDVI_LIMITS: [f32; 7] = [0.1, 0.15, NDVI_BELOW, 0.25, 0.3, 0.35, 0.4];

/// Rules of radar: each constant of growing regions as it is, smaller and larger, with either way to join two methods.
pub fn radar_rules() -> Vec<Rule> {
    let mut rules = Vec::new();
    for join in [Join::Union, Join::Likelihood] {
        for seed in [RULE.seed - 1.0, RULE.seed, RULE.seed + 1.0] {
            for rest in [RULE.rest - 0.5, RULE.rest, RULE.rest + 0.5] {
                for wind in [RULE.wind - 1.0, RULE.wind, RULE.wind + 1.0] {
                    rules.push(Rule {
                        seed,
                        rest,
                        wind,
                        join,
                    });
                }
            }
        }
    }
    rules
}

/// One chip with each of the values tried, in their order.
#[derive(Clone, Copy, Debug)]
pub struct Tried<'a> {
    /// Name of the chip.
    pub chip: &'a str,
    /// Counts by each value.
    pub counts: &'a [Counts],
}

/// The event of a chip: its name up to the first `_`.
pub fn event(chip: &str) -> &str {
    chip.split('_').next().unwrap_or(chip)
}

/// Of each chip the value that pools to the best IoU over the chips of all other events; of equal ones the first. Empty when
/// all chips are of one event.
///
/// ```
/// use sen_processing::validate::Counts;
/// use sen_processing::validate::holdout::{Tried, leave_one_event_out};
/// let hits = |hits| Counts { hits, misses: 10 - hits, ..Counts::default() };
/// let (here, there) = ([hits(9), hits(5)], [hits(2), hits(3)]);
/// let chips = [("Spain_1", &here), ("Ghana_1", &there), ("Ghana_2", &there)];
/// let tried = chips.map(|(chip, counts)| Tried { chip, counts });
/// // Spain by the value that is the best in Ghana, and the reverse
/// assert_eq!(leave_one_event_out(&tried), [1, 0, 0]);
/// ```
pub fn leave_one_event_out(tried: &[Tried]) -> Vec<usize> {
    let best_without = |left_out: &str| {
        let others: Vec<&Tried> = tried
            .iter()
            .filter(|other| event(other.chip) != left_out)
            .collect();
        let values = others.iter().map(|other| other.counts.len()).min().unwrap_or(0);
        let mut best: Option<(usize, f64)> = None;
        for value in 0..values {
            let mut pooled = Counts::default();
            for other in &others {
                pooled += other.counts[value];
            }
            let iou = pooled.iou().unwrap_or(0.0);
            if best.is_none_or(|(_, most)| iou > most) {
                best = Some((value, iou));
            }
        }
        best.map(|(value, _)| value)
    };
    tried
        .iter()
        .filter_map(|chip| best_without(event(chip.chip)))
        .collect()
}

//! Which value gets which colour: ramp, intervals or classes.

use super::{ClassMark, Colour, Text};
use serde::Deserialize;

/// Most entries a palette can hold beside the transparent one.
const MAX_ENTRIES: usize = 255;

/// One colour with a name.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Interval {
    /// How it is drawn.
    pub colour: Colour,
    /// What it means.
    pub title: Text,
}

/// One class of a class raster.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Class {
    /// The stored number.
    pub value: u8,
    /// How it is drawn; transparent classes are left out of the legend.
    pub colour: Colour,
    /// What it means.
    pub title: Text,
    /// True for the number that says that nothing was seen.
    #[serde(default)]
    pub not_seen: bool,
    /// True for classes that count together as the share of a zone (open water of every kind).
    #[serde(default)]
    pub counted: bool,
    /// What is drawn over it beside the colour.
    #[serde(default)]
    pub mark: Option<ClassMark>,
}

/// Which value gets which colour.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub enum Scheme {
    /// A continuous measure.
    Ramp {
        /// Values of the first and the last colour; beyond them the end colours hold.
        domain: [f64; 2],
        /// Into how many steps of equal width the domain is cut.
        steps: usize,
        /// Colours at equal distances along the domain.
        colours: Vec<Colour>,
        /// One colour for everything below the domain.
        #[serde(default)]
        below: Option<Interval>,
        /// Values written beside the legend.
        ticks: Vec<f64>,
    },
    /// A measure cut at breaks: class i holds `breaks[i-1] <= value < breaks[i]`.
    Intervals {
        /// Rising.
        breaks: Vec<f64>,
        /// One more than breaks.
        classes: Vec<Interval>,
    },
    /// Numbers that are names.
    Classes {
        /// The known ones; other numbers are transparent.
        classes: Vec<Class>,
        /// True where a zone is told by the class most of it has: levels, of which a higher number is more of the same, and
        /// classes that are told of whole zones.
        #[serde(default)]
        ordered: bool,
    },
}

impl Scheme {
    /// Says what contradicts itself.
    pub(super) fn check(&self) -> Result<(), String> {
        let rising =
            |values: &[f64]| values.iter().all(|v| v.is_finite()) && values.windows(2).all(|w| w[0] < w[1]);
        match self {
            Self::Ramp {
                domain,
                steps,
                colours,
                below,
                ticks,
            } => {
                if !rising(domain) {
                    return Err(format!("domain {domain:?} does not rise"));
                }
                if colours.len() < 2 || *steps < 2 || *steps + usize::from(below.is_some()) > MAX_ENTRIES {
                    return Err(format!(
                        "{} colours in {steps} steps; need 2 or more colours in 2 to 254",
                        colours.len()
                    ));
                }
                if !rising(ticks) || ticks.iter().any(|t| *t < domain[0] || *t > domain[1]) {
                    return Err(format!("ticks {ticks:?} do not rise within the domain"));
                }
            }
            Self::Intervals { breaks, classes } => {
                if !rising(breaks) || classes.len() != breaks.len() + 1 || classes.len() > MAX_ENTRIES {
                    return Err(format!(
                        "{} classes for breaks {breaks:?}; breaks rise and are one fewer than classes",
                        classes.len()
                    ));
                }
            }
            Self::Classes { classes, .. } => {
                // ink and paper of the marks take two colours
                let marked = classes.iter().any(|class| class.mark.is_some());
                let most = if marked { MAX_ENTRIES - 2 } else { MAX_ENTRIES };
                if classes.is_empty() || classes.len() > most {
                    return Err(format!("a class style needs 1 to {most} classes"));
                }
                if let Some(twice) = classes
                    .iter()
                    .enumerate()
                    .find(|(i, c)| classes[..*i].iter().any(|earlier| earlier.value == c.value))
                {
                    return Err(format!("class {} is named twice", twice.1.value));
                }
            }
        }
        Ok(())
    }

    /// Smallest and largest value that is told apart.
    pub fn domain(&self) -> (f64, f64) {
        match self {
            Self::Ramp { domain, .. } => (domain[0], domain[1]),
            Self::Intervals { breaks, .. } => (
                breaks.first().copied().unwrap_or(0.0),
                breaks.last().copied().unwrap_or(0.0),
            ),
            Self::Classes { classes, .. } => {
                let values = || classes.iter().map(|c| f64::from(c.value));
                (
                    values().fold(f64::INFINITY, f64::min),
                    values().fold(f64::NEG_INFINITY, f64::max),
                )
            }
        }
    }

    /// The interval (from 0) a value falls into; 0 for other schemes.
    pub(super) fn interval(&self, value: f64) -> usize {
        match self {
            Self::Intervals { breaks, .. } => breaks.partition_point(|b| *b <= value),
            Self::Ramp { .. } | Self::Classes { .. } => 0,
        }
    }

    /// The colours drawn, the transparent one first.
    pub(super) fn palette(&self) -> Vec<[u8; 4]> {
        let mut palette = vec![Colour::TRANSPARENT.0];
        match self {
            Self::Ramp { steps, below, .. } => {
                palette.extend(below.iter().map(|b| b.colour.0));
                palette.extend((0..*steps).map(|step| self.colour_at((step as f64 + 0.5) / *steps as f64).0));
            }
            Self::Intervals { classes, .. } => palette.extend(classes.iter().map(|c| c.colour.0)),
            Self::Classes { classes, .. } => palette.extend(classes.iter().map(|c| c.colour.0)),
        }
        palette
    }

    /// The colour of a ramp at `t` (0 to 1) along its domain.
    pub(super) fn colour_at(&self, t: f64) -> Colour {
        match self {
            Self::Ramp { colours, .. } => {
                let position = t.clamp(0.0, 1.0) * (colours.len() - 1) as f64;
                let first = (position as usize).min(colours.len() - 2);
                colours[first].mix(colours[first + 1], position - first as f64)
            }
            Self::Intervals { .. } | Self::Classes { .. } => Colour::TRANSPARENT,
        }
    }

    /// The place of a value in [`Self::palette`]; 0 for NaN and unknown classes.
    pub(super) fn index(&self, value: f64) -> u8 {
        if value.is_nan() {
            return 0;
        }
        let index = match self {
            Self::Ramp {
                domain, steps, below, ..
            } => {
                if value < domain[0] && below.is_some() {
                    1
                } else {
                    // a stored 4500 * 0.0001 must not fall into the step below 0.45
                    let step = (value - domain[0]) / (domain[1] - domain[0]) * *steps as f64 + 1e-9;
                    1 + usize::from(below.is_some()) + (step.max(0.0) as usize).min(steps - 1)
                }
            }
            Self::Intervals { .. } => 1 + self.interval(value),
            Self::Classes { classes, .. } => classes
                .iter()
                .position(|c| f64::from(c.value) == value)
                .map_or(0, |i| i + 1),
        };
        index as u8
    }
}

//! What steps read and write, and the pieces in which they do it.

use crate::period::Period;
use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Everything of one sort that steps read or write. The name `*` stands for every layer or collection there is.
///
/// Its text, such as `observations/water_level` or `statistics/ndvi/plots`, is what tables and people are told.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Dataset {
    /// The scenes of a collection, by week.
    Scenes(String),
    /// The rasters of a collection, by week.
    Collection(String),
    /// Rasters of a collection of weeks before the one at hand, of the same group or an earlier one.
    PriorWeeks(String),
    /// What the rasters of a collection say of the zones of a layer, by week.
    Statistics {
        /// The collection.
        collection: String,
        /// The layer of zones.
        layer: String,
    },
    /// The features of a layer with all that is said of them.
    Features(String),
    /// Where the features of a layer lie: number, code, geometry, area, validity.
    Shapes(String),
    /// The readings of a property, by week of the local date.
    Observations(String),
    /// Small tables between steps: a kind of sample at the zones of a layer.
    Samples {
        /// What was sampled.
        kind: String,
        /// The layer of zones.
        layer: String,
    },
    /// Dated facts of a kind about zones.
    Records(String),
    /// What is decided once for the whole catalogue, by name.
    Setting(String),
    /// A file of the user, by path.
    File(String),
}

impl Dataset {
    /// The word that its text begins with, and its one or two names.
    fn parts(&self) -> (&'static str, &str, Option<&str>) {
        match self {
            Self::Scenes(name) => ("scenes", name, None),
            Self::Collection(name) => ("collection", name, None),
            Self::PriorWeeks(name) => ("prior_weeks", name, None),
            Self::Statistics { collection, layer } => ("statistics", collection, Some(layer)),
            Self::Features(name) => ("features", name, None),
            Self::Shapes(name) => ("shapes", name, None),
            Self::Observations(name) => ("observations", name, None),
            Self::Samples { kind, layer } => ("samples", kind, Some(layer)),
            Self::Records(name) => ("records", name, None),
            Self::Setting(name) => ("setting", name, None),
            Self::File(path) => ("file", path, None),
        }
    }

    /// True when the other one is this one, or one of those that its `*` stands for. Records of a kind hold those of the kind of
    /// one layer, `crop_season/plots`.
    pub fn covers(&self, other: &Self) -> bool {
        if let (Self::Records(kind), Self::Records(part)) = (self, other)
            && part
                .strip_prefix(kind.as_str())
                .is_some_and(|rest| rest.starts_with('/'))
        {
            return true;
        }
        let ((kind, name, layer), (other_kind, other_name, other_layer)) = (self.parts(), other.parts());
        let fits = |own: &str, other: &str| own == "*" || own == other;
        kind == other_kind
            && fits(name, other_name)
            && fits(layer.unwrap_or_default(), other_layer.unwrap_or_default())
    }

    /// True when one of the two stands for the other.
    pub fn meets(&self, other: &Self) -> bool {
        self.covers(other) || other.covers(self)
    }
}

impl fmt::Display for Dataset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.parts() {
            (kind, name, None) => write!(f, "{kind}/{name}"),
            // the first of two names ends at a slash: one within it is written otherwise
            (kind, name, Some(layer)) => {
                write!(
                    f,
                    "{kind}/{}/{layer}",
                    name.replace('%', "%25").replace('/', "%2F")
                )
            }
        }
    }
}

impl FromStr for Dataset {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        let wrong = || Error::Invalid(format!("`{text}` is no dataset; write it as collection/ndvi"));
        let (kind, rest) = text.split_once('/').ok_or_else(wrong)?;
        let name = || rest.to_owned();
        let pair = || -> Result<(String, String)> {
            let (first, second) = rest.split_once('/').ok_or_else(wrong)?;
            let first = first.replace("%2F", "/").replace("%25", "%");
            Ok((first, second.to_owned()))
        };
        Ok(match kind {
            "scenes" => Self::Scenes(name()),
            "collection" => Self::Collection(name()),
            "prior_weeks" => Self::PriorWeeks(name()),
            "statistics" => pair().map(|(collection, layer)| Self::Statistics { collection, layer })?,
            "features" => Self::Features(name()),
            "shapes" => Self::Shapes(name()),
            "observations" => Self::Observations(name()),
            "samples" => pair().map(|(kind, layer)| Self::Samples { kind, layer })?,
            "records" => Self::Records(name()),
            "setting" => Self::Setting(name()),
            "file" => Self::File(name()),
            _ => return Err(wrong()),
        })
    }
}

impl From<Dataset> for String {
    fn from(dataset: Dataset) -> Self {
        dataset.to_string()
    }
}

impl TryFrom<String> for Dataset {
    type Error = Error;
    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

/// One dataset in one period: what is made, found up to date or held back as a whole.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Unit {
    /// Of what.
    pub dataset: Dataset,
    /// The week; none where it is of all weeks, or of no time.
    pub period: Option<Period>,
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.period {
            Some(period) => write!(f, "{} {period}", self.dataset),
            None => self.dataset.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(collection: &str, layer: &str) -> Dataset {
        Dataset::Statistics {
            collection: collection.into(),
            layer: layer.into(),
        }
    }

    #[test]
    fn every_dataset_comes_back_from_its_text() {
        let name = |text: &str| text.to_owned();
        for dataset in [
            Dataset::Scenes(name("sentinel-2-l2a")),
            Dataset::Collection(name("ndvi")),
            Dataset::PriorWeeks(name("flood")),
            pair("ndvi", "plots"),
            pair("a/b%2F", "của/tôi"),
            Dataset::Features(name("plots")),
            Dataset::Shapes(name("plots")),
            Dataset::Observations(name("water/level")),
            Dataset::Samples {
                kind: name("acquisitions"),
                layer: name("plots"),
            },
            Dataset::Records(name("flood_cause")),
            Dataset::Setting(name("grid")),
            Dataset::File(name("/srv/dem 10 m.tif")),
        ] {
            assert_eq!(dataset.to_string().parse::<Dataset>().expect("parsed"), dataset);
        }
        for bad in ["", "ndvi", "rasters/ndvi", "statistics/ndvi"] {
            let said = bad.parse::<Dataset>().expect_err("no dataset").to_string();
            assert!(said.contains(&format!("`{bad}`")), "{said}");
        }
    }

    #[test]
    fn a_star_stands_for_every_name_of_its_sort() {
        assert!(pair("*", "plots").covers(&pair("ndvi", "plots")));
        assert!(pair("ndvi", "*").covers(&pair("ndvi", "plots")));
        assert!(!pair("*", "plots").covers(&pair("ndvi", "stations")));
        assert!(!Dataset::Features("*".into()).covers(&Dataset::Shapes("plots".into())));
        assert!(!Dataset::Features("plots".into()).covers(&Dataset::Features("*".into())));
    }
}

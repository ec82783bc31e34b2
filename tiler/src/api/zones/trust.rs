//! How far to rely on what each layer says of a zone in a week: words first, the number for those who sort by it.
//!
//! The rules are those of [`sen_catalog::fusion`]. A layer is judged by what it was made from: an index by its look, the
//! flood map by its own looks and votes, a surface by the nearest station, fire danger by the days that are known. What
//! NDVI saw says nothing of the others: radar sees through the cloud that hides the plants.

use super::fire::FireRecord;
use super::record::{FLOOD, SURFACES};
use super::statistics;
use crate::sensors_near::Near;
use crate::style::{Styles, Text};
use crate::values::tidy;
use sen_catalog::fusion;
use sen_catalog::statistic::ZonalStatistic;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Days of a week.
const DAYS: f64 = 7.0;

/// Trust in one layer.
#[derive(Clone, Debug)]
pub(crate) struct Trust {
    score: f64,
    level: fusion::Trust,
    /// In words.
    pub(crate) words: Text,
    /// What it was judged by, beside the share that was seen.
    by: Map<String, Value>,
}

/// What a layer is made from; decides the words for "nothing".
#[derive(Clone, Copy)]
enum Source {
    Looks,
    Stations,
}

impl Trust {
    fn new(score: f64, source: Source) -> Self {
        let level = fusion::Trust::of([score]);
        let (vi, en) = match (level, source) {
            (fusion::Trust::High, _) => ("Tin cậy cao", "Reliable"),
            (fusion::Trust::Medium, _) => (
                "Tin cậy vừa: xem thêm tuần bên cạnh",
                "Fair: look at the neighbouring weeks too",
            ),
            (fusion::Trust::Low, _) => (
                "Tin cậy thấp: chưa nên dựa vào số này",
                "Low: do not rely on this number yet",
            ),
            (fusion::Trust::None, Source::Looks) => ("Chưa thấy trong tuần này", "Not seen this week"),
            (fusion::Trust::None, Source::Stations) => (
                "Chưa có số đo gần đây trong tuần này",
                "Not measured nearby this week",
            ),
        };
        Self {
            score,
            level,
            words: Text {
                vi: vi.to_owned(),
                en: en.to_owned(),
            },
            by: Map::new(),
        }
    }

    /// Trust in a look by the rule of [`fusion::trust_in_look`].
    pub(super) fn in_look(seen: Option<f64>, age_days: Option<f64>) -> Self {
        let score = seen.map_or(0.0, |seen| fusion::trust_in_look(seen, age_days.unwrap_or(0.0)));
        Self::new(score, Source::Looks)
    }

    fn by(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.by.insert(name.to_owned(), value.into());
        self
    }

    /// As the API tells it.
    pub(super) fn json(&self) -> Value {
        let mut fields = self.by.clone();
        fields.insert("score".into(), json!(tidy(self.score)));
        fields.insert("level".into(), json!(self.level));
        fields.insert("words".into(), json!({"vi": self.words.vi, "en": self.words.en}));
        Value::Object(fields)
    }
}

/// How the looks behind the flood map of a zone voted.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Votes {
    /// Mean number of looks over the part that was seen.
    looks: Option<f64>,
    /// Mean likelihood of water, per cent.
    likelihood: Option<f64>,
    /// See [`fusion::decided`].
    decided: Option<f64>,
}

impl Votes {
    /// Out of what the layers `n_clear` and `likelihood` say of the zone.
    pub(super) fn of(n_clear: Option<&ZonalStatistic>, likelihood: Option<&ZonalStatistic>) -> Self {
        let looked = |classes: &BTreeMap<i64, f64>| {
            let (mut looks, mut area) = (0.0, 0.0);
            for (count, ha) in classes.iter().filter(|(count, _)| **count > 0) {
                looks += *count as f64 * ha;
                area += ha;
            }
            (area > 0.0).then(|| looks / area)
        };
        let spread = likelihood.and_then(|one| one.mean.zip(one.stdev));
        Self {
            looks: n_clear.and_then(|one| looked(&one.classes)),
            likelihood: likelihood.and_then(|one| one.mean),
            decided: spread.map(|(mean, stdev)| fusion::decided(mean, stdev)),
        }
    }
}

/// What the layers of a record are judged by.
pub(super) struct Evidence<'a> {
    pub(super) styles: &'a Styles,
    pub(super) statistics: &'a [(String, ZonalStatistic)],
    /// Age of the look in the middle of the zone, by collection.
    pub(super) beside: &'a Map<String, Value>,
    /// Of the flood map.
    pub(super) votes: Votes,
    pub(super) sensors: &'a [Near],
    pub(super) fire: Option<&'a FireRecord>,
}

impl Evidence<'_> {
    /// Trust in each collection that a rule judges.
    pub(super) fn trusts(&self) -> BTreeMap<String, Trust> {
        let named = |(name, one): &(String, ZonalStatistic)| Some((name.clone(), self.trust(name, one)?));
        self.statistics.iter().filter_map(named).collect()
    }

    fn trust(&self, name: &str, one: &ZonalStatistic) -> Option<Trust> {
        let seen = statistics::seen(one, self.styles.style(name));
        match name {
            FLOOD => Some(self.flood(seen)),
            // as good as the worse of what it is made from: where water is, and how high it stands
            "flood_depth" => {
                let level = self.station("water_level");
                Some(Trust::new(self.flood(seen).score.min(level), Source::Stations))
            }
            "fire_danger" => {
                let known = self.fire?.days.iter().filter(|day| day.level.is_some()).count();
                let trust = Trust::new(known as f64 / DAYS, Source::Stations);
                Some(trust.by("days_known", known))
            }
            surface if SURFACES.contains(&surface) => {
                let score = if seen > 0.0 { self.station(surface) } else { 0.0 };
                Some(Trust::new(score, Source::Stations))
            }
            _ => {
                let age = self.age(name);
                let trust = Trust::in_look(Some(seen), age);
                Some(trust.by("seen", tidy(seen)).by("age_days", age))
            }
        }
    }

    fn flood(&self, seen: f64) -> Trust {
        let (age, votes) = (self.age(FLOOD), self.votes);
        let score = fusion::trust_in_flood(seen, age.unwrap_or(0.0), votes.looks, votes.decided);
        Trust::new(score, Source::Looks)
            .by("seen", tidy(seen))
            .by("age_days", age)
            .by("looks", votes.looks.map(tidy))
            .by("likelihood", votes.likelihood.map(tidy))
            .by("decided", votes.decided.map(tidy))
    }

    fn age(&self, name: &str) -> Option<f64> {
        self.beside.get(name).and_then(Value::as_f64)
    }

    /// Trust in the nearest station of a property.
    fn station(&self, property: &str) -> f64 {
        let near = self.sensors.iter().find(|near| near.stream.property == property);
        near.map_or(0.0, |near| fusion::trust_in_station(near.distance_m, near.age_h))
    }
}

//! What a station said in a week, in a sentence: its newest usable reading, against the alarm levels where it is a gauge, and
//! how it changed within a day.

use crate::problem::Outcome;
use crate::sensors_near::Near;
use crate::style::{Language, Text};
use crate::values::tidy;
use crate::zone_page::words;
use chrono::{DateTime, Datelike, Duration, FixedOffset, Timelike, Utc};
use sen_catalog::inundation::gauge::AlarmLevels;
use sen_catalog::observation::{Datastream, Observation};
use sen_catalog::period::local_zone;
use sen_catalog::store::ObservationQuery;
use sen_catalog::{Feature, Period, Store};
use serde_json::{Value, json};

/// What a gauge measures first of all.
pub(crate) const LEVEL: &str = "water_level";
/// Hours a reading may be off the day before to be compared with.
const DAY_TOLERANCE: Duration = Duration::minutes(90);

/// The word of a station in a week.
#[derive(Clone, Debug)]
pub(crate) struct StationWeek {
    /// The newest usable reading of everything it measures, the level of a gauge first.
    pub(crate) readings: Vec<Near>,
    /// Its alarm levels, metres above the zero of its series.
    pub(crate) alarms: Option<AlarmLevels>,
    /// Metres the level rose within the day before its newest reading.
    pub(crate) change_day_m: Option<f64>,
}

impl StationWeek {
    /// The level of a gauge.
    pub(crate) fn level(&self) -> Option<&Near> {
        self.readings.iter().find(|near| near.stream.property == LEVEL)
    }

    /// The alarm level that is reached, 0 for none; unknown where the station has no levels or measures none.
    pub(crate) fn alarm(&self) -> Option<u8> {
        let value = self.level()?.observation.value?;
        self.alarms.map(|levels| levels.reached(value))
    }

    /// One sentence about the week.
    pub(crate) fn sentence(&self, period: Period) -> Text {
        let write = |language| week_sentence(self, period, language);
        Text {
            vi: write(Language::Vi),
            en: write(Language::En),
        }
    }

    /// As the API tells it.
    pub(crate) fn json(&self) -> Value {
        let level = self.level();
        json!({
            "level_m": level.and_then(|near| near.observation.value).map(tidy),
            "time": level.map(|near| near.observation.time),
            "alarm": self.alarm(),
            "alarm_levels": self.alarms,
            "change_24h_m": self.change_day_m.map(tidy),
        })
    }
}

/// What the station said in the week.
pub(crate) async fn station_week(
    store: &dyn Store,
    station: &Feature,
    period: Period,
) -> Outcome<StationWeek> {
    let streams = store.datastreams(Some(&station.code)).await?;
    let ids: Vec<i64> = streams.iter().map(|stream| stream.id).collect();
    let week = period.interval();
    let newest = store
        .newest_observations(&ids, (Some(week.start), Some(week.end)), true)
        .await?;
    let until = week.end.min(Utc::now());
    let of = |stream: Datastream| {
        let observation = newest.iter().find(|one| one.datastream == stream.id)?.clone();
        Some(Near::of(stream, station, 0.0, observation, until))
    };
    let mut readings: Vec<Near> = streams.into_iter().filter_map(of).collect();
    readings.sort_by_key(|near| (near.stream.property != LEVEL, near.stream.property.clone()));
    let change_day_m = match readings.first().filter(|near| near.stream.property == LEVEL) {
        Some(near) => rise_in_a_day(store, &near.observation).await?,
        None => None,
    };
    Ok(StationWeek {
        readings,
        alarms: AlarmLevels::of(station),
        change_day_m,
    })
}

/// The difference to the usable reading nearest to the same hour of the day before.
async fn rise_in_a_day(store: &dyn Store, newest: &Observation) -> Outcome<Option<f64>> {
    let before = newest.time - Duration::days(1);
    let query = ObservationQuery {
        from: Some(before - DAY_TOLERANCE),
        to: Some(before + DAY_TOLERANCE),
        ..ObservationQuery::datastream(newest.datastream)
    };
    let found = store.observations(&query).await?;
    let nearest = found
        .into_iter()
        .filter(|one| one.flag.is_usable() && one.value.is_some())
        .min_by_key(|one| (one.time - before).abs());
    Ok(nearest
        .and_then(|one| one.value)
        .zip(newest.value)
        .map(|(before, now)| now - before))
}

/// `23:45 ngày 4/10/2026`, `23:45 on 4 Oct 2026`, local time.
pub(crate) fn clock(time: DateTime<Utc>, language: Language) -> String {
    let local: DateTime<FixedOffset> = time.with_timezone(&local_zone());
    let hour = format!("{:02}:{:02}", local.hour(), local.minute());
    match language {
        Language::Vi => format!("{hour} ngày {}/{}/{}", local.day(), local.month(), local.year()),
        Language::En => format!("{hour} on {}", local.format("%-d %b %Y")),
    }
}

fn week_sentence(said: &StationWeek, period: Period, language: Language) -> String {
    let vi = language == Language::Vi;
    let start = words::opening(period, language);
    let Some(first) = said.readings.first() else {
        return start
            + if vi {
                "trạm chưa có số đo dùng được."
            } else {
                "no usable reading of this station."
            };
    };
    let value = first.observation.value.unwrap_or(f64::NAN);
    let unit = words::unit(&first.stream.unit);
    let mut text = format!(
        "{} {} {unit}",
        words::property(&first.stream.property, language),
        words::number(value, 2, language)
    );
    text = format!(
        "{} {} {}",
        text.trim_end(),
        if vi { "lúc" } else { "at" },
        clock(first.observation.time, language)
    );
    if let (Some(alarm), Some(levels)) = (said.alarm(), said.alarms) {
        let heights = levels.heights();
        text += &match (
            alarm
                .checked_sub(1)
                .and_then(|index| heights.get(usize::from(index))),
            vi,
        ) {
            (Some(height), true) => format!(
                ", trên BĐ{alarm} {} m",
                words::number(value - height, 2, language)
            ),
            (Some(height), false) => format!(
                ", {} m above BĐ{alarm}",
                words::number(value - height, 2, language)
            ),
            (None, true) => format!(
                ", dưới BĐ1 {} m",
                words::number(levels.bd1_m - value, 2, language)
            ),
            (None, false) => format!(
                ", {} m below BĐ1",
                words::number(levels.bd1_m - value, 2, language)
            ),
        };
    }
    if let Some(change) = said.change_day_m {
        let centimetres = (change * 100.0).round();
        text += &match (centimetres, vi) {
            (0.0, true) => ", không đổi trong 24 giờ".to_owned(),
            (0.0, false) => ", steady within 24 hours".to_owned(),
            (rise, true) if rise > 0.0 => format!(", tăng {rise} cm trong 24 giờ"),
            (rise, false) if rise > 0.0 => format!(", up {rise} cm in 24 hours"),
            (fall, true) => format!(", giảm {} cm trong 24 giờ", -fall),
            (fall, false) => format!(", down {} cm in 24 hours", -fall),
        };
    }
    format!("{start}{text}.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use geo_types::Point;
    use sen_catalog::observation::Flag;
    use sen_catalog::store::{Features, Observations, SqliteStore};
    use serde_json::json;

    /// A gauge that rose by a centimetre an hour to 2.98 m at 23:45 on 4 October 2026.
    async fn gauge(alarms: bool) -> (SqliteStore, Feature) {
        let store = SqliteStore::in_memory().expect("opens");
        let mut station = Feature::new("stations", "TV-01", Point::new(105.6, 10.4).into());
        if alarms {
            for (name, level) in [("bd1_m", 1.8), ("bd2_m", 2.4), ("bd3_m", 2.95)] {
                station.properties.insert(name.into(), json!(level));
            }
        }
        store.put_features(vec![station.clone()]).await.expect("stored");
        let stream = Datastream {
            id: 0,
            station: "TV-01".into(),
            property: LEVEL.into(),
            unit: "m".into(),
            name: "Mực nước".into(),
        };
        let datastream = store.put_datastream(&stream).await.expect("stored");
        let end: DateTime<Utc> = "2026-10-04T16:45:00Z".parse().expect("a time");
        let readings = (0..48).map(|hour| Observation {
            datastream,
            time: end - Duration::hours(hour),
            value: Some(2.98 - 0.01 * hour as f64),
            flag: Flag::Good,
        });
        store.put_observations(readings.collect()).await.expect("stored");
        (store, station)
    }

    #[tokio::test]
    async fn a_gauge_tells_its_level_against_the_alarm_levels() {
        let week: Period = "2026-W40".parse().expect("a week");
        let (store, station) = gauge(true).await;
        let said = station_week(&store, &station, week).await.expect("an answer");
        assert_eq!(
            said.sentence(week).vi,
            "Tuần 40 (28/9–4/10/2026): mực nước 2,98 m lúc 23:45 ngày 4/10/2026, trên BĐ3 0,03 m, tăng 24 cm trong 24 giờ."
        );
        assert_eq!(
            said.sentence(week).en,
            "Week 40 (28 Sep–4 Oct 2026): water level 2.98 m at 23:45 on 4 Oct 2026, 0.03 m above BĐ3, up 24 cm in 24 hours."
        );
        assert_eq!(said.alarm(), Some(3));
        let later = week.next().next();
        let quiet = station_week(&store, &station, later).await.expect("an answer");
        assert_eq!(
            quiet.sentence(later).vi,
            "Tuần 42 (12–18/10/2026): trạm chưa có số đo dùng được."
        );
        assert_eq!(quiet.alarm(), None);
        let (store, station) = gauge(false).await;
        let said = station_week(&store, &station, week).await.expect("an answer");
        assert_eq!(said.alarm(), None, "without alarm levels nothing is said of them");
        assert!(!said.sentence(week).vi.contains("BĐ"));
    }
}

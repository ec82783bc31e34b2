//! What observations cost: writes `COUNT` of them (20 million without one) into a store of its own under `FOLDER`, tested as
//! they come, then asks for the newest value, a day, a month by day and a year by week. Prints one line of JSON.
//!
//! `cargo run --release -p sen-catalog --example observations -- FOLDER [COUNT]`

use chrono::{DateTime, Duration, Utc};
use sen_catalog::observation::{Datastream, Flag, Reading, Step};
use sen_catalog::qartod::{Tests, defaults};
use sen_catalog::store::{ObservationQuery, Observations, SqliteStore};
use std::error::Error;
use std::path::PathBuf;
use std::time::Instant;

/// Values of one datastream: three years, one each quarter of an hour.
const EACH: usize = 105_120;

/// Values written in one transaction, as `sen import observations` writes a file of one property.
const BATCH: usize = 20_000;

/// Questions of each kind.
const QUESTIONS: usize = 500;

fn reading(start: DateTime<Utc>, stream: usize, i: usize) -> Reading {
    // a tide, some noise that depends on nothing but the place, a spike now and then
    let noise = ((i * 7919 + stream * 104_729) % 1000) as f64 / 1e5;
    let tide = (i as f64 / 49.7 * std::f64::consts::TAU).sin() * 0.4;
    let spike = if i % 5000 == 4999 { 0.9 } else { 0.0 };
    Reading {
        time: start + Duration::minutes(15 * i as i64),
        value: Some(((0.9 + tide + noise + spike) * 1000.0).round() / 1000.0),
        given: Flag::NotEvaluated,
        fields: serde_json::Map::new(),
    }
}

/// Median and 99th percentile in milliseconds.
fn times(mut all: Vec<f64>) -> String {
    all.sort_by(f64::total_cmp);
    let at = |share: f64| {
        all.get((all.len() as f64 * share) as usize)
            .copied()
            .unwrap_or_default()
    };
    format!("[{:.3}, {:.3}]", at(0.5), at(0.99))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = PathBuf::from(
        arguments
            .next()
            .ok_or("say where: a folder that does not hold a store yet")?,
    );
    let count: usize = arguments.next().map_or(Ok(20_000_000), |text| text.parse())?;
    std::fs::create_dir_all(&folder)?;
    let file = folder.join("observations.sqlite");
    if file.exists() {
        return Err(format!("{} is there already", file.display()).into());
    }
    let store = SqliteStore::open(&file)?;
    let start = DateTime::from_timestamp(1_672_506_000, 0).ok_or("a time")?;
    let streams = count.div_ceil(EACH);
    let tests = Tests {
        interval_s: Some(900),
        ..defaults("water_level")
    };
    let mut ids = Vec::new();
    for stream in 0..streams {
        let datastream = Datastream {
            id: 0,
            station: format!("S-{stream}"),
            property: "water_level".into(),
            unit: "m".into(),
            name: String::new(),
        };
        ids.push(store.put_datastream(&datastream).await?);
    }
    let clock = Instant::now();
    let (mut written, mut at) = (0, 0);
    while written < count {
        for (stream, &id) in ids.iter().enumerate() {
            let end = (at + BATCH).min(EACH).min(at + count - written);
            let readings = (at..end).map(|i| reading(start, stream, i)).collect();
            written += store.record(id, readings, &tests).await?.added;
        }
        at += BATCH;
        if at >= EACH {
            break;
        }
    }
    let seconds = clock.elapsed().as_secs_f64();
    let newest = store
        .latest(*ids.first().ok_or("no datastream")?)
        .await?
        .ok_or("no value")?
        .time;

    let (mut latest, mut day, mut month, mut year, mut live) = (vec![], vec![], vec![], vec![], vec![]);
    for i in 0..QUESTIONS {
        let id = ids[i * 31 % ids.len()];
        let ms = |clock: Instant| clock.elapsed().as_secs_f64() * 1e3;
        let clock = Instant::now();
        store.latest(id).await?.ok_or("no value")?;
        latest.push(ms(clock));
        let to = newest - Duration::days((i % 900) as i64);
        let clock = Instant::now();
        let query = ObservationQuery {
            from: Some(to - Duration::days(1)),
            to: Some(to),
            ..ObservationQuery::datastream(id)
        };
        store.observations(&query).await?;
        day.push(ms(clock));
        let clock = Instant::now();
        store
            .aggregate(id, to - Duration::days(30), to, Step::Day)
            .await?;
        month.push(ms(clock));
        let clock = Instant::now();
        store
            .aggregate(id, newest - Duration::days(365), newest, Step::Week)
            .await?;
        year.push(ms(clock));
        let clock = Instant::now();
        let next = Reading {
            time: newest + Duration::minutes(15 * (1 + (i / ids.len()) as i64)),
            value: Some(0.9),
            given: Flag::NotEvaluated,
            fields: serde_json::Map::new(),
        };
        store.record(id, vec![next], &tests).await?;
        live.push(ms(clock));
    }
    let megabytes = std::fs::metadata(&file)?.len() as f64 / 1e6;
    #[expect(clippy::print_stdout, reason = "its result")]
    {
        println!(
            "{{\"observations\": {written}, \"datastreams\": {streams}, \"seconds\": {seconds:.1}, \"per_second\": {:.0}, \
             \"megabytes\": {megabytes:.0}, \"ms_p50_p99\": {{\"latest\": {}, \"day\": {}, \"month_by_day\": {}, \
             \"year_by_week\": {}, \"one_live_value\": {}}}}}",
            written as f64 / seconds,
            times(latest),
            times(day),
            times(month),
            times(year),
            times(live)
        );
    }
    Ok(())
}

//! Readings among their neighbours: what is written, tested together with what lies around it.
//!
//! A verdict depends on the values before it (a flat line on hours of them) and on the next one (a spike). So a stretch
//! of new readings is judged with as many stored rows on either side as the tests reach, and the rows whose verdict
//! it changes are written too: where the interval is configured, the flags are the same in whatever order readings came.

use super::observations::flag;
use crate::Result;
use crate::observation::{Flag, Marks, Reading, Recorded};
use crate::qartod::{self, Tests, Verdict};
use chrono::Utc;
use rusqlite::{Connection, Row, params};

/// Rows looked at on either side at least: enough for the usual step to be known.
const LEAST_ROWS: i64 = 16;

/// Rows looked at on either side at most: a value a second over a day.
const MOST_ROWS: i64 = 100_000;

/// Rows judged at once; a longer stretch is judged in parts.
const LONGEST_STRETCH: usize = 500_000;

/// A stretch of new readings ends where the next is so much later.
const STRETCH_BREAK_MS: i64 = 7 * 86_400_000;

struct Entry {
    time: i64,
    value: f64,
    given: Flag,
    /// As it is in the store, when it is.
    stored: Option<Stored>,
    is_new: bool,
}

struct Stored {
    value: f64,
    given: Flag,
    verdict: Verdict,
}

/// Writes the readings and what follows from them.
pub(super) fn judge(
    connection: &Connection,
    datastream: i64,
    mut readings: Vec<Reading>,
    tests: &Tests,
) -> Result<Recorded> {
    readings.sort_by_key(|reading| reading.time);
    // of two readings of one millisecond the later in the list counts
    readings.reverse();
    readings.dedup_by_key(|reading| reading.time.timestamp_millis());
    readings.reverse();
    let mut recorded = Recorded::default();
    let far = |pair: &Reading, next: &Reading| (next.time - pair.time).num_milliseconds() <= STRETCH_BREAK_MS;
    for stretch in readings.chunk_by(far) {
        judge_stretch(connection, datastream, stretch, tests, &mut recorded)?;
    }
    Ok(recorded)
}

fn judge_stretch(
    connection: &Connection,
    datastream: i64,
    stretch: &[Reading],
    tests: &Tests,
    recorded: &mut Recorded,
) -> Result<()> {
    let (Some(first), Some(last)) = (stretch.first(), stretch.last()) else {
        return Ok(());
    };
    let (first, last) = (first.time.timestamp_millis(), last.time.timestamp_millis());
    let within = rows(
        connection,
        INSIDE,
        [datastream, first, last, LONGEST_STRETCH as i64],
    )?;
    if within.len() == LONGEST_STRETCH && stretch.len() > 1 {
        let (early, late) = stretch.split_at(stretch.len() / 2);
        judge_stretch(connection, datastream, early, tests, recorded)?;
        return judge_stretch(connection, datastream, late, tests, recorded);
    }
    let mut entries = merge(within, stretch);
    let reach = reach(connection, datastream, first, &entries, tests)?;
    let mut before = rows(connection, BEFORE, [datastream, first, 0, reach])?;
    before.reverse();
    let after = rows(connection, AFTER, [datastream, last, 0, reach])?;
    // beyond a full side there are more rows: what its outermost one would say of them is not known here
    let more_follow = after.len() as i64 == reach;
    let start = before.len().saturating_sub(1);
    before.append(&mut entries);
    let mut entries = before;
    entries.extend(after);
    let end = entries.len() - usize::from(more_follow);

    let times: Vec<i64> = entries.iter().map(|entry| entry.time).collect();
    let values: Vec<f64> = entries.iter().map(|entry| entry.value).collect();
    let given: Vec<Flag> = entries.iter().map(|entry| entry.given).collect();
    let verdicts = qartod::check(&times, &values, &given, tests);
    let range = start..end;
    write(
        connection,
        datastream,
        entries.iter().zip(&verdicts).take(range.end).skip(range.start),
        recorded,
    )
}

/// How many rows on either side the tests look at.
fn reach(
    connection: &Connection,
    datastream: i64,
    first: i64,
    entries: &[Entry],
    tests: &Tests,
) -> Result<i64> {
    let rows_of = |interval: i64| {
        // one row more for the neighbour whose verdict changes, one for that one's own neighbour, one for rounding
        (i64::from(tests.reach_s()) / interval + 3).clamp(LEAST_ROWS, MOST_ROWS)
    };
    if let Some(interval) = tests.interval_s {
        return Ok(rows_of(i64::from(interval.max(1))));
    }
    let mut times: Vec<i64> = entries.iter().map(|entry| entry.time).collect();
    if times.len() < LEAST_ROWS as usize {
        let before = rows(connection, BEFORE, [datastream, first, 0, LEAST_ROWS])?;
        times.splice(0..0, before.iter().rev().map(|entry| entry.time));
    }
    Ok(rows_of(qartod::median_interval_s(&times).unwrap_or(0).max(1)))
}

const INSIDE: &str = "SELECT time, value, flag, marks, given FROM observation
    WHERE datastream = ?1 AND time >= ?2 AND time <= ?3 ORDER BY time LIMIT ?4";
const BEFORE: &str = "SELECT time, value, flag, marks, given FROM observation
    WHERE datastream = ?1 AND time < ?2 AND ?3 = 0 ORDER BY time DESC LIMIT ?4";
const AFTER: &str = "SELECT time, value, flag, marks, given FROM observation
    WHERE datastream = ?1 AND time > ?2 AND ?3 = 0 ORDER BY time LIMIT ?4";

fn rows(connection: &Connection, sql: &str, values: [i64; 4]) -> Result<Vec<Entry>> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(values)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(entry(row)?);
    }
    Ok(found)
}

fn entry(row: &Row<'_>) -> Result<Entry> {
    let value: Option<f64> = row.get(1)?;
    let stored = Stored {
        value: value.unwrap_or(f64::NAN),
        given: flag(row.get(4)?)?,
        verdict: Verdict {
            flag: flag(row.get(2)?)?,
            marks: Marks(row.get(3)?),
        },
    };
    Ok(Entry {
        time: row.get(0)?,
        value: stored.value,
        given: stored.given,
        stored: Some(stored),
        is_new: false,
    })
}

/// Stored rows and new readings in the order of time; a reading takes the place of the row of its time.
fn merge(rows: Vec<Entry>, readings: &[Reading]) -> Vec<Entry> {
    let mut merged = Vec::with_capacity(rows.len() + readings.len());
    let mut rows = rows.into_iter().peekable();
    for reading in readings {
        let time = reading.time.timestamp_millis();
        while let Some(earlier) = rows.next_if(|row| row.time < time) {
            merged.push(earlier);
        }
        merged.push(Entry {
            time,
            value: reading.value.unwrap_or(f64::NAN),
            given: reading.given,
            stored: rows.next_if(|row| row.time == time).and_then(|row| row.stored),
            is_new: true,
        });
    }
    merged.extend(rows);
    merged
}

fn write<'a>(
    connection: &Connection,
    datastream: i64,
    judged: impl Iterator<Item = (&'a Entry, &'a Verdict)>,
    recorded: &mut Recorded,
) -> Result<()> {
    let mut insert = connection.prepare_cached(
        "INSERT OR REPLACE INTO observation (datastream, time, value, flag, marks, given, arrived)
         VALUES (?, ?, ?, ?, ?, ?, ?)",
    )?;
    let mut update = connection
        .prepare_cached("UPDATE observation SET flag = ?3, marks = ?4 WHERE datastream = ?1 AND time = ?2")?;
    let now = Utc::now().timestamp();
    for (entry, verdict) in judged {
        let (flag, marks) = (u8::from(verdict.flag), verdict.marks.0);
        let same_value = |stored: &Stored| {
            (stored.value == entry.value || (stored.value.is_nan() && entry.value.is_nan()))
                && stored.given == entry.given
        };
        match &entry.stored {
            Some(stored) if same_value(stored) => {
                recorded.unchanged += usize::from(entry.is_new);
                if stored.verdict != *verdict {
                    update.execute(params![datastream, entry.time, flag, marks])?;
                    recorded.reflagged += 1;
                }
            }
            stored => {
                let value = Some(entry.value).filter(|value| !value.is_nan());
                let given = u8::from(entry.given);
                insert.execute(params![datastream, entry.time, value, flag, marks, given, now])?;
                if stored.is_some() {
                    recorded.changed += 1;
                } else {
                    recorded.added += 1;
                }
            }
        }
    }
    Ok(())
}

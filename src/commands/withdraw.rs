//! `sen withdraw`: takes back a scene, a feature or readings, and brings them back.

use super::{run_report, stopping, weekly};
use crate::Outcome;
use crate::commands::write_lock::WriteLock;
use crate::config::{Data, Place, UsageError};
use crate::output::{Output, table};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use clap::Args;
use sen_catalog::item::SCENE_COLLECTIONS;
use sen_catalog::period::local_zone;
use sen_catalog::store::{Withdrawal, WithdrawalTarget};
use sen_catalog::{ItemQuery, Period};
use sen_processing::runner::RunScope;
use serde_json::json;
use std::sync::atomic::AtomicBool;

/// Take back a scene, a zone or readings that were wrong; what was made from them is made anew without them.
///
/// Nothing is lost: `--undo` with the same words brings it back as it was, and what was made from it then is made again.
/// `--list` shows what was withdrawn, when and why. A scene that is withdrawn is not taken in again by `sen ingest`; a zone
/// or readings that are imported again are there again, and stand in the way of `--undo`.
///
///   sen withdraw sentinel-2-l2a/S2A_48PWS_20260818_0_L2A --reason "wrong calibration"
///   sen withdraw plots DT-001-23
///   sen withdraw TV-01/water_level --period 2026-08-01/2026-08-07
#[derive(Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Withdraw {
    /// COLLECTION/ID of a scene; LAYER and CODE of a zone, point or line; STATION/PROPERTY (or the number) of a datastream.
    #[arg(value_name = "WHAT", num_args = 1..=2, required_unless_present = "list")]
    what: Vec<String>,
    /// Of a datastream only what was measured in these days or weeks: 2026-08-01/2026-08-07, 2026-W32, or instants with an
    /// offset. Without it all readings.
    #[arg(long, value_name = "A/B")]
    period: Option<String>,
    /// Bring back what was withdrawn.
    #[arg(long)]
    undo: bool,
    /// Why; shown by --list.
    #[arg(long, value_name = "TEXT", conflicts_with = "undo")]
    reason: Option<String>,
    /// Do not make anew what used it; `sen process` does it later.
    #[arg(long)]
    no_process: bool,
    /// What was withdrawn, when and why, and what was brought back.
    #[arg(long, conflicts_with_all = ["what", "undo"])]
    list: bool,
}

impl Withdraw {
    pub(crate) fn run(self, place: &Place, output: &Output) -> anyhow::Result<Outcome> {
        let data = place.open_existing()?;
        let (runtime, cancelled) = stopping::runtime()?;
        if self.list {
            let all = runtime.block_on(data.store.withdrawals())?;
            output.result(&list(&all), &json!({"withdrawals": all}));
            return Ok(Outcome::Done);
        }
        let lock = WriteLock::take(&data)?;
        let outcome = runtime.block_on(self.carry_out(&data, &cancelled, output));
        drop(lock);
        outcome
    }

    async fn carry_out(
        &self,
        data: &Data,
        cancelled: &AtomicBool,
        output: &Output,
    ) -> anyhow::Result<Outcome> {
        let target = self.target(data).await?;
        let done = if self.undo {
            let target = self.withdrawn_target(data, target).await?;
            data.store.undo_withdrawal(&target).await?
        } else {
            data.store.withdraw(&target, self.reason.as_deref()).await?
        };
        let what = if self.undo { "brought back" } else { "withdrawn" };
        let mut text = format!("{what}: {} ({})\n", done.target, rows(&done));
        let mut value = json!({ "withdrawal": done });
        let mut outcome = Outcome::Done;
        // without a grid no week was ever made
        if self.no_process {
            text += "`sen process` makes anew what used it\n";
        } else if data.store.grid().await?.is_some() {
            data.check_step_settings().await?;
            let mut scenes = Vec::new();
            for name in SCENE_COLLECTIONS {
                scenes.extend(data.store.items(&ItemQuery::collection(*name)).await?);
            }
            let scope = RunScope::default();
            let report = weekly::make_on_grid(data, &scenes, scope, cancelled, output).await?;
            let (made, told, became) = run_report::summary(&report)?;
            text += &made;
            value["weekly"] = told;
            outcome = became;
        }
        output.result(&text, &value);
        Ok(outcome)
    }

    /// What the words name.
    async fn target(&self, data: &Data) -> anyhow::Result<WithdrawalTarget> {
        let refuse = |text: String| Err(UsageError(text).into());
        let (first, code) = match self.what.as_slice() {
            [layer, code] => (layer.as_str(), Some(code.clone())),
            [one] => (one.as_str(), None),
            _ => return refuse("WHAT: name a scene, LAYER CODE, or a datastream".to_owned()),
        };
        if let Some(code) = code {
            if self.period.is_some() {
                return refuse("--period: is for readings; a zone is withdrawn as a whole".to_owned());
            }
            let layer = first.to_owned();
            return Ok(WithdrawalTarget::Feature { layer, code });
        }
        if let Ok(number) = first.parse::<i64>() {
            let Some(stream) = data.store.datastream(number).await? else {
                return refuse(format!("WHAT: there is no datastream {number}"));
            };
            return self.readings(stream.station, stream.property);
        }
        let Some((before, after)) = first.split_once('/') else {
            return refuse(format!(
                "WHAT: `{first}` is neither COLLECTION/ID nor STATION/PROPERTY; of a zone say LAYER CODE, with a space between"
            ));
        };
        if SCENE_COLLECTIONS.contains(&before) {
            if self.period.is_some() {
                return refuse("--period: is for readings; a scene is withdrawn as a whole".to_owned());
            }
            return Ok(WithdrawalTarget::Scene {
                collection: before.to_owned(),
                id: after.to_owned(),
            });
        }
        if data.store.collections().await?.iter().any(|name| name == before) {
            return refuse(format!(
                "WHAT: `{first}` is made by steps; withdraw what it was made from (its lineage, at \
                 /raster/collections/{before}/items)"
            ));
        }
        let (station, name) = (before.to_owned(), after.trim().to_lowercase());
        let name = sen_catalog::property::property(&name).map_or(name.clone(), |known| known.name.to_owned());
        self.readings(station, name)
    }

    fn readings(&self, station: String, property: String) -> anyhow::Result<WithdrawalTarget> {
        let (from, to) = match &self.period {
            None => (None, None),
            Some(text) => {
                let (from, to) = span(text).map_err(|reason| UsageError(format!("--period: {reason}")))?;
                (Some(from), Some(to))
            }
        };
        Ok(WithdrawalTarget::Readings {
            station,
            property,
            from,
            to,
        })
    }

    /// What is to be brought back: of readings without a period, those that were withdrawn last.
    async fn withdrawn_target(
        &self,
        data: &Data,
        target: WithdrawalTarget,
    ) -> anyhow::Result<WithdrawalTarget> {
        let WithdrawalTarget::Readings {
            station,
            property,
            from: None,
            to: None,
        } = &target
        else {
            return Ok(target);
        };
        let all = data.store.withdrawals().await?.into_iter();
        let mut active = all.filter(Withdrawal::is_active).map(|one| one.target);
        let same = active.find(|one| {
            matches!(one, WithdrawalTarget::Readings { station: own, property: name, .. }
                if own == station && name == property)
        });
        Ok(same.unwrap_or(target))
    }
}

/// Days, weeks or instants as a span: the first included, the last not.
fn span(text: &str) -> Result<(DateTime<Utc>, DateTime<Utc>), String> {
    let (first, last) = text.split_once('/').unwrap_or((text, text));
    let (from, _) = side(first)?;
    let (_, to) = side(last)?;
    if from >= to {
        return Err(format!("`{text}` ends before it begins"));
    }
    Ok((from, to))
}

/// Begin and end of a day, a week or an instant.
fn side(text: &str) -> Result<(DateTime<Utc>, DateTime<Utc>), String> {
    let text = text.trim();
    if let Ok(week) = text.parse::<Period>() {
        return Ok((week.interval().start, week.interval().end));
    }
    if let Ok(day) = text.parse::<NaiveDate>() {
        let midnight = day
            .and_time(chrono::NaiveTime::MIN)
            .and_local_timezone(local_zone());
        let begin = midnight.single().ok_or("is no day here")?.with_timezone(&Utc);
        return Ok((begin, begin + TimeDelta::days(1)));
    }
    let at = DateTime::parse_from_rfc3339(text).map_err(|_| {
        format!("`{text}` is no day (2026-08-01), week (2026-W32) or instant with its offset")
    })?;
    let at = at.with_timezone(&Utc);
    Ok((at, at + TimeDelta::milliseconds(1)))
}

fn rows(withdrawal: &Withdrawal) -> String {
    match (&withdrawal.target, withdrawal.rows) {
        (WithdrawalTarget::Scene { .. }, _) => "a scene".to_owned(),
        (WithdrawalTarget::Feature { .. }, 1) => "one version".to_owned(),
        (WithdrawalTarget::Feature { .. }, count) => format!("{count} versions"),
        (WithdrawalTarget::Readings { .. }, 1) => "one reading".to_owned(),
        (WithdrawalTarget::Readings { .. }, count) => format!("{count} readings"),
    }
}

fn list(all: &[Withdrawal]) -> String {
    if all.is_empty() {
        return "nothing was withdrawn\n".to_owned();
    }
    let local = |at: DateTime<Utc>| {
        at.with_timezone(&local_zone())
            .format("%Y-%m-%d %H:%M")
            .to_string()
    };
    let row = |one: &Withdrawal| {
        vec![
            local(one.withdrawn),
            one.undone.map_or_else(|| "-".to_owned(), local),
            rows(one),
            one.target.to_string(),
            one.reason.clone().unwrap_or_default(),
        ]
    };
    let lines: Vec<_> = all.iter().map(row).collect();
    table(&["withdrawn", "brought back", "rows", "what", "why"], &lines)
}

/// The scenes among those found that are withdrawn: they stay so.
pub(super) fn withdrawn_scenes(all: &[Withdrawal]) -> impl Fn(&str, &str) -> bool {
    move |collection, id| {
        all.iter().any(|one| {
            one.is_active()
                && matches!(&one.target, WithdrawalTarget::Scene { collection: own, id: name }
                    if own == collection && name == id)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_weeks_and_instants_are_spans_of_local_time() {
        let told = |text: &str| span(text).map(|(from, to)| (from.to_rfc3339(), to.to_rfc3339()));
        let of = |from: &str, to: &str| Ok((from.to_owned(), to.to_owned()));
        assert_eq!(
            told("2026-08-01/2026-08-02"),
            of("2026-07-31T17:00:00+00:00", "2026-08-02T17:00:00+00:00")
        );
        assert_eq!(told("2026-08-03"), told("2026-08-03/2026-08-03"));
        assert_eq!(
            told("2026-W34"),
            of("2026-08-16T17:00:00+00:00", "2026-08-23T17:00:00+00:00")
        );
        for bad in ["2026-08-02/2026-08-01", "yesterday", "2026-08-01T05:00:00"] {
            assert!(told(bad).is_err(), "{bad}");
        }
    }
}

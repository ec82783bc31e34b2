//! Files that nothing names any more, and damaged ones.
//!
//! The table is written by plain inserts and deletes under its bare name, as all that steps write: a run's stage shadows it.

use super::SqliteStore;
use crate::asset::is_object;
use crate::item::Item;
use crate::period::Period;
use crate::store::{ObjectRow, ObjectRows};
use crate::{Error, Result};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension, Row, params};
use std::collections::BTreeSet;

pub(super) const SCHEMA: &str = "
CREATE TABLE object (
    href TEXT PRIMARY KEY,
    unnamed_since INTEGER,  -- ms of Unix time; none: an item names it
    damaged INTEGER NOT NULL) WITHOUT ROWID;
";

fn decode(row: &Row<'_>) -> rusqlite::Result<ObjectRow> {
    let since: Option<i64> = row.get(1)?;
    Ok(ObjectRow {
        href: row.get(0)?,
        unnamed_since: since.and_then(DateTime::from_timestamp_millis),
        is_damaged: row.get(2)?,
    })
}

/// Changes what is said of a file; where that is nothing any more it has no row.
pub(super) fn change(
    connection: &Connection,
    href: &str,
    change: impl FnOnce(&mut ObjectRow),
) -> rusqlite::Result<()> {
    let known = connection
        .prepare_cached("SELECT href, unnamed_since, damaged FROM object WHERE href = ?")?
        .query_row([href], decode)
        .optional()?;
    let mut row = known.clone().unwrap_or_else(|| ObjectRow {
        href: href.to_owned(),
        unnamed_since: None,
        is_damaged: false,
    });
    change(&mut row);
    if row.unnamed_since.is_some() || row.is_damaged {
        let since = row.unnamed_since.map(|since| since.timestamp_millis());
        connection
            .prepare_cached("INSERT OR REPLACE INTO object VALUES (?, ?, ?)")?
            .execute(params![href, since, row.is_damaged])?;
    } else if known.is_some() {
        forget(connection, href)?;
    }
    Ok(())
}

fn forget(connection: &Connection, href: &str) -> rusqlite::Result<()> {
    connection
        .prepare_cached("DELETE FROM object WHERE href = ?")?
        .execute([href])?;
    Ok(())
}

/// The files that an item names and `sen` made.
fn own_hrefs(item: &Item) -> BTreeSet<&str> {
    let assets = item.assets.values().map(|asset| asset.href.as_str());
    assets
        .filter(|href| !item.is_scene() && is_object(href))
        .collect()
}

/// True when an item of the week names the file: layers of a week share files, weeks do not.
fn is_named(connection: &Connection, week: Period, href: &str) -> rusqlite::Result<bool> {
    let mut statement = connection.prepare_cached(
        "WITH RECURSIVE name(c) AS (SELECT min(collection) FROM item UNION ALL
         SELECT (SELECT min(collection) FROM item WHERE collection > c) FROM name WHERE c IS NOT NULL)
         SELECT EXISTS (SELECT 1 FROM name CROSS JOIN item
            WHERE item.collection = name.c AND item.week = ? AND instr(item.body, ?) > 0)",
    )?;
    statement.query_row(params![week.to_string(), format!("\"{href}\"")], |row| row.get(0))
}

/// Follows what items name, once one was put in place of another or taken away.
pub(super) fn follow_item(
    connection: &Connection,
    old: Option<&Item>,
    new: Option<&Item>,
) -> rusqlite::Result<()> {
    let of = |item: Option<&Item>| -> BTreeSet<String> {
        let hrefs = item.map(own_hrefs).unwrap_or_default();
        hrefs.into_iter().map(str::to_owned).collect()
    };
    let (before, after) = (of(old), of(new));
    for href in after.difference(&before) {
        change(connection, href, |row| row.unnamed_since = None)?;
    }
    let Some(week) = old.map(Item::period) else {
        return Ok(());
    };
    for href in before.difference(&after) {
        if !is_named(connection, week, href)? {
            change(connection, href, |row| {
                row.unnamed_since = row.unnamed_since.or_else(|| Some(Utc::now()));
            })?;
        }
    }
    Ok(())
}

#[async_trait]
impl ObjectRows for SqliteStore {
    async fn object_rows(&self) -> Result<Vec<ObjectRow>> {
        self.reading(|connection| {
            let mut statement =
                connection.prepare_cached("SELECT href, unnamed_since, damaged FROM object ORDER BY href")?;
            let rows = statement.query_map([], decode)?;
            rows.collect::<rusqlite::Result<_>>().map_err(Error::from)
        })
        .await
    }

    async fn mark_objects(&self, hrefs: Vec<String>, is_damaged: bool) -> Result<()> {
        self.blocking(move |inner| {
            inner.write(|connection| {
                for href in &hrefs {
                    change(connection, href, |row| row.is_damaged = is_damaged)?;
                }
                Ok(())
            })
        })
        .await
    }

    async fn forget_objects(&self, hrefs: Vec<String>) -> Result<()> {
        self.blocking(move |inner| {
            inner.write(|connection| {
                hrefs.iter().try_for_each(|href| forget(connection, href))?;
                Ok(())
            })
        })
        .await
    }
}

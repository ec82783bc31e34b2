//! Administrative units.

use super::SqliteStore;
use crate::admin_unit::{AdminUnit, Level};
use crate::feature::tidy_code;
use crate::store::{AdminUnits, Put, UnitQuery};
use crate::{Error, Result};
use async_trait::async_trait;
use chrono::NaiveDate;
use rusqlite::{OptionalExtension, Row, ToSql, params};

pub(super) const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS admin_unit (
    rank INTEGER NOT NULL,  -- 1 province, 2 district, 3 commune
    code TEXT NOT NULL,
    valid_from TEXT NOT NULL DEFAULT '', valid_to TEXT NOT NULL DEFAULT '',  -- ISO dates; empty: open
    name TEXT NOT NULL, parent TEXT,
    predecessors TEXT NOT NULL DEFAULT '[]',
    PRIMARY KEY (rank, code, valid_from)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS admin_unit_code ON admin_unit (code);
CREATE INDEX IF NOT EXISTS admin_unit_parent ON admin_unit (parent);
";

fn rank(level: Level) -> i64 {
    match level {
        Level::Province => 1,
        Level::District => 2,
        Level::Commune => 3,
    }
}

fn damaged(what: impl std::fmt::Display) -> Error {
    Error::Store(format!(
        "an administrative unit of the catalogue is damaged: {what}"
    ))
}

fn text(date: Option<NaiveDate>) -> String {
    date.map(|date| date.to_string()).unwrap_or_default()
}

fn date(text: &str) -> Result<Option<NaiveDate>> {
    (!text.is_empty())
        .then(|| text.parse().map_err(damaged))
        .transpose()
}

fn decode(row: &Row<'_>) -> Result<AdminUnit> {
    let level = match row.get::<_, i64>(0)? {
        1 => Level::Province,
        2 => Level::District,
        3 => Level::Commune,
        other => return Err(damaged(format!("rank {other}"))),
    };
    Ok(AdminUnit {
        level,
        code: row.get(1)?,
        valid_from: date(row.get_ref(2)?.as_str().map_err(damaged)?)?,
        valid_to: date(row.get_ref(3)?.as_str().map_err(damaged)?)?,
        name: row.get(4)?,
        parent: row.get(5)?,
        predecessors: serde_json::from_str(row.get_ref(6)?.as_str().map_err(damaged)?).map_err(damaged)?,
    })
}

#[async_trait]
impl AdminUnits for SqliteStore {
    async fn put_units(&self, units: Vec<AdminUnit>) -> Result<Vec<Put>> {
        if units.is_empty() {
            return Ok(Vec::new());
        }
        self.writing(move |connection| {
            let mut known = connection.prepare_cached(
                "SELECT valid_to = ?4 AND name = ?5 AND parent IS ?6 AND predecessors = ?7 FROM admin_unit
                 WHERE rank = ?1 AND code = ?2 AND valid_from = ?3",
            )?;
            let mut put = connection
                .prepare_cached("INSERT OR REPLACE INTO admin_unit VALUES (?, ?, ?, ?, ?, ?, ?)")?;
            let mut outcomes = Vec::with_capacity(units.len());
            for unit in &units {
                let links = serde_json::to_string(&unit.predecessors)
                    .map_err(|error| Error::Invalid(format!("unit {}: {error}", unit.code)))?;
                let row = params![
                    rank(unit.level),
                    unit.code,
                    text(unit.valid_from),
                    text(unit.valid_to),
                    unit.name,
                    unit.parent,
                    links
                ];
                let same: Option<bool> = known.query_row(row, |row| row.get(0)).optional()?;
                if same != Some(true) {
                    put.execute(row)?;
                }
                outcomes.push(match same {
                    None => Put::Added,
                    Some(false) => Put::Changed,
                    Some(true) => Put::Unchanged,
                });
            }
            Ok(outcomes)
        })
        .await
    }

    async fn units(&self, query: &UnitQuery) -> Result<Vec<AdminUnit>> {
        let query = query.clone();
        self.reading(move |connection| {
            let mut sql = "SELECT * FROM admin_unit WHERE 1".to_owned();
            let mut values: Vec<Box<dyn ToSql>> = Vec::new();
            if let Some(level) = query.level {
                sql.push_str(" AND rank = ?");
                values.push(Box::new(rank(level)));
            }
            if let Some(code) = query.code {
                sql.push_str(" AND code = ?");
                values.push(Box::new(tidy_code(&code)));
            }
            if let Some(parent) = query.parent {
                sql.push_str(" AND parent = ?");
                values.push(Box::new(tidy_code(&parent)));
            }
            if let Some(day) = query.valid_on {
                sql.push_str(" AND valid_from <= ? AND (valid_to = '' OR valid_to > ?)");
                values.push(Box::new(day.to_string()));
                values.push(Box::new(day.to_string()));
            }
            sql.push_str(" ORDER BY rank, code, valid_from");
            let mut statement = connection.prepare_cached(&sql)?;
            let mut rows = statement.query(rusqlite::params_from_iter(values))?;
            let mut units = Vec::new();
            while let Some(row) = rows.next()? {
                units.push(decode(row)?);
            }
            Ok(units)
        })
        .await
    }
}

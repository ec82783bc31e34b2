//! Sums over the rows of each table, kept in the transaction that changes them: what tells a flipped bit from a row.
//!
//! SQLite checks the shape of its pages, not what stands in them. So every table has a row in `content_sum` with the number of its
//! rows and the sum of their checksums: one changed row costs two of these and one row of `content_sum`. Triggers of the writing
//! connection alone (`TEMP`) hand each row to a function of ours, so that no query has to remember it and the file stays one
//! that any SQLite reads. [`damage`] adds all of it up anew. The tables of the box index are tables like any other. Those of
//! the word index bear no triggers (a trigger sets a savepoint, at which that index writes its pages, which sets the
//! trigger off): their sums go when features change and are made again when the store is closed, or opened the next time.

use super::fields::has_table;
use crate::{Error, Result};
use rusqlite::functions::FunctionFlags;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, params};
use std::sync::{Arc, Mutex, PoisonError};

pub(super) const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS content_sum (
    name TEXT PRIMARY KEY,  -- a table
    rows INTEGER NOT NULL,
    sum INTEGER NOT NULL) WITHOUT ROWID;  -- of the CRC-32 of each row: against damage, not against people
";

/// The function that triggers hand rows to: sign, number of the table, values.
const FUNCTION: &str = "sen_row";
/// Stands in `content_sum` for the definitions of tables and indices.
const DEFINITIONS: &str = "sqlite_schema";
/// What the names of the word index's tables begin with.
const WORDS: &str = "feature_text_";
/// The table that the word index is of.
const WORDS_OF: &str = "feature";
/// Where SQLite keeps the greatest number given; no trigger can stand on it.
const NUMBERS: &str = "sqlite_sequence";

/// Rows and the sum of their checksums.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Sum {
    rows: i64,
    sum: i64,
}

impl Sum {
    fn add(&mut self, sign: i64, checksum: u32) {
        self.rows += sign;
        self.sum = self.sum.wrapping_add(sign * i64::from(checksum));
    }
}

/// Changes of the transaction under way.
#[derive(Debug)]
pub(super) struct Pending {
    /// The tables that are followed.
    tables: Vec<String>,
    /// By number of the table.
    changes: Arc<Mutex<Vec<Sum>>>,
}

/// Hands on a value with a tag and, where it can vary, a length before it: no two rows read the same.
pub(super) fn feed(value: ValueRef<'_>, mut sink: impl FnMut(&[u8])) {
    match value {
        ValueRef::Null => sink(&[0]),
        ValueRef::Integer(number) => {
            sink(&[1]);
            sink(&number.to_le_bytes());
        }
        ValueRef::Real(number) => {
            sink(&[2]);
            sink(&number.to_le_bytes());
        }
        // one bit in the header of a row makes a blob of a text of the same bytes
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => {
            sink(&[if matches!(value, ValueRef::Blob(_)) { 5 } else { 3 }]);
            sink(&(bytes.len() as u64).to_le_bytes());
            sink(bytes);
        }
    }
}

/// The checksum of a row; `buffer` is scratch.
fn checksum<'v>(values: impl Iterator<Item = ValueRef<'v>>, buffer: &mut Vec<u8>) -> u32 {
    buffer.clear();
    values.for_each(|value| feed(value, |bytes| buffer.extend_from_slice(bytes)));
    libdeflater::crc32(buffer)
}

/// The tables whose rows are summed up, by name.
fn tables(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut statement = connection.prepare(
        "SELECT name FROM pragma_table_list
         WHERE schema = 'main' AND type IN ('table', 'shadow') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
           AND name != 'content_sum' ORDER BY name",
    )?;
    statement.query_map([], |row| row.get(0))?.collect()
}

/// The sum of what a query gives.
fn sum_of(connection: &Connection, sql: &str) -> rusqlite::Result<Sum> {
    let mut statement = connection.prepare(sql)?;
    let columns = statement.column_count();
    let mut rows = statement.query([])?;
    let (mut sum, mut buffer) = (Sum::default(), Vec::new());
    while let Some(row) = rows.next()? {
        let values: Vec<ValueRef<'_>> = (0..columns).map(|at| row.get_ref(at)).collect::<Result<_, _>>()?;
        sum.add(1, checksum(values.into_iter(), &mut buffer));
    }
    Ok(sum)
}

fn sum_of_table(connection: &Connection, table: &str) -> rusqlite::Result<Sum> {
    sum_of(connection, &format!("SELECT * FROM main.\"{table}\""))
}

/// The sum over the definitions of tables and indices.
fn definitions(connection: &Connection) -> rusqlite::Result<Sum> {
    sum_of(
        connection,
        "SELECT type, name, tbl_name, sql FROM main.sqlite_schema",
    )
}

fn known(connection: &Connection, name: &str) -> rusqlite::Result<Option<Sum>> {
    let mut statement = connection.prepare_cached("SELECT rows, sum FROM content_sum WHERE name = ?")?;
    let sum = |row: &rusqlite::Row<'_>| {
        Ok(Sum {
            rows: row.get(0)?,
            sum: row.get(1)?,
        })
    };
    statement.query_row([name], sum).optional()
}

fn put(connection: &Connection, name: &str, sum: Sum) -> rusqlite::Result<()> {
    connection
        .prepare_cached("INSERT OR REPLACE INTO content_sum VALUES (?, ?, ?)")?
        .execute(params![name, sum.rows, sum.sum])?;
    Ok(())
}

/// Makes the tables of `schema` where they are missing, and follows every row from then on. Tables that have no sum yet (new
/// ones, all of them in a file of an older version) are added up once.
pub(super) fn follow(connection: &mut Connection, schema: &[&str]) -> rusqlite::Result<Pending> {
    let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    let before = definitions(&transaction)?;
    for tables in schema {
        transaction.execute_batch(tables)?;
    }
    let now = definitions(&transaction)?;
    if now != before || known(&transaction, DEFINITIONS)?.is_none() {
        put(&transaction, DEFINITIONS, now)?;
    }
    let names = tables(&transaction)?;
    for name in &names {
        if known(&transaction, name)?.is_none() {
            put(&transaction, name, sum_of_table(&transaction, name)?)?;
        }
    }
    if known(&transaction, NUMBERS)?.is_none() {
        put(&transaction, NUMBERS, sum_of_table(&transaction, NUMBERS)?)?;
    }
    transaction.commit()?;
    let pending = Pending::of(names.into_iter().filter(|name| !name.starts_with(WORDS)));
    pending.listen(connection)?;
    // REPLACE deletes rows: their triggers have to run too
    connection.pragma_update(None, "recursive_triggers", true)?;
    for (number, name) in pending.tables.iter().enumerate() {
        connection.execute_batch(&triggers(connection, number, name)?)?;
    }
    Ok(pending)
}

/// Adds up the tables of the word index, where features have changed since.
pub(super) fn finish(connection: &mut Connection) -> rusqlite::Result<()> {
    let mut stale = Vec::new();
    for name in tables(connection)? {
        if name.starts_with(WORDS) && known(connection, &name)?.is_none() {
            stale.push(name);
        }
    }
    if stale.is_empty() {
        return Ok(());
    }
    let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    for name in &stale {
        put(&transaction, name, sum_of_table(&transaction, name)?)?;
    }
    transaction.commit()
}

/// The triggers of a table.
fn triggers(connection: &Connection, number: usize, table: &str) -> rusqlite::Result<String> {
    let columns: Vec<String> = connection
        .prepare("SELECT name FROM pragma_table_info(?)")?
        .query_map([table], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    let call = |sign: i64, row: &str| {
        let values: Vec<String> = columns
            .iter()
            .map(|column| format!("{row}.\"{column}\""))
            .collect();
        format!("SELECT {FUNCTION}({sign}, {number}, {});", values.join(", "))
    };
    let trigger = |event: &str, calls: String| {
        format!(
            "CREATE TEMP TRIGGER \"{table} {event}\" AFTER {event} ON main.\"{table}\" BEGIN {calls} END;\n"
        )
    };
    Ok(trigger("INSERT", call(1, "NEW"))
        + &trigger("DELETE", call(-1, "OLD"))
        + &trigger("UPDATE", call(-1, "OLD") + &call(1, "NEW")))
}

impl Pending {
    fn of(tables: impl Iterator<Item = String>) -> Self {
        let tables: Vec<String> = tables.collect();
        let changes = Arc::new(Mutex::new(vec![Sum::default(); tables.len()]));
        Self { tables, changes }
    }

    /// Makes the function that triggers call.
    fn listen(&self, connection: &Connection) -> rusqlite::Result<()> {
        let changes = Arc::clone(&self.changes);
        let scratch = Mutex::new(Vec::new());
        connection.create_scalar_function(FUNCTION, -1, FunctionFlags::SQLITE_UTF8, move |context| {
            let (sign, table) = (context.get_raw(0).as_i64()?, context.get_raw(1).as_i64()?);
            let mut scratch = scratch.lock().unwrap_or_else(PoisonError::into_inner);
            let checksum = checksum((2..context.len()).map(|at| context.get_raw(at)), &mut scratch);
            let mut changes = changes.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(sum) = usize::try_from(table)
                .ok()
                .and_then(|table| changes.get_mut(table))
            {
                sum.add(sign, checksum);
            }
            Ok(true)
        })
    }

    /// Takes the changes out.
    fn take(&self) -> Vec<Sum> {
        let mut changes = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *changes, vec![Sum::default(); self.tables.len()])
    }

    /// Forgets what a transaction that was rolled back has left.
    pub(super) fn forget(&self) {
        self.take();
    }

    /// Enters the changes of a transaction into `content_sum`, at its end.
    pub(super) fn settle(&self, connection: &Connection) -> rusqlite::Result<()> {
        for (table, change) in self.tables.iter().zip(self.take()) {
            if change == Sum::default() {
                continue;
            }
            let before = known(connection, table)?.unwrap_or_default();
            let after = Sum {
                rows: before.rows + change.rows,
                sum: before.sum.wrapping_add(change.sum),
            };
            put(connection, table, after)?;
            if table == WORDS_OF {
                connection
                    .prepare_cached("DELETE FROM content_sum WHERE substr(name, 1, length(?1)) = ?1")?
                    .execute([WORDS])?;
            }
        }
        let numbers = sum_of_table(connection, NUMBERS)?;
        if known(connection, NUMBERS)? != Some(numbers) {
            put(connection, NUMBERS, numbers)?;
        }
        Ok(())
    }
}

/// What is wrong with a file: SQLite's own check of its pages and indices, then the rows of every table against their sum.
/// Empty when all is as it was written.
pub(super) fn damage(connection: &Connection) -> Result<Vec<String>> {
    let mut wrong: Vec<String> = Vec::new();
    let mut statement = connection.prepare("PRAGMA integrity_check(20)")?;
    let lines = statement.query_map([], |row| row.get::<_, String>(0))?;
    for line in lines {
        wrong.push(line?);
    }
    wrong.retain(|line| line != "ok");
    if !has_table(connection, "content_sum")? {
        // of before rows were summed up: nothing to hold them against
        return Ok(wrong);
    }
    if known(connection, DEFINITIONS)? != Some(definitions(connection)?) {
        wrong.push("the definitions of its tables are others than were written".to_owned());
    }
    let mut names = tables(connection)?;
    names.push(NUMBERS.to_owned());
    let mut summed = connection.prepare("SELECT name FROM content_sum ORDER BY name")?;
    for name in summed.query_map([], |row| row.get::<_, String>(0))? {
        let name = name?;
        if name != DEFINITIONS && !names.contains(&name) {
            wrong.push(format!("there is a checksum of `{name}`, which is no table"));
        }
    }
    for name in names {
        let mut differs = |what: &str| wrong.push(format!("the rows of `{name}` {what}"));
        match (sum_of_table(connection, &name), known(connection, &name)?) {
            (Err(error), _) => differs(&format!("cannot be read: {error}")),
            // left by one who was killed, or is at work: its shape was looked at above
            (Ok(_), None) if name.starts_with(WORDS) => {}
            (Ok(_), None) => differs("have no checksum"),
            (Ok(now), Some(then)) if now.rows != then.rows => {
                differs(&format!("are {} where {} were written", now.rows, then.rows));
            }
            (Ok(now), Some(then)) if now != then => {
                differs("are not as they were written (checksum differs)");
            }
            (Ok(_), Some(_)) => {}
        }
    }
    Ok(wrong)
}

/// A failure to read the file, as one more line of what is wrong with it.
pub(super) fn as_damage(found: Result<Vec<String>>) -> Result<Vec<String>> {
    match found {
        Err(Error::Store(reason)) => Ok(vec![reason]),
        other => other,
    }
}

//! Sums over the rows of each table, kept in the transaction that changes them: what tells a flipped bit from a row.
//!
//! SQLite checks the shape of its pages, not what stands in them. So every table has a row in `content_sum` with the number of its
//! rows and the sum of their checksums: one changed row costs two of these and one row of `content_sum`. Triggers of the writing
//! connection alone (`TEMP`) hand each row to a function of ours, so that no query has to remember it and the file stays one
//! that any SQLite reads. [`damage`] adds all of it up anew. The tables of the box index are tables like any other. Those of
//! the word index bear no triggers (a trigger sets a savepoint, at which that index writes its pages, which sets the
//! trigger off): their sums go when features change and are made again when the store is closed, or opened the next time.

use super::dataset_digests;
use super::row_digests::{DIGESTED_TABLES, DigestSums, DigestedTable, MOST_COLUMNS, Sign};
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
pub(super) struct Sum {
    rows: i64,
    sum: i64,
}

impl Sum {
    fn add(&mut self, sign: i64, checksum: u32) {
        self.rows += sign;
        self.sum = self.sum.wrapping_add(sign * i64::from(checksum));
    }
}

/// A table that is followed, and what its rows are of beside it.
#[derive(Debug)]
struct FollowedTable {
    name: String,
    /// With the places of the columns that count.
    digested: Option<(&'static DigestedTable, Vec<usize>)>,
}

/// What a transaction changed.
#[derive(Debug, Default)]
struct Changes {
    /// By number of the table.
    sums: Vec<Sum>,
    digests: DigestSums,
}

/// Changes of the transaction under way.
#[derive(Debug)]
pub(super) struct Pending {
    /// True where rows are staged: they count in digests, and have no sums of their own.
    is_staged: bool,
    tables: Arc<Vec<FollowedTable>>,
    changes: Arc<Mutex<Changes>>,
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

/// Adds up tables that have no sum yet (new ones, all of them in a file of before there were sums), and takes in new
/// definitions.
pub(super) fn add_up_new(connection: &Connection) -> rusqlite::Result<()> {
    let now = definitions(connection)?;
    if known(connection, DEFINITIONS)? != Some(now) {
        put(connection, DEFINITIONS, now)?;
    }
    for name in tables(connection)?.iter().map(String::as_str).chain([NUMBERS]) {
        if known(connection, name)?.is_none() {
            put(connection, name, sum_of_table(connection, name)?)?;
        }
    }
    Ok(())
}

/// What a table that is about to be made anew is said to have beyond its rows: nothing, unless it was damaged.
pub(super) fn difference(connection: &Connection, table: &str) -> rusqlite::Result<Option<Sum>> {
    let (known, now) = (known(connection, table)?, sum_of_table(connection, table)?);
    Ok(known.map(|known| Sum {
        rows: known.rows - now.rows,
        sum: known.sum.wrapping_sub(now.sum),
    }))
}

/// Enters the sum of a table that was made anew; damage of the one before stays seen.
pub(super) fn put_with_difference(
    connection: &Connection,
    table: &str,
    difference: Option<Sum>,
) -> rusqlite::Result<()> {
    let now = sum_of_table(connection, table)?;
    let difference = difference.unwrap_or_default();
    let sum = Sum {
        rows: now.rows + difference.rows,
        sum: now.sum.wrapping_add(difference.sum),
    };
    put(connection, table, sum)
}

/// Follows every row from now on.
pub(super) fn follow(connection: &mut Connection) -> rusqlite::Result<Pending> {
    finish(connection)?;
    let names = tables(connection)?;
    let pending = Pending::of(
        connection,
        names.into_iter().filter(|name| !name.starts_with(WORDS)),
    )?;
    pending.listen(connection)?;
    // REPLACE deletes rows: their triggers have to run too
    connection.pragma_update(None, "recursive_triggers", true)?;
    for (number, table) in pending.tables.iter().enumerate() {
        connection.execute_batch(&triggers(connection, number, &table.name)?)?;
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

/// The columns of a table, in order.
fn columns(connection: &Connection, table: &str) -> rusqlite::Result<Vec<String>> {
    let mut statement = connection.prepare_cached("SELECT name FROM pragma_table_info(?)")?;
    statement.query_map([table], |row| row.get(0))?.collect()
}

/// The triggers of a table.
fn triggers(connection: &Connection, number: usize, table: &str) -> rusqlite::Result<String> {
    let columns = columns(connection, table)?;
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

impl FollowedTable {
    fn new(connection: &Connection, name: String) -> rusqlite::Result<Self> {
        let Some(digested) = DIGESTED_TABLES.iter().find(|table| table.name == name) else {
            return Ok(Self { name, digested: None });
        };
        let columns = columns(connection, &name)?;
        let place = |column: &&str| {
            let place = columns.iter().position(|own| own == column);
            place.ok_or_else(|| rusqlite::Error::InvalidColumnName(format!("{name}.{column}")))
        };
        let places = digested
            .columns
            .iter()
            .map(place)
            .collect::<rusqlite::Result<_>>()?;
        Ok(Self {
            name,
            digested: Some((digested, places)),
        })
    }
}

impl Changes {
    /// A row that comes (1) or goes (-1).
    fn add<'v>(
        &mut self,
        sign: i64,
        number: usize,
        table: &FollowedTable,
        checksum: u32,
        value: impl Fn(usize) -> ValueRef<'v>,
    ) {
        if let Some(sum) = self.sums.get_mut(number) {
            sum.add(sign, checksum);
        }
        if let Some((digested, places)) = &table.digested {
            let mut values = [ValueRef::Null; MOST_COLUMNS];
            for (own, place) in values.iter_mut().zip(places) {
                *own = value(*place);
            }
            let sign = if sign > 0 { Sign::Comes } else { Sign::Goes };
            let values = values.get(..places.len()).unwrap_or_default();
            (digested.add)(&mut self.digests, sign, values);
        }
    }
}

impl Pending {
    fn of(connection: &Connection, names: impl Iterator<Item = String>) -> rusqlite::Result<Self> {
        let tables: Vec<FollowedTable> = names
            .map(|name| FollowedTable::new(connection, name))
            .collect::<rusqlite::Result<_>>()?;
        let pending = Self {
            is_staged: false,
            tables: Arc::new(tables),
            changes: Arc::default(),
        };
        pending.forget();
        Ok(pending)
    }

    /// Of a stage, whose triggers hand over rows of the named tables by their place.
    pub(super) fn of_stage(connection: &Connection, tables: &[&str]) -> rusqlite::Result<Self> {
        let pending = Self::of(connection, tables.iter().map(|name| (*name).to_owned()))?;
        pending.listen(connection)?;
        Ok(Self {
            is_staged: true,
            ..pending
        })
    }

    /// Makes the function that triggers call.
    fn listen(&self, connection: &Connection) -> rusqlite::Result<()> {
        let (tables, changes) = (Arc::clone(&self.tables), Arc::clone(&self.changes));
        let scratch = Mutex::new(Vec::new());
        connection.create_scalar_function(FUNCTION, -1, FunctionFlags::SQLITE_UTF8, move |context| {
            let (sign, number) = (context.get_raw(0).as_i64()?, context.get_raw(1).as_i64()?);
            let mut scratch = scratch.lock().unwrap_or_else(PoisonError::into_inner);
            let checksum = checksum((2..context.len()).map(|at| context.get_raw(at)), &mut scratch);
            let number = usize::try_from(number).unwrap_or(usize::MAX);
            if let Some(table) = tables.get(number) {
                let mut changes = changes.lock().unwrap_or_else(PoisonError::into_inner);
                changes.add(sign, number, table, checksum, |column| {
                    context.get_raw(2 + column)
                });
            }
            Ok(true)
        })
    }

    /// Takes the changes out.
    fn take(&self) -> Changes {
        let mut changes = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        let none = Changes {
            sums: vec![Sum::default(); self.tables.len()],
            digests: DigestSums::default(),
        };
        std::mem::replace(&mut *changes, none)
    }

    /// Forgets what a transaction that was rolled back has left.
    pub(super) fn forget(&self) {
        self.take();
    }

    /// Takes the digests out alone: to enter them changes rows as well.
    fn take_digests(&self) -> DigestSums {
        let mut changes = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut changes.digests)
    }

    /// Enters the changes of a transaction into `digest` and `content_sum`, at its end.
    pub(super) fn settle(&self, connection: &Connection) -> rusqlite::Result<()> {
        dataset_digests::settle(connection, self.take_digests())?;
        if self.is_staged {
            return Ok(());
        }
        for (FollowedTable { name: table, .. }, change) in self.tables.iter().zip(self.take().sums) {
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
    match dataset_digests::differing(connection) {
        Ok(differing) => wrong.extend(differing),
        Err(error) => wrong.push(error.to_string()),
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

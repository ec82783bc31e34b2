//! The rows of features: how one is written, beside what a batch holds that is not yet seen (see [`super::batches`]).
//!
//! A row is one state of a feature. It comes with a batch and may go with another; that of `fid` seen now stands in the view
//! `seen_feature`, which every query reads.

use super::features::{damaged, date, text};
use crate::feature::{Feature, OtherCode, Shape};
use crate::grid::Bounds;
use crate::store::Put;
use crate::{Error, Result};
use rusqlite::{Connection, OptionalExtension, Row, ToSql, params};

/// The tables of layout 1; `batch_migration` has them as they are now.
pub(super) const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS feature (
    fid INTEGER PRIMARY KEY AUTOINCREMENT,
    layer TEXT NOT NULL, scheme TEXT NOT NULL, code TEXT NOT NULL,
    valid_from TEXT NOT NULL DEFAULT '', valid_to TEXT NOT NULL DEFAULT '',  -- ISO dates; empty: open
    name TEXT, parent TEXT,
    codes TEXT NOT NULL DEFAULT '[]',  -- further codes as JSON
    area_m2 REAL NOT NULL,
    properties TEXT NOT NULL DEFAULT '{}',
    search TEXT NOT NULL,
    shape TEXT NOT NULL,
    geometry BLOB NOT NULL,  -- WKB, WGS 84 lon/lat
    UNIQUE (layer, scheme, code, valid_from));
CREATE INDEX IF NOT EXISTS feature_code ON feature (layer, code);
CREATE INDEX IF NOT EXISTS feature_parent ON feature (layer, parent);
CREATE VIRTUAL TABLE IF NOT EXISTS feature_box USING rtree (fid, west, east, south, north);
CREATE VIRTUAL TABLE IF NOT EXISTS feature_text USING fts5 (search, content='feature', content_rowid='fid', tokenize='trigram');
CREATE TABLE IF NOT EXISTS other_code (code TEXT NOT NULL, fid INTEGER NOT NULL, PRIMARY KEY (code, fid)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS layer (
    name TEXT PRIMARY KEY, revision INTEGER NOT NULL, shape TEXT NOT NULL, count INTEGER NOT NULL,
    west REAL NOT NULL, south REAL NOT NULL, east REAL NOT NULL, north REAL NOT NULL) WITHOUT ROWID;
";

/// In place of a batch: of always, seen at once, stays.
pub(super) const NO_BATCH: i64 = 0;

pub(super) const COLUMNS: &str = "f.fid, f.layer, f.scheme, f.code, f.valid_from, f.valid_to, f.name, f.parent, f.codes, \
                       f.area_m2, f.properties, f.geometry";

pub(super) fn decode(row: &Row<'_>) -> Result<Feature> {
    let wkb = row.get_ref(11)?.as_blob().map_err(damaged)?;
    let codes: Vec<OtherCode> =
        serde_json::from_str(row.get_ref(8)?.as_str().map_err(damaged)?).map_err(damaged)?;
    Ok(Feature {
        fid: row.get(0)?,
        layer: row.get(1)?,
        scheme: row.get(2)?,
        code: row.get(3)?,
        valid_from: date(row.get_ref(4)?.as_str().map_err(damaged)?)?,
        valid_to: date(row.get_ref(5)?.as_str().map_err(damaged)?)?,
        name: row.get(6)?,
        parent: row.get(7)?,
        codes,
        area_m2: row.get(9)?,
        properties: serde_json::from_str(row.get_ref(10)?.as_str().map_err(damaged)?).map_err(damaged)?,
        geometry: decode_wkb(wkb)?,
    })
}

fn decode_wkb(bytes: &[u8]) -> Result<geo_types::Geometry<f64>> {
    use geo_traits::to_geo::ToGeoGeometry;
    let geometry = wkb::reader::read_wkb(bytes).map_err(damaged)?;
    geometry
        .try_to_geometry()
        .ok_or_else(|| damaged("an empty geometry"))
}

fn encode_wkb(feature: &Feature) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    wkb::writer::write_geometry(
        &mut bytes,
        &feature.geometry,
        &wkb::writer::WriteOptions::default(),
    )
    .map_err(|error| Error::Invalid(format!("feature {} cannot be stored: {error}", feature.code)))?;
    Ok(bytes)
}

/// A feature as its row is to be.
#[derive(Debug)]
pub(super) struct EncodedFeature {
    pub(super) feature: Feature,
    valid_from: String,
    valid_to: String,
    codes: String,
    properties: String,
    search: String,
    shape: Shape,
    bounds: Bounds,
    wkb: Vec<u8>,
}

impl EncodedFeature {
    /// # Errors
    /// [`Error::Invalid`] for an empty geometry or a mixture of shapes.
    pub(super) fn new(feature: Feature) -> Result<Self> {
        let invalid = |what: &str| Error::Invalid(format!("feature {}: {what}", feature.code));
        let json = |value: serde_json::Result<String>| value.map_err(|error| invalid(&error.to_string()));
        Ok(Self {
            shape: Shape::of(&feature.geometry)
                .ok_or_else(|| invalid("a mixture of points, lines and areas"))?,
            bounds: feature.bounds().ok_or_else(|| invalid("the geometry is empty"))?,
            wkb: encode_wkb(&feature)?,
            codes: json(serde_json::to_string(&feature.codes))?,
            properties: json(serde_json::to_string(&feature.properties))?,
            search: feature.search_text(),
            valid_from: text(feature.valid_from),
            valid_to: text(feature.valid_to),
            feature,
        })
    }
}

/// What the word index has to learn of a row.
#[derive(Debug)]
pub(super) struct RowText {
    row_number: i64,
    /// Its text so far; none where it is new.
    old: Option<String>,
    /// Its text from now on; none where it is gone.
    new: Option<String>,
}

/// A row of the identity of a feature that is put.
struct KnownRow {
    row_number: i64,
    fid: i64,
    batch_from: i64,
    batch_to: i64,
    /// It says the same.
    is_same: bool,
    search: String,
    codes: String,
}

/// One write transaction on features.
pub(super) struct FeatureWriter<'a> {
    connection: &'a Connection,
    /// The batch that rows come and go with, or [`NO_BATCH`].
    batch: i64,
    /// All batches that are not yet seen.
    staged: Vec<i64>,
    texts: Vec<RowText>,
}

/// The batches that are not yet seen.
pub(super) fn staged_batches(connection: &Connection) -> rusqlite::Result<Vec<i64>> {
    let mut statement = connection.prepare_cached("SELECT id FROM staged_batch")?;
    statement.query_map([], |row| row.get(0))?.collect()
}

/// Whether a row that comes and goes with these batches is seen; as the view `seen_feature` has it.
pub(super) fn is_seen(batch_from: i64, batch_to: i64, staged: &[i64]) -> bool {
    !staged.contains(&batch_from) && (batch_to == NO_BATCH || staged.contains(&batch_to))
}

impl<'a> FeatureWriter<'a> {
    pub(super) fn new(connection: &'a Connection, batch: i64) -> Result<Self> {
        Ok(Self {
            connection,
            batch,
            staged: staged_batches(connection)?,
            texts: Vec::new(),
        })
    }

    /// Inserts or replaces one feature by identity; a feature that is the same already is left alone. What was done, and the
    /// feature's `fid` where something was.
    pub(super) fn put(&mut self, encoded: &EncodedFeature) -> Result<(Put, Option<i64>)> {
        let known = self.known_rows(encoded)?;
        let is_staged = |row: &&KnownRow| self.staged.contains(&row.batch_from);
        let staged = known.iter().find(is_staged);
        let seen = known
            .iter()
            .find(|row| is_seen(row.batch_from, row.batch_to, &self.staged));
        // a batch writes what is not yet seen, others what is
        let own = if self.batch == NO_BATCH { seen } else { staged };
        let now = own.or(seen.filter(|row| row.batch_to == NO_BATCH));
        if now.is_some_and(|row| row.is_same) {
            return Ok((Put::Unchanged, None));
        }
        if let Some(row) = own {
            self.update(row, encoded)?;
            return Ok((Put::Changed, Some(row.fid)));
        }
        if let Some(row) = seen {
            self.end(row.row_number)?;
        }
        // a feature that a batch holds already is the same one, and gives way to that of the batch
        let fid = seen.or(staged).map(|row| row.fid);
        let batch_to = staged.map_or(NO_BATCH, |row| row.batch_from);
        let fid = self.insert(encoded, fid, batch_to)?;
        let outcome = if now.is_some() { Put::Changed } else { Put::Added };
        Ok((outcome, Some(fid)))
    }

    fn known_rows(&self, encoded: &EncodedFeature) -> Result<Vec<KnownRow>> {
        let feature = &encoded.feature;
        let mut statement = self.connection.prepare_cached(
            "SELECT row_number, fid, batch_from, batch_to, valid_to = ?5 AND name IS ?6 AND parent IS ?7 AND codes = ?8
                    AND properties = ?9 AND geometry = ?10, search, codes
             FROM feature WHERE layer = ?1 AND scheme = ?2 AND code = ?3 AND valid_from = ?4",
        )?;
        let rows = statement.query_map(
            params![
                feature.layer,
                feature.scheme,
                feature.code,
                encoded.valid_from,
                encoded.valid_to,
                feature.name,
                feature.parent,
                encoded.codes,
                encoded.properties,
                encoded.wkb
            ],
            |row| {
                Ok(KnownRow {
                    row_number: row.get(0)?,
                    fid: row.get(1)?,
                    batch_from: row.get(2)?,
                    batch_to: row.get(3)?,
                    is_same: row.get(4)?,
                    search: row.get(5)?,
                    codes: row.get(6)?,
                })
            },
        )?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Changes a row where it stands.
    fn update(&mut self, row: &KnownRow, encoded: &EncodedFeature) -> Result<()> {
        let feature = &encoded.feature;
        self.forget_codes(row.row_number, &row.codes)?;
        self.connection
            .prepare_cached(
                "UPDATE feature SET valid_to = ?2, name = ?3, parent = ?4, codes = ?5, area_m2 = ?6,
                 properties = ?7, search = ?8, shape = ?9, geometry = ?10 WHERE row_number = ?1",
            )?
            .execute(params![
                row.row_number,
                encoded.valid_to,
                feature.name,
                feature.parent,
                encoded.codes,
                feature.area_m2,
                encoded.properties,
                encoded.search,
                encoded.shape.name(),
                encoded.wkb
            ])?;
        self.enter(row.row_number, Some(row.search.clone()), encoded)
    }

    /// A new row, of a known `fid` or of one of its own; the `fid`.
    pub(super) fn insert(
        &mut self,
        encoded: &EncodedFeature,
        fid: Option<i64>,
        batch_to: i64,
    ) -> Result<i64> {
        let feature = &encoded.feature;
        let last: Option<i64> = self
            .connection
            .prepare_cached("SELECT seq FROM sqlite_sequence WHERE name = 'feature'")?
            .query_row([], |row| row.get(0))
            .optional()?;
        let row_number = last.unwrap_or(0) + 1;
        let fid = fid.unwrap_or(row_number);
        self.connection
            .prepare_cached(
                "INSERT INTO feature (row_number, fid, batch_from, batch_to, layer, scheme, code, valid_from, valid_to,
                 name, parent, codes, area_m2, properties, search, shape, geometry)
                 VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            )?
            .execute(params![
                row_number,
                fid,
                self.batch,
                batch_to,
                feature.layer,
                feature.scheme,
                feature.code,
                encoded.valid_from,
                encoded.valid_to,
                feature.name,
                feature.parent,
                encoded.codes,
                feature.area_m2,
                encoded.properties,
                encoded.search,
                encoded.shape.name(),
                encoded.wkb
            ])?;
        self.enter(row_number, None, encoded)?;
        Ok(fid)
    }

    /// Box, further codes and words of a row.
    fn enter(&mut self, row_number: i64, old: Option<String>, encoded: &EncodedFeature) -> Result<()> {
        let b = encoded.bounds;
        self.connection
            .prepare_cached("INSERT OR REPLACE INTO feature_box VALUES (?, ?, ?, ?, ?)")?
            .execute(params![row_number, b.west, b.east, b.south, b.north])?;
        for other in &encoded.feature.codes {
            self.connection
                .prepare_cached("INSERT OR IGNORE INTO other_code VALUES (?, ?)")?
                .execute(params![other.code, row_number])?;
        }
        let new = Some(encoded.search.clone());
        self.texts.push(RowText { row_number, old, new });
        Ok(())
    }

    /// Further codes are found by their text, those of a row by what it says.
    fn forget_codes(&self, row_number: i64, codes: &str) -> Result<()> {
        if codes != "[]" {
            self.connection
                .prepare_cached(
                    "DELETE FROM other_code
                     WHERE row_number = ?1 AND code IN (SELECT value ->> 'code' FROM json_each(?2))",
                )?
                .execute(params![row_number, codes])?;
        }
        Ok(())
    }

    /// A row goes with the batch.
    fn end(&self, row_number: i64) -> Result<()> {
        self.connection
            .prepare_cached("UPDATE feature SET batch_to = ?2 WHERE row_number = ?1")?
            .execute([row_number, self.batch])?;
        Ok(())
    }

    /// Takes a feature away, at once or with the batch; its layer, none when it was not there.
    pub(super) fn delete(&mut self, fid: i64) -> Result<Option<String>> {
        // the index of fids begins with the layer, so the few layers are named
        let seen: Option<(i64, String, i64)> = self
            .connection
            .prepare_cached(
                "SELECT row_number, layer, batch_to FROM seen_feature
                 WHERE layer IN (SELECT name FROM layer) AND fid = ?",
            )?
            .query_row([fid], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
            .optional()?;
        let Some((row_number, layer, batch_to)) = seen else {
            return Ok(None);
        };
        if self.batch == NO_BATCH {
            self.delete_rows("row_number = ?", &[&row_number])?;
        } else if batch_to == NO_BATCH {
            self.end(row_number)?;
        } else {
            return Ok(None);
        }
        Ok(Some(layer))
    }

    /// Deletes rows with all that hangs on them; how many there were.
    pub(super) fn delete_rows(&mut self, condition: &str, values: &[&dyn ToSql]) -> Result<usize> {
        let rows: Vec<(i64, String, String)> = self
            .connection
            .prepare_cached(&format!(
                "DELETE FROM feature WHERE {condition} RETURNING row_number, search, codes"
            ))?
            .query_map(values, |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
            .collect::<rusqlite::Result<_>>()?;
        let count = rows.len();
        for (row_number, search, codes) in rows {
            self.forget_codes(row_number, &codes)?;
            self.connection
                .prepare_cached("DELETE FROM feature_box WHERE row_number = ?")?
                .execute([row_number])?;
            let old = Some(search);
            self.texts.push(RowText {
                row_number,
                old,
                new: None,
            });
        }
        Ok(count)
    }

    /// Enters the texts of rows into the word index, in the order in which they were put. It writes its pages whenever another
    /// statement sets a savepoint, so its turn comes once, at the end.
    pub(super) fn finish(self) -> Result<()> {
        let mut delete = self.connection.prepare_cached(
            "INSERT INTO feature_text (feature_text, rowid, search) VALUES ('delete', ?, ?)",
        )?;
        let mut insert = self
            .connection
            .prepare_cached("INSERT INTO feature_text (rowid, search) VALUES (?, ?)")?;
        for RowText { row_number, old, new } in &self.texts {
            if let Some(old) = old {
                delete.execute(params![row_number, old])?;
            }
            if let Some(new) = new {
                insert.execute(params![row_number, new])?;
            }
        }
        Ok(())
    }
}

//! One checksum over what the tables hold, whatever order it came in.

use super::sums::feed;
use crate::Result;
use crate::asset::hex;
use rusqlite::Connection;
use sha2::{Digest, Sha256};

/// What counts of each noun but the items, in the order of its keys: no numbers the store gave, no times of arrival, no counters
/// of what was done (`calendar`, `fire_basis` and the like say only of which revision something was made). The lineage of a
/// calibration names datastreams by such numbers.
const CONTENTS: &[&str] = &[
    "SELECT layer, scheme, code, valid_from, valid_to, name, parent, codes, area_m2, properties, geometry
     FROM seen_feature ORDER BY layer, scheme, code, valid_from",
    "SELECT f.layer, f.scheme, f.code, f.valid_from, s.season, s.sowing, s.heading, s.harvest, s.lost,
            s.sowing_days, s.heading_days, s.harvest_days
     FROM season s JOIN seen_feature f ON f.fid = s.fid
     ORDER BY f.layer, f.scheme, f.code, f.valid_from, s.number",
    "SELECT f.layer, f.scheme, f.code, f.valid_from, d.day, d.body
     FROM fire_day d JOIN seen_feature f ON f.fid = d.fid ORDER BY f.layer, f.scheme, f.code, f.valid_from, d.day",
    "SELECT f.layer, f.scheme, f.code, f.valid_from, c.body
     FROM forest_change c JOIN seen_feature f ON f.fid = c.fid ORDER BY f.layer, f.scheme, f.code, f.valid_from",
    "SELECT d.station, d.property, d.unit, d.name, d.properties, o.time, o.value, o.flag, o.marks, o.given
     FROM datastream d LEFT JOIN observation o ON o.datastream = d.id ORDER BY d.station, d.property, o.time",
    "SELECT f.layer, f.scheme, f.code, f.valid_from, i.period, i.body
     FROM inundation i JOIN seen_feature f ON f.fid = i.fid
     ORDER BY f.layer, f.scheme, f.code, f.valid_from, i.period",
    "SELECT rank, code, valid_from, valid_to, name, parent, predecessors
     FROM admin_unit ORDER BY rank, code, valid_from",
    "SELECT property, collection, version, json_remove(body, '$.lineage')
     FROM calibration ORDER BY property, collection, version",
    "SELECT d.station, d.property, e.time, e.fields
     FROM observation_fields e JOIN datastream d ON d.id = e.datastream ORDER BY d.station, d.property, e.time",
    "SELECT f.layer, f.scheme, f.code, f.valid_from, s.fields
     FROM station_fields s JOIN seen_feature f ON f.fid = s.fid ORDER BY f.layer, f.scheme, f.code, f.valid_from",
    "SELECT name, body FROM setting ORDER BY name",
];

/// Lower-case hex SHA-256 over the contents.
pub(super) fn digest(connection: &Connection) -> Result<String> {
    let mut hasher = Sha256::new();
    for sql in CONTENTS {
        let mut statement = connection.prepare(sql)?;
        let columns = statement.column_count();
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            for column in 0..columns {
                feed(row.get_ref(column)?, |bytes| hasher.update(bytes));
            }
        }
        hasher.update([4]);
    }
    Ok(hex(&hasher.finalize()))
}

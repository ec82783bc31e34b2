//! A catalogue as SQL text and back, row by row as it lies in the file: the tables behind its indices of boxes and words are
//! written like any other, so that the sums over all rows stay true. What `sqlite3 FILE .dump` writes, and the version.

use rusqlite::Connection;
use std::fmt::Write;
use std::path::Path;

/// The greatest numbers given: SQLite makes the table, and writes into it while rows come in.
const NUMBERS: &str = "sqlite_sequence";

/// The statements that make the catalogue once more.
///
/// # Panics
/// When it cannot be read, or a table holds nothing: the folder is there to have a row of everything.
pub(super) fn write_dump(path: &Path) -> String {
    let connection = Connection::open(path).expect("opens");
    let version: i64 = connection
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .expect("a version");
    let mut statement = connection
        .prepare("SELECT type, name, quote(tbl_name), quote(sql), sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY rowid")
        .expect("definitions");
    let definitions: Vec<[String; 5]> = statement
        .query_map([], |row| {
            Ok([row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?])
        })
        .and_then(Iterator::collect)
        .expect("definitions");
    let (mut tables, mut last) = (String::new(), String::new());
    for [kind, name, table, quoted, sql] in definitions {
        if sql.starts_with("CREATE VIRTUAL") {
            let _ = writeln!(
                tables,
                "INSERT INTO sqlite_schema(type,name,tbl_name,rootpage,sql) VALUES('{kind}','{name}',{table},0,{quoted});"
            );
        } else if name == NUMBERS {
            last = format!("DELETE FROM {NUMBERS};\n{}", write_rows(&connection, &name));
        } else {
            let _ = writeln!(tables, "{sql};");
            if kind == "table" {
                tables += &write_rows(&connection, &name);
            }
        }
    }
    format!("PRAGMA writable_schema=ON;\nBEGIN;\n{tables}{last}COMMIT;\nPRAGMA user_version={version};\n")
}

/// The rows of a table; numbers as SQLite writes those that it reads back to the last bit.
fn write_rows(connection: &Connection, table: &str) -> String {
    let mut statement = connection
        .prepare(&format!("SELECT * FROM \"{table}\""))
        .expect("a table");
    let quoted: Vec<String> = statement
        .column_names()
        .iter()
        .map(|column| format!("quote(\"{column}\")"))
        .collect();
    statement = connection
        .prepare(&format!("SELECT {} FROM \"{table}\"", quoted.join(" || ',' || ")))
        .expect("a table");
    let rows: Vec<String> = statement
        .query_map([], |row| row.get(0))
        .and_then(Iterator::collect)
        .expect("rows");
    // few boxes fit one node, which has no parent
    let may_be_empty = table == "feature_box_parent";
    assert!(may_be_empty || !rows.is_empty(), "nothing is in `{table}`");
    let begin = format!("INSERT INTO \"{table}\" VALUES(");
    rows.iter()
        .fold(String::new(), |text, row| text + &begin + row + ");\n")
}

/// Makes the catalogue that [`write_dump`] was given.
pub(super) fn restore_dump(sql: &str, path: &Path) {
    let connection = Connection::open(path).expect("opens");
    connection
        .execute_batch(sql)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}

//! Keys by the digest of their text.

use super::SqliteStore;
use crate::store::{Key, Keys};
use crate::{Error, Result};
use async_trait::async_trait;
use chrono::DateTime;
use rusqlite::{OptionalExtension, Row, params};

pub(super) const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS key (
    name TEXT PRIMARY KEY, sha256 BLOB NOT NULL UNIQUE,
    write TEXT NOT NULL,  -- collections as JSON
    made INTEGER NOT NULL) WITHOUT ROWID;  -- seconds since 1970, UTC
";

fn decode(row: &Row<'_>) -> rusqlite::Result<(String, String, i64)> {
    Ok((row.get(0)?, row.get(1)?, row.get(2)?))
}

fn key((name, write, made): (String, String, i64)) -> Result<Key> {
    let damaged = || Error::Store(format!("the key {name} of the catalogue is damaged"));
    Ok(Key {
        write: serde_json::from_str(&write).map_err(|_| damaged())?,
        made: DateTime::from_timestamp(made, 0).ok_or_else(damaged)?,
        name,
    })
}

#[async_trait]
impl Keys for SqliteStore {
    async fn put_key(&self, key: &Key, sha256: &[u8]) -> Result<()> {
        let (key, sha256) = (key.clone(), sha256.to_vec());
        self.blocking(move |inner| {
            inner.write(|connection| {
                let write =
                    serde_json::to_string(&key.write).map_err(|error| Error::Invalid(error.to_string()))?;
                let added = connection.execute(
                    "INSERT OR IGNORE INTO key VALUES (?, ?, ?, ?)",
                    params![key.name, sha256, write, key.made.timestamp()],
                )?;
                if added == 0 {
                    return Err(Error::Invalid(format!(
                        "there is a key `{}` already; revoke it first or choose another name",
                        key.name
                    )));
                }
                Ok(())
            })
        })
        .await
    }

    async fn key(&self, sha256: &[u8]) -> Result<Option<Key>> {
        let sha256 = sha256.to_vec();
        self.reading(move |connection| {
            let mut statement =
                connection.prepare_cached("SELECT name, write, made FROM key WHERE sha256 = ?")?;
            statement
                .query_row([sha256], decode)
                .optional()?
                .map(key)
                .transpose()
        })
        .await
    }

    async fn keys(&self) -> Result<Vec<Key>> {
        self.reading(|connection| {
            let mut statement =
                connection.prepare_cached("SELECT name, write, made FROM key ORDER BY name")?;
            let rows = statement.query_map([], decode)?;
            rows.map(|row| key(row?)).collect()
        })
        .await
    }

    async fn revoke_key(&self, name: &str) -> Result<bool> {
        let name = name.to_owned();
        self.blocking(move |inner| {
            inner.write(|connection| Ok(connection.execute("DELETE FROM key WHERE name = ?", [name])? > 0))
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::Utc;

    #[tokio::test]
    async fn a_key_opens_until_it_is_revoked() {
        let store = SqliteStore::in_memory().expect("opens");
        let made = DateTime::from_timestamp(Utc::now().timestamp(), 0).expect("now");
        let key = Key {
            name: "gateway".into(),
            write: vec!["observations".into()],
            made,
        };
        store.put_key(&key, &[7; 32]).await.expect("kept");
        assert_eq!(store.key(&[7; 32]).await.expect("asked").as_ref(), Some(&key));
        assert!(key.writes("observations") && !key.writes("plots"));
        assert!(store.key(&[8; 32]).await.expect("asked").is_none());
        assert!(store.put_key(&key, &[9; 32]).await.is_err(), "the name is taken");
        assert_eq!(store.keys().await.expect("asked"), [key]);
        assert!(store.revoke_key("gateway").await.expect("asked"));
        assert!(!store.revoke_key("gateway").await.expect("asked"));
        assert!(store.key(&[7; 32]).await.expect("asked").is_none());
    }
}

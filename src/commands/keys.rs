//! `sen keys`: who may write over HTTP.

use crate::Outcome;
use crate::config::{Place, UsageError};
use crate::output::{Output, table};
use anyhow::Context;
use clap::{Args, Subcommand};
use sen_catalog::asset::hex;
use sen_catalog::store::Key;
use serde_json::json;
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::Read;

/// Keys for those who write over HTTP; sent as `Authorization: Bearer KEY`
#[derive(Args)]
pub(crate) struct Keys {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Make a key; it is printed once and kept only as a digest
    Add {
        /// Whose it is.
        name: String,
        /// Collections it may write to, such as observations; may be repeated. Without it the key only reads.
        #[arg(long, value_name = "COLLECTION", num_args = 1..)]
        write: Vec<String>,
    },
    /// The keys there are
    List,
    /// Take a key back
    Revoke {
        /// Whose it is.
        name: String,
    },
}

/// 256 random bits of the system.
fn random() -> anyhow::Result<[u8; 32]> {
    let mut bytes = [0; 32];
    File::open("/dev/urandom")
        .and_then(|mut source| source.read_exact(&mut bytes))
        .context("cannot read /dev/urandom")?;
    Ok(bytes)
}

/// What can be written over HTTP.
const WRITABLE: [&str; 2] = ["observations", "*"];

/// A key for what cannot be written would be refused at every request: a slip is told when it is made.
fn check_writable(write: &[String]) -> Result<(), UsageError> {
    let slip = write.iter().find(|name| !WRITABLE.contains(&name.as_str()));
    slip.map_or(Ok(()), |name| {
        Err(UsageError(format!(
            "--write: `{name}` cannot be written over HTTP; there are `observations` and `*` (all of them)"
        )))
    })
}

impl Keys {
    pub(crate) fn run(self, place: &Place, output: &Output) -> anyhow::Result<Outcome> {
        let data = match self.what {
            What::List => place.open_to_read()?,
            What::Add { .. } | What::Revoke { .. } => place.open_existing()?,
        };
        let runtime = tokio::runtime::Runtime::new().context("cannot start the runtime")?;
        runtime.block_on(async {
            match self.what {
                What::Add { name, write } => {
                    check_writable(&write)?;
                    let text = format!("sen_{}", hex(&random()?));
                    let key = Key {
                        name,
                        write,
                        made: chrono::Utc::now(),
                    };
                    data.store.put_key(&key, &Sha256::digest(text.as_bytes())).await?;
                    output.result(&text, &json!({"name": key.name, "write": key.write, "key": text}));
                    Ok(Outcome::Done)
                }
                What::List => {
                    let keys = data.store.keys().await?;
                    let row = |key: &Key| vec![key.name.clone(), key.write.join(" "), key.made.to_rfc3339()];
                    let rows: Vec<_> = keys.iter().map(row).collect();
                    output.result(&table(&["name", "writes", "made"], &rows), &json!({"keys": keys}));
                    Ok(Outcome::Done)
                }
                What::Revoke { name } => {
                    if data.store.revoke_key(&name).await? {
                        output.result(&format!("revoked {name}"), &json!({"revoked": name}));
                        return Ok(Outcome::Done);
                    }
                    anyhow::bail!("there is no key `{name}`; sen keys list shows those there are")
                }
            }
        })
    }
}

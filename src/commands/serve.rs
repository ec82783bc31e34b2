//! `sen serve`: the service.

use super::stopping::stop_signal;
use crate::Outcome;
use crate::config::{Place, UsageError};
use crate::output::Output;
use anyhow::Context;
use clap::Args;
use sen_catalog::intake::Intake;
use serde_json::json;
use std::sync::Arc;

/// Threads that look up tiles and probes in the catalogue at the same time; each look takes a millisecond.
const MOST_READERS: usize = 64;

/// Serve tiles, values and the web map; prints its address when ready. Ctrl-C or SIGTERM stop it cleanly.
#[derive(Args)]
pub(crate) struct Serve {
    /// Where to listen, such as 127.0.0.1:8080 or 0.0.0.0:80 (overrides serve.listen of sen.toml).
    #[arg(long, env = "SEN_LISTEN", value_name = "ADDR")]
    listen: Option<String>,
}

impl Serve {
    pub(crate) fn run(self, place: &Place, output: &Output) -> anyhow::Result<Outcome> {
        let data = place.open_to_serve()?;
        let mut options = data.config.serve.clone();
        options.quality = data.config.quality.clone();
        options
            .quality
            .check()
            .map_err(|error| UsageError(error.to_string()))?;
        sen_tiler::check_memory(&options).map_err(|error| UsageError(error.to_string()))?;
        // only the box within which stations are taken: without it the service is none the worse
        options.province = match data
            .grid()
            .and_then(|grid| grid.map(|grid| Ok(grid.lon_lat_bounds()?)).transpose())
        {
            Ok(province) => province,
            Err(error) => {
                tracing::error!("the grid of the province is not known: {error:#}");
                None
            }
        };
        let listen = self.listen.unwrap_or_else(|| options.listen.to_string());
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .max_blocking_threads(MOST_READERS)
            .build()
            .context("cannot start the runtime")?;
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::bind(&listen).await.map_err(|error| {
                UsageError(format!(
                    "cannot listen on {listen}: {error}; name another with --listen HOST:PORT"
                ))
            })?;
            let address = listener.local_addr().context("the listener has no address")?;
            let url = format!("http://{address}/");
            let service = sen_tiler::serve(
                listener,
                data.store.disclosed(Arc::new(data.config.layers.clone())),
                data.assets.clone(),
                &options,
                stop_signal(),
            );
            let broker = data.config.mqtt.clone();
            if let Some(broker) = &broker {
                broker.check().map_err(|error| UsageError(error.to_string()))?;
            }
            let listening = broker.map(|broker| {
                let intake = Intake::new(Arc::clone(&data.store), options.quality.clone());
                tokio::spawn(async move {
                    let counts = Arc::default();
                    if let Err(error) = sen_tiler::mqtt::subscribe(&broker, Arc::new(intake), counts).await {
                        tracing::error!(%error, "the broker is not listened to");
                    }
                })
            });
            output.result(&format!("sen: map at {url}"), &json!({"map": url}));
            service.await?;
            if let Some(listening) = listening {
                // what is not acknowledged yet comes again
                listening.abort();
            }
            Ok(Outcome::Done)
        })
    }
}

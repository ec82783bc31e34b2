//! MQTT: subscribes to a broker that is there already and records what sensors publish.
//!
//! At least once: a message is acknowledged after its values are in the store, and the broker keeps what was published
//! while this service was away (quality of service 1, persistent session). A message that comes twice changes nothing,
//! as values are told apart by datastream and time. One that cannot be used is counted, logged and acknowledged: it
//! would be no better the next time. Of a list the good entries go in, the others are logged by their number.

mod address;
mod message;
#[cfg(test)]
mod tests;

use address::{Address, without_password};
use message::{Message, parse};
use rumqttc::{AsyncClient, Event, EventLoop, MqttOptions as ClientOptions, Packet, Publish, QoS};
use schemars::JsonSchema;
use sen_catalog::intake::{Intake, Measurement};
use sen_catalog::observation::Reading;
use sen_catalog::{Error, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use tokio::sync::mpsc;

/// The `[mqtt]` table of `sen.toml`.
#[derive(Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MqttOptions {
    /// The broker: `mqtt://host`, `mqtt://host:1883` or `mqtt://name:password@host`; a password is never shown.
    #[serde(serialize_with = "shown")]
    pub url: String,
    /// What to subscribe to.
    #[serde(default = "usual_topics")]
    pub topics: Vec<String>,
    /// Under which name; the broker keeps messages for it while this service is away.
    #[serde(default = "usual_client")]
    pub client_id: String,
    /// Name and password, where the broker asks for them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// See `username`; better from the environment: `${MQTT_PASSWORD}`.
    #[serde(default, skip_serializing, deserialize_with = "secret")]
    pub password: Option<String>,
}

impl std::fmt::Debug for MqttOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MqttOptions")
            .field("url", &without_password(&self.url))
            .field("topics", &self.topics)
            .field("client_id", &self.client_id)
            .field("username", &self.username)
            .finish_non_exhaustive()
    }
}

/// The address as `sen check` prints it.
fn shown<S: serde::Serializer>(url: &str, serializer: S) -> std::result::Result<S::Ok, S::Error> {
    serializer.serialize_str(&without_password(url))
}

/// A text; of anything else the error names the kind and not the value, which is the password.
fn secret<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> std::result::Result<Option<String>, D::Error> {
    struct Text;
    impl serde::de::Visitor<'_> for Text {
        type Value = Option<String>;
        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("a text")
        }
        fn visit_str<E>(self, text: &str) -> std::result::Result<Self::Value, E> {
            Ok(Some(text.to_owned()))
        }
        fn visit_i64<E: serde::de::Error>(self, _: i64) -> std::result::Result<Self::Value, E> {
            Err(E::custom(
                "mqtt.password: is a number; write it as a text, in quotes",
            ))
        }
        fn visit_u64<E: serde::de::Error>(self, _: u64) -> std::result::Result<Self::Value, E> {
            self.visit_i64(0)
        }
        fn visit_f64<E: serde::de::Error>(self, _: f64) -> std::result::Result<Self::Value, E> {
            Err(E::custom(
                "mqtt.password: is a number; write it as a text, in quotes",
            ))
        }
    }
    deserializer.deserialize_any(Text)
}

fn usual_topics() -> Vec<String> {
    vec!["v1.1/#".to_owned(), "sen/observations/#".to_owned()]
}

fn usual_client() -> String {
    "sen".to_owned()
}

/// Largest message that is looked at, bytes: some two thousand values.
const LARGEST: usize = 256 << 10;

/// Largest packet that is taken off the connection, bytes: the most MQTT 3.1.1 knows (section 2.2.3). A smaller limit
/// would end the connection at a larger message, which the broker then delivers again for ever.
const LARGEST_PACKET: usize = 268_435_455;

/// Messages written in one go.
const BATCH: usize = 500;

/// Messages waiting to be written; with the batch fewer than [`REQUESTS`], so that acknowledging never waits for the
/// connection that waits for the writer.
const WAITING: usize = 1000;

/// Requests to the connection (acknowledgements, subscriptions) waiting to be sent.
const REQUESTS: usize = 4096;

/// How long to wait before connecting again, at first and at most.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// What has come in since the start.
#[derive(Debug, Default)]
pub struct MqttCounts {
    /// Messages.
    pub messages: AtomicU64,
    /// Values that were new or changed.
    pub recorded: AtomicU64,
    /// Messages or values that could not be used.
    pub refused: AtomicU64,
    /// Connections made.
    pub connections: AtomicU64,
}

/// What a message says and the connection it came over: only that one may acknowledge it.
struct Arrived {
    publish: Publish,
    said: Said,
    connection: u64,
}

/// What of a message can be used.
enum Said {
    Nothing,
    /// With the number of the entry, from 1.
    Measurements(Vec<(usize, Measurement)>),
    Reading(i64, Reading),
}

impl Arrived {
    /// Reads a message while the store writes those before it; what of it cannot be used is counted and logged.
    fn new(mut publish: Publish, connection: u64, counts: &MqttCounts) -> Self {
        let payload = std::mem::take(&mut publish.payload);
        let said = read(&publish.topic, &payload, counts);
        Self {
            publish,
            said,
            connection,
        }
    }
}

fn refuse(topic: &str, reason: &str, counts: &MqttCounts) {
    counts.refused.fetch_add(1, Relaxed);
    tracing::warn!(topic, reason, "a message or a part of it cannot be used");
}

fn read(topic: &str, payload: &[u8], counts: &MqttCounts) -> Said {
    if payload.len() > LARGEST {
        let reason = format!(
            "it has {} bytes, more than the {LARGEST} of the largest that is read; publish fewer values at once",
            payload.len()
        );
        refuse(topic, &reason, counts);
        return Said::Nothing;
    }
    match parse(topic, payload) {
        Ok(Message::Measurements(all)) => {
            let mut good = Vec::with_capacity(all.len());
            for (at, one) in all.into_iter().enumerate() {
                match one {
                    Ok(one) => good.push((at + 1, one)),
                    Err(reason) => refuse(topic, &entry(at + 1, &reason), counts),
                }
            }
            Said::Measurements(good)
        }
        Ok(Message::Reading(stream, reading)) => Said::Reading(stream, reading),
        Err(reason) => {
            refuse(topic, &reason, counts);
            Said::Nothing
        }
    }
}

impl MqttOptions {
    /// Errors for options that cannot be used.
    pub fn check(&self) -> Result<()> {
        client_options(self).map(|_| ())
    }
}

fn client_options(options: &MqttOptions) -> Result<ClientOptions> {
    let Address { host, port, user } = Address::of(&options.url)?;
    if options.client_id.is_empty() || options.topics.is_empty() {
        let (key, what) = if options.topics.is_empty() {
            ("topics", "topic")
        } else {
            ("client_id", "name")
        };
        return Err(Error::Invalid(format!(
            "mqtt.{key}: is empty; without a {what} nothing can be subscribed to"
        )));
    }
    let named = options
        .username
        .as_ref()
        .map(|name| (name.clone(), options.password.clone().unwrap_or_default()));
    let user = match (named, user) {
        (Some(_), Some(_)) => {
            return Err(Error::Invalid(
                "mqtt.username: mqtt.url names a user too; leave one of them out".to_owned(),
            ));
        }
        (None, Some((name, password))) if password.is_empty() => {
            Some((name, options.password.clone().unwrap_or_default()))
        }
        (named, user) => named.or(user),
    };
    let mut client = ClientOptions::new(&options.client_id, host, port);
    client
        .set_clean_session(false)
        .set_manual_acks(true)
        .set_keep_alive(Duration::from_secs(30))
        .set_max_packet_size(LARGEST_PACKET, LARGEST);
    if let Some((name, password)) = user {
        client.set_credentials(name, password);
    }
    Ok(client)
}

/// Subscribes and records until the future is dropped.
///
/// # Errors
/// [`Error::Invalid`] for options that cannot be used. A broker that is away is waited for.
pub async fn subscribe(options: &MqttOptions, intake: Arc<Intake>, counts: Arc<MqttCounts>) -> Result<()> {
    let (client, connection) = AsyncClient::new(client_options(options)?, REQUESTS);
    let (sender, receiver) = mpsc::channel(WAITING);
    let listening = listen(connection, client.clone(), options, sender, Arc::clone(&counts));
    let current = Arc::clone(&counts);
    let writing = write(receiver, client, intake, current);
    tokio::join!(listening, writing);
    Ok(())
}

/// Keeps the connection and hands on what arrives.
async fn listen(
    mut connection: EventLoop,
    client: AsyncClient,
    options: &MqttOptions,
    sender: mpsc::Sender<Arrived>,
    counts: Arc<MqttCounts>,
) {
    let mut pause = FIRST_PAUSE;
    let url = without_password(&options.url);
    loop {
        match connection.poll().await {
            Ok(Event::Incoming(Packet::ConnAck(_))) => {
                pause = FIRST_PAUSE;
                let number = counts.connections.fetch_add(1, Relaxed) + 1;
                tracing::info!(url, number, "connected to the broker");
                for topic in &options.topics {
                    if let Err(error) = client.try_subscribe(topic, QoS::AtLeastOnce) {
                        tracing::warn!(topic, %error, "cannot subscribe");
                    }
                }
            }
            Ok(Event::Incoming(Packet::Publish(publish))) => {
                counts.messages.fetch_add(1, Relaxed);
                let connection = counts.connections.load(Relaxed);
                if sender
                    .send(Arrived::new(publish, connection, &counts))
                    .await
                    .is_err()
                {
                    return; // nobody writes any more
                }
            }
            Ok(_) => {}
            Err(error) => {
                tracing::warn!(url, %error, ?pause, "the broker is away; trying again");
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        }
    }
}

/// Writes what arrived, then acknowledges it.
async fn write(
    mut receiver: mpsc::Receiver<Arrived>,
    client: AsyncClient,
    intake: Arc<Intake>,
    counts: Arc<MqttCounts>,
) {
    let mut batch = Vec::with_capacity(BATCH);
    while receiver.recv_many(&mut batch, BATCH).await > 0 {
        let mut pause = FIRST_PAUSE;
        while let Err(error) = record(&batch, &intake, &counts).await {
            tracing::error!(%error, "measurements cannot be written; trying again");
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
        for arrived in batch.drain(..) {
            // the broker sends again what an earlier connection did not acknowledge, perhaps under another number
            if arrived.connection == counts.connections.load(Relaxed)
                && let Err(error) = client.ack(&arrived.publish).await
            {
                tracing::warn!(%error, "a message could not be acknowledged");
            }
        }
    }
}

/// What is wrong with an entry of a message, counted from 1.
fn entry(number: usize, reason: &str) -> String {
    format!("entry {number}: {reason}")
}

async fn record(batch: &[Arrived], intake: &Intake, counts: &MqttCounts) -> Result<()> {
    let refuse = |topic: &str, reason: &str| refuse(topic, reason, counts);
    // with the topic and the number of the entry
    let mut measured: Vec<((&str, usize), Measurement)> = Vec::new();
    let mut streams: BTreeMap<i64, Vec<(&str, Reading)>> = BTreeMap::new();
    for arrived in batch {
        let topic = arrived.publish.topic.as_str();
        match &arrived.said {
            Said::Nothing => {}
            Said::Measurements(all) => {
                measured.extend(all.iter().map(|(number, one)| ((topic, *number), one.clone())));
            }
            Said::Reading(stream, reading) => {
                streams.entry(*stream).or_default().push((topic, reading.clone()));
            }
        }
    }
    let (places, measured): (Vec<_>, Vec<_>) = measured.into_iter().unzip();
    let taken = intake.take(measured).await?;
    let recorded = taken.recorded.added + taken.recorded.changed;
    counts.recorded.fetch_add(recorded as u64, Relaxed);
    for (place, reason) in taken.refused {
        let (topic, number) = places.get(place).copied().unwrap_or_default();
        refuse(topic, &entry(number, &reason));
    }
    for (stream, readings) in streams {
        // together when all are good, else one by one so that a bad one costs no other
        let all: Vec<Reading> = readings.iter().map(|(_, reading)| reading.clone()).collect();
        match intake.take_stream(stream, all).await {
            Ok(recorded) => {
                counts
                    .recorded
                    .fetch_add((recorded.added + recorded.changed) as u64, Relaxed);
            }
            Err(error @ Error::Store(_)) => return Err(error),
            Err(_) => {
                for (topic, reading) in readings {
                    match intake.take_stream(stream, vec![reading]).await {
                        Ok(recorded) => {
                            counts
                                .recorded
                                .fetch_add((recorded.added + recorded.changed) as u64, Relaxed);
                        }
                        Err(error @ Error::Store(_)) => return Err(error),
                        Err(error) => refuse(topic, &error.to_string()),
                    }
                }
            }
        }
    }
    Ok(())
}

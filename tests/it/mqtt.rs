//! Real brokers: mosquitto and NATS are started, stopped and started again.

use crate::harness::{Sen, Service};
use crate::sensors::{key, station};
use serde_json::{Value, json};
use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long anything here may take on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("address").port()
}

/// A program of the system; mosquitto lies where only root looks.
fn program(name: &str) -> Option<PathBuf> {
    let folders = ["/usr/bin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin"];
    let found = folders
        .iter()
        .map(|folder| PathBuf::from(folder).join(name))
        .find(|path| path.exists());
    if found.is_none() {
        println!("skipped: {name} is not on this machine; `make setup` installs it");
    }
    found
}

fn until(what: &str, mut done: impl FnMut() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(
            start.elapsed() < PATIENCE,
            "{what} did not happen within {PATIENCE:?}"
        );
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// A broker of a test's own; killed when dropped.
struct Broker {
    child: Child,
    /// First part of the topics of SensorThings; NATS before 2.10 knows no dot in topics.
    root: &'static str,
    command: Vec<String>,
    port: u16,
}

impl Broker {
    fn start(command: Vec<String>, port: u16, root: &'static str) -> Self {
        let child = Command::new(&command[0])
            .args(&command[1..])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the broker starts");
        until("the broker's start", || {
            TcpStream::connect(("127.0.0.1", port)).is_ok()
        });
        Self {
            child,
            root,
            command,
            port,
        }
    }

    fn mosquitto(sen: &Sen) -> Option<Self> {
        let binary = program("mosquitto")?;
        let (port, folder) = (free_port(), sen.path("mosquitto"));
        fs::create_dir_all(&folder).expect("folder");
        let root =
            if fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0) {
                "user root\n"
            } else {
                ""
            };
        let text = format!(
            "listener {port} 127.0.0.1\nallow_anonymous true\npersistence true\nautosave_interval 1\n\
             autosave_on_changes true\npersistence_location {}/\n{root}",
            folder.display()
        );
        let file = sen.path("mosquitto.conf");
        fs::write(&file, text).expect("written");
        let command = vec![
            binary.display().to_string(),
            "-c".into(),
            file.display().to_string(),
        ];
        Some(Self::start(command, port, "v1.1"))
    }

    fn nats(sen: &Sen) -> Option<Self> {
        let binary = program("nats-server")?;
        let (port, inner) = (free_port(), free_port());
        let text = format!(
            "listen: 127.0.0.1:{inner}\nserver_name: sen\njetstream {{ store_dir: \"{}\" }}\nmqtt {{ listen: \"127.0.0.1:{port}\" }}\n",
            sen.path("nats").display()
        );
        let file = sen.path("nats.conf");
        fs::write(&file, text).expect("written");
        let command = vec![
            binary.display().to_string(),
            "-c".into(),
            file.display().to_string(),
        ];
        Some(Self::start(command, port, "sensorthings"))
    }

    /// Stops it as an operator would.
    fn stop(&mut self) {
        let stopped = Command::new("kill").arg(self.child.id().to_string()).status();
        assert!(stopped.expect("kill runs").success());
        self.child.wait().expect("ends");
    }

    fn start_again(&mut self) {
        *self = Self::start(self.command.clone(), self.port, self.root);
    }

    /// Publishes with quality of service 1; waits for the broker's word that it has it. A broker that has only just
    /// opened its port may still turn clients away.
    fn publish(&self, topic: &str, message: &str) {
        self.publish_with(topic, &["-m", message]);
    }

    /// The same with the message as options of `mosquitto_pub` name it: one too long for a command line lies in a file.
    fn publish_with(&self, topic: &str, message: &[&str]) {
        let port = self.port.to_string();
        until("a publication", || {
            Command::new("mosquitto_pub")
                .args(["-h", "127.0.0.1", "-p", &port, "-q", "1", "-t", topic])
                .args(message)
                .stderr(Stdio::null())
                .status()
                .expect("mosquitto_pub runs")
                .success()
        });
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn measured(minutes: i64, value: f64) -> String {
    let time = chrono::DateTime::from_timestamp(1_779_037_200, 0).expect("time")
        + chrono::Duration::minutes(minutes);
    json!({"station": "TV-01", "property": "water_level", "time": time.to_rfc3339(), "value": value, "unit": "m"}).to_string()
}

fn values(service: &Service) -> Vec<Value> {
    let series = service.json("/api/v1/stations/TV-01/series?property=water_level&datetime=2026-W21");
    series["values"].as_array().expect("values").clone()
}

/// A service that listens to the broker, with a station.
fn listening(sen: &Sen, broker: &Broker) -> Service {
    let key = key(sen);
    let settings = format!(
        "[mqtt]\nurl = \"mqtt://127.0.0.1:{}\"\ntopics = [\"{}/#\", \"sen/#\"]\n",
        broker.port, broker.root
    );
    fs::write(sen.data().join("sen.toml"), settings).expect("written");
    let service = sen.serve();
    station(&service, &key, "TV-01");
    service
}

/// The first message may come before the subscription: it is sent until it is there, which also shows that a message
/// that comes twice counts once.
fn first_message(service: &Service, broker: &Broker) {
    until("the first message's arrival", || {
        broker.publish("sen/observations/TV-01", &measured(0, 0.90));
        std::thread::sleep(Duration::from_millis(200));
        values(service).len() == 1
    });
}

fn a_broker_goes_away_and_comes_back(sen: &Sen, mut broker: Broker) {
    let service = listening(sen, &broker);
    first_message(&service, &broker);
    let entity = json!({"phenomenonTime": "2026-05-18T00:15:00+07:00", "result": 0.91}).to_string();
    broker.publish(&format!("{}/Datastreams(1)/Observations", broker.root), &entity);
    broker.publish("sen/observations/TV-01", "this is no JSON");
    broker.publish(
        "sen/observations/TV-01",
        &measured(30, 0.92).replace("\"m\"", "\"g/L\""),
    );
    broker.publish("sen/observations/TV-01", &measured(30, 0.92));
    until("what follows bad messages", || values(&service).len() == 3);
    assert!((values(&service)[1]["value"].as_f64().expect("number") - 0.91).abs() < 1e-9);

    broker.stop();
    std::thread::sleep(Duration::from_millis(500));
    broker.start_again();
    until("values after the broker's return", || {
        broker.publish("sen/observations/TV-01", &measured(45, 0.93));
        std::thread::sleep(Duration::from_millis(200));
        values(&service).len() == 4
    });

    // what is published while the service is away waits for it
    assert_eq!(service.stop(), Some(0));
    for i in 4..24 {
        broker.publish(
            "sen/observations/TV-01",
            &measured(15 * i, 0.9 + i as f64 / 100.0),
        );
    }
    let service = sen.serve();
    until("the arrival of what was missed", || values(&service).len() == 24);
    let all = values(&service);
    let mut times: Vec<_> = all.iter().map(|one| one["time"].to_string()).collect();
    times.dedup();
    assert_eq!(times.len(), 24, "each time once");
    assert!(all.iter().all(|one| one["flag"] == 1), "{all:?}");
}

#[test]
fn mosquitto_goes_away_and_comes_back() {
    let sen = Sen::new();
    if program("mosquitto_pub").is_some()
        && let Some(broker) = Broker::mosquitto(&sen)
    {
        a_broker_goes_away_and_comes_back(&sen, broker);
    }
}

#[test]
fn nats_goes_away_and_comes_back() {
    let sen = Sen::new();
    if program("mosquitto_pub").is_some()
        && let Some(broker) = Broker::nats(&sen)
    {
        a_broker_goes_away_and_comes_back(&sen, broker);
    }
}

#[test]
fn a_message_far_too_large_does_not_stop_those_behind_it() {
    let sen = Sen::new();
    if program("mosquitto_pub").is_none() {
        return;
    }
    let Some(broker) = Broker::mosquitto(&sen) else {
        return;
    };
    let service = listening(&sen, &broker);
    first_message(&service, &broker);
    // a list of good measurements that a gateway kept for weeks, and one of tens of megabytes
    for (name, bytes) in [("weeks.json", 350_001), ("years.json", 20_000_000)] {
        let file = sen.path(name);
        let mut text = String::from("[");
        while text.len() + 400 < bytes {
            text.push_str(&measured(15, 0.91));
            text.push(',');
        }
        text.push_str(&measured(15, 0.91));
        text.push_str(&" ".repeat(bytes - text.len() - 1));
        text.push(']');
        assert_eq!(text.len(), bytes);
        fs::write(&file, text).expect("written");
        broker.publish_with("sen/observations/TV-01", &["-f", file.to_str().expect("UTF-8")]);
    }
    // a list with faults, of which the rest counts
    let list = format!(
        "[{}, {}, {}]",
        measured(30, 0.92),
        measured(45, 0.93).replace("0.93", "\"dry\""),
        measured(60, 0.94)
    );
    broker.publish("sen/observations/TV-01", &list);
    until("what follows the large messages", || values(&service).len() == 3);
    let all: Vec<_> = values(&service)
        .iter()
        .filter_map(|one| one["value"].as_f64())
        .collect();
    assert_eq!(
        all,
        [0.90, 0.92, 0.94],
        "nothing of what was too large, nor of the dry one"
    );

    // and it was acknowledged: after a restart nothing of it waits
    assert_eq!(service.stop(), Some(0));
    let service = sen.serve();
    broker.publish("sen/observations/TV-01", &measured(75, 0.95));
    until("a message after the restart", || values(&service).len() == 4);
}

#[test]
fn a_broker_s_address_that_is_none_is_wrong_configuration() {
    let sen = Sen::new();
    sen.run(&["init"]).expect(0);
    fs::write(sen.data().join("sen.toml"), "[mqtt]\nurl = \"broker:1883\"\n").expect("written");
    let run = sen.run(&["serve", "--listen", "127.0.0.1:0"]).expect(2);
    assert!(run.stderr.contains("mqtt.url"), "{}", run.stderr);
}

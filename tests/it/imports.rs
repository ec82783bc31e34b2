//! A long import beside sensors and readers, and one that is killed.

use crate::harness::{Sen, Service};
use crate::sensors;
use rusqlite::{Connection, OpenFlags};
use serde_json::json;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// A file of square plots, `count` of them, each with a name.
fn plots_file(sen: &Sen, name: &str, count: usize) -> PathBuf {
    let mut text = String::from("{\"type\":\"FeatureCollection\",\"features\":[");
    for number in 0..count {
        let (west, south) = (
            105.40 + (number % 300) as f64 * 0.0006,
            10.30 + (number / 300) as f64 * 0.0006,
        );
        let (east, north) = (west + 0.0005, south + 0.0005);
        let comma = if number == 0 { "" } else { "," };
        let _ = write!(
            text,
            "{comma}{{\"type\":\"Feature\",\"properties\":{{\"code\":\"P{number}\",\"name\":\"{name} {number}\"}},\
             \"geometry\":{{\"type\":\"Polygon\",\"coordinates\":[[[{west:.6},{south:.6}],[{east:.6},{south:.6}],\
             [{east:.6},{north:.6}],[{west:.6},{north:.6}],[{west:.6},{south:.6}]]]}}}}"
        );
    }
    text.push_str("]}");
    let path = sen.path(&format!("{name}.geojson"));
    std::fs::write(&path, text).expect("written");
    path
}

fn import(file: &Path) -> [&str; 7] {
    let file = file.to_str().expect("UTF-8");
    ["--json", "import", "zones", file, "--as", "plots", "--no-process"]
}

/// POSTs readings until the flag is raised; the slowest answer.
fn post_readings(service: &Service, key: &str, is_done: &AtomicBool) -> (Duration, usize) {
    let (mut slowest, mut count) = (Duration::ZERO, 0);
    while !is_done.load(Ordering::Relaxed) {
        let time = format!(
            "2026-07-{:02}T{:02}:{:02}:30Z",
            1 + count / 1440,
            count / 60 % 24,
            count % 60
        );
        let reading = json!({"result": 1.5, "phenomenonTime": time});
        let began = Instant::now();
        let (status, answer) = sensors::post(
            service,
            Some(key),
            "/sta/v1.1/Datastreams(1)/Observations",
            &reading,
        );
        assert_eq!(status, 201, "{answer}");
        slowest = slowest.max(began.elapsed());
        count += 1;
        std::thread::sleep(Duration::from_millis(50));
    }
    (slowest, count)
}

/// Reads the layer until the flag is raised: how many plots it has, and what they are called. Each state once.
fn read_layer(service: &Service, is_done: &AtomicBool) -> Vec<(u64, String)> {
    let mut states: Vec<(u64, String)> = Vec::new();
    while !is_done.load(Ordering::Relaxed) {
        let response = service.get("/api/v1/zones/plots?limit=400");
        let mut state = (0, String::new());
        if response.status() != 404 {
            let page: serde_json::Value = response.json().expect("JSON");
            let word = |plot: &serde_json::Value| {
                let name = plot["properties"]["name"].as_str().expect("a name");
                name.split(' ').next().unwrap_or_default().to_owned()
            };
            let mut words: Vec<String> = page["features"]
                .as_array()
                .expect("plots")
                .iter()
                .map(word)
                .collect();
            words.dedup();
            state = (page["numberMatched"].as_u64().expect("a count"), words.join("+"));
        }
        if states.last() != Some(&state) {
            states.push(state);
        }
        std::thread::sleep(Duration::from_millis(30));
    }
    states
}

#[test]
fn no_sensor_waits_for_an_import_and_readers_see_the_layer_before_or_after() {
    let sen = Sen::new();
    let key = sensors::key(&sen);
    let files = [plots_file(&sen, "old", 60_000), plots_file(&sen, "new", 60_300)];
    let service = sen.serve();
    sensors::station(&service, &key, "KM-04");
    let is_done = AtomicBool::new(false);
    let (posted, states) = std::thread::scope(|scope| {
        let posting = scope.spawn(|| post_readings(&service, &key, &is_done));
        let reading = scope.spawn(|| read_layer(&service, &is_done));
        for file in &files {
            sen.run(&import(file)).expect(0);
            std::thread::sleep(Duration::from_millis(500));
        }
        is_done.store(true, Ordering::Relaxed);
        (posting.join().expect("posted"), reading.join().expect("read"))
    });
    let (slowest, count) = posted;
    assert!(
        slowest < Duration::from_secs(2),
        "{slowest:?} of {count} readings"
    );
    assert!(count > 50, "{count} readings");
    let seen: Vec<(u64, &str)> = states
        .iter()
        .map(|(count, words)| (*count, words.as_str()))
        .collect();
    assert_eq!(seen, [(0, ""), (60_000, "old"), (60_300, "new")]);
    service.stop();
    let said = sen.run(&["check"]).expect(0).stdout;
    assert!(said.contains("all is well"), "{said}");
}

fn rows(sen: &Sen, sql: &str) -> i64 {
    let path = sen.data().join("catalog.sqlite");
    let reader = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).expect("opens");
    reader.busy_timeout(Duration::from_secs(10)).expect("set");
    reader.query_row(sql, [], |row| row.get(0)).expect("a number")
}

/// Starts an import and waits until some of its rows are written.
fn begin_import(sen: &Sen, file: &Path) -> Child {
    let last = rows(
        sen,
        "SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'staged_batch'",
    );
    let mut child = sen
        .command(&import(file))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("starts");
    let began = Instant::now();
    let staged = format!("SELECT count(*) FROM (SELECT 1 FROM feature WHERE batch_from > {last} LIMIT 3000)");
    while rows(sen, &staged) < 3000 {
        assert!(child.try_wait().expect("asked").is_none(), "the import ended");
        assert!(began.elapsed() < Duration::from_mins(2), "no rows come");
        std::thread::sleep(Duration::from_millis(10));
    }
    child
}

/// The digests of datasets as they are kept.
fn dataset_digests(sen: &Sen) -> Vec<(String, Vec<u8>)> {
    let reader = Connection::open(sen.data().join("catalog.sqlite")).expect("opens");
    let mut statement = reader
        .prepare("SELECT dataset, sum FROM digest ORDER BY dataset")
        .expect("digests");
    let all = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
    all.expect("rows").collect::<Result<_, _>>().expect("digests")
}

#[test]
fn an_import_that_is_killed_or_stopped_leaves_nothing_seen_and_the_next_one_goes_through() {
    const PLOTS: usize = 30_000;
    let (sen, clean) = (Sen::new(), Sen::new());
    let (old, new) = (plots_file(&sen, "old", PLOTS), plots_file(&sen, "new", PLOTS));
    for folder in [&sen, &clean] {
        folder.run(&["init"]).expect(0);
    }
    let is_whole = |word: &str| {
        let said = sen.run(&["check"]).expect(0).stdout;
        assert!(said.contains("all is well"), "{word}: {said}");
    };
    let empty = sen.digest();
    let mut child = begin_import(&sen, &old);
    child.kill().expect("killed");
    child.wait().expect("ends");
    assert_eq!(sen.digest(), empty);
    assert_eq!(rows(&sen, "SELECT count(*) FROM seen_feature"), 0);
    assert_eq!(rows(&sen, "SELECT count(*) FROM layer"), 0);
    is_whole("killed in the first");

    sen.run(&import(&old)).expect(0);
    clean.run(&import(&old)).expect(0);
    assert_eq!(
        rows(&sen, "SELECT count(*) FROM feature"),
        PLOTS as i64,
        "nothing is left of it"
    );
    assert_eq!(sen.digest(), clean.digest());
    is_whole("after the first");

    let before = (sen.digest(), dataset_digests(&sen));
    let mut child = begin_import(&sen, &new);
    child.kill().expect("killed");
    child.wait().expect("ends");
    assert_eq!((sen.digest(), dataset_digests(&sen)), before);
    is_whole("killed in the update");
    // what was killed is taken back by one that is itself told to stop
    let child = begin_import(&sen, &new);
    let id = child.id().to_string();
    Command::new("kill").arg(id).status().expect("sent");
    let output = child.wait_with_output().expect("ends");
    assert!(output.status.code().is_some_and(|code| code != 0), "{output:?}");
    assert_eq!((sen.digest(), dataset_digests(&sen)), before);
    for sql in [
        "SELECT count(*) FROM staged_batch",
        "SELECT count(*) FROM staged_digest",
        "SELECT count(*) FROM feature WHERE batch_to != 0",
    ] {
        assert_eq!(rows(&sen, sql), 0, "{sql}");
    }
    assert_eq!(rows(&sen, "SELECT count(*) FROM feature"), PLOTS as i64);
    is_whole("stopped in the update");

    for folder in [&sen, &clean] {
        folder.run(&import(&new)).expect(0);
    }
    assert_eq!(sen.digest(), clean.digest());
    is_whole("after the update");
    // of the same fids they would be equal: undisturbed, the same plots go back to what they were
    sen.run(&import(&old)).expect(0);
    assert_eq!((sen.digest(), dataset_digests(&sen)), before);
}

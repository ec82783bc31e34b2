//! Scenes on another machine: found by a STAC API, their pixels read over HTTP by ranges of bytes.

use crate::harness::Sen;
use crate::scenes::{self, RICE};
use serde_json::{Value, json};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

/// A provider: `/api` searches a page at a time, everything else is a file of the folder, whole or by range.
pub(crate) struct Provider {
    pub(crate) address: String,
    ranges: Arc<Mutex<usize>>,
}

impl Provider {
    pub(crate) fn start(folder: PathBuf) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = format!("http://{}", listener.local_addr().expect("bound"));
        let ranges = Arc::new(Mutex::new(0));
        let (server, counted) = (address.clone(), Arc::clone(&ranges));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let _ = answer(stream, &server, &folder, &counted);
            }
        });
        Self { address, ranges }
    }
}

fn answer(
    stream: TcpStream,
    server: &str,
    folder: &std::path::Path,
    ranges: &Mutex<usize>,
) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while reader.read_line(&mut head)? > 2 {}
    let mut words = head.split(' ');
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let range = head.lines().find_map(|line| {
        let line = line.to_lowercase();
        let (from, to) = line.strip_prefix("range: bytes=")?.split_once('-')?;
        Some((from.parse::<usize>().ok()?, to.trim().parse::<usize>().ok()))
    });
    let (status, body) = if path.starts_with("/api") {
        ("200 OK", api(server, folder, path).to_string().into_bytes())
    } else {
        match fs::read(folder.join(path.trim_start_matches('/'))) {
            Ok(body) => ("200 OK", body),
            Err(_) => ("404 Not Found", Vec::new()),
        }
    };
    let (total, mut more) = (body.len(), String::from("accept-ranges: bytes\r\n"));
    let (status, body) = match range.filter(|(from, _)| *from < total) {
        Some((from, to)) => {
            let to = to.map_or(total - 1, |to| to.min(total - 1));
            more += &format!("content-range: bytes {from}-{to}/{total}\r\n");
            *ranges.lock().expect("not poisoned") += 1;
            ("206 Partial Content", body[from..=to].to_vec())
        }
        None => (status, body),
    };
    let mut stream = reader.into_inner();
    write!(
        stream,
        "HTTP/1.1 {status}\r\n{more}content-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    )?;
    if method != "HEAD" {
        stream.write_all(&body)?;
    }
    Ok(())
}

/// One scene a page; the hrefs are addresses.
fn api(server: &str, folder: &std::path::Path, path: &str) -> Value {
    if !path.contains("search") {
        return json!({"type": "Catalog", "id": "provider", "stac_version": "1.0.0",
                      "links": [{"rel": "search", "href": format!("{server}/api/search"), "method": "GET"}]});
    }
    let mut names: Vec<_> = fs::read_dir(folder)
        .expect("folder")
        .flatten()
        .map(|entry| entry.file_name().into_string().expect("UTF-8"))
        .collect();
    names.sort();
    let page: usize = path
        .split_once("page=")
        .map_or(0, |(_, page)| page.parse().expect("a number of ours"));
    let name = &names[page];
    let text = fs::read_to_string(folder.join(name).join(format!("{name}.json"))).expect("the item");
    let mut item: Value = serde_json::from_str(&text).expect("JSON");
    for (_, asset) in item["assets"].as_object_mut().expect("assets") {
        let file = asset["href"]
            .as_str()
            .expect("text")
            .trim_start_matches("./")
            .to_owned();
        asset["href"] = format!("{server}/{name}/{file}").into();
    }
    let next = json!([{"rel": "next", "href": format!("{server}/api/search?page={}", page + 1)}]);
    let links = if page + 1 < names.len() { next } else { json!([]) };
    json!({"type": "FeatureCollection", "features": [item], "links": links})
}

#[test]
fn scenes_are_found_by_a_stac_api_and_read_over_http() {
    let sen = Sen::new();
    let source = sen.path("provider");
    for (id, datetime) in [
        ("S2A_48PWS_20260818_0_L2A", "2026-08-18T03:21:31Z"),
        ("S2B_48PWS_20260825_0_L2A", "2026-08-25T03:21:31Z"),
    ] {
        scenes::sentinel2(&source, id, datetime, |_, _| RICE);
    }
    let provider = Provider::start(source.clone());
    let url = format!("{}/api", provider.address);
    let area = ["--bbox", "105,10,106,11", "--datetime", "2026-08-01/2026-08-31"];
    let run = sen
        .run(&[&["--json", "ingest", &url], &area[..]].concat())
        .expect(0);
    assert_eq!(run.json()["scenes"][0]["new"], 2, "{}", run.text());
    assert!(
        *provider.ranges.lock().expect("not poisoned") > 10,
        "pixels come by ranges"
    );

    // the same pixels as from the folder
    let local = Sen::new();
    local.ingest(&source, &[]).expect(0);
    let ndvi = |sen: &Sen| fs::read(sen.asset("ndvi/2026/ndvi_2026-W34/ndvi.tif")).expect("made");
    assert!(
        ndvi(&sen) == ndvi(&local),
        "pixels read over HTTP differ from those of the files"
    );

    let again = sen
        .run(&[&["--json", "ingest", &url], &area[..]].concat())
        .expect(0);
    assert_eq!(again.json()["scenes"][0]["known"], 2);
    // a provider that went away is an error that names the address, not a loss
    fs::remove_dir_all(&source).expect("removed");
    let other = Sen::new();
    let gone = other
        .run(&[&["ingest", "http://127.0.0.1:9/api"], &area[..]].concat())
        .expect(1);
    assert!(gone.text().contains("127.0.0.1:9"), "{}", gone.text());
}

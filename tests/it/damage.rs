//! An unreadable part never becomes a shorter or other answer, and `sen check` sees it.

use crate::harness::{self, Sen, Service};
use crate::scenes::{self, RICE, WATER};
use crate::sensors;
use geo_types::{LineString, Polygon};
use rusqlite::Connection;
use sen_catalog::{Feature, store};
use serde_json::json;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Two weeks of optical scenes, three plots and what every week says of them.
fn province() -> Sen {
    let sen = Sen::new();
    let source = sen.path("source");
    for (day, edge) in [("18", 64), ("25", 30)] {
        let id = format!("S2A_48PWS_202608{day}_0_L2A");
        let river = move |column: usize, _: usize| if column < edge { WATER } else { RICE };
        scenes::sentinel2(&source, &id, &format!("2026-08-{day}T03:21:31Z"), river);
    }
    sen.ingest(&source, &[]).expect(0);
    let square = |column: usize| {
        let corner = |(right, down): (usize, usize)| scenes::lon_lat(column + right, 40 + down);
        let ring: Vec<(f64, f64)> = [(0, 0), (0, 9), (9, 9), (9, 0), (0, 0)].map(corner).into();
        Polygon::new(LineString::from(ring), vec![])
    };
    let plots =
        [20, 60, 100].map(|column| Feature::new("plots", format!("DT-{column}"), square(column).into()));
    let catalogue = store::open("catalog.sqlite", &sen.data()).expect("opens");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime");
    runtime
        .block_on(catalogue.put_features(plots.into()))
        .expect("stored");
    drop(catalogue);
    sen.run(&["process"]).expect(0);
    sen
}

/// Addresses of every family that is answered from files.
fn addresses() -> Vec<String> {
    let (z, x, y) = scenes::tile(14, 62, 45);
    let (lon, lat) = scenes::lon_lat(62, 45);
    let plot = "/api/v1/zones/plots/DT-60";
    let mut all = vec![
        format!("/ndvi/{z}/{x}/{y}.png?datetime=2026-W34"),
        format!("/flood/{z}/{x}/{y}.webp?datetime=2026-W34"),
        format!("/plots/{z}/{x}/{y}.pbf?datetime=2026-W34"),
        format!("/api/v1/point/{lon},{lat}?datetime=2026-W34"),
        format!("/api/v1/point/{lon},{lat}/series?collection=ndvi"),
        format!("/api/v1/point/{lon},{lat}/series?collection=flood"),
        format!("{plot}/week/2026-W34"),
        "/zones/plots/DT-60?week=2026-W34&lang=en".into(),
        "/style/ndvi/static/105.63,10.45,105.65,10.47/100x100.png?datetime=2026-W34".into(),
    ];
    all.push("/api/v1/zones/plots/values?collection=flood&datetime=2026-W34&statistic=majority".into());
    for layer in ["ndvi", "flood"] {
        let item = format!("/raster/collections/{layer}/items/{layer}_2026-W34");
        all.extend([
            format!("{plot}/statistics?collection={layer}"),
            format!("{plot}/statistics?collection={layer}&f=csv"),
            format!("{plot}/statistics?collection={layer}&asset=age_days"),
            format!("/api/v1/zones/plots/values?collection={layer}&datetime=2026-W34&codes=true"),
            format!("{item}/info"),
            format!("{item}/statistics"),
            format!("{item}/point/{lon},{lat}"),
            format!("{item}/preview.png"),
        ]);
    }
    all
}

/// Files under a folder, with their path below it.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("listed").flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Status, caching and body of an answer.
type Answer = (u16, String, Vec<u8>);

fn ask(service: &Service, address: &str) -> Answer {
    let response = service.get(address);
    let cache = response.headers().get("cache-control");
    let cache = cache.map_or(String::new(), |value| value.to_str().expect("text").to_owned());
    let status = response.status().as_u16();
    (status, cache, response.bytes().expect("a body").to_vec())
}

/// Asks everything and holds it against the answers of before; how many were refused.
fn hold(service: &Service, whole: &BTreeMap<String, Answer>, folder: &str, what: &str) -> usize {
    let mut refused = 0;
    for (address, expected) in whole {
        let (status, cache, body) = ask(service, address);
        let text = String::from_utf8_lossy(&body);
        assert!(!text.contains(folder), "{what}: {address} tells {text}");
        if status == 503 {
            assert_eq!(cache, "no-store", "{what}: {address}");
            refused += 1;
        } else {
            assert_eq!(status, expected.0, "{what}: {address}: {text}");
            assert_eq!(body, expected.2, "{what}: {address} gives another answer: {text}");
        }
    }
    refused
}

#[test]
fn a_file_that_is_cut_emptied_or_gone_is_a_503_on_every_route_and_never_a_shorter_answer() {
    let sen = province();
    let folder = sen.data().to_str().expect("UTF-8").to_owned();
    let whole: BTreeMap<String, Answer> = {
        let service = sen.serve();
        let mut all = addresses();
        all.extend(downloads(&sen));
        all.into_iter()
            .map(|address| (address.clone(), ask(&service, &address)))
            .collect()
    };
    for (address, (status, ..)) in &whole {
        assert_eq!(*status, 200, "{address}");
    }
    // one server that had everything open before, and one that opens each file damaged
    let long = sen.serve();
    hold(&long, &whole, &folder, "whole");
    // the rasters of the flood are those of what the satellites saw
    for layer in ["ndvi", "flood", "flood_observed"] {
        let place = sen.data().join(format!("assets/{layer}/2026/{layer}_2026-W34"));
        for path in files(&place) {
            let name = path.display().to_string();
            let bytes = fs::read(&path).expect("read");
            for damage in ["cut", "empty", "gone"] {
                // the same bytes on the disk may have a second name, which stays whole
                fs::remove_file(&path).expect("removed");
                match damage {
                    "cut" => fs::write(&path, &bytes[..bytes.len() * 2 / 3]).expect("cut"),
                    "empty" => fs::write(&path, []).expect("emptied"),
                    _ => {}
                }
                let what = format!("{name} {damage}");
                let refused = hold(&sen.serve(), &whole, &folder, &what);
                hold(&long, &whole, &folder, &what);
                let asked = ["/ndvi-", "/flood_observed-", "/age_days-", "/statistics_plots-"];
                let is_asked = !name.contains("flood_observed_2026-W34/statistics_");
                if is_asked && asked.iter().any(|asked| name.contains(asked)) {
                    assert!(refused > 0, "{what}: nobody noticed");
                }
                let said = sen.run(&["check"]).expect(1).text();
                assert!(said.contains(&name), "{what}: {said}");
                // brought back: as before, also where it was open
                let _ = fs::remove_file(&path);
                fs::write(&path, &bytes).expect("back");
                assert_eq!(hold(&sen.serve(), &whole, &folder, &what), 0, "{what} and back");
                hold(&long, &whole, &folder, &what);
                assert_eq!(
                    hold(&long, &whole, &folder, &what),
                    0,
                    "{what} and back, open before"
                );
            }
        }
    }
    sen.run(&["check"]).expect(0);
}

#[test]
fn without_file_descriptors_a_series_is_a_503_and_whole_again_later() {
    let sen = province();
    let address = "/api/v1/zones/plots/DT-60/statistics?collection=ndvi";
    let whole = ask(&sen.serve(), address).2;
    let service = sen.serve();
    let limit = |count: &str| {
        let run = std::process::Command::new("prlimit")
            .args(["--pid", &service.id().to_string(), &format!("--nofile={count}:")])
            .status();
        run.is_ok_and(|status| status.success())
    };
    if !limit("256") {
        println!("skipped: prlimit is not on this machine");
        return;
    }
    // a first answer that opens no table; its connection and that to the catalogue stay, and nothing more can be opened
    ask(&service, "/api/v1/zones/plots/DT-60");
    assert!(limit("3"));
    let (status, cache, body) = ask(&service, address);
    assert_ne!(status, 200, "{}", String::from_utf8_lossy(&body));
    assert_eq!((status, cache.as_str()), (503, "no-store"));
    assert!(limit("256"));
    let (status, _, body) = ask(&service, address);
    assert_eq!((status, body), (200, whole), "nothing of the failure was kept");
}

#[test]
fn a_catalogue_that_is_gone_empty_or_changed_is_seen_and_never_made_anew() {
    let sen = province();
    let path = sen.data().join("catalog.sqlite");
    assert!(
        !sen.data().join("catalog.sqlite-wal").exists(),
        "a clean stop leaves one file"
    );
    let whole = fs::read(&path).expect("read");
    for empty in [false, true] {
        fs::remove_file(&path).expect("removed");
        if empty {
            fs::write(&path, []).expect("emptied");
        }
        for args in [
            &["check"][..],
            &["process"],
            &["serve", "--listen", "127.0.0.1:0"],
            &["keys", "list"],
        ] {
            let said = sen.run(args).expect(1).text();
            assert!(
                said.contains("catalog.sqlite") && said.contains("backup"),
                "{args:?}: {said}"
            );
        }
        assert_eq!(path.exists(), empty, "nothing was made");
        assert!(!empty || fs::metadata(&path).expect("there").len() == 0);
        fs::write(&path, &whole).expect("back");
    }
    let hand = Connection::open(&path).expect("opens");
    hand.execute("UPDATE feature SET name = 'x' WHERE code = 'DT-60'", [])
        .expect("changed");
    drop(hand);
    let said = sen.run(&["check"]).expect(1).text();
    assert!(
        said.contains("catalog.sqlite") && said.contains("`feature`"),
        "{said}"
    );
    fs::write(&path, &whole).expect("back");
    // in the middle of each page but the first: told, or nothing that is read has changed
    let digest = sen.digest();
    for at in (6000..whole.len()).step_by(4096 * 7) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x10;
        fs::write(&path, &bytes).expect("flipped");
        let run = sen.run(&["check"]);
        assert!(
            run.code == Some(1) || sen.digest() == digest,
            "byte {at}: {}",
            run.text()
        );
    }
    fs::write(&path, &whole).expect("back");
    sen.run(&["check"]).expect(0);
    let names: Vec<_> = files(&sen.data())
        .into_iter()
        .filter(|file| file.to_string_lossy().contains("catalog"))
        .collect();
    assert_eq!(names, [path], "check makes nothing");
}

/// Addresses of files whose content other addresses are answered from.
fn downloads(sen: &Sen) -> Vec<String> {
    let places = [
        "ndvi/2026/ndvi_2026-W34/ndvi.tif",
        "ndvi/2026/ndvi_2026-W34/statistics_plots.arrow",
        "flood_observed/2026/flood_observed_2026-W34/flood_observed.tif",
        "flood/2026/flood_2026-W34/statistics_plots.arrow",
    ];
    let address = |place: &&str| {
        let path = sen.asset(place);
        let below = path.strip_prefix(sen.data()).expect("in the folder");
        format!("/{}", below.to_str().expect("UTF-8"))
    };
    places.iter().map(address).collect()
}

/// Writes a file anew with one bit another, as another file than the one that is open.
fn flip(path: &Path, whole: &[u8], at: usize, bit: u8) {
    let mut bytes = whole.to_vec();
    bytes[at] ^= 1 << bit;
    fs::remove_file(path).expect("removed");
    fs::write(path, bytes).expect("flipped");
}

#[test]
fn one_flipped_bit_is_a_503_wherever_it_is_read_is_marked_and_made_again() {
    let sen = province();
    let (folder, digest) = (sen.data().to_str().expect("UTF-8").to_owned(), sen.digest());
    let files = downloads(&sen);
    let whole: BTreeMap<String, Answer> = {
        let service = sen.serve();
        let all = addresses().into_iter().chain(files.clone());
        all.map(|address| (address.clone(), ask(&service, &address)))
            .collect()
    };
    for address in &files {
        let path = sen.data().join(&address[1..]);
        let bytes = fs::read(&path).expect("read");
        let (last, step) = (bytes.len() - 1, (bytes.len() / 6).max(1));
        let inside = (step / 2..last).step_by(step);
        for (turn, at) in [0, 5, 40, last - 3, last].into_iter().chain(inside).enumerate() {
            flip(&path, &bytes, at, (turn % 8) as u8);
            let (what, service) = (format!("{address} byte {at}"), sen.serve());
            let range = service.get_with(address, "range", &format!("bytes={at}-{at}"));
            assert_eq!(range.status(), 503, "{what}: a range");
            assert_eq!(range.headers()["cache-control"], "no-store", "{what}");
            assert_eq!(ask(&service, address).0, 503, "{what}");
            assert!(
                hold(&service, &whole, &folder, &what) > 1,
                "{what}: nobody noticed"
            );
        }
        // nobody ran `sen check`: the server has marked it
        let service = sen.serve();
        assert_eq!(ask(&service, address).0, 503);
        let marks = || -> Vec<String> {
            let rows = Connection::open(sen.data().join("catalog.sqlite")).expect("opens");
            let mut marked = rows
                .prepare("SELECT href FROM object WHERE damaged")
                .expect("a table");
            let hrefs = marked.query_map([], |row| row.get(0)).expect("rows");
            hrefs.collect::<Result<_, _>>().expect("text")
        };
        let until = std::time::Instant::now() + std::time::Duration::from_secs(20);
        while marks().is_empty() {
            assert!(std::time::Instant::now() < until, "{address} is not marked");
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        assert_eq!(marks(), [&address["/assets/".len()..]]);
        let said = sen.run(&["process", "--explain"]).expect(0).text();
        assert!(said.contains("a file that is damaged"), "{said}");
        sen.run(&["process"]).expect(0);
        assert!(marks().is_empty(), "{address} was made again");
        assert_eq!(fs::read(&path).expect("read"), bytes, "{address}");
        assert_eq!(hold(&service, &whole, &folder, "mended, open before"), 0);
        assert_eq!(sen.digest(), digest);
    }
    sen.run(&["check"]).expect(0);
}

#[test]
fn check_marks_what_is_damaged_and_takes_the_mark_from_what_was_brought_back() {
    let sen = province();
    let digest = sen.digest();
    let path = sen.asset("ndvi/2026/ndvi_2026-W34/ndvi.tif");
    let whole = fs::read(&path).expect("read");
    let made = |args: &[&str]| {
        let said = sen.run(&[&["--json"], args].concat()).expect(0).json();
        harness::count(&said, "rasters", "collection/ndvi", "made")
    };
    flip(&path, &whole, whole.len() / 2, 3);
    // a mark is a hint: what fits again is left alone
    sen.run(&["check"]).expect(1);
    fs::write(&path, &whole).expect("back");
    assert_eq!(made(&["process"]), 0);
    flip(&path, &whole, whole.len() / 2, 3);
    sen.run(&["check"]).expect(1);
    fs::write(&path, &whole).expect("back");
    sen.run(&["check"]).expect(0);
    assert_eq!(made(&["process"]), 0);
    // nobody looked: asked to, process does
    flip(&path, &whole, whole.len() / 2, 3);
    assert_eq!(made(&["process"]), 0);
    assert_eq!(made(&["process", "--verify"]), 1);
    assert_eq!((fs::read(&path).expect("read"), sen.digest()), (whole, digest));
    sen.run(&["check"]).expect(0);
}

#[test]
fn files_that_nothing_names_any_more_stay_a_day_or_go_when_asked() {
    let sen = province();
    let old = sen.asset("ndvi/2026/ndvi_2026-W34/ndvi.tif");
    let shared = sen.asset("flood_observed/2026/flood_observed_2026-W34/flood_observed.tif");
    let late = |day: &str, edge: usize| {
        let source = sen.path(&format!("late{day}"));
        let id = format!("S2C_48PWS_202608{day}_0_L2A");
        let fields = move |column: usize, _: usize| if column > edge { WATER } else { RICE };
        scenes::sentinel2(&source, &id, &format!("2026-08-{day}T03:21:31Z"), fields);
        sen.ingest(&source, &[]).expect(0);
    };
    late("20", 90);
    let new = sen.asset("ndvi/2026/ndvi_2026-W34/ndvi.tif");
    assert!(old != new && old.exists() && shared.exists(), "old ones stay");
    let said = sen.run(&["check"]).expect(0).stdout;
    assert!(said.contains("named by no row any more"), "{said}");
    sen.run(&["process"]).expect(0);
    assert!(old.exists(), "not a day has passed");
    // asked to, at once; and what no row has ever named
    let stray = new.with_file_name("stray.tif");
    fs::write(&stray, "x").expect("written");
    let said = sen.run(&["check"]).expect(1).text();
    assert!(said.contains("stray.tif is named by no row"), "{said}");
    // what a run has made and not yet shown is no fault
    fs::remove_file(&stray).expect("removed");
    let unpublished = new.with_file_name("ndvi-0123456789abcdef.tif");
    fs::write(&unpublished, "x").expect("written");
    let said = sen.run(&["check"]).expect(0).stdout;
    assert!(
        said.contains("1 files of today are named by no row yet"),
        "{said}"
    );
    fs::write(&stray, "x").expect("written");
    let digest = sen.digest();
    sen.run(&["check", "--clean"]).expect(0);
    assert!(!unpublished.exists());
    assert!(!old.exists() && !shared.exists() && !stray.exists() && new.exists());
    assert_eq!(sen.digest(), digest);
    sen.run(&["check"]).expect(0);
    // a day later by themselves
    late("21", 100);
    assert!(new.exists());
    let rows = Connection::open(sen.data().join("catalog.sqlite")).expect("opens");
    rows.execute("UPDATE object SET unnamed_since = unnamed_since - 86400001", [])
        .expect("a day later");
    drop(rows);
    sen.run(&["process"]).expect(0);
    assert!(!new.exists());
    assert!(sen.asset("ndvi/2026/ndvi_2026-W34/ndvi.tif").exists());
}

/// Western edge of the newest raster of a week.
fn west(sen: &Sen, week: &str) -> f64 {
    let path = sen.asset(&format!("ndvi/2026/ndvi_{week}/ndvi.tif"));
    sen_catalog::raster::Cog::open(&path).expect("opens").grid().west
}

#[test]
fn a_remembered_grid_that_no_week_lies_on_is_refused_and_a_wish_remakes_all_weeks() {
    let sen = province();
    assert!(!sen.data().join("grid.json").exists(), "it lies in the catalogue");
    let (own, path) = (scenes::grid(), sen.data().join("catalog.sqlite"));
    let set = |body: Option<&serde_json::Value>| {
        let hand = Connection::open(&path).expect("opens");
        hand.execute("DELETE FROM setting", []).expect("changed");
        if let Some(body) = body {
            hand.execute("INSERT INTO setting VALUES ('grid', ?)", [body.to_string()])
                .expect("changed");
        }
    };
    let mut beside = serde_json::to_value(own).expect("JSON");
    beside["west"] = json!(own.west + 10.0);
    let file = sen.data().join("grid.json");
    // in the catalogue, and in the file of an older folder
    for old in [false, true] {
        set((!old).then_some(&beside));
        if old {
            fs::write(&file, beside.to_string()).expect("written");
        }
        let said = sen.run(&["check"]).expect(1).text();
        assert!(said.contains("is not that of the weeks"), "{said}");
        let said = sen.run(&["process", "--period", "2026-W34"]).expect(1).text();
        assert!(said.contains("is not that of the weeks"), "{said}");
        assert_eq!(west(&sen, "2026-W34"), own.west);
        sen.serve().get("/catalog");
    }
    // an older folder's file after a power cut: said, and the service starts all the same
    fs::write(&file, "").expect("emptied");
    for args in [&["check"][..], &["process"]] {
        let said = sen.run(args).expect(1).text();
        assert!(
            said.contains("grid.json is damaged") && said.contains("EPSG:32648"),
            "{said}"
        );
    }
    assert_eq!(sen.serve().get("/catalog").status(), 200);
    // without it the weeks tell; a whole one is taken over
    fs::write(&file, serde_json::to_string(&own).expect("JSON")).expect("written");
    sen.run(&["process"]).expect(0);
    assert!(!file.exists(), "taken over");
    // a wish: said by check, all weeks are remade whatever was asked for
    fs::write(sen.data().join("sen.toml"), "[grid]\ncell_m = 20\n").expect("written");
    let said = sen.run(&["check"]).text();
    assert!(
        said.contains("[grid] of sen.toml") && said.contains("cells of 20"),
        "{said}"
    );
    let said = sen
        .run(&["process", "--period", "2026-W34", "--product", "ndvi"])
        .expect(0)
        .text();
    assert!(said.contains("another grid"), "{said}");
    for week in ["2026-W34", "2026-W35"] {
        for product in ["ndvi", "flood"] {
            // the flood names what the satellites saw
            let product = product.replace("flood", "flood_observed");
            let path = sen.asset(&format!("{product}/2026/{product}_{week}/{product}.tif"));
            let cog = sen_catalog::raster::Cog::open(&path).expect("opens");
            assert_eq!(cog.grid().cell_width, 20.0, "{product} {week}");
        }
    }
    let said = sen.run(&["process"]).expect(0).text();
    assert!(!said.contains("another grid"), "{said}");
}

#[test]
fn a_folder_that_cannot_be_written_is_served_checked_and_listed() {
    let sen = province();
    let key = sensors::key(&sen);
    let mounted = sen.path("mounted");
    fs::create_dir_all(&mounted).expect("folder");
    let mount = |args: &[&str]| {
        let run = std::process::Command::new("mount")
            .args(args)
            .arg(&mounted)
            .status();
        run.is_ok_and(|status| status.success())
    };
    let data = sen.data();
    let bound = mount(&["--bind", data.to_str().expect("UTF-8")]) && mount(&["-o", "remount,bind,ro"]);
    if !bound {
        println!("skipped: only root may mount a folder to be read");
        return;
    }
    let run = |args: &[&str]| harness::at(&mounted, args);
    let table = sen.asset("ndvi/2026/ndvi_2026-W34/statistics_plots.arrow");
    let whole = fs::read(&table).expect("read");
    let (check, keys, refused) = (
        run(&["check"]),
        run(&["keys", "list"]),
        run(&["keys", "add", "x"]),
    );
    let answers = {
        let service = Service::start(&mounted);
        let thing = json!({"name": "TV-01", "description": "a gauge", "properties": {"code": "TV-01"},
            "Locations": [{"name": "TV-01", "description": "TV-01", "encodingType": "application/geo+json",
                "location": {"type": "Point", "coordinates": scenes::lon_lat(60, 60)}}]});
        let (post, said) = sensors::post(&service, Some(&key), "/sta/v1.1/Things", &thing);
        assert!(
            !said.to_string().contains(mounted.to_str().expect("UTF-8")),
            "{said}"
        );
        let read = service
            .get("/api/v1/zones/plots/DT-60/statistics?collection=ndvi")
            .status();
        // a damaged file cannot be marked: it is said where the service is watched
        flip(&table, &whole, whole.len() / 2, 0);
        let values = "/api/v1/zones/plots/values?collection=ndvi&datetime=2026-W34&statistic=mean";
        assert_eq!(Service::start(&mounted).get(values).status(), 503);
        let service = Service::start(&mounted);
        let damaged = service.get(values).status();
        let until = std::time::Instant::now() + std::time::Duration::from_secs(20);
        let ready = || service.get("/ready").text().expect("a text");
        while !ready().contains("1 damaged") {
            assert!(std::time::Instant::now() < until, "{}", ready());
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        (read.as_u16(), damaged.as_u16(), post)
    };
    let found = run(&["check"]).expect(1).text();
    fs::write(&table, &whole).expect("back");
    assert!(found.contains("could not be marked"), "{found}");
    let _ = std::process::Command::new("umount")
        .arg("-l")
        .arg(&mounted)
        .status();
    check.expect(0);
    assert!(keys.expect(0).text().contains("writes"));
    refused.expect(1);
    assert_eq!(answers, (200, 503, 503));
}

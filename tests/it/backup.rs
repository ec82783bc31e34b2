//! A data folder as one file: made beside a server and a run, brought back elsewhere, refused when it is damaged.

use crate::harness::{self, Sen};
use crate::scenes::{self, RICE, WATER};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

/// Scenes of some days of August.
fn source(sen: &Sen, days: &[&str]) -> PathBuf {
    let source = sen.path(&format!("source-{}", days[0]));
    for day in days {
        let id = format!("S2A_48PWS_202608{day}_0_L2A");
        let river = |column: usize, _: usize| if column < 64 { WATER } else { RICE };
        scenes::sentinel2(&source, &id, &format!("2026-08-{day}T03:21:31Z"), river);
    }
    source
}

/// A folder with two weeks and settings of its own.
fn folder() -> Sen {
    let sen = Sen::new();
    sen.run(&["init"]).expect(0);
    let settings = sen.data().join("sen.toml");
    let text = fs::read_to_string(&settings).expect("made");
    fs::write(settings, text + "\n# of this folder\n").expect("written");
    sen.ingest(&source(&sen, &["18", "25"]), &[]).expect(0);
    sen
}

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

fn is_empty(folder: &Path) -> bool {
    fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_none())
}

#[test]
fn a_backup_beside_a_server_is_restored_elsewhere_to_the_same_digest() {
    let sen = folder();
    let service = sen.serve();
    let file = sen.path("sen.zip");
    let made = sen.run(&["--json", "backup", text(&file)]).expect(0).json();
    let digest = sen.digest();
    assert_eq!(made["digest"], digest.trim());
    assert_eq!(service.get("/ready").status(), 200);

    let elsewhere = sen.path("elsewhere/data");
    let restored = harness::at(&elsewhere, &["--json", "restore", text(&file)]).expect(0);
    assert_eq!(restored.json()["digest"], digest.trim());
    assert_eq!(
        harness::at(&elsewhere, &["check", "--digest"]).expect(0).stdout,
        digest
    );
    let said = harness::at(&elsewhere, &["check"]).expect(0).stdout;
    assert!(said.contains("all is well"), "{said}");
    let read = |folder: &Path, name: &str| fs::read_to_string(folder.join(name)).expect("a text");
    assert_eq!(read(&elsewhere, "sen.toml"), read(&sen.data(), "sen.toml"));
    let raster = harness::asset(&elsewhere, "ndvi/2026/ndvi_2026-W34/ndvi.tif");
    let written = || {
        fs::metadata(&raster)
            .and_then(|file| file.modified())
            .expect("a file")
    };
    let before = written();
    harness::at(&elsewhere, &["process"]).expect(0);
    assert_eq!(written(), before, "everything is up to date");

    // nothing is ever written over
    let said = sen.run(&["backup", text(&file)]).expect(2).text();
    assert!(said.contains("there already"), "{said}");
    let said = harness::at(&elsewhere, &["restore", text(&file)])
        .expect(2)
        .text();
    assert!(said.contains("is not empty"), "{said}");
    let left: Vec<_> = fs::read_dir(sen.folder.path())
        .expect("listed")
        .flatten()
        .collect();
    assert!(
        left.iter()
            .all(|entry| !entry.file_name().to_string_lossy().contains(".part")),
        "{left:?}"
    );
}

#[test]
fn a_backup_made_at_any_moment_of_a_run_is_whole() {
    let sen = folder();
    let more = source(&sen, &["03", "08", "13", "20", "23"]);
    let mut run = sen
        .command(&["ingest", text(&more)])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("starts");
    let mut within = 0;
    for number in 0..8 {
        let file = sen.path(&format!("{number}.zip"));
        sen.run(&["backup", text(&file)]).expect(0);
        within += u32::from(run.try_wait().expect("asked").is_none());
        let elsewhere = sen.path(&format!("restored-{number}"));
        harness::at(&elsewhere, &["restore", text(&file)]).expect(0);
        harness::at(&elsewhere, &["check"]).expect(0);
    }
    assert!(run.wait().expect("ends").success());
    assert!(within > 0, "the run ended before the first backup");
}

#[test]
fn a_damaged_backup_is_refused_and_a_damaged_file_is_left_out_by_name() {
    let sen = folder();
    let file = sen.path("sen.zip");
    sen.run(&["backup", text(&file)]).expect(0);
    let whole = fs::read(&file).expect("read");
    let elsewhere = sen.path("elsewhere");
    let refused = |bytes: &[u8], what: &str| {
        fs::write(&file, bytes).expect("damaged");
        let said = harness::at(&elsewhere, &["restore", text(&file)])
            .expect(1)
            .text();
        assert!(said.contains(text(&file)), "{what}: {said}");
        assert!(
            is_empty(&elsewhere) || !elsewhere.exists(),
            "{what}: something was left"
        );
    };
    for share in 0..16 {
        let mut bytes = whole.clone();
        let at = 200 + (whole.len() - 300) * share / 16;
        bytes[at] ^= 1;
        // a bit of what nobody reads, the time of an entry, may be another
        fs::write(&file, &bytes).expect("damaged");
        let run = harness::at(&elsewhere, &["restore", text(&file)]);
        if run.code == Some(0) {
            let digest = harness::at(&elsewhere, &["check", "--digest"]).expect(0).stdout;
            assert_eq!(digest.trim(), sen.digest().trim(), "byte {at}");
            fs::remove_dir_all(&elsewhere).expect("removed");
        } else {
            refused(&bytes, &format!("byte {at}"));
        }
    }
    refused(&whole[..whole.len() / 2], "cut");
    refused(b"no zip", "another file");
    let said = sen
        .run(&["restore", text(&sen.path("none.zip"))])
        .expect(2)
        .text();
    assert!(said.contains("none.zip"), "{said}");

    let raster = sen.asset("ndvi/2026/ndvi_2026-W34/ndvi.tif");
    let mut bytes = fs::read(&raster).expect("read");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&raster, &bytes).expect("damaged");
    let part = sen.path("part.zip");
    let said = sen.run(&["backup", text(&part)]).expect(1).text();
    assert!(said.contains("ndvi_2026-W34/ndvi-"), "{said}");
    let said = harness::at(&elsewhere, &["restore", text(&part)])
        .expect(1)
        .text();
    assert!(said.contains("ndvi_2026-W34/ndvi-"), "{said}");
    harness::at(&elsewhere, &["process"]).expect(0);
    harness::at(&elsewhere, &["check"]).expect(0);
}

//! Killed at any moment, a rerun ends where an undisturbed run ends.

use crate::harness::Sen;
use crate::scenes::{self, RICE, WATER};
use std::process::Stdio;
use std::time::Duration;

fn source(sen: &Sen) -> std::path::PathBuf {
    let source = sen.path("source");
    for (index, day) in ["03", "08", "13", "18", "23"].iter().enumerate() {
        let id = format!("S2A_48PWS_202608{day}_0_L2A");
        scenes::sentinel2(
            &source,
            &id,
            &format!("2026-08-{day}T03:21:31Z"),
            |column, row| {
                if (column + row * 3) % 7 < index + 1 {
                    WATER
                } else {
                    RICE
                }
            },
        );
    }
    source
}

#[test]
fn killed_anywhere_and_run_again_the_digest_is_the_same() {
    let sen = Sen::new();
    let source = source(&sen);
    sen.ingest(&source, &[]).expect(0);
    let undisturbed = sen.digest();
    let mut killed = 0;
    for attempt in 0..12_u64 {
        std::fs::remove_dir_all(sen.data()).expect("removed");
        // several kills in a row at growing delays, then a run to the end
        for step in 0..3 {
            let delay = Duration::from_millis(3 + attempt * 9 + step * 17);
            let mut child = sen
                .command(&["ingest", source.to_str().expect("UTF-8")])
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .expect("starts");
            std::thread::sleep(delay);
            killed += u32::from(child.try_wait().expect("asked").is_none());
            let _ = child.kill();
            let _ = child.wait();
        }
        sen.ingest(&source, &[]).expect(0);
        assert_eq!(sen.digest(), undisturbed, "after kills of attempt {attempt}");
        sen.run(&["check"]).expect(0);
        let left = std::fs::read_dir(sen.data().join("tmp")).expect("tmp").count();
        assert_eq!(left, 0, "nothing is left in tmp/");
    }
    assert!(
        killed > 6,
        "the delays are too long to interrupt anything: {killed}"
    );
}

#[test]
fn a_broken_file_is_found_by_check_and_mended_by_process() {
    let sen = Sen::new();
    let source = source(&sen);
    sen.ingest(&source, &[]).expect(0);
    let digest = sen.digest();
    let file = sen.asset("ndvi/2026/ndvi_2026-W33/ndvi.tif");
    std::fs::remove_file(&file).expect("removed");
    let complaint = sen.run(&["check"]).expect(1).text();
    assert!(
        complaint.contains("/ndvi-") && complaint.contains("sen process"),
        "{complaint}"
    );
    sen.run(&["process"]).expect(0);
    assert_eq!(sen.digest(), digest);
    sen.run(&["check"]).expect(0);
}

#[test]
fn two_writers_at_once_are_told_apart() {
    let sen = Sen::new();
    let source = source(&sen);
    sen.run(&["init"]).expect(0);
    let lock = std::fs::File::create(sen.data().join("write.lock")).expect("lock file");
    lock.lock().expect("taken");
    let refused = sen.ingest(&source, &[]).expect(1).text();
    assert!(refused.contains("another sen is writing"), "{refused}");
    drop(lock);
    sen.ingest(&source, &[]).expect(0);
}

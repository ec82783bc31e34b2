//! Weeks that look back at earlier ones, in whatever order the scenes come.

use super::*;
use crate::product::FLOOD;

/// Tuesdays from 2026-W28 on.
const TUESDAYS: [&str; 6] = ["07-07", "07-14", "07-21", "07-28", "08-04", "08-11"];

fn weeks() -> Vec<Period> {
    TUESDAYS
        .iter()
        .map(|day| Period::of_date(format!("2026-{day}").parse().expect("a date")))
        .collect()
}

/// A radar look of week `index`: ten columns of water that grow by two a week.
async fn look(delta: &Delta, index: usize, orbit: u64) {
    let at = format!("2026-{}T03:20:00Z", TUESDAYS[index]);
    let mut scene = Scene::new(
        delta.folder.path(),
        "sentinel-1-rtc",
        &format!("S1_{index}_{orbit}"),
        &at,
        swath(),
    )
    .band(
        Band::Vv,
        1,
        move |c, _| {
            if c < 20 + 2 * index { 0.004_f32 } else { 0.12 }
        },
    );
    let properties = &mut scene.item.properties;
    properties.insert("sat:relative_orbit".to_owned(), json!(orbit));
    delta.scene(scene).await;
}

#[tokio::test]
async fn a_late_scene_of_a_past_week_leads_to_the_same_as_if_it_had_come_in_time() {
    let in_time = Delta::new(&[&FLOOD]);
    for index in 0..6 {
        look(&in_time, index, 18).await;
    }
    in_time.run_weeks(&weeks()).await;

    let late = Delta::new(&[&FLOOD]);
    for index in [0, 1, 3, 4, 5] {
        look(&late, index, 18).await;
    }
    late.run_weeks(&weeks()).await;
    look(&late, 2, 18).await;
    let report = late.run("2026-W30").await;
    let made: Vec<String> = report
        .units
        .iter()
        .filter_map(|(unit, _)| Some(unit.period?.to_string()))
        .collect();
    assert_eq!(
        made,
        ["2026-W30", "2026-W31", "2026-W32", "2026-W33"],
        "its week, and those after it that look back at it: {report:?}"
    );
    let items = |digest: String| digest.replace(&*late.folder.path().to_string_lossy(), "");
    assert_eq!(
        items(late.digest().await),
        items(in_time.digest().await).replace(&*in_time.folder.path().to_string_lossy(), "")
    );
    let again = late.run("2026-W30").await;
    assert_eq!(again.units.len(), 1, "{again:?}");
    assert_eq!(again.units[0].1, StepStatus::UpToDate);
}

#[tokio::test]
async fn a_week_that_looks_back_at_a_damaged_one_is_not_made_of_the_others() {
    let delta = Delta::new(&[&FLOOD]);
    for index in 0..5 {
        look(&delta, index, 18).await;
    }
    delta.run_weeks(&weeks()).await;
    let damaged = delta.item("flood_observed", "2026-W29").await;
    let path = delta.weekly.assets.path(&damaged.assets["flood_observed"].href);
    let whole = std::fs::read(&path).expect("bytes");
    let mut flipped = whole.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 1;
    std::fs::write(&path, flipped).expect("written");
    look(&delta, 5, 18).await;
    let report = delta.run("2026-W33").await;
    let failed = report
        .units
        .iter()
        .find(|(unit, _)| unit.period.map(|week| week.to_string()).as_deref() == Some("2026-W33"))
        .expect("told");
    let StepStatus::Failed { reason } = &failed.1 else {
        panic!("made of a damaged week: {report:?}");
    };
    assert!(
        reason.contains("flood_observed_2026-W29/flood_observed-") && reason.contains("checksum differs"),
        "{reason}"
    );
    assert!(!report.is_complete());
    let none = delta
        .weekly
        .store
        .item("flood_observed", "flood_observed_2026-W33")
        .await
        .expect("asked");
    assert!(none.is_none());
    std::fs::write(&path, whole).expect("back");
    assert!(delta.run("2026-W33").await.is_complete());
    assert!(
        delta
            .item("flood_observed", "2026-W33")
            .await
            .properties
            .contains_key("sen:history")
    );
}

#[tokio::test]
async fn the_reference_is_of_the_same_orbit_and_named_and_too_short_a_past_is_not_looked_at() {
    let delta = Delta::new(&[&FLOOD]);
    look(&delta, 0, 18).await;
    look(&delta, 1, 26).await;
    look(&delta, 2, 18).await;
    delta.run_weeks(&weeks()).await;
    let third = delta.item("flood_observed", "2026-W30").await;
    assert_eq!(
        third.properties["sen:reference"],
        json!({"sentinel-1-rtc/S1_2_18": ["sentinel-1-rtc/S1_0_18"]})
    );
    assert_eq!(third.lineage, ["sentinel-1-rtc/S1_2_18"]);
    let second = delta.item("flood_observed", "2026-W29").await;
    assert_eq!(
        second.properties["sen:reference"],
        json!({"sentinel-1-rtc/S1_1_26": []}),
        "another orbit is no reference"
    );
    assert!(
        !third.properties.contains_key("sen:history"),
        "two weeks are no past"
    );
    // the first scene is gone: the third week is made without a reference, and tried again
    std::fs::remove_file(delta.folder.path().join("source/S1_0_18_vv.tif")).expect("removed");
    let file = delta.weekly.assets.path(&third.assets["flood_observed"].href);
    std::fs::remove_file(file).expect("removed");
    let report = delta.run("2026-W30").await;
    assert_eq!(report.left_out.len(), 1, "{report:?}");
    let third = delta.item("flood_observed", "2026-W30").await;
    assert_eq!(third.properties["sen:failed"], json!(["sentinel-1-rtc/S1_0_18"]));
}

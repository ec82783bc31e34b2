//! What every [`Fires`](crate::store::Fires) must do.

use crate::fire::ChangeSettings;
use crate::fire::change::{ForestWeek, judge};
use crate::fire::danger::Level;
use crate::fire::day::{DangerDay, Unknown};
use crate::store::{Basis, Store};
use chrono::NaiveDate;
use serde_json::json;

/// A day of a station's readings; without P it is not known.
pub(super) fn danger_day(day: NaiveDate, p: Option<f64>) -> DangerDay {
    DangerDay {
        day,
        p,
        level: p.map(|_| Level::II),
        level_at_least: None,
        rain_day: Some(day),
        unknown: p.is_none().then_some(Unknown::NoReading),
        fwi: p.map(|_| 12.5),
        fwi_since: Some(day),
        station: Some("RT-07".into()),
        temperature_c: Some(33.1),
        humidity_percent: Some(55.0),
        rain_mm: Some(0.0),
    }
}

/// Danger and change: replaced as a whole, the revision moves only when something changed.
///
/// # Panics
/// When the store departs from the contract.
#[expect(clippy::unwrap_used, reason = "a conformance suite fails by panicking")]
pub async fn fires(store: &dyn Store) {
    let date = |day: u32| NaiveDate::from_ymd_opt(2026, 3, day).unwrap();
    let day = |number: u32, p: Option<f64>| danger_day(date(number), p);
    let days = vec![day(2, Some(5000.5)), day(3, None), day(4, Some(312.25))];
    assert!(store.danger(7, None, None).await.unwrap().is_empty());
    let put = vec![(7, days.clone()), (9, days[..1].to_vec())];
    assert_eq!(store.put_danger(put.clone()).await.unwrap(), 2);
    assert_eq!(
        store.danger(7, None, None).await.unwrap(),
        days,
        "as they were put"
    );
    let part = store.danger(7, Some(date(3)), Some(date(3))).await.unwrap();
    assert_eq!(part, days[1..2], "both ends are included");
    let revision = store.revision().await.unwrap();
    assert_eq!(store.put_danger(put).await.unwrap(), 0);
    assert_eq!(store.revision().await.unwrap(), revision, "nothing changed");
    assert_eq!(store.put_danger(vec![(7, days[..2].to_vec())]).await.unwrap(), 1);
    assert_eq!(
        store.danger(7, None, None).await.unwrap(),
        days[..2],
        "what was there before is gone"
    );
    assert!(store.revision().await.unwrap() > revision);

    let week = ForestWeek {
        from: date(2),
        nbr: Some(0.61),
        ..ForestWeek::default()
    };
    let change = judge(vec![week], &ChangeSettings::default());
    assert_eq!(store.forest_change(7).await.unwrap(), None);
    let put = vec![(7, change.clone())];
    assert_eq!(store.put_forest_change(put.clone()).await.unwrap(), 1);
    assert_eq!(store.put_forest_change(put).await.unwrap(), 0);
    assert_eq!(store.forest_change(7).await.unwrap(), Some(change));

    let basis = Basis {
        digest: "ab".into(),
        said: json!({"citation": {"vi": "Quyết định", "en": "decision"}}),
    };
    assert_eq!(store.fire_basis("danger").await.unwrap(), None);
    let revision = store.revision().await.unwrap();
    store.put_fire_basis("danger", &basis).await.unwrap();
    assert_eq!(store.fire_basis("danger").await.unwrap(), Some(basis));
    assert_eq!(store.revision().await.unwrap(), revision, "a note of the run");
}

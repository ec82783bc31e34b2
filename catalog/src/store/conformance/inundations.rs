//! Weeks under water.

use crate::inundation::course::Measured;
use crate::inundation::{Cause, Inundation, Reason};
use crate::period::Period;
use crate::store::Store;

/// A dry week of a compartment.
pub(super) fn week(fid: i64, period: Period) -> Inundation {
    Inundation {
        fid,
        period,
        looked: Some(period.first_day()),
        seen: 0.9,
        flooded_share: Some(0.05),
        flooded_ha: Some(5.25),
        connected_ha: Some(1.5),
        outside_share: None,
        first_wet: None,
        last_wet: None,
        days_under_water: None,
        class: Cause::None,
        sure: true,
        reason: Reason::Dry,
        gauge: None,
    }
}

/// Records are replaced as a whole, found by compartment and by week; measurements are known again by their digest.
///
/// # Panics
/// When the store departs from the contract of [`Inundations`](crate::store::Inundations).
#[expect(clippy::unwrap_used, reason = "a conformance suite fails by panicking")]
pub async fn inundations(store: &dyn Store) {
    let layer = "dyke_compartments";
    let first: Period = "2026-W40".parse().unwrap();
    let second = first.next();
    let breach = Inundation {
        class: Cause::DykeBreach,
        reason: Reason::RoseOnCrop,
        flooded_share: Some(0.59),
        first_wet: Some(second.last_day()),
        last_wet: Some(second.last_day()),
        days_under_water: Some(1),
        ..week(3, second)
    };
    let all = vec![week(3, first), breach.clone(), week(5, first), week(5, second)];
    assert_eq!(store.put_inundations(layer, all.clone()).await.unwrap(), 4);
    let revision = store.revision().await.unwrap();
    assert_eq!(store.put_inundations(layer, all).await.unwrap(), 0);
    assert_eq!(store.revision().await.unwrap(), revision, "nothing changed");
    assert_eq!(
        store.inundations_of(3).await.unwrap(),
        [week(3, first), breach.clone()]
    );
    assert_eq!(store.inundation_weeks(layer).await.unwrap(), [first, second]);
    let found = store.inundations_in(layer, second, &[]).await.unwrap();
    assert_eq!(found, [breach.clone(), week(5, second)]);
    let alerts = store.inundations_in(layer, second, &[Cause::DykeBreach]).await;
    assert_eq!(alerts.unwrap(), std::slice::from_ref(&breach));
    assert!(
        store
            .inundations_in("plots", second, &[])
            .await
            .unwrap()
            .is_empty()
    );

    let fewer = vec![week(3, first), breach];
    assert_eq!(store.put_inundations(layer, fewer).await.unwrap(), 2, "two went");
    assert!(store.revision().await.unwrap() > revision);
    assert!(store.inundations_of(5).await.unwrap().is_empty());

    let measured = vec![(
        3,
        Measured {
            period: first,
            looked: None,
            seen: 0.0,
            share: None,
            flooded_ha: None,
            connected_ha: None,
            outside_share: None,
        },
    )];
    let revision = store.revision().await.unwrap();
    assert_eq!(store.measured(layer, first, "ab").await.unwrap(), None);
    store
        .put_measured(layer, first, "ab", measured.clone())
        .await
        .unwrap();
    assert_eq!(store.measured(layer, first, "ab").await.unwrap(), Some(measured));
    assert_eq!(store.measured(layer, first, "cd").await.unwrap(), None);
    assert_eq!(store.revision().await.unwrap(), revision);
}

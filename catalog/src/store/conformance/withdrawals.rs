//! The suite of [`Withdrawals`](crate::store::Withdrawals).

use super::ledger::fill;
use crate::run::ContentDigest;
use crate::store::{Store, WithdrawalTarget};
use crate::{Error, Period};

/// What is taken back is gone with its digests, and comes back as it was, in whatever order. The store is empty.
///
/// # Panics
/// When the store departs from the contract.
#[expect(clippy::unwrap_used, reason = "a conformance suite fails by panicking")]
pub async fn withdrawals(store: &dyn Store) {
    fill(store).await;
    let (digests, rows) = (store.digests().await.unwrap(), store.rows_digest().await.unwrap());
    let plot = store.feature("plots", "B", None).await.unwrap().unwrap();
    let week: Period = "2026-W34".parse().unwrap();
    let items = store
        .items(&crate::ItemQuery::collection("sentinel-2-l2a"))
        .await
        .unwrap();
    let scene = WithdrawalTarget::Scene {
        collection: "sentinel-2-l2a".into(),
        id: items[0].id.clone(),
    };
    let feature = WithdrawalTarget::Feature {
        layer: "plots".into(),
        code: "B".into(),
    };
    let readings = |from, to| WithdrawalTarget::Readings {
        station: "TV-01".into(),
        property: "water_level".into(),
        from,
        to,
    };
    let some = readings(Some(week.interval().start), Some(week.interval().end));
    let rest = readings(None, None);
    let all = [scene.clone(), feature, some.clone(), rest];
    let mut before = digests.clone();
    for target in &all {
        let revision = store.revision().await.unwrap();
        let done = store.withdraw(target, Some("wrong")).await.unwrap();
        assert!(
            done.is_active() && done.rows > 0 && done.reason.as_deref() == Some("wrong"),
            "{target}"
        );
        assert!(store.revision().await.unwrap() > revision, "{target}");
        let now = store.digests().await.unwrap();
        let (had, has) = (
            before.dataset(&done.unit.dataset),
            now.dataset(&done.unit.dataset),
        );
        assert_ne!(had, has, "{target}");
        assert_eq!(store.damage().await.unwrap(), [""; 0], "{target}");
        let again = store.withdraw(target, None).await.unwrap_err();
        assert!(matches!(again, Error::NotFound(_)), "{target}: {again}");
        before = now;
    }
    assert!(
        store
            .item("sentinel-2-l2a", &items[0].id)
            .await
            .unwrap()
            .is_none()
    );
    assert!(store.feature("plots", "B", None).await.unwrap().is_none());
    assert!(store.search("B", 5).await.unwrap().is_empty());
    let listed = store.withdrawals().await.unwrap();
    assert_eq!(listed.len(), 4);
    assert_eq!(listed[3].target, scene, "the newest first");
    assert!(listed[3].was_read("scenes/sentinel-2-l2a", &listed[3].unit));
    assert!(!listed[3].was_read("scenes/landsat-c2-l2", &listed[3].unit));

    // what stands in the way
    store.put_item(&items[0]).await.unwrap();
    let refused = store.undo_withdrawal(&scene).await.unwrap_err().to_string();
    assert!(refused.contains("was taken in since"), "{refused}");
    store.delete_item("sentinel-2-l2a", &items[0].id).await.unwrap();

    for target in [&all[2], &all[0], &all[3], &all[1]] {
        let done = store.undo_withdrawal(target).await.unwrap();
        assert!(!done.is_active(), "{target}");
        assert_eq!(store.damage().await.unwrap(), [""; 0], "{target}");
        assert!(store.undo_withdrawal(target).await.is_err(), "{target}: once");
    }
    assert_eq!(store.digests().await.unwrap(), digests);
    assert_eq!(store.rows_digest().await.unwrap(), rows);
    let back = store.feature("plots", "B", None).await.unwrap().unwrap();
    assert_eq!(back, plot, "under its number");
    assert_eq!(store.seasons(plot.fid).await.unwrap().len(), 1, "with its crops");
    assert!(
        store
            .withdrawals()
            .await
            .unwrap()
            .iter()
            .all(|one| !one.is_active())
    );
    assert_ne!(
        digests.dataset(&listed[3].unit.dataset),
        Some(ContentDigest::default())
    );
    let unknown = readings(None, None);
    let nobody = WithdrawalTarget::Scene {
        collection: "sentinel-2-l2a".into(),
        id: "nobody".into(),
    };
    assert!(matches!(
        store.withdraw(&nobody, None).await.unwrap_err(),
        Error::NotFound(_)
    ));
    assert!(store.undo_withdrawal(&unknown).await.is_err());
}

//! Changes of many features: seen at once, and digests as if they had come one by one.

use super::square;
use crate::feature::Feature;
use crate::grid::Bounds;
use crate::store::{FeatureQuery, Put, Store};

/// More than are put in one transaction.
const MANY: usize = 1_800;

fn plot(number: usize, name: &str) -> Feature {
    let (column, row) = ((number % 60) as f64, (number / 60) as f64);
    let place = square(105.4 + column * 0.011, 10.2 + row * 0.011);
    let mut plot = Feature::new("plots", format!("P-{number:05}"), place);
    plot.name = Some(format!("{name} {number}"));
    plot.codes.push(crate::feature::OtherCode {
        scheme: "export".into(),
        market: None,
        code: format!("VN-{number:05}"),
    });
    plot
}

/// Runs the suite of [`Features::change_features`](crate::store::Features::change_features) on two empty stores.
///
/// # Panics
/// When the stores depart from the contract.
#[expect(clippy::unwrap_used, reason = "a conformance suite fails by panicking")]
pub async fn batches(one: &dyn Store, other: &dyn Store) {
    let all = || (0..MANY).map(|number| plot(number, "Thửa"));
    let revision = one.revision().await.unwrap();
    let outcomes = one.put_features(all().collect()).await.unwrap();
    assert!(outcomes.len() == MANY && outcomes.iter().all(|put| *put == Put::Added));
    assert_eq!(one.revision().await.unwrap(), revision + 1, "it moves once");
    let layer = one.layers().await.unwrap().remove(0);
    assert_eq!((layer.count, layer.revision), (MANY as u64, 1));
    for few in all().collect::<Vec<_>>().chunks(100) {
        other.put_features(few.to_vec()).await.unwrap();
    }
    let same = async || {
        assert_eq!(
            one.rows_digest().await.unwrap(),
            other.rows_digest().await.unwrap()
        );
        let (here, there) = (
            one.layers().await.unwrap().remove(0),
            other.layers().await.unwrap().remove(0),
        );
        assert_eq!((here.count, here.bounds), (there.count, there.bounds));
        for store in [one, other] {
            let damage = store.damage().await.unwrap();
            assert!(damage.is_empty(), "{damage:?}");
        }
    };
    same().await;
    let plots = FeatureQuery::layer("plots");
    let fids = one.fids(&plots).await.unwrap();
    assert_eq!(fids, other.fids(&plots).await.unwrap());
    assert_eq!(one.digests().await.unwrap(), other.digests().await.unwrap());

    // nothing changes: nothing moves
    let revision = one.revision().await.unwrap();
    let outcomes = one.put_features(all().collect()).await.unwrap();
    assert!(outcomes.iter().all(|put| *put == Put::Unchanged));
    assert_eq!(one.revision().await.unwrap(), revision);

    // every third is another, the last hundred go, and some are new; one is said twice
    let changed = || {
        let known =
            (0..MANY - 100).map(|number| plot(number, if number % 3 == 0 { "Ruộng" } else { "Thửa" }));
        let new = (MANY..MANY + 50).map(|number| plot(number, "mới"));
        let twice = [plot(3, "sai"), plot(3, "đúng"), plot(4, "sai"), plot(4, "Thửa")];
        known.chain(new).chain(twice).collect::<Vec<_>>()
    };
    let gone = &fids[MANY - 100..];
    let (outcomes, deleted) = one.change_features(changed(), gone).await.unwrap();
    assert_eq!(deleted, 100);
    let count = |wanted: Put| outcomes.iter().filter(|put| **put == wanted).count();
    assert_eq!(
        (count(Put::Added), outcomes[0], outcomes[1]),
        (50, Put::Changed, Put::Unchanged)
    );
    other.delete_features(gone).await.unwrap();
    for few in changed().chunks(100) {
        other.put_features(few.to_vec()).await.unwrap();
    }
    same().await;
    let now = one.fids(&plots).await.unwrap();
    assert_eq!(
        now[..MANY - 100],
        fids[..MANY - 100],
        "the same identity keeps its fid"
    );
    assert!(now.len() == MANY - 50 && now[MANY - 100..].iter().all(|fid| !fids.contains(fid)));
    assert_eq!(one.count_features(&plots).await.unwrap(), MANY as u64 - 50);
    let text = |text: &str| FeatureQuery {
        text: Some(text.into()),
        ..plots.clone()
    };
    assert_eq!(one.count_features(&text("đúng 3")).await.unwrap(), 1);
    assert_eq!(one.count_features(&text("sai")).await.unwrap(), 0);
    assert_eq!(one.search("Thửa 6", 5).await.unwrap()[0].code, "P-00061");
    let found = one.feature("plots", "VN-00009", None).await.unwrap().unwrap();
    assert_eq!((found.fid, found.name.as_deref()), (fids[9], Some("Ruộng 9")));
    assert!(one.feature("plots", "P-01799", None).await.unwrap().is_none());
    let north = Bounds::new(105.0, 10.2 + 0.011 * 29.5, 107.0, 11.0);
    let bbox = FeatureQuery {
        bbox: Some(north),
        ..plots.clone()
    };
    assert_eq!(
        one.count_features(&bbox).await.unwrap(),
        50,
        "the last hundred are gone"
    );

    // one that is wrong, after many that are right: nothing of it stays
    let revision = one.revision().await.unwrap();
    let (digests, rows) = (one.digests().await.unwrap(), one.rows_digest().await.unwrap());
    let empty = geo_types::Geometry::MultiPolygon(geo_types::MultiPolygon(vec![]));
    let mut wrong: Vec<Feature> = (0..MANY).map(|number| plot(number, "nửa")).collect();
    wrong.push(Feature::new("plots", "Q", empty));
    let refused = one.change_features(wrong, &now[..700]).await.unwrap_err();
    assert!(refused.to_string().contains('Q'), "{refused}");
    assert_eq!(one.revision().await.unwrap(), revision);
    assert_eq!(one.digests().await.unwrap(), digests);
    assert_eq!(one.rows_digest().await.unwrap(), rows);
    same().await;
}

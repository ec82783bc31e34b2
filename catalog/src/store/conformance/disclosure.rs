//! What a store shows the public of features.

use crate::disclosure::{DisclosurePolicy, LayerDisclosure};
use crate::feature::{Feature, OtherCode, Sought};
use crate::store::{FeatureQuery, Store};
use geo_types::Point;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The plot of an owner; the name is told in `name` as well, as of a file imported with `--name chu_ho`.
fn plot(code: &str, owner: &str, crop: &str) -> Feature {
    let mut plot = Feature::new("plots", code, Point::new(105.6, 10.4).into());
    plot.name = Some(owner.to_owned());
    plot.codes = vec![OtherCode {
        scheme: "paper".into(),
        market: None,
        code: format!("07901234{code}"),
    }];
    let attributes = json!({
        "chu_ho": owner, "crop": crop, "cccd": format!("07901234{code}"), "survey": {"owner": owner, "year": 2024},
    });
    if let Value::Object(attributes) = attributes {
        plot.properties = attributes;
    }
    plot
}

/// Runs the suite of [`Store::disclosed`] on an empty store.
///
/// # Panics
/// When the store departs from the contract.
#[expect(clippy::unwrap_used, reason = "a conformance suite fails by panicking")]
pub async fn disclosure(store: &dyn Store) {
    let mut features = vec![
        plot("1001", "Nguyễn Văn Bảy", "lúa"),
        plot("1002", "Trần Thị Hai", "xoài"),
    ];
    let mut named = Feature::new("plots", "Bảy-7", Point::new(105.7, 10.4).into());
    named.name = Some("Ruộng số bảy".into());
    features.push(named);
    store.put_features(features).await.unwrap();
    let public = store.disclosed(Arc::new(DisclosurePolicy::default()));

    let every = FeatureQuery::layer("plots");
    let raw = store.features(&every).await.unwrap();
    assert_eq!(
        raw[0].properties["chu_ho"], "Nguyễn Văn Bảy",
        "rules inside read everything"
    );
    let seen = public.features(&every).await.unwrap();
    assert_eq!(seen.len(), 3);
    let text = format!("{seen:?}");
    for secret in ["Nguyễn", "Trần", "07901234", "chu_ho", "cccd", "owner"] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
    assert_eq!(seen[0].properties["crop"], "lúa");
    assert_eq!(
        (seen[0].name.as_deref(), seen[2].name.as_deref()),
        (None, Some("Ruộng số bảy"))
    );

    // neither found, nor counted, nor filtered by what is private
    let ask = async |store: &dyn Store, query: &FeatureQuery| {
        let found = store.features(query).await.unwrap();
        assert_eq!(store.count_features(query).await.unwrap(), found.len() as u64);
        assert_eq!(store.fids(query).await.unwrap().len(), found.len());
        found.into_iter().map(|feature| feature.code).collect::<Vec<_>>()
    };
    let text = |text: &str| FeatureQuery {
        text: Some(text.into()),
        limit: Some(1),
        ..FeatureQuery::layer("plots")
    };
    let whole = |query: FeatureQuery| FeatureQuery { limit: None, ..query };
    assert_eq!(ask(store, &whole(text("bay"))).await, ["1001", "Bảy-7"]);
    assert_eq!(
        public.features(&text("bay")).await.unwrap()[0].code,
        "Bảy-7",
        "a hidden hit takes no place"
    );
    assert_eq!(ask(&*public, &whole(text("bay"))).await, ["Bảy-7"]);
    assert!(ask(&*public, &whole(text("nguyen van"))).await.is_empty());
    assert_eq!(ask(&*public, &whole(text("1002"))).await, ["1002"]);
    let with = |name: &str, value: &str| FeatureQuery {
        properties: vec![(name.into(), vec![Sought::of(value)])],
        ..FeatureQuery::layer("plots")
    };
    assert_eq!(ask(store, &with("chu_ho", "Nguyễn Văn Bảy")).await, ["1001"]);
    for (name, value) in [
        ("chu_ho", "Nguyễn Văn Bảy"),
        ("ch\"u_ho", "Nguyễn Văn Bảy"),
        ("survey", r#"{"owner":"Nguyễn Văn Bảy","year":2024}"#),
    ] {
        assert!(ask(&*public, &with(name, value)).await.is_empty(), "{name}");
    }
    assert_eq!(ask(&*public, &with("crop", "xoài")).await, ["1002"]);
    assert!(public.search("nguyen van bay", 10).await.unwrap().is_empty());
    assert!(public.search("079012341001", 10).await.unwrap().is_empty());
    assert_eq!(public.search("bay", 1).await.unwrap()[0].code, "Bảy-7");
    assert!(public.versions("plots", "079012341001").await.unwrap().is_empty());
    assert_eq!(store.versions("plots", "079012341001").await.unwrap().len(), 1);
    assert_eq!(public.versions("plots", "1001").await.unwrap().len(), 1);

    // an untidy way of writing a parent finds for the public what it finds inside
    let mut child = plot("1004", "Phạm Văn Tư", "lúa");
    child.parent = Some("29869".into());
    store.put_features(vec![child]).await.unwrap();
    let untidy = FeatureQuery {
        parent: Some("\u{a0}29869 ".into()),
        ..FeatureQuery::layer("plots")
    };
    assert_eq!(ask(store, &untidy).await, ["1004"]);
    assert_eq!(ask(&*public, &untidy).await, ["1004"]);

    // another list, other validators
    let own = LayerDisclosure {
        public: vec!["chu_ho".into(), "owner".into()],
        private: vec!["crop".into()],
    };
    let other = DisclosurePolicy(BTreeMap::from([("plots".to_owned(), own)]));
    let other = store.disclosed(Arc::new(other));
    let seen = other.feature("plots", "1001", None).await.unwrap().unwrap();
    assert_eq!(seen.name.as_deref(), Some("Nguyễn Văn Bảy"));
    assert!(seen.properties.contains_key("chu_ho") && !seen.properties.contains_key("crop"));
    assert_eq!(ask(&*other, &with("chu_ho", "Trần Thị Hai")).await, ["1002"]);
    let revisions = async |store: &dyn Store| {
        let layer = store.layers().await.unwrap().pop().unwrap().revision;
        (layer, store.revision().await.unwrap())
    };
    let (before, apart) = (revisions(&*public).await, revisions(&*other).await);
    assert!(before.0 != apart.0 && before.1 != apart.1);
    store
        .put_features(vec![plot("1003", "Lê Ba", "lúa")])
        .await
        .unwrap();
    let after = revisions(&*public).await;
    assert!(
        after.0 > before.0 && after.1 > before.1,
        "they grow as the store's do"
    );
}

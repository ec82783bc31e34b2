//! Features into the store as an update: a code keeps its `fid` and its history.

use crate::{Error, Result};
use chrono::NaiveDate;
use geo::CoordsIter;
use sen_catalog::Feature;
use sen_catalog::feature::Shape;
use sen_catalog::store::{FeatureQuery, Put, Store};
use serde::Serialize;
use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

/// Features read from the store at once.
const PAGE: usize = 5000;

/// What an update did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Updated {
    /// New codes, or new versions of known ones.
    pub added: usize,
    /// Known features of which something changed.
    pub changed: usize,
    /// Known features as they were.
    pub unchanged: usize,
    /// Former versions that ended because a new one began.
    pub closed: usize,
    /// Features of the layer that are still valid and not in the file; they stay.
    pub absent: usize,
}

/// A version of a code in the store.
struct Version {
    fid: i64,
    from: Option<NaiveDate>,
    to: Option<NaiveDate>,
    print: u64,
}

/// Brings the features of one file into their layer, all or nothing.
///
/// A feature without a first day of validity replaces the version of its code that is valid now. One with a first day
/// ends the version it follows on that day, unless nothing but the day differs: then that version simply goes on.
///
/// # Errors
/// [`Error::Invalid`] when the layer is made of other shapes, otherwise what the store says.
pub async fn update(store: &dyn Store, layer: &str, features: Vec<Feature>) -> Result<Updated> {
    refuse_other_shape(store, layer, &features).await?;
    let mut known = versions(store, layer).await?;
    let mut updated = Updated::default();
    let present: HashSet<(String, String)> = features.iter().map(identity).collect();
    updated.absent = known
        .iter()
        .filter(|(code, versions)| {
            !present.contains(*code) && versions.iter().any(|version| version.to.is_none())
        })
        .count();
    let (mut puts, mut closings) = (Vec::with_capacity(features.len()), Vec::new());
    for mut feature in features {
        let versions = known.entry(identity(&feature)).or_default();
        match place(&mut feature, versions) {
            Placing::Put => puts.push(feature),
            Placing::Unchanged => updated.unchanged += 1,
            Placing::Follow(fid, day) => {
                closings.push((fid, day));
                puts.push(feature);
            }
        }
    }
    updated.closed = closings.len();
    let mut all = closed(store, layer, closings).await?;
    let before = all.len();
    all.append(&mut puts);
    let outcomes = store.put_features(all).await?;
    for outcome in &outcomes[before..] {
        match outcome {
            Put::Added => updated.added += 1,
            Put::Changed => updated.changed += 1,
            Put::Unchanged => updated.unchanged += 1,
        }
    }
    Ok(updated)
}

fn identity(feature: &Feature) -> (String, String) {
    (feature.scheme.clone(), feature.code.clone())
}

enum Placing {
    Put,
    Unchanged,
    /// The version with this `fid` ends on the day.
    Follow(i64, NaiveDate),
}

/// Where a feature goes among the versions of its code.
fn place(feature: &mut Feature, versions: &mut [Version]) -> Placing {
    versions.sort_by_key(|version| version.from);
    if let Some(same) = versions.iter().find(|version| version.from == feature.valid_from) {
        let open_now = feature.valid_from.is_none() && versions.len() > 1;
        if !open_now {
            feature.valid_to = feature.valid_to.or(same.to);
            return Placing::Put;
        }
    }
    let Some(day) = feature.valid_from else {
        let current = versions.iter().rev().find(|version| version.to.is_none());
        if let Some(current) = current.or(versions.last()) {
            feature.valid_from = current.from;
            feature.valid_to = feature.valid_to.or(current.to);
        }
        return Placing::Put;
    };
    let next = versions
        .iter()
        .filter_map(|version| version.from)
        .find(|from| *from > day);
    let former = versions
        .iter()
        .rev()
        .find(|version| version.from.is_none_or(|from| from < day) && version.to.is_none_or(|to| to > day));
    let Some(former) = former else {
        feature.valid_to = feature.valid_to.or(next);
        return Placing::Put;
    };
    if former.print == print(feature) && feature.valid_to.is_none_or(|to| former.to == Some(to)) {
        return Placing::Unchanged;
    }
    feature.valid_to = feature.valid_to.or(former.to).or(next);
    Placing::Follow(former.fid, day)
}

async fn refuse_other_shape(store: &dyn Store, layer: &str, features: &[Feature]) -> Result<()> {
    let Some(shape) = features.first().and_then(|feature| Shape::of(&feature.geometry)) else {
        return Ok(());
    };
    match store
        .layers()
        .await?
        .into_iter()
        .find(|known| known.name == layer)
    {
        Some(known) if known.shape != shape => Err(Error::Invalid(format!(
            "the layer {layer} is made of {}s, the file of {}s; choose another name with --as",
            known.shape.name(),
            shape.name()
        ))),
        _ => Ok(()),
    }
}

async fn versions(store: &dyn Store, layer: &str) -> Result<HashMap<(String, String), Vec<Version>>> {
    let mut known: HashMap<_, Vec<Version>> = HashMap::new();
    let mut query = FeatureQuery {
        limit: Some(PAGE),
        ..FeatureQuery::layer(layer)
    };
    loop {
        let page = store.features(&query).await?;
        let Some(last) = page.last() else {
            return Ok(known);
        };
        query.after = Some(last.fid);
        for feature in &page {
            known.entry(identity(feature)).or_default().push(Version {
                fid: feature.fid,
                from: feature.valid_from,
                to: feature.valid_to,
                print: print(feature),
            });
        }
    }
}

/// The former versions with their last day set.
async fn closed(store: &dyn Store, layer: &str, closings: Vec<(i64, NaiveDate)>) -> Result<Vec<Feature>> {
    let mut all = Vec::with_capacity(closings.len());
    for (fid, day) in closings {
        let query = FeatureQuery {
            after: Some(fid - 1),
            limit: Some(1),
            ..FeatureQuery::layer(layer)
        };
        for feature in store.features(&query).await? {
            if feature.fid == fid {
                all.push(Feature {
                    valid_to: Some(day),
                    ..feature
                });
            }
        }
    }
    Ok(all)
}

/// A number that differs when anything but validity differs. Attributes are compared as they are stored: as text.
fn print(feature: &Feature) -> u64 {
    let mut hasher = DefaultHasher::new();
    (&feature.name, &feature.parent).hash(&mut hasher);
    let stored = |text: String| {
        serde_json::from_str::<serde_json::Value>(&text).map_or(text, |value| value.to_string())
    };
    stored(serde_json::to_string(&feature.properties).unwrap_or_default()).hash(&mut hasher);
    for code in &feature.codes {
        (&code.scheme, &code.market, &code.code).hash(&mut hasher);
    }
    for c in feature.geometry.coords_iter() {
        (c.x.to_bits(), c.y.to_bits()).hash(&mut hasher);
    }
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use geo_types::polygon;
    use sen_catalog::store::{Features, SqliteStore};

    fn plot(code: &str, name: &str, from: Option<&str>) -> Feature {
        let square = polygon![(x: 105.6, y: 10.4), (x: 105.61, y: 10.4), (x: 105.61, y: 10.41)];
        let mut plot = Feature::new("plots", code, square.into());
        plot.name = Some(name.into());
        plot.properties
            .insert("area_ha".into(), serde_json::json!(0.1 + 0.2));
        plot.valid_from = from.map(|day| day.parse().expect("a date"));
        plot
    }

    async fn put(store: &SqliteStore, features: Vec<Feature>) -> (usize, usize, usize, usize, usize) {
        let u = update(store, "plots", features).await.expect("stored");
        (u.added, u.changed, u.unchanged, u.closed, u.absent)
    }

    #[tokio::test]
    async fn an_update_keeps_what_is_known() {
        let store = SqliteStore::in_memory().expect("opens");
        assert_eq!(
            put(&store, vec![plot("A", "a", None), plot("B", "b", None)]).await,
            (2, 0, 0, 0, 0)
        );
        assert_eq!(
            put(&store, vec![plot("A", "a", None), plot("B", "c", None)]).await,
            (0, 1, 1, 0, 0)
        );
        assert_eq!(put(&store, vec![plot("B", "c", None)]).await, (0, 0, 1, 0, 1));
    }

    #[tokio::test]
    async fn a_new_version_ends_the_former_and_a_rerun_changes_nothing() {
        let store = SqliteStore::in_memory().expect("opens");
        put(&store, vec![plot("A", "a", None), plot("B", "b", None)]).await;
        let fid = store
            .feature("plots", "A", None)
            .await
            .expect("answers")
            .expect("there")
            .fid;
        let newer = || {
            vec![
                plot("A", "new", Some("2026-01-01")),
                plot("B", "b", Some("2026-01-01")),
            ]
        };
        assert_eq!(
            put(&store, newer()).await,
            (1, 0, 1, 1, 0),
            "B did not change and goes on"
        );
        assert_eq!(put(&store, newer()).await, (0, 0, 2, 0, 0));
        let before = store
            .feature("plots", "A", "2025-12-31".parse().ok())
            .await
            .expect("answers")
            .expect("there");
        assert_eq!((before.fid, before.name.as_deref()), (fid, Some("a")));
        let after = store.feature("plots", "A", "2026-01-01".parse().ok()).await;
        assert_eq!(
            after.expect("answers").expect("there").name.as_deref(),
            Some("new")
        );
        // without a day the newest is corrected in place
        assert_eq!(
            put(&store, vec![plot("A", "corrected", None)]).await,
            (0, 1, 0, 0, 1)
        );
    }

    #[tokio::test]
    async fn a_layer_is_made_of_one_shape() {
        let store = SqliteStore::in_memory().expect("opens");
        put(&store, vec![plot("A", "a", None)]).await;
        let point = Feature::new("plots", "P", geo_types::Point::new(105.0, 10.0).into());
        let refused = update(&store, "plots", vec![point])
            .await
            .expect_err("refused")
            .to_string();
        assert!(
            refused.contains("polygons") && refused.contains("--as"),
            "{refused}"
        );
    }
}

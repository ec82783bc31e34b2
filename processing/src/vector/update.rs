//! Features into the store as an update: a code keeps its `fid` and its history.

use crate::{Error, Result};
use chrono::NaiveDate;
use geo::CoordsIter;
use sen_catalog::Feature;
use sen_catalog::feature::{Shape, tidy_code};
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

/// A version of a code.
struct Version {
    at: At,
    /// The code as the store has it, where an earlier version of the program kept it untidy.
    written: Option<String>,
    from: Option<NaiveDate>,
    to: Option<NaiveDate>,
    print: u64,
}

/// Where a version is found.
#[derive(Clone, Copy)]
enum At {
    /// In the store, by its `fid`.
    Store(i64),
    /// In the file, by its place there.
    File(usize),
}

/// Brings the features of one file into their layer, all or nothing.
///
/// A feature without a first day of validity replaces the version of its code that is valid now; where the file holds
/// several versions of the code, it is the one before all others. One with a first day ends the version it follows on
/// that day, unless nothing but the day differs: then that version simply goes on. No version outlasts the first day
/// of the next.
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
    let mut rows: HashMap<(String, String), usize> = HashMap::new();
    for feature in &features {
        *rows.entry(identity(feature)).or_default() += 1;
    }
    let mut puts: Vec<Option<Feature>> = Vec::new();
    puts.resize_with(features.len(), || None);
    let mut closings = Vec::new();
    let mut by_day: Vec<(usize, Feature)> = features.into_iter().enumerate().collect();
    by_day.sort_by_key(|(_, feature)| feature.valid_from);
    for (row, mut feature) in by_day {
        let identity = identity(&feature);
        let alone = rows.get(&identity) == Some(&1);
        let versions = known.entry(identity).or_default();
        if let Some(written) = versions.iter().find_map(|version| version.written.as_ref()) {
            // what looks the same is the same plot: it keeps its number and history
            feature.code.clone_from(written);
        }
        match place(&mut feature, alone, versions) {
            Placing::Unchanged => {
                updated.unchanged += 1;
                continue;
            }
            Placing::Put => {}
            Placing::Follow(former, day) => {
                let former = &mut versions[former];
                former.to = Some(day);
                match former.at {
                    At::Store(fid) => closings.push((fid, day)),
                    At::File(earlier) => {
                        if let Some(former) = puts[earlier].as_mut() {
                            former.valid_to = Some(day);
                        }
                    }
                }
            }
        }
        enter(&feature, row, versions);
        puts[row] = Some(feature);
    }
    updated.closed = closings.len();
    let mut all = closed(store, layer, closings).await?;
    let before = all.len();
    all.extend(puts.into_iter().flatten());
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
    (feature.scheme.clone(), tidy_code(&feature.code))
}

enum Placing {
    Put,
    Unchanged,
    /// This one of the versions ends on the day.
    Follow(usize, NaiveDate),
}

/// Where a feature goes among the versions of its code; `alone` when it is the only one of its code in the file.
fn place(feature: &mut Feature, alone: bool, versions: &mut [Version]) -> Placing {
    versions.sort_by_key(|version| version.from);
    let current = versions
        .iter()
        .rev()
        .find(|version| version.to.is_none())
        .or(versions.last());
    if let (None, true, Some(current)) = (feature.valid_from, alone, current) {
        feature.valid_from = current.from;
    }
    let from = feature.valid_from;
    let next = versions
        .iter()
        .filter(|version| version.from > from)
        .find_map(|version| version.from);
    let until = |to: Option<NaiveDate>| to.into_iter().chain(next).min();
    if let Some(same) = versions.iter().find(|version| version.from == from) {
        feature.valid_to = until(feature.valid_to.or(same.to));
        return Placing::Put;
    }
    let former = from.and_then(|day| {
        let reaches = |version: &Version| version.from < from && version.to.is_none_or(|to| to > day);
        versions.iter().rposition(reaches).map(|former| (former, day))
    });
    let Some((former, day)) = former else {
        feature.valid_to = until(feature.valid_to);
        return Placing::Put;
    };
    let before = &versions[former];
    if before.print == print(feature) && feature.valid_to.is_none_or(|to| before.to == Some(to)) {
        return Placing::Unchanged;
    }
    // an update ends when what it updates does, but a file speaks for itself
    let inherited = before.to.filter(|_| matches!(before.at, At::Store(_)));
    feature.valid_to = until(feature.valid_to.or(inherited));
    Placing::Follow(former, day)
}

/// Makes a row of the file known, so that the next version of its code finds it.
fn enter(feature: &Feature, row: usize, versions: &mut Vec<Version>) {
    let version = Version {
        at: At::File(row),
        written: None,
        from: feature.valid_from,
        to: feature.valid_to,
        print: print(feature),
    };
    match versions.iter_mut().find(|known| known.from == version.from) {
        Some(known) => *known = version,
        None => versions.push(version),
    }
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
                at: At::Store(feature.fid),
                written: (tidy_code(&feature.code) != feature.code).then(|| feature.code.clone()),
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
    async fn a_code_that_was_kept_untidy_is_the_same_plot() {
        let store = SqliteStore::in_memory().expect("opens");
        let untidy = "Thu\u{31b}\u{309}a-01 ";
        store
            .put_features(vec![plot(untidy, "a", None)])
            .await
            .expect("as it was kept once");
        assert_eq!(
            put(&store, vec![plot("Thửa-01", "b", None)]).await,
            (0, 1, 0, 0, 0)
        );
        let kept = store
            .features(&FeatureQuery::layer("plots"))
            .await
            .expect("answers");
        assert_eq!((kept.len(), kept[0].name.as_deref()), (1, Some("b")));
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

    /// First and last days of all versions of A, oldest first.
    async fn days(store: &SqliteStore) -> Vec<[Option<String>; 2]> {
        let mut versions = store
            .features(&FeatureQuery::layer("plots"))
            .await
            .expect("answers");
        versions.sort_by_key(|version| version.valid_from);
        let text = |day: Option<NaiveDate>| day.map(|day| day.to_string());
        versions
            .iter()
            .map(|version| [text(version.valid_from), text(version.valid_to)])
            .collect()
    }

    fn days_of(wanted: &[[Option<&str>; 2]]) -> Vec<[Option<String>; 2]> {
        wanted
            .iter()
            .map(|days| days.map(|day| day.map(str::to_owned)))
            .collect()
    }

    #[tokio::test]
    async fn versions_of_one_file_follow_one_another_in_whatever_order() {
        let wanted = days_of(&[
            [None, Some("2020-01-01")],
            [Some("2020-01-01"), Some("2024-01-01")],
            [Some("2024-01-01"), None],
        ]);
        let file = || {
            vec![
                plot("A", "newest", Some("2024-01-01")),
                plot("A", "oldest", None),
                plot("A", "middle", Some("2020-01-01")),
            ]
        };
        let store = SqliteStore::in_memory().expect("opens");
        assert_eq!(put(&store, file()).await, (3, 0, 0, 0, 0));
        assert_eq!(days(&store).await, wanted);
        assert_eq!(
            put(&store, file()).await,
            (0, 0, 3, 0, 0),
            "a rerun changes nothing"
        );
        assert_eq!(days(&store).await, wanted);
        let on = store.feature("plots", "A", "2023-12-31".parse().ok()).await;
        assert_eq!(
            on.expect("answers").expect("there").name.as_deref(),
            Some("middle")
        );
    }

    #[tokio::test]
    async fn a_version_left_open_is_ended_by_the_next() {
        let store = SqliteStore::in_memory().expect("opens");
        let file = || {
            vec![
                plot("A", "a", Some("2020-01-01")),
                plot("A", "b", Some("2024-01-01")),
            ]
        };
        store.put_features(file()).await.expect("stored as they are");
        assert_eq!(put(&store, file()).await, (0, 1, 1, 0, 0));
        let wanted = days_of(&[
            [Some("2020-01-01"), Some("2024-01-01")],
            [Some("2024-01-01"), None],
        ]);
        assert_eq!(days(&store).await, wanted);
        // a last day of the file's own is no reason to overlap either, now or at the next import
        let late = || {
            let mut file = file();
            file[0].valid_to = "2025-06-30".parse().ok();
            file
        };
        assert_eq!(put(&store, late()).await, (0, 0, 2, 0, 0));
        let fresh = SqliteStore::in_memory().expect("opens");
        assert_eq!(put(&fresh, late()).await, (2, 0, 0, 0, 0));
        assert_eq!(days(&fresh).await, wanted);
        assert_eq!(put(&fresh, late()).await, (0, 0, 2, 0, 0));
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

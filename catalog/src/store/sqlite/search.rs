//! One search over the features of all layers: a few narrow questions to the text index, the best kind of hit first,
//! so that no question reads more rows than it answers with.

use super::disclosed::Discloser;
use super::feature_rows::{COLUMNS, decode};
use crate::Result;
use crate::disclosure::DisclosurePolicy;
use crate::feature::{Feature, fold, tidy_code};
use rusqlite::{Connection, ToSql};
use std::collections::BTreeSet;

/// How many hits of the widest question are put in order, for each one that is asked for.
const CANDIDATES: usize = 10;

/// Features whose codes or name hold the text, as far as the policy shows them, best first.
pub(super) fn search(
    connection: &Connection,
    text: &str,
    limit: usize,
    policy: Option<&DisclosurePolicy>,
) -> Result<Vec<Feature>> {
    let needle = fold(text);
    if needle.is_empty() || limit == 0 {
        return Ok(Vec::new());
    }
    let mut found = Found {
        connection,
        needle: &needle,
        discloser: Discloser::new(policy),
        limit,
        seen: BTreeSet::new(),
        features: Vec::new(),
    };
    let code = tidy_code(text);
    // the index of codes begins with the layer, so the few layers are named
    found.add(
        "JOIN layer l ON l.name = f.layer WHERE f.code IN (?1, ?2)",
        &[&code, &code.to_uppercase()],
        limit,
    )?;
    found.add(
        "WHERE f.row_number IN (SELECT row_number FROM other_code WHERE code IN (?1, ?2))",
        &[&code, &code.to_uppercase()],
        limit,
    )?;
    if needle.chars().count() < 3 {
        // trigrams need three letters
        found.add("WHERE f.search LIKE ?1 || '%'", &[&needle], limit)?;
        return Ok(found.features);
    }
    // a text is `code|further code|name`: `^` is its beginning, the bar the end of a code
    let phrases = [
        format!("^\"{needle}|\""),
        format!("^\"{needle}\""),
        format!("\"|{needle}\""),
    ];
    for phrase in &phrases {
        found.matching(phrase, limit)?;
    }
    found.matching(&format!("\"{needle}\""), limit.saturating_mul(CANDIDATES))?;
    Ok(found.features)
}

/// What was found so far, best first.
struct Found<'a> {
    connection: &'a Connection,
    needle: &'a str,
    discloser: Discloser<'a>,
    limit: usize,
    seen: BTreeSet<i64>,
    features: Vec<Feature>,
}

impl Found<'_> {
    fn matching(&mut self, phrase: &str, limit: usize) -> Result<()> {
        self.add(
            "JOIN feature_text t ON t.rowid = f.row_number AND t.search MATCH ?1",
            &[&phrase],
            limit,
        )
    }

    /// Adds the hits of one question that are new, shorter texts first.
    fn add(&mut self, condition: &str, values: &[&dyn ToSql], limit: usize) -> Result<()> {
        let room = self.limit.saturating_sub(self.features.len());
        if room == 0 {
            return Ok(());
        }
        let sql = format!("SELECT {COLUMNS} FROM seen_feature f {condition}");
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut rows = statement.query(values)?;
        let mut hits = Vec::new();
        let mut read = 0;
        while read < limit
            && let Some(row) = rows.next()?
        {
            let fid: i64 = row.get(0)?;
            if self.seen.contains(&fid) {
                read += 1;
                continue;
            }
            // a hit that is one only by what is private does not count
            let feature = self.discloser.disclose(decode(row)?);
            let words = feature.search_text();
            if words.contains(self.needle) {
                read += 1;
                hits.push((words.len(), feature));
            }
        }
        hits.sort_by_key(|a| (a.0, a.1.fid));
        for (_, feature) in hits.into_iter().take(room) {
            self.seen.insert(feature.fid);
            self.features.push(feature);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::Feature;
    use crate::store::{Features, SqliteStore};
    use geo_types::Point;

    fn named(layer: &str, code: &str, name: &str) -> Feature {
        let mut feature = Feature::new(layer, code, Point::new(105.6, 10.4).into());
        feature.name = Some(name.to_owned()).filter(|name| !name.is_empty());
        feature
    }

    #[tokio::test]
    async fn the_code_itself_comes_first_then_what_begins_with_it() {
        let store = SqliteStore::in_memory().expect("opens");
        let features = vec![
            named("plots", "DT-0011", "Thửa 11"),
            named("plots", "DT-001", ""),
            named("dyke_compartments", "OB-1", "Ô bao 1 Phường Bình Thạnh Tây"),
            named("admin_units", "99110", "Phường Bình Thạnh Tây"),
            named("stations", "XX-DT-001", "Trạm"),
        ];
        store.put_features(features).await.expect("stored");
        let codes = async |text: &str| -> Vec<String> {
            let found = store.search(text, 10).await.expect("an answer");
            found.into_iter().map(|feature| feature.code).collect()
        };
        assert_eq!(codes("dt 001").await, ["DT-001", "DT-0011", "XX-DT-001"]);
        assert_eq!(codes("DT-001").await[0], "DT-001");
        for text in [
            "binh thanh tay",
            "Bình Thạnh Tây",
            "BÌNH THẠNH TÂY",
            "Bi\u{300}nh Tha\u{323}nh",
        ] {
            assert_eq!(codes(text).await, ["99110", "OB-1"], "{text}");
        }
        assert_eq!(codes("ob").await, ["OB-1"]);
        assert!(codes("\"'*^").await.is_empty() && codes("nothing").await.is_empty());
        assert_eq!(store.search("dt001", 1).await.expect("an answer").len(), 1);
    }
}

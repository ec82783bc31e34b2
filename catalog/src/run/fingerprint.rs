//! What a unit was made from.

use super::ContentDigest;
use serde::{Deserialize, Serialize};

/// What a unit is made from, in named parts (digests of inputs, settings), so that it can be said which of them differs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprint(pub Vec<(String, ContentDigest)>);

impl Fingerprint {
    /// The digest of a part.
    fn part(&self, name: &str) -> Option<ContentDigest> {
        let part = self.0.iter().find(|(own, _)| own == name)?;
        Some(part.1)
    }

    /// The names of the parts that are others here than there, that came or that went: in the order here, then there.
    pub fn differing_parts<'s>(&'s self, other: &'s Self) -> Vec<&'s str> {
        let here = self
            .0
            .iter()
            .filter(|(name, digest)| other.part(name) != Some(*digest));
        let gone = other.0.iter().filter(|(name, _)| self.part(name).is_none());
        here.chain(gone).map(|(name, _)| name.as_str()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_that_differ_come_and_go_are_named() {
        let of = |parts: &[(&str, &str)]| {
            let part = |(name, text): &(&str, &str)| ((*name).to_owned(), ContentDigest::of(text.as_bytes()));
            Fingerprint(parts.iter().map(part).collect())
        };
        let now = of(&[
            ("scenes/sentinel-2-l2a", "a"),
            ("settings", "b"),
            ("file/dem.tif", "c"),
        ]);
        let then = of(&[("settings", "b"), ("scenes/sentinel-2-l2a", "z"), ("mask", "d")]);
        assert_eq!(
            now.differing_parts(&then),
            ["scenes/sentinel-2-l2a", "file/dem.tif", "mask"]
        );
        assert!(now.differing_parts(&now).is_empty());
    }
}

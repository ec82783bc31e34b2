//! Digests that add up.

use super::{Dataset, Unit};
use crate::period::Period;
use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt;
use std::iter::Sum;
use std::str::FromStr;

/// A digest of contents: that of a set of rows is the sum of theirs modulo 2^128, so that a row that comes, goes or changes
/// costs an addition and the order in which rows came does not count.
///
/// Each row gives the first 128 bits of its SHA-256. Work is left undone because two digests are equal, without a look at what
/// they are of: 64 bits would do against chance (of a thousand million comparisons one in 10^10 would be wrong), 128 leave
/// nothing to be thought about. They are against chance and error, not against people.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct ContentDigest(u128);

impl ContentDigest {
    /// The digest of some bytes: settings, a text, a file's checksum.
    pub fn of(bytes: &[u8]) -> Self {
        Self::of_hash(Sha256::new_with_prefix(bytes))
    }

    /// The digest of what was fed into the hash.
    pub(crate) fn of_hash(hash: Sha256) -> Self {
        let all = hash.finalize();
        Self(all.first_chunk().map_or(0, |bytes| u128::from_be_bytes(*bytes)))
    }

    /// From its 16 bytes.
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(u128::from_be_bytes(bytes))
    }

    /// Its 16 bytes.
    pub fn to_bytes(self) -> [u8; 16] {
        self.0.to_be_bytes()
    }

    /// With the contents of the other one added.
    pub fn plus(self, other: Self) -> Self {
        Self(self.0.wrapping_add(other.0))
    }

    /// With the contents of the other one taken away.
    pub fn minus(self, other: Self) -> Self {
        Self(self.0.wrapping_sub(other.0))
    }

    /// A sum of rows as the rows of another: the same rows of two owners give two digests. It is the same whether each row is
    /// made its owner's, or their sum.
    pub fn owned_by(self, owner: Self) -> Self {
        // an odd factor loses nothing
        Self(self.0.wrapping_mul(owner.0 | 1))
    }
}

impl Sum for ContentDigest {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), Self::plus)
    }
}

impl fmt::Display for ContentDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl FromStr for ContentDigest {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        let is_written = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_written
            .then(|| u128::from_str_radix(text, 16).ok().map(Self))
            .flatten()
            .ok_or_else(|| Error::Invalid(format!("`{text}` is no digest of 32 hex digits")))
    }
}

impl From<ContentDigest> for String {
    fn from(digest: ContentDigest) -> Self {
        digest.to_string()
    }
}

impl TryFrom<String> for ContentDigest {
    type Error = Error;
    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

/// The digests of all datasets at one moment, by unit. What holds no row has none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DatasetDigests(BTreeMap<Dataset, BTreeMap<Option<Period>, ContentDigest>>);

impl DatasetDigests {
    /// Takes in the digest of a unit.
    pub fn insert(&mut self, unit: Unit, digest: ContentDigest) {
        let periods = self.0.entry(unit.dataset).or_default();
        periods.insert(unit.period, digest);
    }

    /// The digest of one dataset in one period.
    pub fn unit(&self, unit: &Unit) -> Option<ContentDigest> {
        self.0.get(&unit.dataset)?.get(&unit.period).copied()
    }

    /// The digest of a dataset: the sum of those of its periods.
    pub fn dataset(&self, dataset: &Dataset) -> Option<ContentDigest> {
        let periods = self.0.get(dataset)?;
        Some(periods.values().copied().sum())
    }

    /// The datasets that hold anything.
    pub fn datasets(&self) -> impl Iterator<Item = &Dataset> {
        self.0.keys()
    }

    /// The digests of a dataset by period.
    pub fn periods(&self, dataset: &Dataset) -> impl Iterator<Item = (Option<Period>, ContentDigest)> {
        let periods = self.0.get(dataset).into_iter().flatten();
        periods.map(|(period, digest)| (*period, *digest))
    }

    /// Every unit with its digest, by dataset, then period.
    pub fn iter(&self) -> impl Iterator<Item = (Unit, ContentDigest)> {
        self.0.iter().flat_map(|(dataset, periods)| {
            periods.iter().map(|(&period, &digest)| {
                let dataset = dataset.clone();
                (Unit { dataset, period }, digest)
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_forget_the_order_and_keep_whose_a_row_is() {
        let row = |text: &str| ContentDigest::of(text.as_bytes());
        let (a, b, c) = (row("a"), row("b"), row("c"));
        assert_eq!(a.plus(b).plus(c).minus(b), c.plus(a));
        assert_eq!(
            a.plus(b).owned_by(c),
            a.owned_by(c).plus(b.owned_by(c)),
            "row by row or at once"
        );
        assert_ne!(
            a.owned_by(b).plus(c.owned_by(row("x"))),
            c.owned_by(b).plus(a.owned_by(row("x")))
        );
        assert_eq!(a.to_string().parse::<ContentDigest>().expect("parsed"), a);
        assert_eq!(ContentDigest::from_bytes(a.to_bytes()), a);
        for bad in ["ab", &format!("+{:031x}", 1)] {
            assert!(bad.parse::<ContentDigest>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_dataset_is_the_sum_of_its_periods() {
        let dataset = Dataset::Observations("water_level".into());
        let unit = |week: &str| Unit {
            dataset: dataset.clone(),
            period: week.parse().ok(),
        };
        let mut all = DatasetDigests::default();
        assert_eq!(all.dataset(&dataset), None);
        let (one, two) = (ContentDigest::of(b"1"), ContentDigest::of(b"2"));
        all.insert(unit("2026-W34"), one);
        all.insert(unit("2026-W33"), two);
        assert_eq!(all.unit(&unit("2026-W34")), Some(one));
        assert_eq!(all.unit(&unit("2026-W35")), None);
        assert_eq!(all.dataset(&dataset), Some(two.plus(one)));
        let listed: Vec<_> = all.iter().map(|(unit, _)| unit.to_string()).collect();
        assert_eq!(
            listed,
            [
                "observations/water_level 2026-W33",
                "observations/water_level 2026-W34"
            ]
        );
    }
}

//! What a query finds for the public: what is private is taken away from each feature, and a condition that only held because
//! of it does not hold.

use crate::disclosure::{DisclosurePolicy, DisclosureView};
use crate::feature::{Feature, fold};
use crate::store::FeatureQuery;

/// Bits of a public revision that tell one policy from another.
const POLICY_BITS: u32 = 20;

/// A revision as validators are made of it: it grows as the store's does and is another under another policy.
pub(super) fn public_revision(revision: u64, policy: Option<&DisclosurePolicy>) -> u64 {
    match policy {
        None => revision,
        Some(policy) => revision << POLICY_BITS | (policy.digest() & ((1 << POLICY_BITS) - 1)),
    }
}

/// Hands out features as a policy allows; without one as they are.
pub(super) struct Discloser<'a> {
    view: Option<DisclosureView<'a>>,
}

impl<'a> Discloser<'a> {
    pub(super) fn new(policy: Option<&'a DisclosurePolicy>) -> Self {
        Self {
            view: policy.map(DisclosurePolicy::view),
        }
    }

    /// The feature as it may be seen.
    pub(super) fn disclose(&mut self, mut feature: Feature) -> Feature {
        if let Some(view) = &mut self.view {
            view.disclose(&mut feature);
        }
        feature
    }

    /// True when conditions of the query may hold for reasons that are private, so that each feature is asked again.
    pub(super) fn asks_again(&self, query: &FeatureQuery) -> bool {
        self.view.is_some() && (query.text.is_some() || query.parent.is_some())
    }
}

/// True when a disclosed feature still answers the text and the parent of a query.
pub(super) fn still_fits(feature: &Feature, query: &FeatureQuery) -> bool {
    let parent = query
        .parent
        .as_ref()
        .is_none_or(|parent| feature.parent.as_ref() == Some(parent));
    parent && query.text.as_deref().is_none_or(|text| holds_text(feature, text))
}

/// True when code, further codes or name of a disclosed feature hold the text.
pub(super) fn holds_text(feature: &Feature, text: &str) -> bool {
    feature.search_text().contains(&fold(text))
}

/// True when a disclosed feature still has the code, as its own or a further one.
pub(super) fn has_code(feature: &Feature, code: &str) -> bool {
    feature.code == code || feature.codes.iter().any(|other| other.code == code)
}

/// True when a condition names a private attribute: it holds for nobody, as that of an attribute that is not there.
pub(super) fn asks_private(query: &FeatureQuery, policy: Option<&DisclosurePolicy>) -> bool {
    let Some(policy) = policy else { return false };
    let layer = query.layer.as_deref().unwrap_or_default();
    query
        .properties
        .iter()
        .any(|(name, _)| policy.is_private(layer, name))
}

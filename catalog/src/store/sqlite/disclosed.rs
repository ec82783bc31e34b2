//! What a query finds for the public: what is private is taken away from each feature, and a condition that only held because
//! of it does not hold.

use crate::disclosure::{DisclosurePolicy, DisclosureView};
use crate::feature::Feature;
use crate::store::FeatureQuery;

/// Bits of a public revision that tell one policy from another.
const POLICY_BITS: u32 = 20;

/// What tells the revisions of one policy from those of another; made once for a store, as it is asked for at every look for
/// changes.
pub(super) fn policy_mark(policy: &DisclosurePolicy) -> u64 {
    policy.digest() & ((1 << POLICY_BITS) - 1)
}

/// A revision as validators are made of it: it grows as the store's does and is another under another policy.
pub(super) fn public_revision(revision: u64, mark: Option<u64>) -> u64 {
    mark.map_or(revision, |mark| revision << POLICY_BITS | mark)
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

/// True when a disclosed feature, which the query found, still shows the parent and the text that it was found by; `needle` is
/// the text folded.
pub(super) fn still_fits(feature: &Feature, query: &FeatureQuery, needle: &str) -> bool {
    // disclosing keeps a parent as it is, or takes it away
    let parent = query.parent.is_none() || feature.parent.is_some();
    parent && feature.search_text().contains(needle)
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

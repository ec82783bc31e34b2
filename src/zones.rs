//! Settings of zones: schemes of codes with their soft validators, and what the files of a kind usually look like.

use crate::config::UsageError;
use regex_automata::nfa::thompson::pikevm::PikeVM;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A scheme of codes. Codes are kept verbatim whatever it says: one that does not fit is warned about, never refused.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Scheme {
    /// What its codes look like: a regular expression, anchored with ^ and $.
    pub(crate) pattern: Option<String>,
    /// What to say of a code that does not fit.
    pub(crate) message: Option<String>,
}

/// All schemes by name; those known from the start can be changed, not lost.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(from = "BTreeMap<String, Scheme>", into = "BTreeMap<String, Scheme>")]
pub(crate) struct Schemes(pub(crate) BTreeMap<String, Scheme>);

impl Default for Schemes {
    fn default() -> Self {
        BTreeMap::new().into()
    }
}

impl From<BTreeMap<String, Scheme>> for Schemes {
    fn from(mut schemes: BTreeMap<String, Scheme>) -> Self {
        // Decree 55/2017/ND-CP, article 4: province, species, farm, pond
        schemes.entry("pangasius".to_owned()).or_insert_with(|| Scheme {
            pattern: Some(r"^\d{2}-\d{2}-\d{4}-\d{3}$".to_owned()),
            message: Some("a pangasius pond has 11 digits AA-BB-CCCC-DDD (Decree 55/2017/ND-CP)".to_owned()),
        });
        Self(schemes)
    }
}

impl From<Schemes> for BTreeMap<String, Scheme> {
    fn from(schemes: Schemes) -> Self {
        schemes.0
    }
}

impl JsonSchema for Schemes {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Schemes".into()
    }
    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        BTreeMap::<String, Scheme>::json_schema(generator)
    }
}

/// What the files of a kind look like, so that it need not be typed at every import.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Kind {
    /// Column of the code.
    pub(crate) code: Option<String>,
    /// Scheme of the codes.
    pub(crate) scheme: Option<String>,
    /// Column of the name.
    pub(crate) name: Option<String>,
    /// Column of the code of the unit a feature belongs to.
    pub(crate) parent: Option<String>,
}

/// The validators of all schemes, compiled.
pub(crate) struct Validators(BTreeMap<String, (PikeVM, String)>);

impl Schemes {
    /// Compiles the patterns.
    ///
    /// # Errors
    /// Names the setting whose pattern is none.
    pub(crate) fn validators(&self) -> Result<Validators, UsageError> {
        let mut compiled = BTreeMap::new();
        for (name, scheme) in &self.0 {
            let Some(pattern) = &scheme.pattern else { continue };
            let machine = PikeVM::new(pattern)
                .map_err(|error| UsageError(format!("schemes.{name}.pattern: `{pattern}`: {error}")))?;
            let message = scheme
                .message
                .clone()
                .unwrap_or_else(|| format!("codes of the scheme {name} look like {pattern}"));
            compiled.insert(name.clone(), (machine, message));
        }
        Ok(Validators(compiled))
    }
}

impl Validators {
    /// What is odd about a code; none when it fits or its scheme has no validator.
    pub(crate) fn odd(&self, scheme: &str, code: &str) -> Option<&str> {
        let (machine, message) = self.0.get(scheme)?;
        let mut cache = machine.create_cache();
        (!machine.is_match(&mut cache, code)).then_some(message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pangasius_codes_are_known_and_others_can_be_told() {
        let told = BTreeMap::from([(
            "export".to_owned(),
            Scheme {
                pattern: Some("^VN-[A-Z]{2}(OR|PH)-\\d{3,4}$".to_owned()),
                message: None,
            },
        )]);
        let validators = Schemes::from(told)
            .validators()
            .unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(validators.odd("pangasius", "82-01-0001-001"), None);
        assert!(
            validators
                .odd("pangasius", "82-01-1-1")
                .expect("odd")
                .contains("55/2017")
        );
        assert!(validators.odd("export", "VN-DTOR-1").is_some());
        assert_eq!(validators.odd("export", "VN-DTOR-0001"), None);
        assert_eq!(validators.odd("local", "anything"), None);
    }

    #[test]
    fn a_bad_pattern_is_named() {
        let told = BTreeMap::from([(
            "x".to_owned(),
            Scheme {
                pattern: Some("(".to_owned()),
                message: None,
            },
        )]);
        let error = Schemes::from(told).validators().err().expect("refused");
        assert!(error.0.contains("schemes.x.pattern"), "{}", error.0);
    }
}

//! `/api/v1/calibrations[/{collection}]`: layers held against what stations measured, every version with its figures,
//! and the correction that stands beside raw values.

use super::Standard;
use crate::document;
use crate::headers::MINUTE;
use crate::problem::{Outcome, Problem};
use crate::query::{Query, segments};
use crate::state::Shared;
use crate::values::tidy;
use axum::Router;
use axum::extract::{Request, State};
use axum::routing::get;
use sen_catalog::calibration::{Calibration, METHOD, in_use};
use serde::Serialize;
use serde_json::{Map, Value, json};

/// See the module.
pub(crate) struct Calibrations;

impl Standard for Calibrations {
    fn routes(&self) -> Router<Shared> {
        Router::new()
            .route("/api/v1/calibrations", get(all))
            .route("/api/v1/calibrations/{collection}", get(one))
    }
}

/// What a correction makes of a raw value, which it stands beside and never replaces.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Corrected {
    corrected: f64,
    calibration: Version,
}

/// Which correction it was: the coefficients are under `/api/v1/calibrations/{collection}`.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct Version {
    property: String,
    version: u32,
}

impl Corrected {
    /// None where there is no value, or no correction that earned its place.
    pub(crate) fn of(calibration: Option<&Calibration>, raw: Option<f64>) -> Option<Self> {
        let calibration = calibration?;
        Some(Self {
            corrected: tidy(calibration.corrected(raw?)?),
            calibration: Version {
                property: calibration.property.clone(),
                version: calibration.version,
            },
        })
    }

    /// Puts it beside a raw value.
    pub(crate) fn put_into(self, entry: &mut Map<String, Value>) {
        entry.insert("corrected".into(), json!(self.corrected));
        entry.insert("calibration".into(), json!(self.calibration));
    }

    /// The cells of a table: value, `property/version`.
    pub(crate) fn cells(&self) -> (f64, String) {
        let Version { property, version } = &self.calibration;
        (self.corrected, format!("{property}/{version}"))
    }
}

async fn all(State(app): State<Shared>, request: Request) -> Outcome {
    Query::of(request.uri(), &[])?;
    let snapshot = app.lookup.snapshot().await?;
    let known = app.lookup.calibrations(&snapshot).await?;
    let versions: Vec<Value> = known.iter().map(|one| json_of(one, &known)).collect();
    let document = json!({"calibrations": versions});
    Ok(document::json(request.headers(), MINUTE, &document))
}

async fn one(State(app): State<Shared>, request: Request) -> Outcome {
    Query::of(request.uri(), &[])?;
    let collection = segments(request.uri().path())?.pop().unwrap_or_default();
    let snapshot = app.lookup.snapshot().await?;
    let known = app.lookup.calibrations(&snapshot).await?;
    let own: Vec<Value> = known
        .iter()
        .filter(|one| one.collection == collection)
        .map(|one| {
            let mut entry = json_of(one, &known);
            entry["lineage"] = json!(one.lineage);
            entry
        })
        .collect();
    if own.is_empty() && !snapshot.collections.contains(collection.as_ref()) {
        return Err(Problem::not_found(
            "unknown-layer",
            format!("there is no layer `{collection}`; see /api/v1/calibrations and /catalog"),
        ));
    }
    let document = json!({"collection": collection, "calibrations": own});
    Ok(document::json(request.headers(), MINUTE, &document))
}

/// A version with its figures (`n`, `bias`, `rmse`, `r2`, lines, intervals).
fn json_of(one: &Calibration, known: &[Calibration]) -> Value {
    let mut entry = one.figures.clone();
    let said = [
        ("collection", json!(one.collection)),
        ("property", json!(one.property)),
        ("version", json!(one.version)),
        ("method", json!(METHOD)),
        ("slope", json!(one.slope)),
        ("intercept", json!(one.intercept)),
        ("applied", json!(one.applied)),
        ("in_use", json!(in_use(known, &one.collection) == Some(one))),
        ("reason", json!(one.reason)),
    ];
    entry.extend(said.map(|(name, value)| (name.to_owned(), value)));
    Value::Object(entry)
}

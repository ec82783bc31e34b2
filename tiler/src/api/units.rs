//! `/api/v1/units`: administrative units by code and day, with what they were made of and what became of them. Codes are
//! re-used in the world: one code may be a ward before a day and another one after it, so all units of a code are told.

use super::Standard;
use crate::document;
use crate::headers::MINUTE;
use crate::problem::{Outcome, Problem};
use crate::query::{Query, segments};
use crate::state::Shared;
use axum::Router;
use axum::extract::{Request, State};
use axum::routing::get;
use sen_catalog::admin::{AdminUnit, Level};
use sen_catalog::feature::fold;
use sen_catalog::store::UnitQuery;
use serde_json::{Value, json};

/// Units of an answer when nothing is said, and at most.
const LIMIT: usize = 100;
/// See [`LIMIT`].
const MAX_LIMIT: usize = 20_000;

/// See the module.
pub(crate) struct Units;

impl Standard for Units {
    fn routes(&self) -> Router<Shared> {
        Router::new()
            .route("/api/v1/units", get(list))
            .route("/api/v1/units/{code}", get(of_code))
    }
}

/// `?q=&level=&parent=&on=&limit=`.
async fn list(State(app): State<Shared>, request: Request) -> Outcome {
    let query = Query::of(request.uri(), &["q", "level", "parent", "on", "limit"])?;
    let level = query.get("level").map(str::parse::<Level>).transpose();
    let asked = UnitQuery {
        level: level.map_err(|error| Problem::bad("level", error.to_string()))?,
        parent: query.get("parent").map(str::to_owned),
        valid_on: super::zones::day(&query)?,
        ..UnitQuery::default()
    };
    let limit = query
        .number("limit", 1..=usize::MAX)?
        .unwrap_or(LIMIT)
        .min(MAX_LIMIT);
    let mut units = app.lookup.store().units(&asked).await?;
    if let Some(text) = query.get("q").map(fold).filter(|text| !text.is_empty()) {
        units.retain(|unit| unit.code.contains(&text) || fold(&unit.name).contains(&text));
    }
    let matched = units.len();
    let units: Vec<Value> = units.iter().take(limit).map(of_unit).collect();
    let document = json!({"matched": matched, "units": units});
    Ok(document::json(request.headers(), MINUTE, &document))
}

/// All units that ever had a code, or a 404.
async fn of_code(State(app): State<Shared>, request: Request) -> Outcome {
    Query::of(request.uri(), &[])?;
    let code = segments(request.uri().path())?.pop().unwrap_or_default();
    let store = app.lookup.store();
    let own = UnitQuery {
        code: Some(code.to_string()),
        ..UnitQuery::default()
    };
    let found = store.units(&own).await?;
    if found.is_empty() {
        return Err(Problem::not_found(
            "unknown-code",
            format!(
                "no administrative unit ever had the code `{code}` here; look for it with /api/v1/units?q="
            ),
        ));
    }
    let mut units = Vec::new();
    for unit in &found {
        let of_level = UnitQuery {
            level: Some(unit.level),
            ..UnitQuery::default()
        };
        let level = store.units(&of_level).await?;
        let mut document = of_unit(unit);
        let named = |code: &str, from| {
            level
                .iter()
                .find(|other| other.code == code && other.valid_from == from)
        };
        let made_of = unit.predecessors.iter().map(|one| {
            let mut told = json!(one);
            told["name"] = json!(named(&one.code, one.valid_from).map(|other| &other.name));
            told
        });
        document["predecessors"] = made_of.collect();
        document["successors"] = level.iter().filter_map(|other| became(unit, other)).collect();
        units.push(document);
    }
    Ok(document::json(
        request.headers(),
        MINUTE,
        &json!({"code": code, "units": units}),
    ))
}

/// What went from a unit into another one.
fn became(unit: &AdminUnit, other: &AdminUnit) -> Option<Value> {
    let from =
        |one: &&sen_catalog::admin::Predecessor| one.code == unit.code && one.valid_from == unit.valid_from;
    let taken = other.predecessors.iter().find(from)?;
    Some(
        json!({"code": other.code, "name": other.name, "valid_from": other.valid_from,
        "share": taken.share, "part": taken.part, "basis": taken.basis}),
    )
}

fn of_unit(unit: &AdminUnit) -> Value {
    json!({"level": unit.level.name(), "code": unit.code, "name": unit.name, "parent": unit.parent,
        "valid_from": unit.valid_from, "valid_to": unit.valid_to, "predecessors": unit.predecessors})
}

//! `/api/v1/zones/{kind}/inundation?datetime=&class=&bbox=&compact=`: why the zones of a kind are under water in a week
//! (`compact=true`: ids and class numbers alone, to colour a map with), and `/api/v1/zones/{kind}/{code}/inundation`: the
//! weeks of one of them.

use super::{Which, bbox, layer};
use crate::document;
use crate::headers::{HOUR, MINUTE, SEN_PERIOD};
use crate::problem::{Outcome, Problem};
use crate::query::{Query, segments};
use crate::state::{App, Shared, text_header};
use crate::style::Text;
use crate::time::When;
use crate::values::tidy;
use axum::extract::{Request, State};
use sen_catalog::inundation::{Cause, Inundation};
use sen_catalog::{Feature, FeatureQuery};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Style that names and colours the causes.
const STYLE: &str = "inundation";
/// Collection whose weeks the records are of.
const FLOOD: &str = "flood";
/// Most zones of one answer.
const MAX_ZONES: usize = 20_000;

/// The name of a cause for people.
pub(crate) fn title(app: &App, cause: Cause) -> Text {
    let style = app.styles.style(STYLE);
    let title = style.and_then(|style| style.class_title(f64::from(cause.number())));
    title.cloned().unwrap_or_else(|| Text {
        vi: cause.name().to_owned(),
        en: cause.name().to_owned(),
    })
}

/// A record as the API tells it.
pub(crate) fn json_of(app: &App, record: &Inundation) -> Value {
    let title = title(app, record.class);
    let (vi, en) = record.reason.names();
    json!({
        "period": record.period.to_string(), "class": record.class, "number": record.class.number(),
        "title": {"vi": title.vi, "en": title.en},
        "sure": record.sure, "alert": record.class.is_alert(),
        "reason": {"id": record.reason, "vi": vi, "en": en},
        "looked": record.looked, "seen": record.seen,
        "flooded_share": record.flooded_share, "flooded_ha": record.flooded_ha.map(tidy),
        "connected_ha": record.connected_ha.map(tidy), "outside_share": record.outside_share,
        "first_wet": record.first_wet, "last_wet": record.last_wet, "days_under_water": record.days_under_water,
        "gauge": record.gauge,
    })
}

/// The causes named by `class=`, a comma list; none: all.
fn causes(query: &Query<'_>) -> Outcome<Vec<Cause>> {
    let known = || Cause::ALL.map(Cause::name).join(", ");
    query
        .list("class")
        .map(|name| {
            Cause::named(name)
                .ok_or_else(|| Problem::bad("class", format!("`{name}` is no class; there are {}", known())))
        })
        .collect()
}

/// The zones of a kind in a week.
pub(super) async fn list(State(app): State<Shared>, request: Request) -> Outcome {
    let (uri, headers) = (request.uri(), request.headers());
    let parts = segments(uri.path())?;
    let kind = parts.get(3).map_or("", AsRef::as_ref);
    let query = Query::of(uri, &["datetime", "nearest", "class", "bbox", "compact"])?;
    let (when, causes) = (When::of(&query)?, causes(&query)?);
    layer(&app, kind).await?;
    let snapshot = app.lookup.snapshot().await?;
    let item = app.lookup.item(&snapshot, FLOOD, when).await?;
    let period = item.ok_or_else(|| when.nothing(FLOOD))?.period();
    let store = app.lookup.store();
    let records = store.inundations_in(kind, period, &causes).await?;
    if records.is_empty() && !store.inundation_weeks(kind).await?.contains(&period) {
        return Err(Problem::not_found(
            "no-inundation",
            format!(
                "why `{kind}` are under water is not told for {period}; sen process tells it for dyke compartments"
            ),
        ));
    }
    let cache = if when.is_concrete() { HOUR } else { MINUTE };
    if query.flag("compact")? {
        let fids: Vec<i64> = records.iter().map(|record| record.fid).collect();
        let numbers: Vec<u8> = records.iter().map(|record| record.class.number()).collect();
        let document = json!({"kind": kind, "period": period.to_string(), "fids": fids, "values": numbers});
        return Ok(document::json(headers, cache, &document));
    }
    let wanted = FeatureQuery {
        bbox: bbox(&query)?,
        limit: Some(MAX_ZONES + 1),
        ..FeatureQuery::layer(kind)
    };
    let found = store.features(&wanted).await?;
    if found.len() > MAX_ZONES {
        return Err(Problem::too_large(format!(
            "more than {MAX_ZONES} zones are more than one answer holds; give a bbox"
        )));
    }
    let by_fid: BTreeMap<i64, &Feature> = found.iter().map(|feature| (feature.fid, feature)).collect();
    let zones: Vec<Value> = records
        .iter()
        .filter_map(|record| {
            let feature = by_fid.get(&record.fid)?;
            let mut zone = json_of(&app, record);
            let fields = zone.as_object_mut()?;
            fields.remove("period");
            fields.insert("fid".into(), json!(record.fid));
            fields.insert("code".into(), json!(feature.code));
            fields.insert("name".into(), json!(feature.name));
            Some(zone)
        })
        .collect();
    let document = json!({"kind": kind, "period": period.to_string(), "zones": zones});
    let mut response = document::json(headers, cache, &document);
    response
        .headers_mut()
        .insert(SEN_PERIOD, text_header(&period.to_string()));
    Ok(response)
}

/// The weeks of one zone, oldest first.
pub(super) async fn weeks(State(app): State<Shared>, request: Request) -> Outcome {
    let (uri, headers) = (request.uri(), request.headers());
    let parts = segments(uri.path())?;
    let part = |index: usize| parts.get(index).map_or("", AsRef::as_ref);
    let query = Query::of(uri, &["datetime", "on", "scheme"])?;
    let feature = Which::of(&query)?.zone(&app, part(3), part(4)).await?;
    let when = When::of(&query)?;
    let (from, to) = when.query.weeks();
    let records = app.lookup.store().inundations_of(feature.fid).await?;
    let inside = records.iter().filter(|record| {
        from.is_none_or(|from| from <= record.period) && to.is_none_or(|to| record.period <= to)
    });
    let mut weeks: Vec<Value> = inside.map(|record| json_of(&app, record)).collect();
    if when.newest_alone {
        weeks.drain(..weeks.len().saturating_sub(1));
    }
    let document = json!({"kind": feature.layer, "code": feature.code, "weeks": weeks});
    Ok(document::json(headers, MINUTE, &document))
}

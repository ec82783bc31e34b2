//! `/zones/...`: the pages a person opens from a QR code or a list. Server HTML that needs no script, one file of
//! bytes besides the picture, in Vietnamese and English.

mod attributes;
mod chart;
mod fire;
pub(crate) mod riverbank;
mod station;
mod water;
pub(crate) mod words;

use crate::api::search::commune_of;
use crate::api::zones::{self, Row, Versions, Which, centre, label, record, series, water_share};
use crate::document;
use crate::headers::MINUTE;
use crate::layers::{LATEST, language};
use crate::problem::{Outcome, Problem};
use crate::query::{Query, encode, segments};
use crate::state::{App, Shared, text_header};
use crate::station_week::{StationWeek, clock};
use crate::style::{Language, Text};
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use minijinja::{Environment, Value, context};
use riverbank::Reach;
use sen_catalog::fire::HOTSPOTS;
use sen_catalog::intake::STATIONS;
use sen_catalog::{Feature, FeatureQuery, Period};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;
use words::{date, days, number, percent, week};

/// Weeks of the table, newest first.
const TABLE_WEEKS: usize = 30;

/// Weeks of the chart: two years.
const CHART_WEEKS: usize = 104;

/// Nothing runs, nothing is fetched but pictures of our own.
const CONTENT_SECURITY_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; img-src 'self'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors *",
);

static TEMPLATES: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut templates = Environment::new();
    for (name, source) in [
        ("frame.html", include_str!("frame.html")),
        ("zone.html", include_str!("zone.html")),
        ("list.html", include_str!("list.html")),
        ("kinds.html", include_str!("kinds.html")),
        ("not_found.html", include_str!("not_found.html")),
    ] {
        templates
            .add_template(name, source)
            .expect("a test renders every template");
    }
    templates
});

static TEXTS: LazyLock<BTreeMap<String, Text>> = LazyLock::new(|| {
    serde_json::from_str(include_str!("texts.json")).expect("a test reads the texts of the pages")
});

/// What every page of one request shares.
struct Page<'a> {
    app: &'a Shared,
    headers: &'a HeaderMap,
    query: Query<'a>,
    language: Language,
    /// The way from this page to the root of the service, so that it also works under a prefix.
    root: Cow<'static, str>,
}

impl<'a> Page<'a> {
    fn of(
        app: &'a Shared,
        request: &'a Request,
        root: &'static str,
        parameters: &'static [&'static str],
    ) -> Outcome<Self> {
        let query = Query::of(request.uri(), parameters)?;
        Ok(Self {
            app,
            headers: request.headers(),
            language: language(&query, request.headers())?,
            query,
            root: root.into(),
        })
    }

    /// The query of this page with one parameter put in place of its old value.
    fn with(&self, name: &str, value: &str) -> String {
        self.query.again_with(|_| true, name, value)
    }

    fn render(&self, template: &str, status: StatusCode, own: Value) -> Outcome {
        let texts: BTreeMap<&str, &str> = TEXTS
            .iter()
            .map(|(key, text)| (key.as_str(), text.get(self.language)))
            .collect();
        let other = match self.language {
            Language::Vi => Language::En,
            Language::En => Language::Vi,
        };
        let shared = context! {
            lang => self.language.tag(), other => other.tag(), t => texts, root => self.root.as_ref(),
            switch_query => self.with("lang", other.tag()),
        };
        let failed = |error: minijinja::Error| {
            tracing::error!(%error, template, "a page cannot be written");
            Problem::internal("this page")
        };
        let template = TEMPLATES.get_template(template).map_err(failed)?;
        let html = template.render(context! { ..own, ..shared }).map_err(failed)?;
        let mut response = if status == StatusCode::OK {
            document::bytes(
                self.headers,
                MINUTE,
                "text/html; charset=utf-8",
                html.into_bytes(),
            )
        } else {
            let mut response = Response::new(Body::from(html));
            *response.status_mut() = status;
            let headers = response.headers_mut();
            headers.insert(
                header::CONTENT_TYPE,
                HeaderValue::from_static("text/html; charset=utf-8"),
            );
            headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
            response
        };
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY);
        headers.insert(
            header::X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        );
        document::in_language(&mut response, self.language, &self.query);
        Ok(response)
    }

    fn text(&self, key: &str) -> &'static str {
        TEXTS.get(key).map_or("", |text| text.get(self.language))
    }
}

/// The language of a person who opens an address: whoever names `text/html` in `Accept`, as browsers do then, and does not ask
/// an interface of programs.
pub(crate) fn reader(headers: &HeaderMap, uri: &Uri) -> Option<Language> {
    let accept = headers.get(header::ACCEPT)?.to_str().ok()?;
    let for_programs = ["/api/", "/sta/", "/raster/"];
    let is_person =
        accept.contains("text/html") && !for_programs.iter().any(|start| uri.path().starts_with(start));
    is_person.then(|| crate::negotiate::language(headers))
}

/// The page of an address that does not exist, for people.
pub(crate) fn not_found(app: &Shared, language: Language, uri: &Uri) -> Option<Response> {
    let nothing = Uri::from_static("/");
    let query = Query::of(&nothing, &[]).ok()?;
    let page = Page {
        app,
        headers: &HeaderMap::new(),
        language,
        query,
        root: "../"
            .repeat(uri.path().matches('/').count().saturating_sub(1))
            .into(),
    };
    let own = context! { title => page.text("not_found") };
    page.render("not_found.html", StatusCode::NOT_FOUND, own).ok()
}

/// `/zones`: the kinds there are.
pub(crate) async fn kinds(State(app): State<Shared>, request: Request) -> Outcome {
    let page = Page::of(&app, &request, "./", &["lang"])?;
    let layers = app.lookup.store().layers().await?;
    let kinds: Vec<Value> = layers
        .iter()
        .map(|layer| {
            let name = words::kind(&layer.name, page.language);
            context! { name => name, path => encode(&layer.name), count => layer.count }
        })
        .collect();
    let own = context! { title => page.text("kinds"), kinds => kinds };
    page.render("kinds.html", StatusCode::OK, own)
}

/// `/overview.png`: where the newest picture of the whole index layer is, for the page without script.
pub(crate) async fn overview(State(app): State<Shared>, request: Request) -> Outcome {
    Query::of(request.uri(), &[])?;
    let snapshot = app.lookup.snapshot().await?;
    let layers = &snapshot.collections;
    let layer = ["ndvi"].into_iter().find(|name| layers.contains(*name));
    let layer = layer.ok_or_else(|| Problem::not_found("no-picture", "there is no week of `ndvi` yet"))?;
    let item = app.lookup.item(&snapshot, layer, LATEST).await?;
    let item = item.ok_or_else(|| Problem::not_found("no-picture", "there is no week of `ndvi` yet"))?;
    let b = item.bbox;
    // a relative way, so that it also holds behind a proxy with a path
    let address = format!(
        "style/{layer}/static/{},{},{},{}/800x600.png",
        b.west, b.south, b.east, b.north
    );
    let mut response = StatusCode::TEMPORARY_REDIRECT.into_response();
    let headers = response.headers_mut();
    headers.insert(header::LOCATION, text_header(&address));
    headers.insert(header::CACHE_CONTROL, MINUTE);
    Ok(response)
}

/// `/zones/{kind}?q=`: the zones of a kind, page by page.
pub(crate) async fn list(State(app): State<Shared>, request: Request) -> Outcome {
    let page = Page::of(&app, &request, "../", &["lang", "q", "after"])?;
    let kind = segments(request.uri().path())?.pop().unwrap_or_default();
    zones::layer(&app, &kind).await?;
    let after = page.query.number("after", 0..=i64::MAX as usize)?;
    let text = page.query.get("q").map(str::trim).filter(|text| !text.is_empty());
    let query = FeatureQuery {
        text: text.map(str::to_owned),
        after: after.map(|fid| fid as i64),
        limit: Some(TABLE_WEEKS + 1),
        ..FeatureQuery::layer(kind.as_ref())
    };
    let mut found = app.lookup.store().features(&query).await?;
    let more = found.len() > TABLE_WEEKS;
    found.truncate(TABLE_WEEKS);
    let last = found.last().filter(|_| more).map(|last| last.fid.to_string());
    let own = context! {
        title => words::kind(&kind, page.language), kind_path => encode(&kind), q => text.unwrap_or(""),
        zones => rows_of(&found, page.language), with_areas => with_areas(&found), next => last.map(|fid| page.with("after", &fid)),
    };
    page.render("list.html", StatusCode::OK, own)
}

/// True when the zones have areas; stations and canals have none.
fn with_areas(found: &[Feature]) -> bool {
    found.iter().any(|zone| zone.area_m2 > 0.0)
}

fn rows_of(found: &[Feature], language: Language) -> Vec<Value> {
    let row = |zone: &Feature| {
        let area = (zone.area_m2 > 0.0).then(|| number(zone.area_m2 / 1e4, 2, language));
        context! { code => zone.code.as_str(), path => encode(&zone.code), name => label(zone), area => area }
    };
    found.iter().map(row).collect()
}

/// `/zones/{kind}/{code}`: one zone.
pub(crate) async fn zone(State(app): State<Shared>, request: Request) -> Outcome {
    let page = Page::of(&app, &request, "../../", &["lang", "week", "on", "scheme"])?;
    let parts = segments(request.uri().path())?;
    let part = |index: usize| parts.get(index).map_or("", AsRef::as_ref);
    let (kind, code) = (part(1), part(2));
    let asked = page.query.get("week").map(str::parse::<Period>).transpose();
    let asked = asked.map_err(|error| Problem::bad("week", error.to_string()))?;
    let which = Which::of(&page.query)?;
    let which = asked.map_or(which, |period| which.in_week(period));
    let Some((feature, versions)) = which.find(&app, kind, code).await? else {
        return unknown(&page, kind, code).await;
    };
    let ndvi = weeks_of(&app, kind, &versions, "ndvi").await?;
    let flood = weeks_of(&app, kind, &versions, "flood").await?;
    let of_station = kind == STATIONS;
    let newest = if of_station {
        station::newest_week(app.lookup.store(), &feature).await?
    } else {
        ndvi.last().or(flood.last()).map(|row| row.period)
    };
    let record = match asked.or(newest) {
        Some(period) => Some(record(&app, &feature, period).await?),
        None => None,
    };
    let seasons = app.lookup.store().seasons(feature.fid).await?;
    let records = app.lookup.store().inundations_of(feature.fid).await?;
    let lang = page.language;
    let shown = record.as_ref().map(|record| record.period);
    let recent = ndvi
        .get(ndvi.len().saturating_sub(CHART_WEEKS)..)
        .unwrap_or(&ndvi);
    let seen_last = ndvi.iter().rev().find(|row| row.statistic.mean.is_some());
    let unseen = record.as_ref().is_some_and(|record| {
        let row = ndvi.iter().find(|row| row.period == record.period);
        row.is_none_or(|row| row.statistic.mean.is_none())
    });
    let last_seen = seen_last.filter(|_| unseen && asked.is_none()).map(|row| {
        let said = words::Said {
            ndvi: row.statistic.mean,
            seen: Some(row.statistic.valid_fraction),
            ..words::Said::default()
        };
        words::sentence(row.period, &said).get(lang).to_owned()
    });
    let picture_week = seen_last.map(|row| row.period).filter(|_| unseen).or(shown);
    let said = record.as_ref().and_then(|record| record.station.as_ref());
    let level_chart = match said {
        Some(said) => station::level_chart(app.lookup.store(), said, lang).await?,
        None => None,
    };
    let attributes = attributes::attributes(&feature, lang);
    let hotspot = kind == HOTSPOTS;
    let source = match (of_station, hotspot) {
        (true, _) => "source_station",
        (_, true) => "source_hotspot",
        _ => "source",
    };
    let own = context! {
        title => label(&feature), code => feature.code.as_str(), kind => words::kind(kind, lang),
        kind_path => encode(kind), code_path => encode(&feature.code), scheme => feature.scheme.as_str(),
        codes => other_codes(&feature), parent => feature.parent.as_deref(), last_seen => last_seen,
        area => (feature.area_m2 > 0.0).then(|| number(feature.area_m2 / 1e4, 2, lang)),
        commune => commune_of(app.lookup.store(), &feature).await?,
        middle => centre(&feature).map(|place| format!("{:.6},{:.6}", place.y(), place.x())),
        valid => validity(&feature, lang), attributes => attributes.known, more_attributes => attributes.unknown,
        own_words => of_station || hotspot, alarm => said.and_then(StationWeek::alarm), level_chart => level_chart,
        source => page.text(source), looked_at => !ndvi.is_empty() || !flood.is_empty(),
        sentence => record.as_ref().map(|record| record.sentence.get(lang).to_owned()),
        trust => record.as_ref().filter(|_| !of_station).map(|record| trust(&page, record)),
        reach => Reach::of(&feature).map(|reach| reach.sentence().get(lang).to_owned()),
        chart => shown.and_then(|shown| chart::chart(recent, &seasons, shown, lang)),
        seasons => season_rows(&page, &seasons),
        sensors => record.as_ref().map(|record| sensors(record, lang)),
        fire => fire::section(&app, &feature, asked, lang).await?,
        picture => picture_week.and_then(|period| chart::picture(&feature, period, lang)),
        water => water::water(&app, &records, shown, lang),
        weeks => table(&app, &ndvi, &flood, lang),
    };
    page.render("zone.html", StatusCode::OK, own)
}

/// The series of a collection, empty where it does not exist.
async fn weeks_of(app: &Shared, kind: &str, versions: &Versions, collection: &str) -> Outcome<Vec<Row>> {
    let snapshot = app.lookup.snapshot().await?;
    if !snapshot.collections.contains(collection) {
        return Ok(Vec::new());
    }
    let zone = (kind, versions.clone());
    series(app, &snapshot, zone, collection, (None, None)).await
}

/// 404 as people read it, with codes like the one asked for.
async fn unknown(page: &Page<'_>, kind: &str, code: &str) -> Outcome {
    zones::layer(page.app, kind).await?;
    let found = zones::nearest(page.app, kind, code).await?;
    let own = context! {
        title => words::kind(kind, page.language), kind_path => encode(kind), q => code,
        unknown => format!("{}: {code}", page.text("unknown")), zones => rows_of(&found, page.language),
        with_areas => with_areas(&found),
    };
    page.render("list.html", StatusCode::NOT_FOUND, own)
}

fn other_codes(feature: &Feature) -> String {
    let codes = feature.codes.iter().map(|other| match &other.market {
        Some(market) => format!("{} ({}, {market})", other.code, other.scheme),
        None => format!("{} ({})", other.code, other.scheme),
    });
    codes.collect::<Vec<_>>().join(", ")
}

fn validity(feature: &Feature, language: Language) -> Option<String> {
    let text = |day: Option<chrono::NaiveDate>| day.map_or("…".to_owned(), |day| date(day, language));
    (feature.valid_from.is_some() || feature.valid_to.is_some())
        .then(|| format!("{} – {}", text(feature.valid_from), text(feature.valid_to)))
}

fn season_rows(page: &Page<'_>, seasons: &[sen_catalog::season::Season]) -> Vec<Value> {
    let lang = page.language;
    let day = |day: Option<chrono::NaiveDate>, uncertainty: Option<f64>| {
        let near = uncertainty.map_or(String::new(), |days| format!(" ± {days:.0}"));
        day.map_or("–".to_owned(), |day| format!("{}{near}", date(day, lang)))
    };
    let row = |season: &sen_catalog::season::Season| {
        let end = match season.lost {
            Some(lost) if season.harvest.is_none() => format!("{} ({})", date(lost, lang), page.text("lost")),
            _ => day(season.harvest, season.harvest_uncertainty_days),
        };
        context! {
            name => words::season(&season.season, lang),
            sowing => day(season.sowing, season.sowing_uncertainty_days),
            heading => day(season.heading, season.heading_uncertainty_days),
            harvest => end,
        }
    };
    seasons.iter().rev().map(row).collect()
}

fn sensors(record: &zones::Record, language: Language) -> Vec<Value> {
    let row = |near: &crate::sensors_near::Near| {
        let value = near.observation.value.unwrap_or(f64::NAN);
        let unit = words::unit(&near.stream.unit);
        context! {
            property => words::property(&near.stream.property, language),
            value => format!("{} {unit}", number(value, 2, language)).trim(),
            station => near.name.as_str(), distance => number(near.distance_m / 1000.0, 1, language),
            time => clock(near.observation.time, language),
        }
    };
    record.sensors.iter().map(row).collect()
}

/// How far to rely on the index and on the flood map, each by what it saw itself.
fn trust(page: &Page<'_>, record: &zones::Record) -> String {
    let of = |collection: &str, key: &str| {
        let words = record.trust_of.get(collection)?.words.get(page.language);
        Some(format!("{}: {words}", page.text(key)))
    };
    let told: Vec<_> = [("ndvi", "ndvi"), ("flood", "water")]
        .into_iter()
        .filter_map(|(collection, key)| of(collection, key))
        .collect();
    if told.is_empty() {
        record.trust.words.get(page.language).to_owned()
    } else {
        told.join(" · ")
    }
}

/// The newest weeks with what index and flood say.
fn table(app: &App, ndvi: &[Row], flood: &[Row], language: Language) -> Vec<Value> {
    let periods: BTreeSet<Period> = ndvi.iter().chain(flood).map(|row| row.period).collect();
    let find = |rows: &[Row], period| rows.iter().find(|row| row.period == period).cloned();
    let dash = || "–".to_owned();
    let row = |period: Period| {
        let (index, water) = (find(ndvi, period), find(flood, period));
        let index = index.map(|row| row.statistic);
        let value = |value: Option<f64>| value.map_or_else(dash, |value| number(value, 2, language));
        let spread = index.as_ref().and_then(|index| {
            let (low, high) = index.p10.zip(index.p90)?;
            Some(format!(
                "{}–{}",
                number(low, 2, language),
                number(high, 2, language)
            ))
        });
        let share = water.and_then(|row| water_share(app, &row.statistic));
        context! {
            week => week(period, language), days => days(period, language),
            mean => value(index.as_ref().and_then(|index| index.mean)), spread => spread.unwrap_or_else(dash),
            seen => index.map_or_else(dash, |index| percent(index.valid_fraction)),
            water => share.map_or_else(dash, percent),
        }
    };
    periods.into_iter().rev().take(TABLE_WEEKS).map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_and_texts_are_whole() {
        for name in ["zone.html", "list.html", "kinds.html", "not_found.html"] {
            assert!(TEMPLATES.get_template(name).is_ok(), "{name}");
        }
        assert!(
            TEXTS
                .values()
                .all(|text| !text.vi.is_empty() && !text.en.is_empty())
        );
        // every text a template asks for exists
        for source in [
            include_str!("frame.html"),
            include_str!("zone.html"),
            include_str!("list.html"),
            include_str!("kinds.html"),
            include_str!("not_found.html"),
        ] {
            for part in source.split("t.").skip(1) {
                let key: String = part
                    .chars()
                    .take_while(|c| c.is_ascii_lowercase() || *c == '_')
                    .collect();
                let before_is_tag = source.contains(&format!("{{{{ t.{key} }}}}"));
                assert!(!before_is_tag || TEXTS.contains_key(&key), "{key}");
            }
        }
    }
}

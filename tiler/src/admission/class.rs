//! What each address costs: the one place where a route says its class, and how many megabytes its answer may hold.

use axum::http::Method;

/// Requests that wait for each other and for no others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// Tiles that are not in memory yet.
    Tiles,
    /// Values at a place.
    Values,
    /// Still pictures.
    Pictures,
    /// Lists, records, search, pages without script, files.
    Lists,
    /// Statistics of zones, out of their tables.
    Statistics,
    /// Statistics of drawn polygons, out of rasters.
    Polygons,
    /// Reading by SensorThings, and series of stations.
    SensorThings,
    /// What sensors say.
    Writes,
}

impl Class {
    /// All of them, in the order of their declaration.
    pub(crate) const ALL: [Self; 8] = [
        Self::Tiles,
        Self::Values,
        Self::Pictures,
        Self::Lists,
        Self::Statistics,
        Self::Polygons,
        Self::SensorThings,
        Self::Writes,
    ];

    /// Its name in the counters.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Tiles => "tiles",
            Self::Values => "values",
            Self::Pictures => "pictures",
            Self::Lists => "lists",
            Self::Statistics => "statistics",
            Self::Polygons => "polygons",
            Self::SensorThings => "sensorthings",
            Self::Writes => "writes",
        }
    }
}

/// What a request to a route may cost.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct RouteCost {
    /// As the router writes it.
    pub(crate) path: &'static str,
    pub(crate) class: Class,
    /// Most bytes that making and sending the answer may hold.
    pub(crate) answer_bytes: u64,
    /// Most bytes of a body; 0 where none is read.
    pub(crate) body_bytes: usize,
    /// The collection that a key must be allowed to write, asked before the body is read.
    pub(crate) writes: Option<&'static str>,
}

const MB: u64 = 1 << 20;

const fn get(path: &'static str, class: Class, answer_mb: u64) -> RouteCost {
    RouteCost {
        path,
        class,
        answer_bytes: answer_mb * MB,
        body_bytes: 0,
        writes: None,
    }
}

/// Bytes of the body of a drawn polygon.
pub(crate) const ZONAL_BODY: usize = 8 << 20;
/// Bytes of a body of SensorThings: some hundred thousand observations.
pub(crate) const STA_BODY: usize = 16 << 20;

/// A tile that is not in memory; asked by the handler once it knows that.
pub(crate) const TILE: RouteCost = get("tile", Class::Tiles, 4);

/// Routes whose answer is there, or costs no more than saying no.
pub(crate) const FREE: &[&str] = &[
    "/",
    "/index.html",
    "/assets/{file}",
    "/health",
    "/healthz",
    "/ready",
    "/_/metrics",
    "/conformance",
    "/tileMatrixSets",
    "/tileMatrixSets/{id}",
    "/tiles/{layer}/{z}/{x}/{y}",
    // these ask for a place themselves, when the tile is not in memory
    "/{layer}/{z}/{x}/{y}",
    "/raster/collections/{collection}/tiles/{tms}/{z}/{x}/{y}",
];

/// The others. Megabytes are what the largest answer holds while it is made, not only its text.
pub(crate) const ROUTES: &[RouteCost] = &[
    get("/api/v1/point/{place}", Class::Values, 2),
    get("/api/v1/point/{place}/series", Class::Values, 4),
    get("/raster/collections/{collection}/point/{place}", Class::Values, 2),
    get("/style/{style}/static/{box}/{size}", Class::Pictures, 24),
    get("/overview.png", Class::Pictures, 24),
    get("/raster/collections/{collection}/bbox/{box}", Class::Pictures, 24),
    get(
        "/raster/collections/{collection}/bbox/{box}/{size}",
        Class::Pictures,
        24,
    ),
    get("/raster/collections/{collection}/preview", Class::Pictures, 24),
    get(
        "/raster/collections/{collection}/preview/{size}",
        Class::Pictures,
        24,
    ),
    get(
        "/raster/collections/{collection}/preview.png",
        Class::Pictures,
        24,
    ),
    get(
        "/raster/collections/{collection}/preview.webp",
        Class::Pictures,
        24,
    ),
    get("/api/v1/legends/{style}", Class::Lists, 4),
    get("/catalog", Class::Lists, 8),
    get("/{layer}", Class::Lists, 8),
    get("/assets/{collection}/{year}/{item}/{file}", Class::Lists, 4),
    get("/raster/collections", Class::Lists, 4),
    get("/raster/collections/{collection}", Class::Lists, 4),
    get("/raster/collections/{collection}/items", Class::Lists, 32),
    get("/raster/collections/{collection}/info", Class::Lists, 4),
    get("/raster/collections/{collection}/assets", Class::Lists, 4),
    get("/raster/collections/{collection}/tilejson.json", Class::Lists, 4),
    get(
        "/raster/collections/{collection}/{tms}/tilejson.json",
        Class::Lists,
        4,
    ),
    get("/api/v1/periods/{collection}", Class::Lists, 8),
    get("/api/v1/search", Class::Lists, 32),
    get("/api/v1/units", Class::Lists, 32),
    get("/api/v1/units/{code}", Class::Lists, 16),
    get("/api/v1/fires", Class::Lists, 32),
    get("/api/v1/zones", Class::Lists, 4),
    get("/api/v1/zones/{kind}", Class::Lists, 48),
    get("/api/v1/zones/{kind}/{code}", Class::Lists, 32),
    get("/api/v1/zones/{kind}/{code}/fire", Class::Lists, 16),
    get("/api/v1/zones/{kind}/{code}/week/{period}", Class::Lists, 32),
    get("/api/v1/zones/{kind}/{code}/inundation", Class::Lists, 16),
    get("/api/v1/zones/{kind}/inundation", Class::Lists, 48),
    get("/api/v1/calibrations", Class::Lists, 16),
    get("/api/v1/calibrations/{collection}", Class::Lists, 16),
    get("/api/v1/stations", Class::Lists, 32),
    get("/api/v1/stations/{code}", Class::Lists, 8),
    get("/api/v1/stations/{code}/latest", Class::Lists, 8),
    get("/zones", Class::Lists, 8),
    get("/zones/{kind}", Class::Lists, 32),
    get("/zones/{kind}/{code}", Class::Lists, 32),
    get("/api/v1/zones/{kind}/{code}/statistics", Class::Statistics, 16),
    get("/api/v1/zones/{kind}/values", Class::Statistics, 64),
    get("/api/v1/zones/{kind}/rollup", Class::Statistics, 48),
    get(
        "/raster/collections/{collection}/statistics",
        Class::Statistics,
        32,
    ),
    RouteCost {
        body_bytes: ZONAL_BODY,
        ..get("/api/v1/zonal", Class::Polygons, 64)
    },
    get("/api/v1/stations/{code}/series", Class::SensorThings, 32),
    get("/api/v1/stations/{code}/forecast", Class::SensorThings, 16),
    get("/sta/v1.1", Class::SensorThings, 1),
    get("/sta/v1.1/", Class::SensorThings, 1),
    get("/sta/v1.1/{*path}", Class::SensorThings, 24),
    RouteCost {
        body_bytes: STA_BODY,
        writes: Some("observations"),
        ..get("/sta/v1.1/{*path}", Class::Writes, 64)
    },
];

/// What a route is taken for that is named nowhere.
const UNNAMED: RouteCost = get("other", Class::Lists, 32);

/// Which cost of [`ROUTES`] a request has, by its route; the number behind the last is that of the unnamed. `None` for
/// the free ones and for methods that are refused anyway.
pub(crate) fn number_of(method: &Method, route: &str) -> Option<usize> {
    // an item answers at the addresses that its collection has
    let item = "/raster/collections/{collection}/items/{item}";
    let shared = route.strip_prefix(item).filter(|rest| !rest.is_empty());
    let shared = shared.map(|rest| format!("/raster/collections/{{collection}}{rest}"));
    let route = shared.as_deref().unwrap_or(route);
    let posts = method == Method::POST;
    let known = ROUTES
        .iter()
        .position(|cost| cost.path == route && (cost.body_bytes > 0) == posts);
    if known.is_some() {
        return known;
    }
    let reads = method == Method::GET || method == Method::HEAD;
    let is_named = FREE.contains(&route) || ROUTES.iter().any(|cost| cost.path == route);
    (reads && !is_named).then_some(ROUTES.len())
}

/// The cost with a number of [`number_of`].
pub(crate) fn cost(number: usize) -> &'static RouteCost {
    ROUTES.get(number).unwrap_or(&UNNAMED)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::path::{Path, PathBuf};

    fn sources(folder: &Path, out: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).expect("a folder").flatten() {
            if entry.path().is_dir() {
                sources(&entry.path(), out);
            } else {
                out.push(entry.path());
            }
        }
    }

    /// The addresses of all `.route(` calls of the crate, as the router writes them.
    fn declared() -> Vec<String> {
        let mut files = Vec::new();
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        sources(&source, &mut files);
        let mut found = Vec::new();
        let sources = files
            .iter()
            .filter(|file| file.extension().is_some_and(|extension| extension == "rs"));
        for file in sources.filter(|file| !file.ends_with("class.rs")) {
            let text = fs::read_to_string(file).expect("a source");
            for call in text.split(".route(").skip(1) {
                let Some(literal) = call.split(',').next().and_then(|first| first.split('"').nth(1)) else {
                    found.push("/sta/v1.1".to_owned()); // `ROOT`
                    continue;
                };
                let route = literal
                    .replace("{ROOT}", "/sta/v1.1")
                    .replace("{{", "{")
                    .replace("}}", "}");
                found.push(route.replace("{base}", "/raster/collections/{collection}"));
            }
        }
        found
    }

    #[test]
    fn every_route_says_what_it_costs() {
        let declared = declared();
        assert!(declared.len() > 50, "{declared:?}");
        // parts of the addresses of rasters that a loop puts together
        let put_together = [
            "/raster/collections/{collection}/{path}",
            "/raster/collections/{collection}/preview.{extension}",
        ];
        for route in declared
            .iter()
            .filter(|route| !put_together.contains(&route.as_str()))
        {
            let known = FREE.contains(&route.as_str()) || ROUTES.iter().any(|cost| cost.path == route);
            let item = route == "/raster/collections/{collection}/items/{item}";
            assert!(
                known || item,
                "{route} is in neither list of tiler/src/admission/class.rs"
            );
        }
        for cost in ROUTES.iter().filter(|cost| !cost.path.starts_with("/raster/")) {
            assert!(
                declared.iter().any(|route| route == cost.path),
                "no route is {}",
                cost.path
            );
        }
    }

    #[test]
    fn reading_and_writing_at_one_address_are_two_classes() {
        let class = |method: Method, route: &str| number_of(&method, route).map(|number| cost(number).class);
        let sta = "/sta/v1.1/{*path}";
        assert_eq!(class(Method::GET, sta), Some(Class::SensorThings));
        assert_eq!(class(Method::HEAD, sta), Some(Class::SensorThings));
        assert_eq!(class(Method::POST, sta), Some(Class::Writes));
        assert_eq!(class(Method::POST, "/api/v1/zonal"), Some(Class::Polygons));
        assert_eq!(class(Method::GET, "/api/v1/zonal"), None);
        assert_eq!(class(Method::GET, "/health"), None);
        assert_eq!(class(Method::GET, "/something/new"), Some(Class::Lists));
        let item = "/raster/collections/{collection}/items/{item}";
        assert_eq!(
            class(Method::GET, &format!("{item}/statistics")),
            Some(Class::Statistics)
        );
        assert_eq!(
            class(Method::GET, &format!("{item}/tiles/{{tms}}/{{z}}/{{x}}/{{y}}")),
            None
        );
    }
}

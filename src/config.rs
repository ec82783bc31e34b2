//! `sen.toml`: every setting has a default; `${VAR:-default}` is replaced; unknown keys are errors with line,
//! column and the nearest known name.

use crate::zones::{Kind, Schemes};
use anyhow::Context;
use schemars::JsonSchema;
use sen_catalog::fire::FireSettings;
use sen_catalog::intake::Quality;
use sen_catalog::store::Access;
use sen_catalog::{Assets, Bounds, Crs, DisclosurePolicy, Grid, Item, Store};
use sen_processing::fusion::FusionSettings;
use sen_processing::inundation::DeltaSettings;
use sen_processing::phenology::CalendarSettings;
use sen_processing::runner::StepSettings;
use sen_processing::settings::Settings;
use sen_processing::source::GeotiffLayout;
use sen_tiler::ServeOptions;
use sen_tiler::mqtt::MqttOptions;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Wrong usage or configuration: nothing was done (exit status 2).
#[derive(Debug)]
pub(crate) struct UsageError(pub(crate) String);

impl std::fmt::Display for UsageError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for UsageError {}

/// Where data and configuration lie, as typed.
pub(crate) struct Place {
    pub(crate) data: PathBuf,
    pub(crate) config: Option<PathBuf>,
}

/// The whole configuration.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Config {
    /// The catalogue: a file in the data folder.
    pub(crate) store: StoreUrl,
    /// The grid of all weekly rasters.
    pub(crate) grid: GridConfig,
    /// How weeks are made.
    pub(crate) processing: Settings,
    /// Surfaces between stations.
    pub(crate) fusion: FusionSettings,
    /// The crop calendar of plots.
    pub(crate) calendar: CalendarSettings,
    /// Forest fire: the table of levels, hot spots, alerts on series.
    pub(crate) fire: FireSettings,
    /// Dyke compartments and why they are under water.
    pub(crate) delta: DeltaSettings,
    /// The service.
    pub(crate) serve: ServeOptions,
    /// Thresholds of the tests of sensors, by property or `station/property`, laid over the built-in ones.
    pub(crate) quality: Quality,
    /// A broker to listen to while serving; without it none.
    pub(crate) mqtt: Option<MqttOptions>,
    /// Plain GeoTIFFs and what lies in them.
    pub(crate) geotiff: Vec<GeotiffLayout>,
    /// Schemes of codes, by name.
    pub(crate) schemes: Schemes,
    /// What the files of a kind of zones look like, by kind.
    pub(crate) kinds: BTreeMap<String, Kind>,
    /// Which attributes of a layer the public may see, by layer.
    pub(crate) layers: DisclosurePolicy,
}

/// The catalogue's address.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct StoreUrl(pub(crate) String);

impl Default for StoreUrl {
    fn default() -> Self {
        Self("catalog.sqlite".to_owned())
    }
}

/// The province grid. Without `bounds` the first scenes ingested decide, and the answer is kept in the catalogue. Another one
/// later remakes all weeks.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct GridConfig {
    /// A metric system such as EPSG:32648; without it the UTM zone of the area.
    pub(crate) crs: Option<String>,
    /// Cell size in metres.
    pub(crate) cell_m: Option<f64>,
    /// West, south, east, north in degrees.
    pub(crate) bounds: Option<[f64; 4]>,
}

/// Cell size of Sentinel-2's finest bands, metres.
const DEFAULT_CELL_M: f64 = 10.0;

/// An opened data folder.
pub(crate) struct Data {
    pub(crate) folder: PathBuf,
    pub(crate) config: Config,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) assets: Assets,
    /// The grid of all weeks where it was decided, or what is wrong with it.
    pub(crate) remembered: Result<Option<Grid>, String>,
}

impl Data {
    /// What is set for the steps of a run.
    pub(crate) fn step_settings(&self) -> StepSettings<'_> {
        StepSettings {
            processing: &self.config.processing,
            fusion: &self.config.fusion,
            calendar: &self.config.calendar,
            fire: &self.config.fire,
            delta: &self.config.delta,
            folder: &self.folder,
        }
    }

    /// Says what is wrong with the settings of the steps, before anything is done.
    pub(crate) async fn check_step_settings(&self) -> anyhow::Result<()> {
        let settings = self.step_settings();
        let wrong = settings.check(self.store.as_ref(), &self.assets).await?;
        if wrong.is_empty() {
            return Ok(());
        }
        Err(UsageError(wrong.join("\n")).into())
    }
}

impl Place {
    /// Reads the configuration (defaults where there is none).
    pub(crate) fn config(&self) -> anyhow::Result<Config> {
        let path = if let Some(path) = &self.config {
            path.clone()
        } else {
            let path = self.data.join("sen.toml");
            if !path.exists() {
                return Ok(Config::default());
            }
            path
        };
        let text = fs::read_to_string(&path).map_err(|error| {
            UsageError(format!(
                "cannot read the configuration {}: {error}",
                path.display()
            ))
        })?;
        Ok(parse(&text, &path)?)
    }

    /// Opens the data folder to write, making it when missing.
    pub(crate) fn open(&self) -> anyhow::Result<Data> {
        fs::create_dir_all(&self.data)
            .with_context(|| format!("cannot make the data folder {}", self.data.display()))?;
        self.open_for(Access::Write)
    }

    /// Opens a data folder that must be there already, to write.
    pub(crate) fn open_existing(&self) -> anyhow::Result<Data> {
        self.must_exist()?;
        self.open_for(Access::Write)
    }

    /// Opens a data folder to serve it; one that cannot be written is only read.
    pub(crate) fn open_to_serve(&self) -> anyhow::Result<Data> {
        self.must_exist()?;
        self.open_for(Access::WriteOrRead)
    }

    /// Opens a data folder to read it; nothing is made or changed.
    pub(crate) fn open_to_read(&self) -> anyhow::Result<Data> {
        self.must_exist()?;
        self.open_for(Access::Read)
    }

    fn must_exist(&self) -> Result<(), UsageError> {
        if self.data.is_dir() {
            return Ok(());
        }
        let hint = "make one with `sen init`, or name another with --data";
        Err(UsageError(format!(
            "there is no data folder {}; {hint}",
            self.data.display()
        )))
    }

    /// Not from within a runtime.
    fn open_for(&self, access: Access) -> anyhow::Result<Data> {
        let config = self.config()?;
        let store = sen_catalog::store::open_for(&config.store.0, &self.data, access)?;
        let assets = if access == Access::Write {
            Assets::open(&self.data)?
        } else {
            Assets::at(&self.data)
        };
        let runtime = tokio::runtime::Builder::new_current_thread().build()?;
        let remembered = runtime.block_on(crate::grid::remembered(store.as_ref(), &self.data));
        Ok(Data {
            folder: self.data.clone(),
            config,
            store,
            assets,
            remembered,
        })
    }
}

/// Cells of the largest grid that scenes alone may decide: some hundred kilometres on a side at 10 m. Memory and time of
/// every week go with it, so that a larger one has to be asked for.
const MOST_UNASKED_CELLS: usize = 1_500_000_000;

impl GridConfig {
    /// The grid that the settings ask for; none when they leave it to what is remembered. System and cell size alone change
    /// the remembered one.
    pub(crate) fn wish(&self, remembered: Option<Grid>) -> anyhow::Result<Option<Grid>> {
        if let Some(bounds) = self.bounds {
            return self.covering(bounds.into()).map(Some);
        }
        let Some(own) = remembered else { return Ok(None) };
        let crs = self.metric_crs()?.unwrap_or(own.crs);
        let cell = self.cell_m.unwrap_or(own.cell_width);
        if crs == own.crs && (cell - own.cell_width).abs() <= 1e-9 * cell {
            return Ok(None);
        }
        let bounds = own.bounds().transform(own.crs, crs)?;
        Grid::covering(crs, bounds, cell)
            .map(Some)
            .map_err(|error| UsageError(format!("grid: {error}")).into())
    }

    fn covering(&self, lon_lat: Bounds) -> anyhow::Result<Grid> {
        let crs = self.metric_crs()?.unwrap_or_else(|| utm_zone(lon_lat));
        let bounds = lon_lat.transform(Crs::WGS84, crs).map_err(|error| {
            UsageError(format!(
                "grid.bounds: {error}; give west, south, east, north in degrees"
            ))
        })?;
        self.of_bounds(crs, bounds)
    }

    /// The box of the optical scenes (of the radar ones where there are no others), in the metric system most of them lie in.
    pub(crate) fn covering_scenes(&self, scenes: &[Item]) -> anyhow::Result<Grid> {
        let optical: Vec<_> = scenes
            .iter()
            .filter(|scene| !scene.collection.starts_with("sentinel-1"))
            .collect();
        let scenes = if optical.is_empty() {
            scenes.iter().collect()
        } else {
            optical
        };
        let first = scenes
            .first()
            .context("no scene says where the province lies; set grid.bounds in sen.toml")?;
        let crs = match self.metric_crs()? {
            Some(crs) => crs,
            None if first.grid.crs.is_geographic() => utm_zone(first.bbox),
            None => first.grid.crs,
        };
        let mut all = first.grid.bounds().transform(first.grid.crs, crs)?;
        for scene in scenes {
            let one = scene.grid.bounds().transform(scene.grid.crs, crs)?;
            all.west = all.west.min(one.west);
            all.south = all.south.min(one.south);
            all.east = all.east.max(one.east);
            all.north = all.north.max(one.north);
        }
        let grid = self.of_bounds(crs, all)?;
        if grid.width.saturating_mul(grid.height) > MOST_UNASKED_CELLS {
            return Err(UsageError(format!(
                "the scenes cover {} x {} cells of {} m, too much to choose as the grid unasked; set grid.bounds in sen.toml \
                 to west, south, east, north of your area in degrees",
                grid.width, grid.height, grid.cell_width
            ))
            .into());
        }
        Ok(grid)
    }

    fn metric_crs(&self) -> Result<Option<Crs>, UsageError> {
        let Some(text) = &self.crs else { return Ok(None) };
        let crs = text
            .parse::<Crs>()
            .map_err(|error| UsageError(format!("grid.crs: {error}")))?;
        if crs.is_geographic() {
            return Err(UsageError(format!(
                "grid.crs: {crs} counts in degrees; choose a metric system"
            )));
        }
        Ok(Some(crs))
    }

    fn of_bounds(&self, crs: Crs, bounds: Bounds) -> anyhow::Result<Grid> {
        Grid::covering(crs, bounds, self.cell_m.unwrap_or(DEFAULT_CELL_M))
            .map_err(|error| UsageError(format!("grid: {error}")).into())
    }
}

/// The UTM zone (EPSG:326xx north, 327xx south) of the centre of an area in degrees.
fn utm_zone(lon_lat: Bounds) -> Crs {
    let zone = ((lon_lat.west.midpoint(lon_lat.east) + 180.0) / 6.0).floor() as u32 % 60 + 1;
    let south = lon_lat.south + lon_lat.north < 0.0;
    Crs::epsg(if south { 32700 } else { 32600 } + zone)
}

/// Parses a configuration text.
fn parse(text: &str, path: &Path) -> Result<Config, UsageError> {
    let text = substitute(text).map_err(|reason| UsageError(format!("{}: {reason}", path.display())))?;
    toml::from_str(&text).map_err(|error| {
        let place = error.span().map_or_else(String::new, |span| {
            let before = &text[..span.start.min(text.len())];
            let line = before.matches('\n').count() + 1;
            let column = before.chars().rev().take_while(|&c| c != '\n').count() + 1;
            format!(", line {line}, column {column}")
        });
        let message = error.message();
        UsageError(format!(
            "{}{place}: {message}{}",
            path.display(),
            nearest(message)
        ))
    })
}

/// Replaces `${VAR}` and `${VAR:-default}` from the environment.
fn substitute(text: &str) -> Result<String, String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("${") {
        out.push_str(&rest[..start]);
        let inner = &rest[start + 2..];
        let end = inner.find('}').ok_or("a `${` is not closed by `}`")?;
        let (name, default) = match inner[..end].split_once(":-") {
            Some((name, default)) => (name, Some(default)),
            None => (&inner[..end], None),
        };
        match (std::env::var(name), default) {
            (Ok(value), _) => out.push_str(&value),
            (Err(_), Some(default)) => out.push_str(default),
            (Err(_), None) => {
                return Err(format!(
                    "the environment variable {name} is not set; write ${{{name}:-default}}"
                ));
            }
        }
        rest = &inner[end + 1..];
    }
    out.push_str(rest);
    Ok(out)
}

/// From serde's "unknown field `x`, expected one of `a`, `b`": the nearest of the known names.
fn nearest(message: &str) -> String {
    let mut names = message.split('`').skip(1).step_by(2);
    let Some(unknown) = names.next().filter(|_| message.starts_with("unknown field")) else {
        return String::new();
    };
    let best = names.min_by_key(|known| distance(unknown, known));
    best.map_or_else(String::new, |name| format!("; did you mean `{name}`?"))
}

/// Levenshtein distance.
pub(crate) fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, &to) in b.iter().enumerate() {
            let cost = diagonal + usize::from(from != to);
            diagonal = row[j + 1];
            row[j + 1] = cost.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

/// The JSON Schema of the configuration, as published in `schemas/`.
pub(crate) fn schema() -> String {
    let schema = schemars::schema_for!(Config);
    format!("{:#}\n", schema.to_value())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(text: &str) -> String {
        parse(text, Path::new("sen.toml")).expect_err("refused").0
    }

    #[test]
    fn unknown_keys_are_named_with_place_and_nearest_name() {
        let text = message("store = \"x.sqlite\"\n[grid]\ncel_m = 20\n");
        assert!(
            text.contains("line 3, column 1") && text.contains("did you mean `cell_m`?"),
            "{text}"
        );
    }

    #[test]
    fn environment_is_substituted_or_refused() {
        assert_eq!(
            substitute("a = \"${SEN_NO_SUCH:-b}\"").as_deref(),
            Ok("a = \"b\"")
        );
        assert!(message("store = \"${SEN_NO_SUCH}\"").contains("SEN_NO_SUCH"));
    }

    #[test]
    fn the_mekong_delta_lies_in_zone_48_and_the_krishna_delta_in_44() {
        assert_eq!(utm_zone(Bounds::new(105.2, 10.1, 106.0, 10.9)), Crs::UTM_48N);
        assert_eq!(utm_zone(Bounds::new(80.0, 15.5, 80.4, 16.0)), Crs::epsg(32644));
    }

    #[test]
    fn scenes_alone_never_decide_an_enormous_grid() {
        let side = |cells: usize| {
            let grid = Grid {
                crs: Crs::UTM_48N,
                west: 400_000.0,
                north: 1_400_000.0,
                cell_width: 10.0,
                cell_height: 10.0,
                width: cells,
                height: cells,
            };
            let scene = Item {
                id: "a".into(),
                collection: "sentinel-2-l2a".into(),
                interval: sen_catalog::Interval::instant("2026-05-19T03:15:21Z".parse().expect("an instant")),
                grid,
                bbox: grid.lon_lat_bounds().expect("in the zone"),
                assets: std::collections::BTreeMap::new(),
                lineage: Vec::new(),
                properties: serde_json::Map::new(),
            };
            GridConfig::default().covering_scenes(&[scene])
        };
        assert_eq!(side(10_980).expect("a tile").width, 10_980);
        let error = side(40_000).expect_err("too large").to_string();
        assert!(error.contains("grid.bounds"), "{error}");
    }

    #[test]
    fn the_examples_of_a_new_folder_s_settings_can_be_used_as_they_stand() {
        let examples: Vec<&str> = include_str!("commands/sen.toml")
            .lines()
            .filter_map(|line| line.strip_prefix("#   "))
            .collect();
        assert!(examples.len() > 20, "examples begin with `#   `");
        let config = parse(&examples.join("\n"), Path::new("sen.toml")).expect("every example is right");
        assert!(config.mqtt.is_some() && !config.quality.0.is_empty());
        config.quality.check().expect("thresholds make sense");
    }

    #[test]
    fn the_published_schema_is_the_code_s() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas/sen.schema.json");
        let published = fs::read_to_string(&path).unwrap_or_default();
        if published != schema() {
            fs::create_dir_all(path.parent().expect("has a parent")).expect("schemas folder");
            fs::write(&path, schema()).expect("schema is written");
            assert_eq!(
                published,
                schema(),
                "schemas/sen.schema.json was out of date and is now rewritten: commit it"
            );
        }
    }
}

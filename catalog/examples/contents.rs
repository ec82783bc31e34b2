//! What a data folder says, a line a part: two runs before and after a change of the code are compared with `diff`.
//!
//! `contents DATA`: sorted lines of words, the last of them a SHA-256.
//! `raster COLLECTION ITEM ASSET TYPE SHAPE ...`: decoded pixels, so that the same ones in another layout of the file are equal.
//! `column COLLECTION ITEM LAYER COLUMN`: the values of a table of statistics in the order of `fid`; `code` are its zones.
//! `record KIND LAYER [WEEK] ROWS`: what is told of zones, without the time it was made at, revisions and digests of inputs.
//!
//! Scenes, readings and zones are what people gave: `sen check --digest` speaks of these too.

use chrono::NaiveDate;
use rayon::prelude::*;
use sen_catalog::asset::hex;
use sen_catalog::calibration::Calibration;
use sen_catalog::fire::HOTSPOTS;
use sen_catalog::raster::{Cog, DataType, Pixel};
use sen_catalog::statistic::{StatisticTable, layer_of};
use sen_catalog::store::{Access, open_for};
use sen_catalog::{Asset, Assets, Feature, FeatureQuery, Item, ItemQuery, Period, Store, Window};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;

/// Rows of a raster that are decoded at once: some megabytes of a province.
const STRIP_ROWS: usize = 512;

type ContentsError = Box<dyn Error + Send + Sync>;
type ContentLines = Result<Vec<String>, ContentsError>;

/// Feeds all pixels of the first level, band by band and row by row, however the file holds them.
fn feed_pixels<T: Pixel, const N: usize>(
    cog: &Cog,
    hasher: &mut Sha256,
    bytes: fn(T) -> [u8; N],
) -> sen_catalog::Result<()> {
    let whole = cog.grid().window();
    let mut packed = Vec::new();
    for band in 0..cog.bands() {
        for row in (0..whole.height).step_by(STRIP_ROWS) {
            let strip = Window {
                row,
                height: STRIP_ROWS.min(whole.height - row),
                ..whole
            };
            let pixels: Vec<T> = cog.read_window(0, band, strip)?;
            packed.clear();
            for pixel in pixels {
                packed.extend_from_slice(&bytes(pixel));
            }
            hasher.update(&packed);
        }
    }
    Ok(())
}

/// The line of a raster: where it lies and what its numbers mean stand in it, the pixels are summed up.
fn raster_line(path: &Path, place: &str, asset: &Asset) -> ContentLines {
    let cog = Cog::open(path)?;
    let grid = cog.grid();
    let mut hasher = Sha256::new();
    match cog.data_type() {
        DataType::U8 => feed_pixels(&cog, &mut hasher, u8::to_le_bytes)?,
        DataType::I16 => feed_pixels(&cog, &mut hasher, i16::to_le_bytes)?,
        DataType::U16 => feed_pixels(&cog, &mut hasher, u16::to_le_bytes)?,
        DataType::F32 => feed_pixels(&cog, &mut hasher, f32::to_le_bytes)?,
    }
    Ok(vec![format!(
        "raster {place} {} {}x{}x{} {} {} {} {} scale {} offset {} nodata {} {}",
        cog.data_type(),
        grid.width,
        grid.height,
        cog.bands(),
        grid.crs,
        grid.west,
        grid.north,
        grid.cell_width,
        asset.scale,
        asset.offset,
        asset
            .nodata
            .map_or("none".to_owned(), |nodata| nodata.to_string()),
        hex(&hasher.finalize())
    )])
}

/// The lines of a table: its zones, then each of its columns.
fn column_lines(path: &Path, place: &str) -> ContentLines {
    let table = StatisticTable::open(path)?;
    table.load()?;
    let mut codes = Sha256::new();
    for (row, fid) in table.fids()?.iter().enumerate() {
        codes.update(format!("{fid} {}\n", table.code(row)?));
    }
    let mut lines = vec![format!("column {place} code {}", hex(&codes.finalize()))];
    for name in table.columns() {
        let mut values = Sha256::new();
        for value in table.column(name)?.unwrap_or_default() {
            // every "none" is the same one
            let value = if value.is_nan() { f64::NAN } else { *value };
            values.update(value.to_le_bytes());
        }
        lines.push(format!("column {place} {name} {}", hex(&values.finalize())));
    }
    Ok(lines)
}

/// The lines of one file of an item; none for documents.
fn asset_lines(assets: &Assets, item: &Item, name: &str, asset: &Asset) -> ContentLines {
    let path = assets.path(&asset.href);
    let place = |last: &str| format!("{} {} {last}", item.collection, item.id);
    match layer_of(name) {
        Some(layer) => column_lines(&path, &place(layer)),
        None if asset.is_raster() => raster_line(&path, &place(name), asset),
        None => Ok(Vec::new()),
    }
}

/// Rows by what their line begins with; a row is known by the identity of its zone, not by the number the store gave.
#[derive(Default)]
struct ZoneRecords(BTreeMap<String, Vec<String>>);

impl ZoneRecords {
    fn add(&mut self, part: String, zone: &Feature, content: &impl serde::Serialize) {
        let identity = (&zone.scheme, &zone.code, zone.valid_from);
        self.0
            .entry(part)
            .or_default()
            .push(json!([identity, content]).to_string());
    }

    fn into_lines(self) -> impl Iterator<Item = String> {
        self.0.into_iter().map(|(part, mut rows)| {
            rows.sort();
            let count = rows.len();
            let sum = hex(&Sha256::digest(rows.join("\n")));
            format!("record {part} {count} {sum}")
        })
    }
}

/// A calibration without what it was made from: digests and numbers the store gave.
fn calibration_content(calibration: &Calibration) -> Result<Value, serde_json::Error> {
    let mut content = serde_json::to_value(calibration)?;
    if let Some(fields) = content.as_object_mut() {
        fields.remove("inputs");
        fields.remove("lineage");
    }
    Ok(content)
}

/// The lines of all kinds of records.
async fn record_lines(store: &dyn Store) -> ContentLines {
    let mut records = ZoneRecords::default();
    let week = |day: NaiveDate| Period::of_date(day);
    for layer in store.layers().await? {
        let layer = layer.name;
        let zones = store.features(&FeatureQuery::layer(&layer)).await?;
        let fids: Vec<i64> = zones.iter().map(|zone| zone.fid).collect();
        let seasons = store.seasons_of(&fids).await?;
        for zone in &zones {
            if let Some(crops) = seasons.get(&zone.fid) {
                records.add(format!("season {layer}"), zone, crops);
            }
            for day in store.danger(zone.fid, None, None).await? {
                records.add(format!("fire_day {layer} {}", week(day.day)), zone, &day);
            }
            if let Some(change) = store.forest_change(zone.fid).await? {
                records.add(format!("forest_change {layer}"), zone, &change);
            }
            for told in store.inundations_of(zone.fid).await? {
                records.add(format!("inundation {layer} {}", told.period), zone, &told);
            }
            if layer == HOTSPOTS {
                records.add(format!("hotspot {layer}"), zone, &zone.properties);
            }
        }
    }
    let mut lines: Vec<String> = records.into_lines().collect();
    for calibration in store.all_calibrations().await? {
        lines.push(format!(
            "record calibration {} {} {} {}",
            calibration.collection,
            calibration.property,
            calibration.version,
            hex(&Sha256::digest(calibration_content(&calibration)?.to_string()))
        ));
    }
    Ok(lines)
}

/// All lines of a data folder, sorted; nothing is made or changed in it.
async fn list_contents(data: &Path) -> ContentLines {
    let store = open_for("catalog.sqlite", data, Access::Read)?;
    let assets = Assets::at(data);
    let mut lines = record_lines(store.as_ref()).await?;
    let mut items = store.items(&ItemQuery::default()).await?;
    items.retain(|item| !item.is_scene());
    let files: Vec<_> = items
        .iter()
        .flat_map(|item| item.assets.iter().map(move |(name, asset)| (item, name, asset)))
        .collect();
    let parts: Vec<ContentLines> = files
        .into_par_iter()
        .map(|(item, name, asset)| asset_lines(&assets, item, name, asset))
        .collect();
    for part in parts {
        lines.extend(part?);
    }
    lines.sort();
    Ok(lines)
}

#[tokio::main]
async fn main() -> Result<(), ContentsError> {
    let data = std::env::args().nth(1).ok_or("say which data folder")?;
    let lines = list_contents(Path::new(&data)).await?;
    #[expect(clippy::print_stdout, reason = "its result")]
    {
        println!("{}", lines.join("\n"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use sen_catalog::raster::{CogProfile, CogWriter, Compression, Overviews};
    use sen_catalog::season::Season;
    use sen_catalog::statistic::{ZonalStatistic, asset_name};
    use sen_catalog::store::{Features, Seasons, SqliteStore};
    use sen_catalog::{Crs, Grid};

    const GRID: Grid = Grid {
        crs: Crs::UTM_48N,
        west: 500_000.0,
        north: 1_160_000.0,
        cell_width: 10.0,
        cell_height: 10.0,
        width: 130,
        height: 600,
    };

    /// A week of one layer, with one plot in it.
    struct SampleWeek {
        pixels: Vec<i16>,
        mean: f64,
        sowing: &'static str,
    }

    impl SampleWeek {
        fn usual() -> Self {
            Self {
                pixels: (0..GRID.width * GRID.height)
                    .map(|index| (index % 971) as i16)
                    .collect(),
                mean: 0.5,
                sowing: "2026-06-19",
            }
        }

        /// Writes a data folder that holds it and gives its lines.
        async fn list_lines(&self, compression: Compression, block: usize) -> Vec<String> {
            let folder = tempfile::tempdir().expect("a folder");
            let data = folder.path();
            let assets = Assets::open(data).expect("folders");
            let store = SqliteStore::open(&data.join("catalog.sqlite")).expect("a store");
            let square = geo_types::Rect::new((105.0, 10.4), (105.01, 10.41));
            let plot = Feature::new("plots", "DT-001", square.to_polygon().into());
            store.put_features(vec![plot]).await.expect("a plot");
            let season = Season {
                season: "2026-he-thu".into(),
                sowing: self.sowing.parse().ok(),
                heading: None,
                harvest: None,
                lost: None,
                sowing_uncertainty_days: Some(7.3),
                heading_uncertainty_days: None,
                harvest_uncertainty_days: None,
            };
            store.put_seasons(vec![(1, vec![season])]).await.expect("a crop");
            let raster = assets.path("ndvi.tif");
            let profile = CogProfile {
                grid: GRID,
                data_type: DataType::I16,
                nodata: Some(-32768.0),
                scale: 1e-4,
                offset: 0.0,
                compression,
                block,
                overviews: Overviews::Average,
                description: String::new(),
            };
            let mut writer = CogWriter::create(&raster, profile).expect("a raster");
            writer.write_rows(&self.pixels).expect("rows");
            writer.finish().expect("finished");
            let statistic = ZonalStatistic {
                count: 2.0,
                mean: Some(self.mean),
                ..ZonalStatistic::default()
            };
            let rows = [(1, "DT-001".to_owned(), statistic)];
            StatisticTable::write(&assets.path("plots.arrow"), &rows, &BTreeMap::new()).expect("a table");
            let week: Period = "2026-W34".parse().expect("a week");
            let item = Item {
                id: Item::weekly_id("ndvi", week),
                collection: "ndvi".into(),
                interval: week.interval(),
                grid: GRID,
                bbox: GRID.lon_lat_bounds().expect("inside the zone"),
                assets: BTreeMap::from([
                    ("ndvi".to_owned(), Asset::new("ndvi.tif")),
                    (asset_name("plots"), Asset::new("plots.arrow")),
                ]),
                lineage: Vec::new(),
                properties: serde_json::Map::new(),
            };
            store.put_item(&item).await.expect("an item");
            list_contents(data).await.expect("contents")
        }
    }

    /// What the lines that differ speak of.
    fn changed(before: &[String], after: &[String]) -> Vec<String> {
        assert_eq!(before.len(), after.len());
        let pairs = before.iter().zip(after).filter(|(before, after)| before != after);
        pairs
            .map(|(line, _)| line.split(' ').take(5).collect::<Vec<_>>().join(" "))
            .collect()
    }

    #[tokio::test]
    async fn only_the_line_of_what_changed_differs_and_the_layout_of_a_file_does_not_count() {
        let before = SampleWeek::usual().list_lines(Compression::Deflate(1), 128).await;
        let same = SampleWeek::usual().list_lines(Compression::Zstd(3), 64).await;
        assert_eq!(before, same);
        // a raster, the zones and ten columns of its table, a crop
        assert_eq!(before.len(), 13, "{before:#?}");

        let mut week = SampleWeek::usual();
        *week.pixels.last_mut().expect("pixels") += 1;
        let after = week.list_lines(Compression::Deflate(1), 128).await;
        assert_eq!(changed(&before, &after), ["raster ndvi ndvi_2026-W34 ndvi int16"]);

        let mut week = SampleWeek::usual();
        week.mean += 1e-12;
        let after = week.list_lines(Compression::Deflate(1), 128).await;
        assert_eq!(changed(&before, &after), ["column ndvi ndvi_2026-W34 plots mean"]);

        let mut week = SampleWeek::usual();
        week.sowing = "2026-06-20";
        let after = week.list_lines(Compression::Deflate(1), 128).await;
        let crops = changed(&before, &after);
        assert!(
            crops.len() == 1 && crops[0].starts_with("record season plots 1"),
            "{crops:?}"
        );
    }
}

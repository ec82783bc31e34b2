//! Class rasters of the forest blocks: the cells of each block take its class of the week. What the classes mean is told
//! by the steps that draw them (`processing/src/steps/fire_danger.rs`, `processing/src/steps/forest_cover.rs`).

use super::Fire;
use super::danger::Blocks;
use crate::Result;
use crate::phenology::cells::Cells;
use crate::raster_output::{self, INPUTS, PixelEncoding, add_rasters, publish_item, write_raster};
use geo_types::MultiPolygon;
use sen_catalog::run::StepStatus;
use sen_catalog::{Feature, Grid, Item, Period, asset};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// Outside of forest blocks.
const NODATA: u8 = 255;

/// Draws weeks of one collection.
pub(crate) struct Sheets<'a> {
    fire: &'a Fire<'a>,
    blocks: &'a Blocks,
    collection: &'static str,
    grid: Grid,
    /// Placed once, for the first week that has to be drawn.
    cells: Option<Cells>,
}

/// A week to be drawn.
pub(crate) struct Sheet<'a> {
    pub(crate) week: Period,
    /// Names of the rasters, the collection's own first.
    pub(crate) names: &'a [&'static str],
    /// Of each block, the class in each of the rasters; none where the block is not drawn.
    pub(crate) classes: &'a [Option<Vec<u8>>],
    /// What the classes were told from.
    pub(crate) lineage: Vec<String>,
    pub(crate) properties: Vec<(&'static str, Value)>,
    /// What beside blocks and classes makes the week another one.
    pub(crate) made_of: Value,
}

impl<'a> Sheets<'a> {
    pub(crate) fn new(fire: &'a Fire<'a>, blocks: &'a Blocks, collection: &'static str) -> Self {
        let factor = (fire.settings.cell_m / fire.grid.cell_width).round().max(1.0) as usize;
        Self {
            fire,
            blocks,
            collection,
            grid: fire.grid.coarser(factor),
            cells: None,
        }
    }

    /// Draws a week unless it is there as it would be drawn.
    pub(crate) async fn draw(&mut self, sheet: Sheet<'_>) -> Result<StepStatus> {
        let (store, assets) = (self.fire.store.as_ref(), &self.fire.assets);
        let blocks = &self.blocks.features;
        let codes: Vec<&str> = blocks.iter().map(|block| block.code.as_str()).collect();
        let inputs = json!([
            sheet.made_of,
            self.grid,
            self.blocks.revision,
            codes,
            sheet.classes
        ]);
        let inputs = asset::hex(&Sha256::digest(inputs.to_string().as_bytes()));
        let id = Item::weekly_id(self.collection, sheet.week);
        let known = store.item(self.collection, &id).await?;
        if raster_output::is_current(assets, known.as_ref(), &inputs) {
            return Ok(StepStatus::UpToDate);
        }
        let grid = self.grid;
        let cells = match &mut self.cells {
            Some(cells) => cells,
            none => {
                let polygons: Vec<MultiPolygon<f64>> = blocks.iter().filter_map(Feature::polygons).collect();
                none.insert(Cells::new(&polygons, &grid)?)
            }
        };
        let stored = PixelEncoding::classes(NODATA);
        let mut files = Vec::new();
        for (number, name) in sheet.names.iter().enumerate() {
            let mut values = vec![NODATA; grid.width * grid.height];
            for (block, row, columns) in cells.runs(0..grid.height) {
                let class = sheet
                    .classes
                    .get(block)
                    .and_then(|classes| classes.as_ref()?.get(number));
                if let Some(class) = class {
                    let line = row * grid.width;
                    values[line + columns.start..line + columns.end].fill(*class);
                }
            }
            files.push(write_raster(assets, name, &values, &grid, stored)?);
        }
        let own = [
            ("sen:code_version", json!(self.fire.code_version)),
            (INPUTS, json!(inputs)),
        ];
        let mut item = Item {
            id,
            collection: self.collection.to_owned(),
            interval: sheet.week.interval(),
            grid,
            bbox: grid.lon_lat_bounds()?,
            assets: BTreeMap::new(),
            lineage: sheet.lineage,
            properties: sheet
                .properties
                .into_iter()
                .chain(own)
                .map(|(name, value)| (name.to_owned(), value))
                .collect(),
        };
        add_rasters(&mut item, &files);
        publish_item(store, assets, &item, &files).await?;
        Ok(StepStatus::Made)
    }
}

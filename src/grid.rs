//! The province grid: which one is remembered, which one is wished for, and which weeks lie on another.
//!
//! The grid that the first ingest chose is a row of the catalogue (older folders: `grid.json`, which is taken over). A `[grid]` of
//! `sen.toml` that differs from it is a wish: it is said, all weeks are made again, and then the new grid is remembered. A
//! remembered grid on which no week lies is damage: weeks beside the others by metres would be the result.

use crate::config::Data;
use anyhow::{Context, bail};
use sen_catalog::{Grid, Item, ItemQuery, Period, Store};
use sen_processing::product::PRODUCTS;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// The file in which older folders remember the grid.
const GRID_FILE: &str = "grid.json";

/// On which grid weeks are made.
pub(crate) struct Decision {
    pub(crate) grid: Grid,
    /// Weeks that lie on another one and are made again.
    pub(crate) elsewhere: BTreeSet<Period>,
    /// True when it stands in the catalogue already.
    remembered: bool,
}

/// True when the cells of two grids are the same ones, to a thousandth of a cell.
fn is_same(a: &Grid, b: &Grid) -> bool {
    (a.width, a.height) == (b.width, b.height) && a.offset_of(b) == Some((0, 0))
}

/// A grid for people.
pub(crate) fn describe(grid: &Grid) -> String {
    format!(
        "{}, west {}, north {}, cells of {} x {}, {} x {} of them",
        grid.crs, grid.west, grid.north, grid.cell_width, grid.cell_height, grid.width, grid.height
    )
}

/// The grids of the weeks that are measured in scenes, a week each, oldest first.
async fn weeks(store: &dyn Store) -> sen_catalog::Result<Vec<(Item, Period)>> {
    let mut found = Vec::new();
    for product in PRODUCTS {
        let items = store.items(&ItemQuery::collection(product.name())).await?;
        found.extend(items.into_iter().map(|item| {
            let week = item.period();
            (item, week)
        }));
    }
    Ok(found)
}

/// The grid that is remembered; the error says what is wrong with it and what to do.
pub(crate) async fn remembered(store: &dyn Store, folder: &Path) -> Result<Option<Grid>, String> {
    match store.grid().await {
        Ok(None) => {}
        known => return known.map_err(|error| error.to_string()),
    }
    let weeks = weeks(store).await.map_err(|error| error.to_string())?;
    let newest = weeks
        .iter()
        .max_by_key(|(_, week)| *week)
        .map(|(item, _)| item.grid);
    let path = folder.join(GRID_FILE);
    match fs::read(&path) {
        Ok(text) => serde_json::from_slice(&text).map(Some).map_err(|error| {
            let lie = newest.map_or("there are no weeks yet".to_owned(), |grid| {
                format!("the weeks there are lie on {}", describe(&grid))
            });
            format!(
                "{} is damaged ({error}); {lie}. Remove the file: the grid of the weeks is then taken, or the next scenes \
                 decide where there are none",
                path.display()
            )
        }),
        // a week tells its grid as well as a file does
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(newest),
        Err(error) => Err(format!("{}: {error}", path.display())),
    }
}

/// What is wrong with the remembered grid, and what a changed `[grid]` will do.
#[derive(Default)]
pub(crate) struct Findings {
    pub(crate) wrong: Vec<String>,
    pub(crate) notes: Vec<String>,
}

/// For `sen check`.
pub(crate) async fn check(data: &Data) -> anyhow::Result<Findings> {
    let mut findings = Findings::default();
    let remembered = match &data.remembered {
        Ok(remembered) => *remembered,
        Err(reason) => {
            findings.wrong.push(reason.clone());
            return Ok(findings);
        }
    };
    let lying = weeks(data.store.as_ref()).await?;
    let Some(own) = remembered else {
        return Ok(findings);
    };
    let wish = data
        .config
        .grid
        .wish(remembered)?
        .filter(|wish| !is_same(wish, &own));
    let target = wish.unwrap_or(own);
    if wish.is_some() {
        findings.notes.push(format!(
            "the [grid] of sen.toml ({}) is not the one of the weeks there are; the next `sen process` or `sen ingest` makes \
             all of them again",
            describe(&target)
        ));
    }
    if let Some(reason) = damage(&own, wish.as_ref(), &lying) {
        findings.wrong.push(reason);
        return Ok(findings);
    }
    for (item, _) in lying {
        if !is_same(&item.grid, &own) && !is_same(&item.grid, &target) {
            findings.wrong.push(format!(
                "{}/{} lies on another grid ({}) than the one remembered ({}); `sen process` makes it again",
                item.collection,
                item.id,
                describe(&item.grid),
                describe(&own)
            ));
        }
    }
    Ok(findings)
}

/// Why the remembered grid cannot be the one of the weeks there are.
fn damage(own: &Grid, wish: Option<&Grid>, lying: &[(Item, Period)]) -> Option<String> {
    let fits = |grid: &Grid| lying.iter().any(|(item, _)| is_same(&item.grid, grid));
    let (newest, _) = lying.iter().max_by_key(|(_, week)| *week)?;
    (!fits(own) && !wish.is_some_and(fits)).then(|| {
        format!(
            "the remembered grid ({}) is not that of the weeks there are ({}): weeks made on it would lie beside all others. \
             Bring the catalogue (in older folders grid.json) back from a backup, or say which grid is meant under [grid] \
             of sen.toml: crs, cell_m and bounds",
            describe(own),
            describe(&newest.grid)
        )
    })
}

impl Data {
    /// The province grid: wished for, remembered, or none yet.
    pub(crate) fn grid(&self) -> anyhow::Result<Option<Grid>> {
        let remembered = self.base()?;
        Ok(self.config.grid.wish(remembered)?.or(remembered))
    }

    /// The remembered grid; that it is damaged matters only where `sen.toml` does not name the whole of it.
    fn base(&self) -> anyhow::Result<Option<Grid>> {
        match &self.remembered {
            Err(_) if self.config.grid.bounds.is_some() => Ok(None),
            known => known.clone().map_err(anyhow::Error::msg),
        }
    }

    /// The grid that weeks are made on, decided by the first scenes when nothing else says.
    pub(crate) async fn decide_grid(&self, scenes: &[Item]) -> anyhow::Result<Decision> {
        let remembered = self.base()?;
        let lying = weeks(self.store.as_ref()).await?;
        let wish = self.config.grid.wish(remembered)?;
        let grid = match (wish, remembered) {
            (Some(wish), _) => wish,
            (None, Some(own)) => {
                if let Some(reason) = damage(&own, None, &lying) {
                    bail!(reason);
                }
                own
            }
            (None, None) => self.config.grid.covering_scenes(scenes)?,
        };
        let elsewhere: BTreeSet<Period> = lying
            .iter()
            .filter(|(item, _)| !is_same(&item.grid, &grid))
            .map(|(_, week)| *week)
            .collect();
        let mut decision = Decision {
            grid,
            elsewhere,
            remembered: self
                .store
                .grid()
                .await?
                .is_some_and(|known| is_same(&known, &grid)),
        };
        // while weeks lie on the old grid, that one stays remembered
        if decision.elsewhere.is_empty() {
            self.remember(&mut decision).await?;
        }
        Ok(decision)
    }

    /// Remembers the grid in the catalogue, once all weeks lie on it; an older folder's file goes.
    pub(crate) async fn remember(&self, decision: &mut Decision) -> anyhow::Result<()> {
        if decision.remembered {
            return Ok(());
        }
        self.store.put_grid(&decision.grid).await?;
        decision.remembered = true;
        let path = self.folder.join(GRID_FILE);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(error).with_context(|| format!("cannot remove {}", path.display()))
            }
            _ => Ok(()),
        }
    }
}

//! `sen erosion`: river banks of two times compared, the reaches with their change as a layer.

use super::import::zones::check_name;
use super::stopping;
use super::write_lock::WriteLock;
use crate::Outcome;
use crate::config::{Data, Place, UsageError};
use crate::output::{Output, table};
use clap::Args;
use sen_catalog::{Feature, FeatureQuery, Grid, ItemQuery, Period, TimeQuery};
use sen_processing::riverbank::{self, Change, Mask, Permanence, Reach, Rules, Values, Verdict};
use sen_processing::vector::update::update;
use serde_json::json;
use std::path::Path;

/// Erosion and accretion of river banks between two times, per reach, in hectares and metres.
///
/// BEFORE and AFTER are each a year (2024), a time (2024-01-01/2024-06-30, 2024-W01/2024-W20), whose weeks of the flood
/// layer tell the water that stays, or a raster of water. Compare times of like water levels: higher water looks like
/// erosion. The reaches become a layer of the map with their change as attributes.
#[derive(Args)]
pub(crate) struct Erosion {
    /// The earlier time or raster.
    before: String,
    /// The later time or raster.
    after: String,
    /// The layer of reaches (lines, or polygons); without it reaches are found along the rivers.
    #[arg(long, value_name = "LAYER")]
    reaches: Option<String>,
    /// The layer that the result becomes.
    #[arg(long = "as", value_name = "NAME", default_value = "riverbanks")]
    name: String,
    /// Water for good is what was wet in at least this share of the weeks it was seen in.
    #[arg(long, value_name = "0..1", default_value_t = 0.8)]
    share: f64,
    /// Weeks in which a cell must have been seen.
    #[arg(long, value_name = "N", default_value_t = 5)]
    min_looks: usize,
    /// Length of the reaches found, metres.
    #[arg(long, value_name = "M", default_value_t = 2000.0)]
    reach_length: f64,
    /// Least width of what is a river, metres.
    #[arg(long, value_name = "M", default_value_t = 60.0)]
    river_width: f64,
    /// How far from the lines of a layer their banks are looked for, metres.
    #[arg(long, value_name = "M", default_value_t = 500.0)]
    within: f64,
    /// Values of a raster that are water.
    #[arg(
        long,
        value_name = "V,...",
        value_delimiter = ',',
        allow_negative_numbers = true,
        default_value = "1"
    )]
    water: Vec<f64>,
    /// Values of a raster that are land; any other value is "not seen".
    #[arg(
        long,
        value_name = "V,...",
        value_delimiter = ',',
        allow_negative_numbers = true,
        default_value = "0"
    )]
    land: Vec<f64>,
}

impl Erosion {
    pub(crate) fn run(self, place: &Place, output: &Output) -> anyhow::Result<Outcome> {
        self.check()?;
        let data = place.open_existing()?;
        let lock = WriteLock::take(&data)?;
        let (runtime, _) = stopping::runtime()?;
        let outcome = runtime.block_on(self.compare(&data, output));
        drop(lock);
        outcome
    }

    fn check(&self) -> Result<(), UsageError> {
        check_name(&self.name)?;
        let metres = [
            ("--reach-length", self.reach_length),
            ("--river-width", self.river_width),
            ("--within", self.within),
        ];
        if let Some((option, value)) = metres
            .into_iter()
            .find(|(_, value)| !(*value > 0.0 && *value <= 1e5))
        {
            return Err(UsageError(format!(
                "{option}: {value} is no length in metres up to 100 km"
            )));
        }
        if !(self.share > 0.0 && self.share <= 1.0) {
            return Err(UsageError(format!(
                "--share: {} is not more than 0 and at most 1",
                self.share
            )));
        }
        if self.reaches.as_ref() == Some(&self.name) {
            return Err(UsageError(format!(
                "--as: the result would replace the reaches it is made of; choose another name than `{}`",
                self.name
            )));
        }
        Ok(())
    }

    async fn compare(&self, data: &Data, output: &Output) -> anyhow::Result<Outcome> {
        let layer = match &self.reaches {
            None => None,
            Some(name) => Some(layer(data, name).await?),
        };
        let before = self.mask(data, &self.before, None).await?;
        let after = self.mask(data, &self.after, Some(before.grid)).await?;
        let rules = Rules {
            length_m: self.reach_length,
            width_m: self.river_width,
            within_m: self.within,
        };
        let changes = riverbank::compare(&before, &after, layer.as_deref(), &rules)?;
        let features = riverbank::features(&self.name, &changes, &before, &after);
        let updated = update(data.store.as_ref(), &self.name, features).await?;
        let reaches: Vec<&Change> = changes.iter().map(|(_, change)| change).collect();
        let mut text = report(&changes);
        if updated.absent > 0 {
            text += &format!(
                "{} reaches of an earlier run stay in {}; --as gives this comparison a layer of its own\n",
                updated.absent, self.name
            );
        }
        output.result(
            &text,
            &json!({
                "layer": self.name, "before": before.made_of, "after": after.made_of,
                "reaches": reaches, "updated": updated,
            }),
        );
        Ok(Outcome::Done)
    }

    /// The water of a time or a raster; a second raster comes onto the grid of the first mask.
    async fn mask(&self, data: &Data, source: &str, onto: Option<Grid>) -> anyhow::Result<Mask> {
        if Path::new(source).is_file() {
            let values = Values {
                water: self.water.clone(),
                land: self.land.clone(),
            };
            return Ok(Mask::of_raster(source, &values, onto)?);
        }
        let (from, to) = weeks(source)?;
        let query = ItemQuery {
            from,
            to,
            ..ItemQuery::collection("flood")
        };
        let items = data.store.items(&query).await?;
        let rule = Permanence {
            share: self.share,
            looks: self.min_looks,
        };
        let mask = Mask::of_weeks(&items, &data.assets, rule, source)?;
        if onto.is_some_and(|grid| grid != mask.grid) {
            return Err(UsageError(format!(
                "{} lies on another grid than the weeks of {source}: give the raster second, it is brought onto theirs",
                self.before
            ))
            .into());
        }
        Ok(mask)
    }
}

/// First and last week of a year, or of whatever else stands for a time.
fn weeks(source: &str) -> Result<(Option<Period>, Option<Period>), UsageError> {
    let year = source.parse::<i32>().ok().filter(|_| source.len() == 4);
    if let Some(year) = year
        && let (Ok(first), Ok(next)) = (
            format!("{year}-W01").parse(),
            format!("{}-W01", year + 1).parse::<Period>(),
        )
    {
        return Ok((Some(first), Some(next.previous())));
    }
    match source.parse::<TimeQuery>() {
        Ok(time) if time != TimeQuery::Latest => Ok(time.weeks()),
        _ => Err(UsageError(format!(
            "`{source}` is no file, no year and no time; write 2024, 2024-01-01/2024-06-30 or the path of a raster"
        ))),
    }
}

async fn layer(data: &Data, name: &str) -> anyhow::Result<Vec<Feature>> {
    let features = data.store.features(&FeatureQuery::layer(name)).await?;
    let features: Vec<Feature> = features
        .into_iter()
        .filter(|feature| feature.valid_to.is_none())
        .collect();
    if features.is_empty() {
        let layers = data.store.layers().await?;
        let known: Vec<_> = layers.iter().map(|layer| layer.name.as_str()).collect();
        return Err(UsageError(format!(
            "--reaches: there is no layer `{name}`; there are {}. Bring one in with `sen import layer FILE --as {name}`",
            known.join(", ")
        ))
        .into());
    }
    Ok(features)
}

/// A row a reach, those that lost most first.
fn report(changes: &[(Reach, Change)]) -> String {
    let mut sorted: Vec<_> = changes.iter().collect();
    sorted.sort_by(|(_, a), (_, b)| b.eroded_ha.total_cmp(&a.eroded_ha));
    let rows: Vec<Vec<String>> = sorted
        .into_iter()
        .map(|(_, change)| {
            let number = |value: f64, digits: usize| {
                if change.change == Verdict::Unseen {
                    "?".to_owned()
                } else {
                    format!("{value:.digits$}")
                }
            };
            vec![
                change.code.clone(),
                serde_json::to_value(change.change)
                    .ok()
                    .and_then(|word| word.as_str().map(str::to_owned))
                    .unwrap_or_default(),
                number(change.eroded_ha, 2),
                number(change.accreted_ha, 2),
                number(change.bank_m, 0),
                number(change.retreat_mean_m, 1),
                number(change.retreat_max_m, 0),
                number(change.advance_max_m, 0),
                format!("{:.0}", change.seen_share * 100.0),
            ]
        })
        .collect();
    let least = changes.first().map_or(0.0, |(_, change)| change.min_detectable_m);
    let header = [
        "reach",
        "change",
        "lost ha",
        "gained ha",
        "bank m",
        "retreat m",
        "most m",
        "advance m",
        "seen %",
    ];
    table(&header, &rows)
        + &format!(
            "a pixel is {least} m: where no bank moved by two of them the change is `none`, whatever the hectares say\n"
        )
}

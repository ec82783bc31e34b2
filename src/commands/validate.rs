//! `sen validate`: how good a map is, against labels.

use crate::Outcome;
use crate::config::UsageError;
use crate::output::{Output, table};
use anyhow::Context;
use clap::Args;
use sen_processing::flood::radar::Join;
use sen_processing::run::Progress;
use sen_processing::steps::layer_names;
use sen_processing::validate::chips::{self, Chip};
use sen_processing::validate::holdout::{self, Tried};
use sen_processing::validate::maps::{self, Classes, Comparison};
use sen_processing::validate::picture::{self, Row};
use sen_processing::validate::{AreaEstimate, Counts, Matrix, olofsson};
use serde_json::{Map, Value, json};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Accuracy of a map against labels: confusion matrix, IoU, F1, user's and producer's accuracy, areas with confidence
/// interval.
///
/// LABEL is a raster of classes (-1 or nodata: not labelled) or a CSV of points with the columns lon, lat, class.
/// With --chips the methods of a product are run on every labelled chip of a folder in the layout of Sen1Floods11
/// (s1/NAME_S1Hand.tif, s2/NAME_S2Hand.tif, labels/NAME_LabelHand.tif), and radar, optical and fused are reported apart.
#[derive(Args)]
pub(crate) struct Validate {
    /// The map.
    #[arg(
        value_name = "PREDICTED",
        required_unless_present = "chips",
        conflicts_with = "chips"
    )]
    predicted: Option<PathBuf>,
    /// What was really so.
    #[arg(value_name = "LABEL", required_unless_present = "chips")]
    labels: Vec<PathBuf>,
    /// Classes of the map that stand for 1 (all others for 0), such as 1,3,4,5 for all water of the flood layer.
    #[arg(
        long,
        value_name = "CLASS,...",
        value_delimiter = ',',
        allow_hyphen_values = true
    )]
    positive: Vec<i64>,
    /// The same for the labels.
    #[arg(
        long,
        value_name = "CLASS,...",
        value_delimiter = ',',
        allow_hyphen_values = true
    )]
    label_positive: Vec<i64>,
    /// Values of the map that are no class, besides its nodata.
    #[arg(long, value_name = "CLASS,...", value_delimiter = ',', default_values_t = [252, 253, 254, 255])]
    ignore: Vec<i64>,
    /// Folder of labelled chips.
    #[arg(long, value_name = "DIR", requires = "product")]
    chips: Option<PathBuf>,
    /// The product to run on the chips.
    #[arg(long, value_name = "NAME", requires = "chips")]
    product: Option<String>,
    /// Write a picture (PNG) of the labels and maps: hits blue, false alarms red, misses orange.
    #[arg(long, value_name = "FILE")]
    picture: Option<PathBuf>,
    /// Write the result as a page in Markdown.
    #[arg(long, value_name = "FILE", requires = "chips")]
    page: Option<PathBuf>,
}

impl Validate {
    pub(crate) fn run(self, output: &Output) -> anyhow::Result<Outcome> {
        match &self.chips {
            Some(folder) => self.run_chips(folder, output),
            None => self.run_maps(output),
        }
    }

    fn run_maps(&self, output: &Output) -> anyhow::Result<Outcome> {
        let Some(map) = &self.predicted else {
            return Err(
                UsageError("name the map and its labels, or a folder with --chips".to_owned()).into(),
            );
        };
        let classes = Classes {
            positive: self.positive.clone(),
            label_positive: self.label_positive.clone(),
            ignore: self.ignore.clone(),
        };
        let is_table = |label: &Path| {
            label
                .extension()
                .is_some_and(|end| end.eq_ignore_ascii_case("csv"))
        };
        if self.picture.is_some()
            && let Some(table) = self.labels.iter().find(|label| is_table(label))
        {
            return Err(UsageError(format!(
                "--picture draws label rasters, and {} is a table of points",
                table.display()
            ))
            .into());
        }
        let (mut all, mut each, mut rows) = (Comparison::default(), Vec::new(), Vec::new());
        for label in &self.labels {
            let found = if is_table(label) {
                maps::points(map, label, &classes)?
            } else {
                maps::rasters(map, label, &classes)?
            };
            if self.picture.is_some() {
                rows.push(maps::row(map, label, &classes, picture::SIDE)?);
            }
            all.extend(&found);
            each.push((label.as_path(), found));
        }
        if let Some(path) = &self.picture {
            picture::write(path, &rows)?;
        }
        let (census, hectares) = maps::census(map, &classes)?;
        let unit = if hectares.is_some() { "ha" } else { "cells" };
        let areas: Vec<(i64, f64)> = census
            .into_iter()
            .map(|(class, cells)| (class, cells as f64 * hectares.unwrap_or(1.0)))
            .collect();
        let estimate = olofsson(&all.matrix, &areas);
        let (text, value) = maps_report(&all, &each, estimate.as_ref(), unit);
        output.result(&text, &value);
        Ok(Outcome::Done)
    }

    fn run_chips(&self, folder: &Path, output: &Output) -> anyhow::Result<Outcome> {
        let product = self.product.as_deref().unwrap_or_default();
        if product != "flood" {
            let known = layer_names().contains(&product);
            let reason = if known {
                "has no labelled chips to run on"
            } else {
                "is no product"
            };
            return Err(UsageError(format!("--product: `{product}` {reason}; flood has")).into());
        }
        let names = chips::names(folder)?;
        output.begin("chips", names.len() as u64);
        let (mut found, mut failed) = (Vec::new(), Vec::new());
        for name in names {
            match Chip::open(folder, &name) {
                Ok(chip) => found.push(chip),
                Err(error) => failed.push(format!("{name}: {error}")),
            }
            output.advance(1);
        }
        output.finish();
        let report = Report::of(&found);
        let mut value = report.json();
        value["failed"] = json!(failed);
        let mut text = report.text();
        for reason in &failed {
            text += &format!("failed: {reason}\n");
        }
        if let Some(path) = &self.picture {
            let rows: Vec<Row> = found.iter().map(Row::of_chip).collect();
            picture::write(path, &rows)?;
        }
        if let Some(path) = &self.page {
            let shown = self.picture.as_deref().and_then(Path::file_name);
            let names: Vec<&str> = found.iter().map(|chip| chip.name.as_str()).collect();
            let page = report.page(shown.map(|name| (name.to_string_lossy(), names)));
            std::fs::write(path, page).with_context(|| path.display().to_string())?;
        }
        output.result(&text, &value);
        Ok(if failed.is_empty() {
            Outcome::Done
        } else {
            Outcome::Partly
        })
    }
}

/// Kinds of map, in the order of the report.
const KINDS: [&str; 3] = ["radar", "optical", "fused"];

/// Counts of every chip by kind and method.
struct Report {
    /// The default methods.
    kinds: BTreeMap<&'static str, Named>,
    /// With constants chosen on the other events, and which.
    held_out: BTreeMap<&'static str, (Named, Vec<String>)>,
    /// Simple methods to compare with, in the order in which they are listed.
    simple: BTreeMap<&'static str, Vec<(&'static str, Named)>>,
}

/// Counts by chip.
type Named = BTreeMap<String, Counts>;

/// Figures of a method: of all cells together, and means over the chips where they are defined.
struct Summary {
    pooled: Counts,
    iou: Option<f64>,
    precision: Option<f64>,
    recall: Option<f64>,
    chips: usize,
}

impl Summary {
    fn of(chips: &Named) -> Self {
        let mut pooled = Counts::default();
        for counts in chips.values() {
            pooled += *counts;
        }
        let mean = |of: fn(&Counts) -> Option<f64>| {
            let values: Vec<f64> = chips.values().filter_map(of).collect();
            (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
        };
        Self {
            iou: mean(Counts::iou),
            precision: mean(Counts::precision),
            recall: mean(Counts::recall),
            chips: chips.values().filter(|counts| counts.iou().is_some()).count(),
            pooled,
        }
    }

    /// Pooled and mean IoU.
    fn short(&self) -> [String; 2] {
        [share(self.pooled.iou()), share(self.iou)]
    }

    fn short_json(&self) -> Value {
        json!({"pooled": self.pooled.iou(), "mean": self.iou})
    }
}

impl Report {
    fn of(chips: &[Chip]) -> Self {
        let mut kinds: BTreeMap<&'static str, Named> = BTreeMap::new();
        let mut simple: BTreeMap<&'static str, Vec<(&'static str, Named)>> = BTreeMap::new();
        for chip in chips {
            for (kind, map) in &chip.maps {
                let named = kinds.entry(kind).or_default();
                named.insert(chip.name.clone(), chip.counts(map));
            }
            for (kind, methods) in &chip.simple {
                let listed = simple.entry(kind).or_default();
                for (name, counts) in methods {
                    let place = listed.iter().position(|(known, _)| known == name);
                    let place = place.unwrap_or_else(|| {
                        listed.push((name, Named::new()));
                        listed.len() - 1
                    });
                    listed[place].1.insert(chip.name.clone(), *counts);
                }
            }
        }
        Self {
            kinds,
            held_out: held_out(chips),
            simple,
        }
    }

    fn kind(&self, kind: &str) -> (Vec<(&String, &Counts)>, Summary) {
        static NOTHING: Named = Named::new();
        let chips = self.kinds.get(kind).unwrap_or(&NOTHING);
        (chips.iter().collect(), Summary::of(chips))
    }

    /// Rows of the table of a kind's methods: the default one, the same with constants chosen on other events, simple ones.
    fn methods(&self, kind: &str) -> Vec<Vec<String>> {
        let row = |name: &str, chips: &Named| {
            let [pooled, mean] = Summary::of(chips).short();
            vec![name.to_owned(), pooled, mean]
        };
        let mut rows = Vec::new();
        rows.extend(self.kinds.get(kind).map(|chips| row("default", chips)));
        if let Some((chips, _)) = self.held_out.get(kind) {
            rows.push(row("default, event left out", chips));
        }
        rows.extend(
            self.simple
                .get(kind)
                .into_iter()
                .flatten()
                .map(|(name, chips)| row(name, chips)),
        );
        rows
    }

    /// What was chosen without each event, a line each.
    fn chosen(&self, kind: &str) -> &[String] {
        self.held_out.get(kind).map_or(&[], |(_, chosen)| chosen)
    }

    fn json(&self) -> Value {
        let mut out = Map::new();
        for kind in KINDS {
            let (chips, summary) = self.kind(kind);
            let chips: Map<String, Value> = chips
                .into_iter()
                .map(|(name, counts)| (name.clone(), figures(counts)))
                .collect();
            let mut pooled = figures(&summary.pooled);
            if let Some((areas, overall)) = estimate(&summary.pooled) {
                pooled["area"] = json!({"unit": "cells", "classes": areas, "overall": overall});
            }
            let mean = json!({
                "iou": summary.iou, "precision": summary.precision, "recall": summary.recall, "n": summary.chips,
            });
            let held_out = self.held_out.get(kind).map(|(chips, chosen)| {
                let mut value = Summary::of(chips).short_json();
                value["chosen"] = json!(chosen);
                value
            });
            let simple: Map<String, Value> = self
                .simple
                .get(kind)
                .into_iter()
                .flatten()
                .map(|(name, chips)| ((*name).to_owned(), Summary::of(chips).short_json()))
                .collect();
            out.insert(
                kind.to_owned(),
                json!({"chips": chips, "pooled": pooled, "mean": mean, "event_left_out": held_out, "simple": simple}),
            );
        }
        Value::Object(out)
    }

    /// Rows of the table of a kind.
    fn rows(&self, kind: &str) -> Vec<Vec<String>> {
        let (chips, summary) = self.kind(kind);
        let row = |name: &str, c: &Counts| {
            vec![
                name.to_owned(),
                share(c.iou()),
                share(c.f1()),
                share(c.precision()),
                share(c.recall()),
                share(c.overall()),
                c.n().to_string(),
                c.not_seen.to_string(),
            ]
        };
        let mut rows: Vec<_> = chips.iter().map(|(name, counts)| row(name, counts)).collect();
        rows.push(row("all cells", &summary.pooled));
        let mut mean = vec![
            format!("mean of {}", summary.chips),
            share(summary.iou),
            String::new(),
        ];
        mean.extend([share(summary.precision), share(summary.recall)]);
        mean.extend(std::iter::repeat_n(String::new(), 3));
        rows.push(mean);
        rows
    }

    fn text(&self) -> String {
        let mut text = String::new();
        for kind in KINDS {
            let (chips, summary) = self.kind(kind);
            if chips.is_empty() {
                continue;
            }
            text += &table(
                &[
                    kind,
                    "iou",
                    "f1",
                    "user's",
                    "producer's",
                    "overall",
                    "cells",
                    "not seen",
                ],
                &self.rows(kind),
            );
            text += &confusion(&summary.pooled);
            text.push('\n');
            let methods = self.methods(kind);
            if methods.len() > 1 {
                text += &table(&["IoU", "pooled", "mean"], &methods);
                for chosen in self.chosen(kind) {
                    text += &format!("{chosen}\n");
                }
                text.push('\n');
            }
        }
        text
    }

    /// The page, with the picture's file name and the chips in the order of its rows.
    fn page(&self, picture: Option<(Cow<'_, str>, Vec<&str>)>) -> String {
        let mut page = PAGE.to_owned();
        if let Some((file, names)) = picture {
            page += &format!(
                "\n## Picture\n\n![Chips as rows; label, optics, radar and both as columns]({file})\n\nBlue: water in map and label; \
                 red: false alarm; orange: missed; grey: not labelled or not seen; white: no image. Columns: label, optical, radar, \
                 fused. Rows from above: {}.\n",
                names.join(", ")
            );
        }
        for kind in KINDS {
            let (chips, summary) = self.kind(kind);
            if chips.is_empty() {
                continue;
            }
            page += &format!("\n## {}{}\n\n", kind[..1].to_uppercase(), &kind[1..]);
            page += "| chip | IoU | F1 | user's | producer's | overall | cells | not seen |\n|---|---|---|---|---|---|---|---|\n";
            for row in self.rows(kind) {
                page += &format!("| {} |\n", row.join(" | "));
            }
            page += &format!("\n```\n{}```\n", confusion(&summary.pooled));
            let methods = self.methods(kind);
            if methods.len() > 1 {
                page += "\n| IoU | pooled | mean |\n|---|---|---|\n";
                for row in methods {
                    page += &format!("| {} |\n", row.join(" | "));
                }
                page.push('\n');
                for chosen in self.chosen(kind) {
                    page += &format!("- {chosen}\n");
                }
            }
        }
        page
    }
}

/// Each kind with constants chosen on all events but the chip's own.
fn held_out(chips: &[Chip]) -> BTreeMap<&'static str, (Named, Vec<String>)> {
    let names: [(&'static str, Vec<String>); 2] = [
        (
            "radar",
            holdout::radar_rules()
                .iter()
                .map(|rule| {
                    format!(
                        "seed {} dB, rest {} dB, wind {} dB, {}",
                        rule.seed,
                        rule.rest,
                        rule.wind,
                        match rule.join {
                            Join::Union => "union",
                            Join::Likelihood => "mean likelihood",
                        }
                    )
                })
                .collect(),
        ),
        (
            "optical",
            holdout::NDVI_LIMITS
                .iter()
                .map(|limit| format!("NDVI below {limit}"))
                .collect(),
        ),
    ];
    let mut out = BTreeMap::new();
    for (kind, names) in names {
        let tried: Vec<Tried> = chips
            .iter()
            .filter_map(|chip| {
                let counts = chip.tried.get(kind)?;
                Some(Tried {
                    chip: &chip.name,
                    counts,
                })
            })
            .collect();
        let (mut counts, mut chosen) = (Named::new(), Vec::new());
        for (chip, value) in tried.iter().zip(holdout::leave_one_event_out(&tried)) {
            counts.insert(chip.chip.to_owned(), chip.counts[value]);
            let line = format!("without {}: {}", holdout::event(chip.chip), names[value]);
            if chosen.last() != Some(&line) {
                chosen.push(line);
            }
        }
        if !counts.is_empty() {
            out.insert(kind, (counts, chosen));
        }
    }
    out
}

/// What the page says before its tables.
const PAGE: &str = include_str!("validate.md");

fn figures(counts: &Counts) -> Value {
    json!({
        "iou": counts.iou(), "precision": counts.precision(), "recall": counts.recall(), "f1": counts.f1(),
        "overall": counts.overall(), "n": counts.n(), "not_seen": counts.not_seen,
        "confusion": {
            "hits": counts.hits, "false_alarms": counts.false_alarms, "misses": counts.misses,
            "correct_dry": counts.correct_dry,
        },
    })
}

fn share(value: Option<f64>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| format!("{value:.4}"))
}

/// Matrix of map and label with the corrected area. Cells are no random sample, so that the interval is a lower bound of
/// the doubt.
fn confusion(counts: &Counts) -> String {
    let row = |name: &str, dry: u64, water: u64| vec![name.to_owned(), dry.to_string(), water.to_string()];
    let mut text = table(
        &["map \\ label", "dry", "water"],
        &[
            row("dry", counts.correct_dry, counts.misses),
            row("water", counts.false_alarms, counts.hits),
        ],
    );
    if let Some((areas, _)) = estimate(counts)
        && let Some(water) = areas.iter().find(|area| area.class == 1)
    {
        text += &format!(
            "water: {:.0} cells mapped, {:.0} +- {:.0} estimated (95 %)\n",
            water.mapped, water.area, water.half_width
        );
    }
    text
}

fn estimate(counts: &Counts) -> Option<(Vec<AreaEstimate>, f64)> {
    let mut matrix = Matrix::default();
    for (map, label, count) in [
        (0, 0, counts.correct_dry),
        (0, 1, counts.misses),
        (1, 0, counts.false_alarms),
        (1, 1, counts.hits),
    ] {
        matrix.add_many(map, label, count);
    }
    let dry = (counts.correct_dry + counts.misses) as f64;
    olofsson(
        &matrix,
        &[(0, dry), (1, (counts.hits + counts.false_alarms) as f64)],
    )
}

fn maps_report(
    found: &Comparison,
    each: &[(&Path, Comparison)],
    estimate: Option<&(Vec<AreaEstimate>, f64)>,
    unit: &str,
) -> (String, Value) {
    let classes = found.matrix.classes();
    let names: Vec<String> = classes.iter().map(ToString::to_string).collect();
    let mut head = vec!["map \\ label"];
    head.extend(names.iter().map(String::as_str));
    let rows: Vec<Vec<String>> = found
        .matrix
        .rows()
        .iter()
        .zip(&names)
        .map(|(row, name)| {
            std::iter::once(name.clone())
                .chain(row.iter().map(ToString::to_string))
                .collect()
        })
        .collect();
    let mut text = table(&head, &rows) + "\n";
    let of = |class: &i64| {
        let counts = found.matrix.class(*class);
        vec![
            class.to_string(),
            share(counts.iou()),
            share(counts.f1()),
            share(counts.precision()),
            share(counts.recall()),
        ]
    };
    let rows: Vec<_> = classes.iter().map(of).collect();
    text += &table(&["class", "iou", "f1", "user's", "producer's"], &rows);
    text += &format!(
        "overall {}  compared {}  without a class in the map {}\n",
        share(found.matrix.overall()),
        found.matrix.n(),
        found.not_seen
    );
    if each.len() > 1 {
        text += &format!("\n{}", by_label(each));
    }
    if let Some((areas, overall)) = estimate {
        let row = |area: &AreaEstimate| {
            vec![
                area.class.to_string(),
                format!("{:.1}", area.mapped),
                format!("{:.1} +- {:.1}", area.area, area.half_width),
            ]
        };
        let rows: Vec<_> = areas.iter().map(row).collect();
        text += &format!("\nareas in {unit} (Olofsson 2014, 95 %), overall accuracy by area {overall:.4}\n");
        text += &table(&["class", "mapped", "estimated"], &rows);
    } else {
        text += "\nno area estimate: a class of the map has fewer than two labels\n";
    }
    let mut value = comparison(found);
    value["area"] =
        json!(estimate.map(|(areas, overall)| json!({"unit": unit, "classes": areas, "overall": overall})));
    let labels = each.iter().map(|(label, found)| {
        let mut value = comparison(found);
        value["label"] = json!(label.display().to_string());
        value
    });
    value["labels"] = labels.collect();
    (text, value)
}

/// A table of each label and class.
fn by_label(each: &[(&Path, Comparison)]) -> String {
    let mut rows = Vec::new();
    for (label, found) in each {
        let name = label.file_name().unwrap_or(label.as_os_str()).to_string_lossy();
        for class in found.matrix.classes() {
            let counts = found.matrix.class(class);
            rows.push(vec![
                name.clone().into_owned(),
                class.to_string(),
                share(counts.iou()),
                share(counts.f1()),
                share(counts.precision()),
                share(counts.recall()),
                share(found.matrix.overall()),
                found.matrix.n().to_string(),
                found.not_seen.to_string(),
            ]);
        }
    }
    table(
        &[
            "label",
            "class",
            "iou",
            "f1",
            "user's",
            "producer's",
            "overall",
            "compared",
            "not seen",
        ],
        &rows,
    )
}

fn comparison(found: &Comparison) -> Value {
    let classes = found.matrix.classes();
    let by_class: Map<String, Value> = classes
        .iter()
        .map(|class| (class.to_string(), figures(&found.matrix.class(*class))))
        .collect();
    json!({
        "classes": by_class, "overall": found.matrix.overall(), "n": found.matrix.n(), "not_seen": found.not_seen,
        "confusion": {"classes": classes, "rows": found.matrix.rows()},
    })
}

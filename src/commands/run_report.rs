//! What a run did, for people: a row a layer, then what a person should know.

use crate::Outcome;
use crate::output::table;
use sen_catalog::run::{Dataset, Failure, RunReport, StatusCounts, StepReport, Unit};
use serde_json::{Map, Value};

/// The report as text, JSON and exit status.
pub(crate) fn summary(report: &RunReport) -> anyhow::Result<(String, Value, Outcome)> {
    let mut text = String::new();
    for note in &report.notes {
        text += &format!("note: {note}\n");
    }
    text += &steps_text(&report.steps);
    if report.cancelled {
        text += "stopped before all was done; run the same command again to finish\n";
    }
    let outcome = if report.is_complete() {
        Outcome::Done
    } else {
        Outcome::Partly
    };
    Ok((text, serde_json::to_value(report)?, outcome))
}

/// Steps for people; nothing when there was nothing to do anything for.
pub(crate) fn steps_text(steps: &[StepReport]) -> String {
    let mut rows: Vec<Vec<String>> = Vec::new();
    for step in steps {
        rows.extend(step_rows(step));
    }
    let mut text = String::new();
    if !rows.is_empty() {
        let header = [
            "step",
            "of",
            "made",
            "up to date",
            "no input",
            "held back",
            "failed",
        ];
        text += &table(&header, &rows);
    }
    for step in steps.iter().filter(|step| !step.is_empty()) {
        text += &figures_text(step.step, &step.figures);
    }
    for step in steps {
        text += &findings_text(step);
    }
    text
}

/// A row for each layer of rasters or zones; tables of all collections together.
fn step_rows(step: &StepReport) -> Vec<Vec<String>> {
    let mut by_name: Vec<(&str, StatusCounts)> = Vec::new();
    for (dataset, counts) in step.counts() {
        let name = short_name(dataset);
        match by_name.iter_mut().find(|(known, _)| *known == name) {
            Some((_, known)) => *known = known.plus(counts),
            None => by_name.push((name, counts)),
        }
    }
    let row = |(name, counts): (&str, StatusCounts)| {
        let numbers = [
            counts.made,
            counts.up_to_date,
            counts.no_input,
            counts.held_back,
            counts.failed,
        ];
        [step.step.to_owned(), name.to_owned()]
            .into_iter()
            .chain(numbers.iter().map(ToString::to_string))
            .collect()
    };
    by_name.into_iter().map(row).collect()
}

/// What people call it.
fn short_name(dataset: &Dataset) -> &str {
    match dataset {
        Dataset::Statistics { layer: name, .. }
        | Dataset::Samples { kind: name, .. }
        | Dataset::Scenes(name)
        | Dataset::Collection(name)
        | Dataset::PriorWeeks(name)
        | Dataset::Features(name)
        | Dataset::Shapes(name)
        | Dataset::Observations(name)
        | Dataset::Records(name)
        | Dataset::Setting(name)
        | Dataset::File(name) => name,
    }
}

fn figures_text(step: &str, figures: &Map<String, Value>) -> String {
    if figures.is_empty() {
        return String::new();
    }
    let words = figures
        .iter()
        .map(|(name, count)| format!("{} {count}", name.replace('_', " ")));
    format!("{step}: {}\n", words.collect::<Vec<_>>().join(", "))
}

/// Notes, what failed, what is held back and what was left out.
fn findings_text(step: &StepReport) -> String {
    let mut text = together("note", &step.notes);
    for (unit, reason) in step.failed() {
        text += &format!("failed: {}: {unit}: {reason}\n", step.step);
    }
    let mut by_cause: Vec<(&Unit, &Unit, usize)> = Vec::new();
    for (unit, by) in step.held_back() {
        let same =
            |(first, cause, _): &&mut (&Unit, &Unit, usize)| first.dataset == unit.dataset && *cause == by;
        match by_cause.iter_mut().find(same) {
            Some((_, _, more)) => *more += 1,
            None => by_cause.push((unit, by, 0)),
        }
    }
    for (unit, by, more) in by_cause {
        let stays = match more {
            0 => "stays as it was".to_owned(),
            more => format!("and {more} more stay as they were"),
        };
        text += &format!("held back: {}: {unit} {stays}, because {by} failed\n", step.step);
    }
    text + &together(&format!("left out of {}", step.step), &step.left_out)
}

/// Findings, those of one reason on one line.
fn together(word: &str, findings: &[Failure]) -> String {
    let mut by_reason: Vec<(&Failure, usize)> = Vec::new();
    for finding in findings {
        match by_reason
            .iter_mut()
            .find(|(first, _)| first.reason == finding.reason)
        {
            Some((_, more)) => *more += 1,
            None => by_reason.push((finding, 0)),
        }
    }
    let line = |(first, more): (&Failure, usize)| {
        let week = first.period.map_or_else(String::new, |week| format!("{week}: "));
        let others = match more {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        format!("{word}: {week}{}{others}: {}\n", first.what, first.reason)
    };
    by_reason.into_iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use sen_catalog::run::StepStatus;

    #[test]
    fn people_get_a_row_a_layer_and_each_reason_once() {
        let table = |collection: &str| Dataset::Statistics {
            collection: collection.into(),
            layer: "plots".into(),
        };
        let mut step = StepReport::new("zone_statistics");
        step.enter(table("ndvi"), None, StepStatus::Made);
        step.enter(table("evi"), None, StepStatus::UpToDate);
        step.enter(
            table("nbr"),
            None,
            StepStatus::failed("nbr.tif: checksum differs"),
        );
        let by = Unit {
            dataset: table("nbr"),
            period: None,
        };
        step.enter(
            Dataset::Records("forest_change".into()),
            None,
            StepStatus::HeldBack { by },
        );
        step.figure("alerts_confirmed", 2);
        for scene in ["a", "b", "c"] {
            step.left_out.push(Failure::new(scene, "is cut short"));
        }
        let text = steps_text(&[step]);
        let lines: Vec<Vec<&str>> = text
            .lines()
            .map(|line| line.split_whitespace().collect())
            .collect();
        assert_eq!(lines[1], ["zone_statistics", "plots", "1", "1", "0", "0", "1"]);
        assert_eq!(
            lines[2],
            ["zone_statistics", "forest_change", "0", "0", "0", "1", "0"]
        );
        for told in [
            "zone_statistics: alerts confirmed 2\n",
            "failed: zone_statistics: statistics/nbr/plots: nbr.tif: checksum differs\n",
            "records/forest_change stays as it was, because statistics/nbr/plots failed\n",
            "left out of zone_statistics: a and 2 more: is cut short\n",
        ] {
            assert!(text.contains(told), "{text}");
        }
    }
}

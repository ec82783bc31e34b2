//! What a run does beside the weekly products: surfaces between stations, crop calendars, forest fire.

use crate::config::Data;
use crate::output::Output;
use sen_catalog::{Grid, Period};
use sen_processing::fire::{Fire, FireReport};
use sen_processing::fusion::Surfaces;
use sen_processing::inundation::{Depths, Inundations};
use sen_processing::phenology::Calendar;
use sen_processing::steps::{Records, Report};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Surfaces of the weeks from the observations of the stations; before zone statistics, which are made of them too.
pub(crate) async fn surfaces(
    data: &Data,
    grid: Grid,
    weeks: &[Period],
    output: &Output,
    report: &mut Report,
) -> anyhow::Result<()> {
    let surfaces = Surfaces {
        store: Arc::clone(&data.store),
        assets: data.assets.clone(),
        grid,
        code_version: env!("CARGO_PKG_VERSION").to_owned(),
        settings: &data.config.fusion,
    };
    report.surfaces = surfaces.run(weeks, output).await?;
    Ok(())
}

/// The configured layers against what stations measured; after zone statistics, which it may use.
pub(crate) async fn calibrations(data: &Data, report: &mut Report) -> anyhow::Result<()> {
    let made =
        sen_processing::fusion::calibrate(data.store.as_ref(), &data.assets, &data.config.fusion).await;
    report.calibrations = report.hold_back("calibrations", made)?;
    Ok(())
}

/// Crop calendars of the layers of plots; nothing is done while scenes and plots are as they were.
pub(crate) async fn calendars(
    data: &Data,
    grid: Grid,
    cancelled: &AtomicBool,
    output: &Output,
    report: &mut Report,
) -> anyhow::Result<()> {
    let calendar = Calendar {
        store: Arc::clone(&data.store),
        assets: data.assets.clone(),
        grid,
        processing: &data.config.processing,
        settings: &data.config.calendar,
        cancelled,
    };
    report.calendars = calendar.run(output).await?;
    Ok(())
}

/// What products are drawn from.
pub(crate) fn records(data: &Data, grid: Grid) -> Records<'_> {
    let code_version = env!("CARGO_PKG_VERSION").to_owned();
    Records {
        fire: Fire {
            store: Arc::clone(&data.store),
            assets: data.assets.clone(),
            grid,
            code_version: code_version.clone(),
            processing: &data.config.processing,
            settings: &data.config.fire,
        },
        depths: Depths {
            store: Arc::clone(&data.store),
            assets: data.assets.clone(),
            settings: &data.config.delta,
            folder: &data.folder,
            stations: &data.config.fusion.stations,
            code_version,
        },
    }
}

/// Fire danger of each day, what forest blocks lost, and what burned at hot spots; after zone statistics, which it reads.
pub(crate) async fn fire(
    data: &Data,
    grid: Grid,
    output: &Output,
    report: &mut Report,
) -> anyhow::Result<()> {
    let fire = records(data, grid).fire;
    report.fire = fire.danger(output).await?;
    let judged = fire.change(&mut report.fire, output).await;
    report.hold_back("forest change", judged)?;
    Ok(())
}

/// Hot spots for people.
pub(crate) fn hotspots_text(report: &sen_processing::fire::HotspotReport) -> String {
    if report.hotspots == 0 {
        return String::new();
    }
    format!(
        "hot spots: {} in {} fires; {} in or near forest, {} in paddies (straw), {} of static sources, {} elsewhere\n",
        report.hotspots, report.fires, report.forest, report.straw, report.static_sources, report.other
    )
}

fn fire_text(report: &FireReport) -> String {
    let mut text = String::new();
    if report.blocks > 0 {
        let counted = if report.danger_made {
            format!("{} with other days than before", report.danger_changed)
        } else {
            "up to date".to_owned()
        };
        text += &format!(
            "fire danger of {} forest blocks: {counted}; weeks {} made, {} up to date\n",
            report.blocks, report.weeks_made, report.weeks_up_to_date
        );
        text += &format!(
            "forest change: {} alerts confirmed, {} suspected; weeks {} made, {} up to date\n",
            report.confirmed, report.suspected, report.cover_weeks_made, report.cover_weeks_up_to_date
        );
    }
    text + &hotspots_text(&report.hotspots)
}

/// Why dyke compartments are under water; after the crop calendars, which it needs.
pub(crate) async fn inundations(
    data: &Data,
    cancelled: &AtomicBool,
    output: &Output,
    report: &mut Report,
) -> anyhow::Result<()> {
    let inundations = Inundations {
        store: Arc::clone(&data.store),
        assets: data.assets.clone(),
        settings: &data.config.delta,
        stations: &data.config.fusion.stations,
        cancelled,
    };
    report.inundations = inundations.run(output).await?;
    Ok(())
}

/// The same for people; empty when there was nothing of it.
pub(crate) fn summary(report: &Report) -> String {
    use std::fmt::Write;
    let mut text = String::new();
    for surface in &report.surfaces {
        // writing to a string cannot fail
        let _ = writeln!(
            text,
            "surface {}: {} made, {} up to date, {} without observations",
            surface.property, surface.made, surface.up_to_date, surface.no_input
        );
    }
    for calibration in &report.calibrations {
        let _ = writeln!(
            text,
            "{} against {}: {} pairs, correction {}applied: {}",
            calibration.collection,
            calibration.property,
            calibration.pairs,
            if calibration.applied { "" } else { "not " },
            calibration.reason
        );
    }
    text += &fire_text(&report.fire);
    for (scene, reason) in &report.fire.failed {
        let _ = writeln!(text, "left out of forest change: {scene}: {reason}");
    }
    for calendar in &report.calendars {
        let _ = if calendar.made {
            writeln!(
                text,
                "crop calendar of {}: {} of {} plots have crops, {} changed",
                calendar.layer, calendar.with_crops, calendar.plots, calendar.changed
            )
        } else {
            writeln!(text, "crop calendar of {}: up to date", calendar.layer)
        };
        for (scene, reason) in &calendar.failed {
            let _ = writeln!(text, "left out of the calendar: {scene}: {reason}");
        }
    }
    if let Some(water) = &report.inundations {
        let _ = writeln!(
            text,
            "water of {}: {} weeks of {} compartments, {} measured, {} records changed, {} maps told anew",
            water.layer,
            water.weeks,
            water.compartments,
            water.measured,
            water.changed,
            water.retold.len()
        );
        for code in &water.alerts {
            let _ = writeln!(
                text,
                "ALERT {code}: water on a standing crop behind a closed dyke; check the dyke"
            );
        }
        for (item, reason) in &water.failed {
            let _ = writeln!(text, "failed: water of {item}: {reason}");
        }
    }
    if let Some(depths) = &report.depths {
        let _ = match &depths.none {
            Some(reason) => writeln!(text, "depth of floods: {reason}"),
            None => writeln!(
                text,
                "depth of floods: {} made, {} up to date, {} without a level between gauges",
                depths.made, depths.up_to_date, depths.no_input
            ),
        };
    }
    for (week, reason) in report.depths.iter().flat_map(|depths| &depths.failed) {
        let _ = writeln!(text, "failed: depth of floods {week}: {reason}");
    }
    for (step, reason) in &report.held_back {
        let _ = writeln!(text, "failed: {step}: {reason}; it stays as it was");
    }
    text
}

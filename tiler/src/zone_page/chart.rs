//! The weekly chart of a zone as SVG: readable without script, sharp in print, told to a screen reader.

use super::words::{number, week};
use crate::api::zones::Row;
use crate::query::encode;
use crate::style::Language;
use chrono::{Datelike, NaiveDate, TimeDelta};
use minijinja::{Value, context};
use sen_catalog::Period;
use sen_catalog::season::Season;
use std::fmt::Write;

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 230.0;
const LEFT: f64 = 34.0;
const RIGHT: f64 = 10.0;
const TOP: f64 = 20.0;
const BOTTOM: f64 = 26.0;

/// Least pixels between two labels of months.
const LABEL_PX: f64 = 52.0;

/// Where days and values lie.
struct Frame {
    first: NaiveDate,
    days: f64,
    low: f64,
    high: f64,
}

impl Frame {
    fn x(&self, day: NaiveDate) -> f64 {
        let share = (day - self.first).num_days() as f64 / self.days;
        LEFT + share.clamp(0.0, 1.0) * (WIDTH - LEFT - RIGHT)
    }

    fn y(&self, value: f64) -> f64 {
        let share = (value.clamp(self.low, self.high) - self.low) / (self.high - self.low);
        HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)
    }
}

/// Text as it may stand in SVG.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

/// The chart of the weeks, or nothing where no week was seen.
pub(super) fn chart(rows: &[Row], seasons: &[Season], shown: Period, language: Language) -> Option<String> {
    let seen: Vec<(&Row, f64)> = rows
        .iter()
        .filter_map(|row| row.statistic.mean.map(|mean| (row, mean)))
        .collect();
    let (first, last) = (rows.first()?.period, rows.last()?.period);
    let lowest = seen.iter().map(|(_, mean)| *mean).min_by(f64::total_cmp)?;
    let frame = Frame {
        first: first.first_day(),
        days: ((last.last_day() - first.first_day()).num_days()).max(7) as f64,
        low: if lowest < 0.0 { -0.2 } else { 0.0 },
        high: 1.0,
    };
    let mut svg = format!(
        "<svg class=\"chart\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{}\">",
        escape(&course(&seen, language))
    );
    bands(&mut svg, &frame, seasons, language);
    rules(&mut svg, &frame, language);
    let middle = shown.first_day() + TimeDelta::days(3);
    let _ = write!(
        svg,
        "<line class=\"mark\" x1=\"{0:.1}\" x2=\"{0:.1}\" y1=\"{TOP}\" y2=\"{1}\"/>",
        frame.x(middle),
        HEIGHT - BOTTOM
    );
    points(&mut svg, &frame, &seen, language);
    svg.push_str("</svg>");
    Some(svg)
}

/// Where the course went in its last eight looks, in one sentence.
fn course(seen: &[(&Row, f64)], language: Language) -> String {
    let Some((to, b)) = seen.last() else {
        return String::new();
    };
    let Some((from, a)) = seen.get(seen.len().saturating_sub(8)) else {
        return String::new();
    };
    let value = |value: f64| number(value, 2, language);
    let at = |row: &Row| {
        let name = week(row.period, language);
        format!("{}/{}", name.to_lowercase(), row.period.year())
    };
    let change = b - a;
    match language {
        Language::Vi if change.abs() < 0.02 => format!("NDVI giữ ở {} đến {}.", value(*b), at(to)),
        Language::En if change.abs() < 0.02 => format!("NDVI stayed at {} until {}.", value(*b), at(to)),
        Language::Vi => {
            let verb = if change > 0.0 { "tăng" } else { "giảm" };
            format!(
                "NDVI {verb} từ {} ({}) đến {} ({}).",
                value(*a),
                at(from),
                value(*b),
                at(to)
            )
        }
        Language::En => {
            let verb = if change > 0.0 { "rose" } else { "fell" };
            format!(
                "NDVI {verb} from {} ({}) to {} ({}).",
                value(*a),
                at(from),
                value(*b),
                at(to)
            )
        }
    }
}

/// One band a season, from sowing to its end; open ends reach to the edge of the chart.
fn bands(svg: &mut String, frame: &Frame, seasons: &[Season], language: Language) {
    let last = frame.first + TimeDelta::days(frame.days as i64);
    for season in seasons {
        let (from, to) = (season.sowing.unwrap_or(frame.first), season.end().unwrap_or(last));
        if to <= frame.first || from >= last || to <= from {
            continue;
        }
        let (x, width) = (frame.x(from), frame.x(to) - frame.x(from));
        let name = super::words::season(&season.season, language);
        let _ = write!(
            svg,
            "<rect class=\"band\" x=\"{x:.1}\" y=\"{TOP}\" width=\"{width:.1}\" height=\"{}\"/>",
            HEIGHT - TOP - BOTTOM
        );
        if width > 80.0 {
            let _ = write!(
                svg,
                "<text class=\"season\" x=\"{:.1}\" y=\"14\">{}</text>",
                x + 2.0,
                escape(&name)
            );
        }
    }
}

/// Lines of values and names of months.
fn rules(svg: &mut String, frame: &Frame, language: Language) {
    let mut value = frame.low;
    while value <= frame.high + 1e-9 {
        let y = frame.y(value);
        let _ = write!(
            svg,
            "<line class=\"rule\" x1=\"{LEFT}\" x2=\"{}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>\
             <text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
            WIDTH - RIGHT,
            LEFT - 6.0,
            y + 4.0,
            number(value, 1, language)
        );
        value += 0.2;
    }
    let mut last_x = f64::NEG_INFINITY;
    let bottom = HEIGHT - BOTTOM;
    for offset in 0..=frame.days as i64 {
        let day = frame.first + TimeDelta::days(offset);
        let x = frame.x(day);
        if day.day() != 1 || x - last_x < LABEL_PX || x > WIDTH - 30.0 {
            continue;
        }
        last_x = x;
        let name = if day.month() == 1 {
            day.year().to_string()
        } else {
            match language {
                Language::Vi => format!("th. {}", day.month()),
                Language::En => day.format("%b").to_string(),
            }
        };
        let _ = write!(
            svg,
            "<line class=\"rule\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{bottom}\" y2=\"{}\"/>\
             <text x=\"{x:.1}\" y=\"{}\" text-anchor=\"middle\">{name}</text>",
            bottom + 4.0,
            bottom + 17.0
        );
    }
}

/// The line, broken where a week was not seen, and a dot a week.
fn points(svg: &mut String, frame: &Frame, seen: &[(&Row, f64)], language: Language) {
    let place = |(row, mean): &(&Row, f64)| {
        (
            frame.x(row.period.first_day() + TimeDelta::days(3)),
            frame.y(*mean),
        )
    };
    let mut path = String::new();
    let mut before: Option<Period> = None;
    for one in seen {
        let (x, y) = place(one);
        let joined = before.is_some_and(|before| before.next() == one.0.period);
        let _ = write!(path, "{}{x:.1} {y:.1}", if joined { "L" } else { "M" });
        before = Some(one.0.period);
    }
    let _ = write!(svg, "<path class=\"line\" d=\"{path}\"/>");
    for one in seen {
        let (x, y) = place(one);
        let class = if one.0.statistic.valid_fraction > 0.5 {
            "dot"
        } else {
            "hollow"
        };
        let name = format!("{}: {}", week(one.0.period, language), number(one.1, 2, language));
        let _ = write!(
            svg,
            "<circle class=\"{class}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\"><title>{name}</title></circle>"
        );
    }
}

/// The still picture of the index in a week around a zone, 400 pixels wide, with the zone's outline.
pub(super) fn picture(feature: &sen_catalog::Feature, period: Period, language: Language) -> Option<Value> {
    use geo::CoordsIter;
    use sen_catalog::crs::{lon_lat_to_mercator, mercator_to_lon_lat};
    const W: f64 = 400.0;
    const H: f64 = 300.0;
    let b = feature.bounds()?;
    let (west, south) = lon_lat_to_mercator(b.west, b.south);
    let (east, north) = lon_lat_to_mercator(b.east, b.north);
    // a margin of half the zone, and never less than 400 m across: fields around tell where one is
    let width = ((east - west) * 1.6)
        .max((north - south) * 1.6 * W / H)
        .max(400.0);
    let (x, y) = (f64::midpoint(west, east), f64::midpoint(south, north));
    let (half_w, half_h) = (width / 2.0, width * H / W / 2.0);
    let (w, s) = mercator_to_lon_lat(x - half_w, y - half_h);
    let (e, n) = mercator_to_lon_lat(x + half_w, y + half_h);
    let mut outline = String::new();
    for polygon in feature.polygons()?.0 {
        for ring in std::iter::once(polygon.exterior()).chain(polygon.interiors()) {
            // a few thousand corners are more than 400 pixels can show
            let step = ring.coords_count().div_ceil(600).max(1);
            for (index, coord) in ring.coords().step_by(step).enumerate() {
                let (cx, cy) = lon_lat_to_mercator(coord.x, coord.y);
                let (px, py) = ((cx - x + half_w) / width * W, (y + half_h - cy) / width * W);
                let _ = write!(outline, "{}{px:.1} {py:.1}", if index == 0 { 'M' } else { 'L' });
            }
            outline.push('Z');
        }
    }
    let week_text = format!(
        "{} · {}",
        week(period, language),
        super::words::days(period, language)
    );
    Some(context! {
        address => format!(
            "style/ndvi/static/{w:.6},{s:.6},{e:.6},{n:.6}/{W}x{H}@2x.png?datetime={}",
            encode(&period.to_string())
        ),
        width => W as u32,
        height => H as u32,
        outline => outline,
        caption => week_text,
    })
}

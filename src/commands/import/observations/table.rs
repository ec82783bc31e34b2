//! CSV: a column a property, or a row a value. Lines are read one by one and have a greatest length.

use super::{Layout, Sink, cells};
use crate::config::UsageError;
use crate::output::Output;
use anyhow::{Context, bail};
use sen_catalog::intake::Measurement;
use sen_catalog::observation::Flag;
use sen_catalog::property;
use sen_processing::pipeline::Progress;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::sync::Arc;

/// No line of measurements is longer, bytes.
const LONGEST_LINE: u64 = 1 << 20;

/// The columns that were named on the command line: name, property, unit.
pub(super) struct Columns(Vec<(String, String, Option<String>)>);

impl Columns {
    pub(super) fn of(layout: &Layout) -> Result<Self, UsageError> {
        let parse = |text: &String| {
            let wrong = || {
                UsageError(format!(
                    "--column {text}: is not NAME=PROPERTY or NAME=PROPERTY:UNIT"
                ))
            };
            let (name, rest) = text.split_once('=').ok_or_else(wrong)?;
            let (property, unit) = match rest.split_once(':') {
                Some((property, unit)) => (property, Some(unit)),
                None => (rest, None),
            };
            if name.is_empty() || property.is_empty() || unit == Some("") {
                return Err(wrong());
            }
            if let Some((known, unit)) = property::property(property).zip(unit)
                && !known.takes(unit)
            {
                let error = known.convert(0.0, unit).err().map(|error| error.to_string());
                return Err(UsageError(format!(
                    "--column {text}: {}",
                    error.unwrap_or_default()
                )));
            }
            Ok((name.to_owned(), property.to_owned(), unit.map(str::to_owned)))
        };
        layout
            .columns
            .iter()
            .map(parse)
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

/// A column of values.
struct Value {
    at: usize,
    name: Arc<str>,
    property: String,
    unit: Option<String>,
    flag: Option<usize>,
}

/// Where things lie in a row.
enum Shape {
    Wide(Vec<Value>),
    Long {
        property: usize,
        value: usize,
        unit: Option<usize>,
        flag: Option<usize>,
    },
}

struct Head {
    time: usize,
    station: Option<usize>,
    shape: Shape,
    delimiter: char,
}

fn find(names: &[String], wanted: &[&str]) -> Option<usize> {
    wanted
        .iter()
        .find_map(|wanted| names.iter().position(|name| name.eq_ignore_ascii_case(wanted)))
}

fn named(names: &[String], wanted: Option<&String>, usual: &[&str]) -> anyhow::Result<Option<usize>> {
    let Some(wanted) = wanted else {
        return Ok(find(names, usual));
    };
    let found = find(names, &[wanted]);
    let found =
        found.with_context(|| format!("there is no column `{wanted}`; there are {}", names.join(", ")))?;
    Ok(Some(found))
}

fn head(line: &str, layout: &Layout, columns: &Columns, ignored: &mut Vec<String>) -> anyhow::Result<Head> {
    let line = line.trim_start_matches('\u{feff}');
    let count = |c: char| line.matches(c).count();
    let delimiter = [',', ';', '\t']
        .into_iter()
        .max_by_key(|&c| (count(c), c == ','))
        .unwrap_or(',');
    let names: Vec<String> = split(line, delimiter)
        .iter()
        .map(|name| name.trim().to_owned())
        .collect();
    let usual_times = ["time", "phenomenonTime", "datetime", "timestamp", "thoi_gian"];
    let time = named(&names, layout.time_column.as_ref(), &usual_times)?;
    let time = time.with_context(|| {
        format!(
            "no column is named time; name it with --time-column, there are {}",
            names.join(", ")
        )
    })?;
    let station = named(
        &names,
        layout.station_column.as_ref(),
        &["station", "station_code", "tram", "ma_tram"],
    )?;
    if station.is_none() && layout.station.is_none() {
        bail!("no column is named station; name it with --station-column, or the station with --station");
    }
    let long = find(&names, &["property"]).zip(find(&names, &["value", "result"]));
    if let (Some((property, value)), true) = (long, columns.0.is_empty()) {
        let shape = Shape::Long {
            property,
            value,
            unit: find(&names, &["unit"]),
            flag: find(&names, &["flag"]),
        };
        return Ok(Head {
            time,
            station,
            shape,
            delimiter,
        });
    }
    let flag_of = |name: &str| find(&names, &[&format!("F_{name}"), &format!("{name}_flag")]);
    let mut values = Vec::new();
    for (name, property, unit) in &columns.0 {
        let at = named(&names, Some(name), &[])?.unwrap_or_default();
        let (property, unit) = (property.clone(), unit.clone());
        values.push(Value {
            at,
            name: name.as_str().into(),
            property,
            unit,
            flag: flag_of(name),
        });
    }
    if values.is_empty() {
        for (at, name) in names.iter().enumerate() {
            if at == time || Some(at) == station || names.iter().any(|other| flag_of(other) == Some(at)) {
                continue;
            }
            match property::column(name) {
                Some((known, unit)) => values.push(Value {
                    at,
                    name: name.as_str().into(),
                    property: known.name.to_owned(),
                    unit: Some(unit.to_owned()),
                    flag: flag_of(name),
                }),
                None => ignored.push(name.clone()),
            }
        }
    }
    if values.is_empty() {
        bail!(
            "no column is named after a property and its unit, such as level_m; name what one holds with \
             --column NAME=PROPERTY:UNIT, there are {}",
            names.join(", ")
        );
    }
    Ok(Head {
        time,
        station,
        shape: Shape::Wide(values),
        delimiter,
    })
}

/// The cells of a line; a cell in quotes may hold the delimiter, and two quotes for one.
fn split(line: &str, delimiter: char) -> Vec<String> {
    let mut cells = vec![String::new()];
    let mut quoted = false;
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        let Some(cell) = cells.last_mut() else { break };
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                cell.push('"');
                chars.next();
            }
            '"' if quoted || cell.is_empty() => quoted = !quoted,
            c if c == delimiter && !quoted => cells.push(String::new()),
            c => cell.push(c),
        }
    }
    cells
}

pub(super) fn read(
    path: &Path,
    layout: &Layout,
    columns: &Columns,
    sink: &mut Sink<'_>,
    output: &Output,
) -> anyhow::Result<()> {
    let file = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut lines = BufReader::with_capacity(1 << 18, file);
    let mut bytes = Vec::new();
    let (mut row, mut known) = (0, None);
    loop {
        bytes.clear();
        let length = (&mut lines).take(LONGEST_LINE).read_until(b'\n', &mut bytes)?;
        if length == 0 {
            break;
        }
        row += 1;
        if length as u64 == LONGEST_LINE {
            bail!("row {row} is longer than {LONGEST_LINE} bytes: this is no table of measurements");
        }
        output.advance(length as u64);
        let line = String::from_utf8_lossy(&bytes);
        let line = line.trim_end_matches(['\r', '\n']);
        if line.trim().is_empty() {
            continue;
        }
        match &known {
            None => known = Some(head(line, layout, columns, &mut sink.report.ignored)?),
            Some(head) => one(row, &split(line, head.delimiter), head, layout, sink)?,
        }
    }
    if known.is_none() {
        bail!("{} is empty", path.display());
    }
    Ok(())
}

fn one(
    row: usize,
    cells: &[String],
    head: &Head,
    layout: &Layout,
    sink: &mut Sink<'_>,
) -> anyhow::Result<()> {
    let cell = |at: usize| cells.get(at).map_or("", String::as_str);
    let time = match cells::time(cell(head.time), layout) {
        Ok(time) => time,
        Err(reason) => {
            sink.refuse(row, None, &reason);
            return Ok(());
        }
    };
    let station = head
        .station
        .map(&cell)
        .or(layout.station.as_deref())
        .unwrap_or_default()
        .trim();
    let read = |value: &str, flag: Option<usize>| -> Result<(Option<f64>, Flag), String> {
        let given = flag.map_or(Ok(Flag::NotEvaluated), |at| cells::flag(cell(at)))?;
        Ok((cells::number(value, head.delimiter != ',')?, given))
    };
    let measured = |property: &str, unit: Option<&str>, (value, given)| Measurement {
        station: station.to_owned(),
        property: property.to_owned(),
        unit: unit
            .map(str::trim)
            .filter(|unit| !unit.is_empty())
            .map(str::to_owned),
        time,
        value,
        given,
    };
    match &head.shape {
        Shape::Wide(values) => {
            for value in values {
                match read(cell(value.at), value.flag) {
                    Ok(read) => {
                        let measured = measured(&value.property, value.unit.as_deref(), read);
                        sink.take(row, Some(&value.name), measured)?;
                    }
                    Err(reason) => sink.refuse(row, Some(&value.name), &reason),
                }
            }
        }
        Shape::Long {
            property,
            value,
            unit,
            flag,
        } => match read(cell(*value), *flag) {
            Ok(read) => sink.take(row, None, measured(cell(*property).trim(), unit.map(&cell), read))?,
            Err(reason) => sink.refuse(row, None, &reason),
        },
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_in_quotes_keep_their_commas() {
        assert_eq!(split("a,\"b, \"\"c\"\"\",,d", ','), ["a", "b, \"c\"", "", "d"]);
        assert_eq!(split("1,5;2", ';'), ["1,5", "2"]);
    }

    #[test]
    fn a_column_with_a_unit_that_does_not_fit_is_wrong_usage() {
        let layout = |column: &str| Layout {
            columns: vec![column.to_owned()],
            ..Layout::default()
        };
        assert!(Columns::of(&layout("Sal=salinity:psu")).is_ok());
        let error = Columns::of(&layout("Sal=salinity:m")).err().expect("refused").0;
        assert!(error.contains("`m` does not fit salinity"), "{error}");
        assert!(Columns::of(&layout("Sal")).is_err());
    }
}

//! CSV: a column a property, or a row a value. Lines are read one by one and have a greatest length.

use super::{Layout, Sink, cells};
use crate::config::UsageError;
use crate::output::Output;
use anyhow::{Context, bail};
use sen_catalog::intake::Measurement;
use sen_catalog::number_text::DecimalSign;
use sen_catalog::observation::Flag;
use sen_catalog::{property, table_text};
use sen_processing::run::Progress;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::sync::Arc;

/// No line of measurements is longer, bytes.
const LONGEST_LINE: u64 = 1 << 20;

/// How much of a table is looked at to find out its decimal sign, bytes.
const SAMPLE_BYTES: u64 = 4 << 20;

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
    sign: DecimalSign,
}

impl Head {
    /// Where values stand in a row.
    fn value_columns(&self) -> Vec<usize> {
        match &self.shape {
            Shape::Wide(values) => values.iter().map(|value| value.at).collect(),
            Shape::Long { value, .. } => vec![*value],
        }
    }

    /// What the values of lines say about the decimal sign.
    fn sign_of<'l>(&self, lines: impl Iterator<Item = &'l str>) -> DecimalSign {
        let columns = self.value_columns();
        lines.fold(DecimalSign::Unknown, |sign, line| {
            let cells = split(line, self.delimiter);
            let values = columns.iter().filter_map(|&at| cells.get(at));
            values.fold(sign, |sign, cell| sign.with(cell))
        })
    }
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
    if names
        .iter()
        .filter(|name| name.eq_ignore_ascii_case(wanted))
        .count()
        > 1
    {
        bail!("several columns are named `{wanted}`; give each a name of its own");
    }
    let found = find(names, &[wanted]);
    let found =
        found.with_context(|| format!("there is no column `{wanted}`; there are {}", names.join(", ")))?;
    Ok(Some(found))
}

fn head(
    line: &str,
    delimiter: Option<char>,
    layout: &Layout,
    columns: &Columns,
    ignored: &mut Vec<String>,
) -> anyhow::Result<Head> {
    let delimiter = delimiter.unwrap_or_else(|| table_text::delimiter(line));
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
            sign: layout.sign().unwrap_or_default(),
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
    let is_named = !values.is_empty();
    for (at, name) in names.iter().enumerate() {
        let known = at == time || Some(at) == station || values.iter().any(|value| value.at == at);
        if known || names.iter().any(|other| flag_of(other) == Some(at)) {
            continue;
        }
        match property::column(name).filter(|_| !is_named) {
            Some((known, unit)) => values.push(Value {
                at,
                name: name.as_str().into(),
                property: known.name.to_owned(),
                unit: unit.map(str::to_owned),
                flag: flag_of(name),
            }),
            None => ignored.push(name.clone()),
        }
    }
    if values.is_empty() {
        bail!(
            "no column is named after a property and its unit, such as level_m; name what one holds with \
             --column NAME=PROPERTY:UNIT, there are {}",
            names.join(", ")
        );
    }
    one_column_each(&values)?;
    Ok(Head {
        time,
        station,
        shape: Shape::Wide(values),
        delimiter,
        sign: layout.sign().unwrap_or_default(),
    })
}

/// Refuses two columns of one property: the values of one would replace those of the other.
fn one_column_each(values: &[Value]) -> anyhow::Result<()> {
    let name = |value: &Value| {
        property::property(&value.property).map_or(value.property.clone(), |known| known.name.into())
    };
    for (at, value) in values.iter().enumerate() {
        let own = name(value);
        if let Some(other) = values[..at].iter().find(|other| name(other) == own) {
            bail!(
                "the columns `{}` and `{}` both hold {own}; say which counts, such as --column \"{}={own}{}\" (others are \
                 then left out), or give the second a property of its own",
                other.name,
                value.name,
                other.name,
                other
                    .unit
                    .as_ref()
                    .map_or_else(String::new, |unit| format!(":{unit}")),
            );
        }
    }
    Ok(())
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
    let mut source = table_text::utf8(file)?;
    let mut sample = Vec::new();
    source.by_ref().take(SAMPLE_BYTES).read_to_end(&mut sample)?;
    let mut lines = BufReader::with_capacity(1 << 18, sample.as_slice().chain(source));
    let mut bytes = Vec::new();
    let (mut row, mut known, mut delimiter) = (0, None, None);
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
        if row == 1
            && let Some(named) = table_text::separator_line(line)
        {
            delimiter = Some(named);
            continue;
        }
        match &known {
            None => {
                let mut head = head(line, delimiter, layout, columns, &mut sink.report.ignored)?;
                if layout.sign().is_none() {
                    head.sign = sign_of_sample(&sample, row, &head);
                }
                known = Some(head);
            }
            Some(head) => one(row, &split(line, head.delimiter), head, layout, sink)?,
        }
    }
    if known.is_none() {
        bail!("{} is empty", path.display());
    }
    Ok(())
}

/// What the beginning of a table says about its decimal sign; its last line may be cut off.
fn sign_of_sample(sample: &[u8], head_row: usize, head: &Head) -> DecimalSign {
    let text = String::from_utf8_lossy(sample);
    let lines: Vec<&str> = text.lines().skip(head_row).collect();
    let whole = if sample.len() as u64 == SAMPLE_BYTES {
        lines.len().saturating_sub(1)
    } else {
        lines.len()
    };
    head.sign_of(lines[..whole].iter().copied())
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
    let read = |value: &str,
                name: &str,
                unit: Option<&str>,
                flag: Option<usize>|
     -> Result<(Option<f64>, Flag), String> {
        let given = flag.map_or(Ok(Flag::NotEvaluated), |at| cells::flag(cell(at)))?;
        let unit = unit.filter(|unit| !unit.trim().is_empty());
        Ok((cells::value(value, name, unit, head.sign)?, given))
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
                match read(cell(value.at), &value.property, value.unit.as_deref(), value.flag) {
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
        } => match read(cell(*value), cell(*property).trim(), unit.map(&cell), *flag) {
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

    #[test]
    fn two_columns_of_one_property_are_named() {
        let columns = Columns(Vec::new());
        let read = |line: &str| head(line, None, &Layout::default(), &columns, &mut Vec::new());
        for (line, first, second) in [
            ("time,station,temperature_c,temp_f", "temperature_c", "temp_f"),
            (
                "time;station;level_m;rain_mm;water_level_cm",
                "level_m",
                "water_level_cm",
            ),
            ("time,station,ph,pH", "ph", "pH"),
        ] {
            let told = read(line).err().expect("refused").to_string();
            assert!(
                told.contains(&format!("`{first}` and `{second}`")) && told.contains("--column"),
                "{told}"
            );
        }
        assert!(read("time,station,temp_c,watertemp_c").is_ok());
        let named = Columns(vec![
            ("b".into(), "ph".into(), None),
            ("a".into(), "ph".into(), None),
        ]);
        assert!(
            head(
                "time,station,a,b",
                None,
                &Layout::default(),
                &named,
                &mut Vec::new()
            )
            .is_err()
        );
    }

    #[test]
    fn the_decimal_sign_is_that_of_the_values() {
        let sign = |text: &str| {
            let (line, rest) = text.split_once('\n').expect("lines");
            let columns = Columns(Vec::new());
            let head = head(line, None, &Layout::default(), &columns, &mut Vec::new()).expect("a head");
            head.sign_of(rest.lines())
        };
        assert_eq!(
            sign("time;station;ec_us_cm;level_m\n1.5;2,5;1,850;0.91"),
            DecimalSign::Point
        );
        assert_eq!(
            sign("time;station;ec_us_cm;level_m\n1.5;2.5;1.850;0,91"),
            DecimalSign::Comma
        );
        assert_eq!(
            sign("time\tstation\tec_us_cm\n1.5\t2.5\t1,850"),
            DecimalSign::Unknown
        );
    }
}

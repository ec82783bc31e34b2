//! Zone statistics of a layer of a GeoPackage against one band of a COG, timed: what `benches/zonal.py` runs beside
//! exactextract. The zones are read from the file in the time, as the peer reads them.
//!
//! `zonal_bench RASTER GEOPACKAGE OUT [few]`: writes the table to OUT; `few` leaves out median and percentiles.
//! `zonal_bench show TABLE`: a line a zone of that table, in the order of `fid`: mean, count, stdev, min, max (NaN: none).
//! `zonal_bench series TABLE FOLDER [ASKED]`: the time series of single plots out of 104 weeks of that table.

use rayon::prelude::*;
use sen_catalog::coverage::Projection;
use sen_catalog::raster::Cog;
use sen_catalog::statistic::StatisticTable;
use sen_catalog::zonal::{Layer, Options, Zone, statistics};
use sen_catalog::{Asset, feature};
use std::collections::BTreeMap;
use std::error::Error;
use std::io::Write;
use std::path::Path;
use std::time::Instant;

/// A row of a GeoPackage: number and geometry with the package's own header.
type Row = (i64, Vec<u8>);

fn rows(path: &str) -> Result<Vec<Row>, Box<dyn Error>> {
    let package = rusqlite::Connection::open(path)?;
    let mut statement = package.prepare("SELECT fid, geom FROM plots ORDER BY fid")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The WKB behind the header of a GeoPackage's geometry (OGC 12-128r18, 2.1.3).
fn wkb(geometry: &[u8]) -> Option<&[u8]> {
    let envelope = match geometry.get(3)? >> 1 & 7 {
        0 => 0,
        1 => 32,
        2 | 3 => 48,
        _ => 64,
    };
    geometry.get(8 + envelope..)
}

fn zone((fid, geometry): &Row, projection: &Projection) -> Result<Zone, String> {
    use geo_traits::to_geo::ToGeoGeometry;
    let name = |reason: String| format!("feature {fid}: {reason}");
    let wkb = wkb(geometry).ok_or_else(|| name("no geometry".into()))?;
    let shape = wkb::reader::read_wkb(wkb)
        .map_err(|error| name(error.to_string()))?
        .to_geometry();
    let polygons = feature::polygons(&shape).ok_or_else(|| name("no polygon".into()))?;
    Zone::new(&polygons, 0.0, projection).map_err(|error| name(error.to_string()))
}

/// Weeks of a time series: two years.
const WEEKS: usize = 104;
/// Plots asked for unless said otherwise.
const ASKED: usize = 5000;

/// Copies of a table as weeks; opened once by the cache, then asked for plots here and there.
fn series(table: &str, folder: &str, asked: usize) -> Result<(), Box<dyn Error>> {
    let assets = sen_catalog::Assets::open(Path::new(folder))?;
    let weeks: Vec<Asset> = (0..WEEKS)
        .map(|week| Asset::new(format!("{week}.arrow")))
        .collect();
    for week in &weeks {
        std::fs::copy(table, assets.path(&week.href))?;
    }
    let tables = sen_catalog::statistic::StatisticTables::new(1 << 30);
    let read = |fid: i64| -> Result<f64, Box<dyn Error>> {
        let mut sum = 0.0;
        for week in &weeks {
            let table = tables.open(&assets, week)?;
            let row = table.row_of(fid)?.ok_or("no such plot")?;
            sum += table.statistic(row)?.mean.unwrap_or(0.0);
        }
        Ok(sum)
    };
    let fids = StatisticTable::open(Path::new(table))?.fids()?.to_vec();
    let start = Instant::now();
    read(fids[fids.len() / 3])?;
    let first = start.elapsed();
    let mut took = Vec::with_capacity(asked);
    for index in 0..asked {
        let start = Instant::now();
        read(fids[index * 7919 % fids.len()])?;
        took.push(start.elapsed().as_secs_f64() * 1e3);
    }
    took.sort_by(f64::total_cmp);
    writeln!(
        std::io::stdout(),
        r#"{{"weeks": {WEEKS}, "rows": {}, "first_ms": {:.2}, "p50_ms": {:.3}, "p99_ms": {:.3}}}"#,
        fids.len(),
        first.as_secs_f64() * 1e3,
        took[asked / 2],
        took[asked * 99 / 100]
    )?;
    Ok(())
}

/// The statistics of a table as text, for who compares them with another program's.
fn show(table: &str) -> Result<(), Box<dyn Error>> {
    let table = StatisticTable::open(Path::new(table))?;
    let mut out = std::io::BufWriter::new(std::io::stdout());
    for row in 0..table.len() {
        let found = table.statistic(row)?;
        let [mean, stdev, min, max] =
            [found.mean, found.stdev, found.min, found.max].map(|number| number.unwrap_or(f64::NAN));
        writeln!(out, "{mean},{},{stdev},{min},{max}", found.count)?;
    }
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["show", table] => return show(table),
        ["series", table, folder] => return series(table, folder, ASKED),
        ["series", table, folder, asked] => return series(table, folder, asked.parse()?),
        _ => {}
    }
    let [raster, package, out, rest @ ..] = &arguments[..] else {
        return Err("zonal_bench RASTER GEOPACKAGE OUT [few]".into());
    };
    let start = Instant::now();
    let rows = rows(package)?;
    let read = start.elapsed();
    let cog = Cog::open(Path::new(raster))?;
    let projection = Projection::new(cog.grid().crs, cog.grid())?;
    let zones: Vec<Zone> = rows
        .par_iter()
        .map(|row| zone(row, &projection))
        .collect::<Result<_, _>>()?;
    let placed = start.elapsed();
    let options = Options {
        without_quantiles: !rest.is_empty(),
        ..Options::default()
    };
    let found = statistics(&Layer::new(&cog, &Asset::new("")), &zones, options)?;
    let done = start.elapsed();
    let named: Vec<_> = rows
        .iter()
        .zip(found)
        .map(|((fid, _), statistic)| (*fid, format!("DT-{fid:07}"), statistic))
        .collect();
    let before = start.elapsed();
    StatisticTable::write(Path::new(out), &named, &BTreeMap::new())?;
    std::fs::File::open(out)?.sync_all()?;
    let written = start.elapsed().saturating_sub(before);
    writeln!(
        std::io::stdout(),
        r#"{{"zones": {}, "read_s": {:.3}, "placed_s": {:.3}, "done_s": {:.3}, "write_s": {:.3}}}"#,
        zones.len(),
        read.as_secs_f64(),
        placed.as_secs_f64(),
        done.as_secs_f64(),
        written.as_secs_f64()
    )?;
    Ok(())
}

//! Tiles a second of one thread, without HTTP: what warping and encoding cost.
//!
//! usage: `cargo run --release -p sen-tiler --example render_bench -- COG TILES [CACHE_MIB] [STYLE] [SCALE]`
//! where TILES is a file of `z/x/y` lines.

use sen_catalog::object::sum_file;
use sen_catalog::{Asset, Assets, TileCoord, asset};
use sen_tiler::encode::{Format, encode};
use sen_tiler::source::{RasterAsset, RasterSource};
use sen_tiler::style::Styles;
use std::error::Error;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let argument = |i: usize, default: &str| arguments.get(i).map_or(default.to_owned(), Clone::clone);
    let (cog, tiles) = (
        argument(0, "ndvi.tif"),
        std::fs::read_to_string(argument(1, "tiles.txt"))?,
    );
    let source = RasterSource::new(argument(2, "512").parse::<u64>()? << 20);
    let styles = Styles::built_in()?;
    let style = styles.style(&argument(3, "ndvi")).ok_or("no such style")?;
    // with the sums of its pieces where it is named like one that `sen` made, below the folder of this run
    let mut asset = Asset {
        scale: argument(4, "0.0001").parse()?,
        ..Asset::new(cog.clone())
    };
    let assets = Assets::at(Path::new("."));
    if asset::is_object(&cog) {
        asset = sum_file(&assets.path(&cog))?.of_asset(asset);
    }
    let asset = RasterAsset::new(&assets, &asset);
    let coords: Vec<TileCoord> = tiles
        .lines()
        .filter_map(|line| {
            let parts: Vec<u32> = line.split('/').filter_map(|part| part.parse().ok()).collect();
            TileCoord::new(
                u8::try_from(*parts.first()?).ok()?,
                *parts.get(1)?,
                *parts.get(2)?,
            )
        })
        .collect();
    let mut out = std::io::stdout().lock();
    for pass in ["first", "second", "third"] {
        let (mut warp, mut encoding, mut bytes, mut drawn) = (Duration::ZERO, Duration::ZERO, 0, 0);
        let mut times: Vec<Duration> = Vec::with_capacity(coords.len());
        for tile in &coords {
            let start = Instant::now();
            let image = source.render(&asset, style, &tile.grid(256))?;
            let rendered = start.elapsed();
            if let Some(image) = image {
                bytes += encode(&image, Format::Png)?.len();
                drawn += 1;
            }
            times.push(start.elapsed());
            warp += rendered;
            encoding += start.elapsed().saturating_sub(rendered);
        }
        times.sort();
        let n = coords.len().max(1) as u32;
        let p99 = times.get(times.len() * 99 / 100).copied().unwrap_or_default();
        writeln!(
            out,
            "{pass}: {} tiles, {drawn} drawn, {:.0}/s, render {:?}, encode {:?}, p99 {p99:?}, {} bytes each, {} MiB kept",
            coords.len(),
            f64::from(n) / (warp + encoding).as_secs_f64(),
            warp / n,
            encoding / n,
            bytes / drawn.max(1),
            source.cached_bytes() >> 20,
        )?;
    }
    Ok(())
}

//! Measurements, run by hand.

use super::super::*;
use crate::Window;
use rayon::prelude::*;
use std::path::Path;
use std::time::Instant;

/// NDVI of two band COGs to a finished COG; files named by SEN_BENCH_RED, SEN_BENCH_NIR and SEN_BENCH_OUT.
#[test]
#[ignore = "a measurement, wants a big scene"]
fn ndvi_of_a_big_scene() {
    let name = |key: &str| std::env::var(key).unwrap_or_else(|_| panic!("{key} is not set"));
    let level = std::env::var("SEN_BENCH_LEVEL").map_or(1, |level| level.parse().expect("a level"));
    let start = Instant::now();
    let red = Cog::open(Path::new(&name("SEN_BENCH_RED"))).expect("red");
    let nir = Cog::open(Path::new(&name("SEN_BENCH_NIR"))).expect("nir");
    let grid = *red.grid();
    let profile = CogProfile {
        grid,
        data_type: DataType::I16,
        nodata: Some(-32768.0),
        scale: 0.0001,
        offset: 0.0,
        compression: Compression::Zstd(level),
        block: 512,
        overviews: Overviews::Average,
        description: "ndvi".into(),
    };
    let mut writer = CogWriter::create(Path::new(&name("SEN_BENCH_OUT")), profile).expect("create");
    let strip = 512 * grid.width;
    let (mut a, mut b, mut out) = (vec![0u16; strip], vec![0u16; strip], vec![0i16; strip]);
    let mut times = [0.0; 4];
    for row in (0..grid.height).step_by(512) {
        let window = Window {
            column: 0,
            row,
            width: grid.width,
            height: 512.min(grid.height - row),
        };
        let n = window.width * window.height;
        let t = Instant::now();
        red.read_window_into(0, 0, window, &mut a[..n]).expect("red");
        nir.read_window_into(0, 0, window, &mut b[..n]).expect("nir");
        times[0] += t.elapsed().as_secs_f64();
        let t = Instant::now();
        out[..n]
            .par_chunks_mut(65536)
            .zip(a[..n].par_chunks(65536).zip(b[..n].par_chunks(65536)))
            .for_each(|(out, (a, b))| {
                for ((out, &red), &nir) in out.iter_mut().zip(a).zip(b) {
                    let (r, n) = (f32::from(red), f32::from(nir));
                    let scaled = 10_000.0 * (n - r) / (n + r);
                    let rounded = (scaled + 0.5f32.copysign(scaled)) as i16;
                    *out = if red == 0 || nir == 0 { -32768 } else { rounded };
                }
            });
        times[1] += t.elapsed().as_secs_f64();
        let t = Instant::now();
        writer.write_rows(&out[..n]).expect("write");
        times[2] += t.elapsed().as_secs_f64();
    }
    let t = Instant::now();
    writer.finish().expect("finish");
    times[3] += t.elapsed().as_secs_f64();
    eprintln!(
        "read, compute, write, finish {times:.3?}; all {:.3} s",
        start.elapsed().as_secs_f64()
    );
}

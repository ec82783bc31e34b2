//! Counters for Prometheus: plain atomics, so that a tile from memory costs a few nanoseconds of them.

use axum::http::StatusCode;
use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// Upper bounds of the latency buckets, seconds.
const BUCKETS: [f64; 10] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 2.0, 10.0];

/// What kind of address a request was for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Tiles.
    Tile,
    /// Everything else.
    Other,
}

#[derive(Debug, Default)]
struct Family {
    /// By hundreds of the status: 1xx to 5xx.
    status: [AtomicU64; 5],
    buckets: [AtomicU64; BUCKETS.len()],
    sum_us: AtomicU64,
}

/// Everything that is counted.
#[derive(Debug, Default)]
pub(crate) struct Measures {
    tile: Family,
    other: Family,
    /// Tiles answered from memory.
    pub(crate) tile_hits: AtomicU64,
    /// Tiles that had to be drawn or waited for.
    pub(crate) tile_misses: AtomicU64,
    /// Open connections.
    pub(crate) connections: AtomicU64,
}

impl Measures {
    /// Counts an answered request.
    pub(crate) fn answered(&self, kind: Kind, status: StatusCode, took: Duration) {
        let family = match kind {
            Kind::Tile => &self.tile,
            Kind::Other => &self.other,
        };
        let hundreds = usize::from(status.as_u16() / 100).clamp(1, 5) - 1;
        family.status[hundreds].fetch_add(1, Relaxed);
        let seconds = took.as_secs_f64();
        if let Some(bucket) = BUCKETS.iter().position(|&bound| seconds <= bound) {
            family.buckets[bucket].fetch_add(1, Relaxed);
        }
        family.sum_us.fetch_add(took.as_micros() as u64, Relaxed);
    }

    /// The text that Prometheus reads.
    pub(crate) fn render(&self, gauges: &[Gauge]) -> String {
        let mut out = String::new();
        let line = |out: &mut String, text: std::fmt::Arguments<'_>| {
            let _ = writeln!(out, "{text}"); // writing to a string cannot fail
        };
        let families = [("tile", &self.tile), ("other", &self.other)];
        line(
            &mut out,
            format_args!("# HELP sen_http_requests_total Requests answered, by status class."),
        );
        line(&mut out, format_args!("# TYPE sen_http_requests_total counter"));
        for (kind, family) in families {
            for (index, count) in family.status.iter().enumerate() {
                let (class, count) = (index + 1, count.load(Relaxed));
                line(
                    &mut out,
                    format_args!("sen_http_requests_total{{kind=\"{kind}\",status=\"{class}xx\"}} {count}"),
                );
            }
        }
        line(
            &mut out,
            format_args!("# HELP sen_http_request_duration_seconds Time from header to answer."),
        );
        line(
            &mut out,
            format_args!("# TYPE sen_http_request_duration_seconds histogram"),
        );
        for (kind, family) in families {
            let name = "sen_http_request_duration_seconds";
            let mut below = 0;
            for (bound, count) in BUCKETS.iter().zip(&family.buckets) {
                below += count.load(Relaxed);
                line(
                    &mut out,
                    format_args!("{name}_bucket{{kind=\"{kind}\",le=\"{bound}\"}} {below}"),
                );
            }
            let all: u64 = family.status.iter().map(|count| count.load(Relaxed)).sum();
            line(
                &mut out,
                format_args!("{name}_bucket{{kind=\"{kind}\",le=\"+Inf\"}} {all}"),
            );
            let sum = family.sum_us.load(Relaxed) as f64 / 1e6;
            line(&mut out, format_args!("{name}_sum{{kind=\"{kind}\"}} {sum}"));
            line(&mut out, format_args!("{name}_count{{kind=\"{kind}\"}} {all}"));
        }
        let single = [
            (
                "sen_tile_cache_hits_total",
                "counter",
                "Tiles answered from memory.",
                self.tile_hits.load(Relaxed),
            ),
            (
                "sen_tile_cache_misses_total",
                "counter",
                "Tiles drawn or waited for.",
                self.tile_misses.load(Relaxed),
            ),
            (
                "sen_http_connections",
                "gauge",
                "Open connections.",
                self.connections.load(Relaxed),
            ),
        ];
        for (name, kind, help, value) in single {
            line(
                &mut out,
                format_args!("# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}"),
            );
        }
        for (index, gauge) in gauges.iter().enumerate() {
            let Gauge {
                name,
                help,
                label,
                value,
            } = gauge;
            if index == 0 || gauges[index - 1].name != *name {
                line(
                    &mut out,
                    format_args!("# HELP {name} {help}\n# TYPE {name} gauge"),
                );
            }
            match label {
                Some(class) => line(&mut out, format_args!("{name}{{class=\"{class}\"}} {value}")),
                None => line(&mut out, format_args!("{name} {value}")),
            }
        }
        out
    }
}

/// A number that is true now.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Gauge {
    pub(crate) name: &'static str,
    pub(crate) help: &'static str,
    /// Where there is one of each class.
    pub(crate) label: Option<&'static str>,
    pub(crate) value: u64,
}

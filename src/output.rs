//! What a person or a script sees: results on stdout, progress and log on stderr.

use indicatif::{ProgressBar, ProgressStyle};
use sen_processing::run::Progress;
use serde_json::Value;
use std::io::{IsTerminal, Write};
use std::sync::Mutex;
use std::time::Duration;

/// Where results and progress go.
pub(crate) struct Output {
    json: bool,
    bar: Mutex<ProgressBar>,
    quiet: bool,
}

impl Output {
    /// Sets up logging as well.
    pub(crate) fn new(json: bool, quiet: bool, verbose: u8) -> Self {
        let level = match (quiet, verbose) {
            (true, _) => "error",
            (_, 0) => "warn",
            (_, 1) => "info",
            _ => "debug",
        };
        let filter = tracing_subscriber::EnvFilter::try_from_env("SEN_LOG")
            .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new(level));
        let log = tracing_subscriber::fmt()
            .with_env_filter(filter)
            .with_writer(std::io::stderr)
            .with_target(false);
        if std::env::var("SEN_LOG_FORMAT").is_ok_and(|format| format == "json") {
            log.json().init();
        } else {
            log.with_ansi(std::io::stderr().is_terminal()).compact().init();
        }
        Self {
            json,
            quiet,
            bar: Mutex::new(ProgressBar::hidden()),
        }
    }

    /// Prints a result: `text` for people, `value` with `--json`. A closed pipe is not an error.
    pub(crate) fn result(&self, text: &str, value: &Value) {
        let text = if self.json {
            format!("{value:#}")
        } else {
            text.trim_end().to_owned()
        };
        let _ = writeln!(std::io::stdout(), "{text}");
    }

    /// The last words before a non-zero exit.
    pub(crate) fn fatal(&self, error: &anyhow::Error) {
        self.finish();
        let _ = writeln!(std::io::stderr(), "sen: {error:#}");
    }

    /// Removes the progress bar.
    pub(crate) fn finish(&self) {
        self.bar().finish_and_clear();
    }

    fn bar(&self) -> std::sync::MutexGuard<'_, ProgressBar> {
        self.bar.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Progress for Output {
    fn begin(&self, what: &str, total: u64) {
        if self.quiet {
            return;
        }
        let template = "{msg:32!} {wide_bar} {pos}/{len} {elapsed}";
        let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = ProgressBar::new(total)
            .with_style(style)
            .with_message(what.to_owned());
        bar.enable_steady_tick(Duration::from_millis(200));
        let mut current = self.bar();
        current.finish_and_clear();
        *current = bar;
    }

    fn advance(&self, by: u64) {
        self.bar().inc(by);
    }

    fn message(&self, text: &str) {
        self.bar().set_message(text.to_owned());
    }
}

/// A plain table: column widths from the longest entry (in characters), two spaces between columns.
pub(crate) fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let mut widths: Vec<usize> = head.iter().map(|text| text.chars().count()).collect();
    for row in rows {
        for (width, text) in widths.iter_mut().zip(row) {
            *width = (*width).max(text.chars().count());
        }
    }
    let line = |cells: Vec<&str>| {
        let padded = cells
            .iter()
            .zip(&widths)
            .map(|(text, &width)| format!("{text:<width$}"));
        format!("{}\n", padded.collect::<Vec<_>>().join("  ").trim_end())
    };
    let mut out = line(head.to_vec());
    for row in rows {
        out += &line(row.iter().map(String::as_str).collect());
    }
    out
}

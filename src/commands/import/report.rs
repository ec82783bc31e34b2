//! What an import says: a table by file, then every row that was repaired or left out, by its code.

use crate::Outcome;
use crate::output::table;
use sen_catalog::run::Failure;
use sen_processing::vector::update::Updated;
use sen_processing::vector::{Read, Trouble};
use serde::Serialize;
use serde_json::{Value, json};

/// Rows listed for people; `--json` lists all.
const LISTED: usize = 50;

/// A code that its scheme's validator finds odd.
#[derive(Serialize)]
pub(super) struct Odd {
    pub(super) scheme: String,
    pub(super) code: String,
    pub(super) message: String,
}

/// What became of one file.
#[derive(Serialize)]
pub(super) struct FileReport {
    file: String,
    rows: u64,
    #[serde(flatten)]
    updated: Updated,
    repaired: Vec<Trouble>,
    refused: Vec<Trouble>,
    doubtful: Vec<Trouble>,
    warnings: Vec<Odd>,
    notes: Vec<String>,
}

impl FileReport {
    pub(super) fn new(file: String, read: Read, updated: Updated, warnings: Vec<Odd>) -> Self {
        Self {
            file,
            rows: read.rows,
            updated,
            repaired: read.repaired,
            refused: read.refused,
            doubtful: read.doubtful,
            warnings,
            notes: read.notes,
        }
    }
}

/// What became of all files.
#[derive(Default)]
pub(super) struct Report {
    pub(super) layer: String,
    pub(super) notes: Vec<String>,
    pub(super) files: Vec<FileReport>,
    pub(super) failures: Vec<Failure>,
}

impl Report {
    /// For people, for scripts, and the exit status.
    pub(super) fn summary(&self) -> (String, Value, Outcome) {
        let head = [
            "file",
            "rows",
            "added",
            "changed",
            "unchanged",
            "repaired",
            "refused",
        ];
        let rows: Vec<_> = self.files.iter().map(FileReport::row).collect();
        let mut text = if rows.is_empty() {
            String::new()
        } else {
            table(&head, &rows)
        };
        for note in &self.notes {
            text += &format!("note: {note}\n");
        }
        for file in &self.files {
            text += &file.lines();
        }
        for failure in &self.failures {
            text += &format!("failed: {failure}\n");
        }
        let value =
            json!({"layer": self.layer, "files": self.files, "failures": self.failures, "notes": self.notes});
        let whole = self.failures.is_empty() && self.files.iter().all(|file| file.refused.is_empty());
        (text, value, if whole { Outcome::Done } else { Outcome::Partly })
    }
}

impl FileReport {
    fn row(&self) -> Vec<String> {
        let counts = [
            self.updated.added,
            self.updated.changed,
            self.updated.unchanged,
            self.repaired.len(),
            self.refused.len(),
        ];
        [self.file.clone(), self.rows.to_string()]
            .into_iter()
            .chain(counts.iter().map(ToString::to_string))
            .collect()
    }

    fn lines(&self) -> String {
        let mut text = String::new();
        for note in &self.notes {
            text += &format!("note: {}: {note}\n", self.file);
        }
        if self.updated.closed > 0 {
            text += &format!("note: {} former versions ended\n", self.updated.closed);
        }
        if self.updated.absent > 0 {
            text += &format!(
                "note: {} features of the layer are not in {}; they stay\n",
                self.updated.absent, self.file
            );
        }
        let odd = self.warnings.iter().map(|odd| {
            format!(
                "warning: {} (scheme {}) was kept as it is: {}",
                odd.code, odd.scheme, odd.message
            )
        });
        let line = |word: &str, trouble: &Trouble| {
            let code = trouble
                .code
                .as_deref()
                .map_or_else(String::new, |code| format!("{code} "));
            format!("{word}: {code}(row {}): {}", trouble.row, trouble.reason)
        };
        let repaired = self.repaired.iter().map(|trouble| line("repaired", trouble));
        let refused = self.refused.iter().map(|trouble| line("refused", trouble));
        let doubtful = self.doubtful.iter().map(|trouble| line("doubtful", trouble));
        for lines in [
            odd.collect::<Vec<_>>(),
            repaired.collect(),
            doubtful.collect(),
            refused.collect(),
        ] {
            for line in lines.iter().take(LISTED) {
                text += &format!("{line}\n");
            }
            if lines.len() > LISTED {
                text += &format!("... and {} more; --json lists all\n", lines.len() - LISTED);
            }
        }
        text
    }
}

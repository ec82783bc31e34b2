//! Official codes that lost their leading noughts: a spreadsheet made numbers of them, 1 of 01, 001 and 00001.

use sen_catalog::admin::{AdminUnit, Level};
use std::collections::BTreeSet;

/// How many are told one by one.
const TOLD: usize = 10;

/// The code with as many digits as its level has; none when it has them or is no number.
pub(super) fn padded(code: &str, level: Level) -> Option<String> {
    let short =
        code.len() < level.digits() && !code.is_empty() && code.bytes().all(|byte| byte.is_ascii_digit());
    short.then(|| format!("{code:0>width$}", width = level.digits()))
}

/// Puts the noughts of a table's codes back, of what they belong to and of predecessors too. Tells which.
pub(super) fn put_back(units: &mut [AdminUnit]) -> Option<String> {
    let mut changed = BTreeSet::new();
    let mut put = |code: &mut String, level: Level| {
        if let Some(whole) = padded(code, level) {
            changed.insert(format!("{code} is {whole} ({})", level.name()));
            *code = whole;
        }
    };
    for unit in units.iter_mut() {
        put(&mut unit.code, unit.level);
        for former in &mut unit.predecessors {
            put(&mut former.code, unit.level);
        }
    }
    let known: BTreeSet<(Level, String)> = units.iter().map(|unit| (unit.level, unit.code.clone())).collect();
    for unit in units.iter_mut() {
        let level = unit.level;
        let Some(parent) = unit.parent.as_mut() else {
            continue;
        };
        // the lowest level above it that has such a unit
        let above = Level::ALL.into_iter().rev().filter(|above| *above < level);
        let whole = |above: &Level| (*above, padded(parent, *above).unwrap_or_else(|| parent.clone()));
        if let Some((above, _)) = above
            .map(|above| whole(&above))
            .find(|whole| known.contains(whole))
        {
            put(parent, above);
        }
    }
    note(&changed)
}

/// What is told of them; none when there were none.
pub(super) fn note(changed: &BTreeSet<String>) -> Option<String> {
    let told: Vec<_> = changed.iter().take(TOLD).map(String::as_str).collect();
    let more = changed
        .len()
        .checked_sub(TOLD + 1)
        .map_or_else(String::new, |more| format!(" and {} more", more + 1));
    (!told.is_empty()).then(|| {
        format!(
            "codes had lost their leading noughts, as a spreadsheet does to numbers; put back: {}{more}",
            told.join(", ")
        )
    })
}

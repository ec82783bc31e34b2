//! Which version of a code is meant: codes are kept by scheme and through time, and one code may name several features.

use super::{layer, nearest};
use crate::problem::{Outcome, Problem};
use crate::query::Query;
use crate::state::App;
use chrono::{NaiveDate, Utc};
use sen_catalog::period::local_zone;
use sen_catalog::{Feature, Period};
use std::collections::BTreeSet;

/// What a request says of the version it means.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Which<'a> {
    /// `on=`: it must be valid on this day.
    on: Option<NaiveDate>,
    /// `scheme=`: it must be a code of this scheme.
    scheme: Option<&'a str>,
    /// Else the version of this day is meant: today, or the last day of the week that is asked for.
    day: NaiveDate,
}

impl<'a> Which<'a> {
    /// Reads `on=` and `scheme=`.
    pub(crate) fn of(query: &'a Query<'_>) -> Outcome<Self> {
        Ok(Self {
            on: day(query)?,
            scheme: query.get("scheme").filter(|scheme| !scheme.is_empty()),
            day: Utc::now().with_timezone(&local_zone()).date_naive(),
        })
    }

    /// The same for a week, whose version is meant where no day is given.
    pub(crate) fn in_week(self, period: Period) -> Self {
        Self {
            day: period.last_day(),
            ..self
        }
    }

    /// True when the request names the day.
    pub(crate) fn is_dated(self) -> bool {
        self.on.is_some()
    }

    /// The version that is meant, and the others of the same scheme and code, newest first; none when there is none.
    pub(crate) async fn find(
        self,
        app: &App,
        kind: &str,
        code: &str,
    ) -> Outcome<Option<(Feature, Versions)>> {
        let mut found = app.lookup.store().versions(kind, code).await?;
        if let Some(scheme) = self.scheme {
            let has = |one: &Feature| {
                one.scheme == scheme
                    || one
                        .codes
                        .iter()
                        .any(|other| other.scheme == scheme && other.code == code)
            };
            found.retain(has);
        }
        // a code of its own goes before a further one of something else
        if found.iter().any(|one| one.code == code) {
            found.retain(|one| one.code == code);
            let schemes: BTreeSet<&str> = found.iter().map(|one| one.scheme.as_str()).collect();
            if schemes.len() > 1 {
                let schemes: Vec<_> = schemes.iter().map(|scheme| format!("scheme={scheme}")).collect();
                return Err(Problem::bad(
                    "scheme",
                    format!(
                        "`{code}` is a code of several schemes; say which: {}",
                        schemes.join(" or ")
                    ),
                ));
            }
        }
        let versions = Versions(
            found
                .iter()
                .map(|one| (one.valid_from, one.valid_to, one.fid))
                .collect(),
        );
        let at = match self.on {
            Some(day) => found.iter().position(|one| one.valid_on(day)),
            None => versions.at(self.day),
        };
        Ok(at.map(|at| (found.swap_remove(at), versions)))
    }

    /// The version that is meant, or a 404 that names codes like it.
    pub(crate) async fn zone(self, app: &App, kind: &str, code: &str) -> Outcome<Feature> {
        Ok(self.zone_and_versions(app, kind, code).await?.0)
    }

    /// See [`Which::find`] and [`Which::zone`].
    pub(crate) async fn zone_and_versions(
        self,
        app: &App,
        kind: &str,
        code: &str,
    ) -> Outcome<(Feature, Versions)> {
        if let Some(found) = self.find(app, kind, code).await? {
            return Ok(found);
        }
        layer(app, kind).await?;
        let known = nearest(app, kind, code).await?;
        let codes: Vec<_> = known
            .iter()
            .map(|feature| format!("`{}`", feature.code))
            .collect();
        let hint = if codes.is_empty() {
            format!("search with /api/v1/search?q={}", crate::query::encode(code))
        } else {
            format!("the nearest are {}", codes.join(", "))
        };
        let when = self.on.map_or(String::new(), |day| format!(" valid on {day}"));
        let scheme = self
            .scheme
            .map_or(String::new(), |scheme| format!(" of the scheme `{scheme}`"));
        Err(Problem::not_found(
            "unknown-code",
            format!("`{kind}` has no code `{code}`{scheme}{when}; {hint}"),
        ))
    }
}

/// The versions of a code through time, newest first: first day, first day no longer, feature.
#[derive(Clone, Debug)]
pub(crate) struct Versions(Vec<(Option<NaiveDate>, Option<NaiveDate>, i64)>);

impl Versions {
    /// One feature for all times.
    pub(crate) fn only(fid: i64) -> Self {
        Self(vec![(None, None, fid)])
    }

    /// Place of the version of a day: the one valid on it, else the last before it, else the first there was.
    fn at(&self, day: NaiveDate) -> Option<usize> {
        let begun = |from: &Option<NaiveDate>| from.is_none_or(|from| from <= day);
        let valid = |(from, to, _): &(_, Option<NaiveDate>, _)| begun(from) && to.is_none_or(|to| day < to);
        let found = self.0.iter().position(valid);
        found
            .or_else(|| self.0.iter().position(|(from, ..)| begun(from)))
            .or_else(|| self.0.len().checked_sub(1))
    }

    /// The feature of a week.
    pub(crate) fn fid_in(&self, period: Period) -> Option<i64> {
        let at = self.at(period.last_day())?;
        self.0.get(at).map(|(.., fid)| *fid)
    }
}

/// `on=`: the day the feature must be valid on; without it the newest of a code is meant.
pub(crate) fn day(query: &Query<'_>) -> Outcome<Option<NaiveDate>> {
    let parse = |text: &str| {
        text.parse::<NaiveDate>()
            .map_err(|_| Problem::bad("on", format!("`{text}` is not a date; write it as 2025-06-30")))
    };
    query
        .get("on")
        .filter(|text| !text.is_empty())
        .map(parse)
        .transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_week_has_the_version_of_its_last_day() {
        let day = |text: &str| text.parse::<NaiveDate>().ok();
        let versions = Versions(vec![
            (day("2030-01-01"), None, 3),
            (day("2024-01-01"), day("2026-06-01"), 2),
            (day("2020-01-01"), day("2024-01-01"), 1),
        ]);
        let fid = |year, week| versions.fid_in(Period::week(year, week).expect("a week"));
        assert_eq!(fid(2021, 10), Some(1));
        assert_eq!(fid(2025, 10), Some(2));
        assert_eq!(fid(2031, 10), Some(3));
        assert_eq!(fid(2027, 10), Some(2), "in a gap the last there was");
        assert_eq!(fid(2010, 10), Some(1), "before the first, the first");
        assert_eq!(
            Versions::only(7).fid_in(Period::week(2026, 1).expect("a week")),
            Some(7)
        );
    }
}

//! `datetime=` and `nearest=` of a request.

use crate::problem::{Outcome, Problem};
use crate::query::Query;
use sen_catalog::{Period, TimeQuery};

/// What a request says about time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct When {
    /// The parsed `datetime`, `latest` when absent.
    pub(crate) query: TimeQuery,
    /// Take the nearest item when none holds the moment asked for.
    pub(crate) nearest: bool,
    /// `latest` was said in so many words: of a series its newest entry alone is meant, where without a time all of it is.
    pub(crate) newest_alone: bool,
}

impl When {
    /// Reads the parameters.
    pub(crate) fn of(query: &Query<'_>) -> Outcome<Self> {
        let text = query.get("datetime").unwrap_or("");
        let nearest = query.flag("nearest")?;
        let query = text
            .parse()
            .map_err(|error: sen_catalog::Error| Problem::bad("datetime", error.to_string()))?;
        Ok(Self {
            query,
            nearest,
            newest_alone: text == "latest",
        })
    }

    /// One week.
    pub(crate) fn week(week: Period) -> Self {
        Self {
            query: TimeQuery::Week(week),
            nearest: false,
            newest_alone: false,
        }
    }

    /// True when the answer stays the same unless the item itself is remade.
    pub(crate) fn is_concrete(self) -> bool {
        !self.nearest && matches!(self.query, TimeQuery::Week(_) | TimeQuery::Within(_))
    }
}

impl When {
    /// 404 where a tile would be 204: no item holds that time.
    pub(crate) fn nothing(self, collection: &str) -> Problem {
        let near = if self.nearest {
            ""
        } else {
            "; nearest=true takes the nearest week"
        };
        Problem::not_found(
            "no-item-at-that-time",
            format!("`{collection}` has nothing at that time{near}"),
        )
    }
}

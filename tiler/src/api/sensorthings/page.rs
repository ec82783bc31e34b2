//! Pages of sets: in an order that leaves nothing open, so that the pages together are the whole, each entity once.

use super::filter::{Literal, rank};
use super::model::{Entity, Related, World};
use super::observations::observations;
use super::options::Options;
use crate::problem::{Outcome, Problem};
use serde_json::{Value, json};
use std::cmp::Ordering;

/// A page of a set.
#[derive(Default)]
pub(super) struct Page<'w> {
    /// Entities, each with what leads on behind it.
    pub(super) entities: Vec<(Entity<'w>, String)>,
    pub(super) count: Option<u64>,
    /// What leads on behind the page, where there is more.
    pub(super) next: Option<String>,
}

/// The page of a set that the options ask for.
pub(super) async fn page<'w>(world: &'w World<'_>, set: Related<'w>, options: &Options) -> Outcome<Page<'w>> {
    match set {
        Related::Observations(streams) => observations(world, streams, options).await,
        Related::Many(entities) => entities_of(world, entities, options),
        Related::One(entity) => entities_of(world, entity.into_iter().collect(), options),
    }
}

fn entities_of<'w>(world: &'w World<'_>, all: Vec<Entity<'w>>, options: &Options) -> Outcome<Page<'w>> {
    let after = options.after.as_deref().map(Keys::read).transpose()?;
    let (mut kept, mut count) = (Vec::new(), 0);
    for entity in all {
        if entity.passes(options.filter.as_ref(), world)? {
            count += 1;
            let keys = Keys::of(&entity, world, options);
            if after.as_ref().is_none_or(|after| keys.is_after(after)) {
                kept.push((entity, keys));
            }
        }
    }
    kept.sort_by(|(_, a), (_, b)| a.cmp(b));
    let (skip, wanted) = (options.skip, options.page());
    let more = wanted > 0 && kept.len() > skip.saturating_add(wanted);
    let page = kept.into_iter().skip(skip).take(wanted);
    let entities: Vec<_> = page.map(|(entity, keys)| (entity, keys.write())).collect();
    Ok(Page {
        count: options.count.then_some(count),
        next: entities.last().filter(|_| more).map(|(_, token)| token.clone()),
        entities,
    })
}

/// What an entity is sorted by, and at last its id, so that no two are equal; each whether descending.
#[derive(Clone, Debug)]
pub(super) struct Keys(Vec<(Literal, bool)>);

impl Keys {
    pub(super) fn of<'w>(entity: &Entity<'w>, world: &'w World<'_>, options: &Options) -> Self {
        let sorted = options.orderby.iter();
        let mut keys: Vec<_> = sorted
            .map(|(path, descending)| (entity.key(path, world), *descending))
            .collect();
        match entity {
            Entity::Observation(stream, detail) => {
                keys.push((Literal::Number(stream.id() as f64), false));
                keys.push((Literal::instant(detail.observation.time), false));
            }
            other => keys.push(match other.id() {
                Value::String(text) => (Literal::Text(text), false),
                number => (Literal::Number(number.as_f64().unwrap_or_default()), false),
            }),
        }
        Self(keys)
    }

    /// The first of them.
    pub(super) fn first(&self) -> Option<&Literal> {
        self.0.first().map(|(literal, _)| literal)
    }

    /// As `$skiptoken` carries them: a list of texts, each with its kind in front.
    pub(super) fn write(&self) -> String {
        let texts: Vec<String> = self
            .0
            .iter()
            .map(|(literal, _)| match literal {
                Literal::Bool(value) => format!("b{value}"),
                Literal::Number(value) => format!("n{value:?}"),
                Literal::Text(value) => format!("s{value}"),
                Literal::Time(start, end) => format!("t{}/{}", start.to_rfc3339(), end.to_rfc3339()),
                _ => "-".to_owned(),
            })
            .collect();
        json!(texts).to_string()
    }

    /// Those of a token; whether they fit is told by [`Keys::is_after`], for which only as many as there are count.
    pub(super) fn read(token: &str) -> Outcome<Self> {
        let texts: Vec<String> = serde_json::from_str(token).map_err(|_| no_token())?;
        let keys = texts.iter().map(|text| {
            let kind = text.chars().next().ok_or_else(no_token)?;
            let rest = text.get(kind.len_utf8()..).unwrap_or_default();
            Ok((
                match kind {
                    'b' => Literal::Bool(rest == "true"),
                    'n' => Literal::Number(rest.parse().map_err(|_| no_token())?),
                    's' => Literal::Text(rest.to_owned()),
                    't' => match Literal::of(&json!(rest), super::schema::Type::Time) {
                        Literal::Null => return Err(no_token()),
                        time => time,
                    },
                    _ => Literal::Null,
                },
                false,
            ))
        });
        Ok(Self(keys.collect::<Outcome<_>>()?))
    }

    /// True for what comes after the entity of a token.
    pub(super) fn is_after(&self, token: &Self) -> bool {
        self.cmp(token).is_gt()
    }
}

impl PartialEq for Keys {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}
impl Eq for Keys {}
impl PartialOrd for Keys {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Keys {
    /// The directions are those of `self`.
    fn cmp(&self, other: &Self) -> Ordering {
        let pairs = self.0.iter().zip(&other.0).map(|((a, descending), (b, _))| {
            let ordering = rank(a, b);
            if *descending { ordering.reverse() } else { ordering }
        });
        pairs.fold(Ordering::Equal, Ordering::then)
    }
}

/// 400 for a `$skiptoken` that nobody here gave.
pub(super) fn no_token() -> Problem {
    Problem::bad(
        "$skiptoken",
        "$skiptoken: is none that this service gave; begin without it",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::DateTime;

    #[test]
    fn a_token_says_the_same_as_the_keys_it_was_written_of() {
        let time = DateTime::from_timestamp_millis(1_779_037_200_123).expect("a time");
        let keys = Keys(vec![
            (Literal::Number(0.1 + 0.2), true),
            (Literal::Text("Trạm \"1\", é".into()), false),
            (Literal::instant(time), true),
            (Literal::Null, false),
            (Literal::Number(36.0), false),
        ]);
        let read = Keys::read(&keys.write()).expect("ours");
        assert!(keys.cmp(&read).is_eq());
        assert!(!keys.is_after(&read), "nothing comes twice");
        let later = Keys(vec![(Literal::Number(0.2), true)]);
        assert!(later.is_after(&read), "descending");
        for wrong in ["", "x", "[1]", "[\"\"]", "[\"nx\"]", "[\"tx\"]", "{}"] {
            assert!(Keys::read(wrong).is_err(), "{wrong}");
        }
    }
}

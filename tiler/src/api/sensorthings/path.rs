//! The part of an address behind the root: `Things(1)/Datastreams(2)/name/$value`.

use super::ROOT;
use super::model::{Entity, Related, World};
use super::schema::Set;
use crate::problem::{Outcome, Problem};
use crate::query::segments;
use serde_json::Value;

/// Parts of an address.
const LONGEST_PATH: usize = 12;

/// A part of an address: `Things`, `Things(1)`, `name`, `$value`.
pub(super) struct Part {
    pub(super) name: String,
    pub(super) id: Option<String>,
}

/// What kind of thing a path leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Goal {
    Set,
    /// Only the addresses of what a set or navigation holds.
    References,
    Entity,
    /// An entity's property.
    Property,
    /// The same, bare.
    Bare,
}

/// The parts behind the root; too many of them, or ids that are not closed, are none.
pub(super) fn parts(path: &str) -> Outcome<Vec<Part>> {
    let rest = path.strip_prefix(ROOT).unwrap_or(path).trim_matches('/');
    let parts: Vec<Part> = segments(rest)?
        .iter()
        .map(|segment| match segment.split_once('(') {
            Some((name, id)) => {
                let id = id.strip_suffix(')').ok_or_else(|| unknown(segment))?;
                Ok(Part {
                    name: name.to_owned(),
                    id: Some(id.to_owned()),
                })
            }
            None => Ok(Part {
                name: segment.clone().into_owned(),
                id: None,
            }),
        })
        .collect::<Outcome<_>>()?;
    if parts.len() > LONGEST_PATH {
        return Err(Problem::bad(
            "path",
            format!("the path has more than {LONGEST_PATH} parts"),
        ));
    }
    Ok(parts)
}

pub(super) fn unknown(what: &str) -> Problem {
    let sets: Vec<_> = Set::ALL.into_iter().map(Set::name).collect();
    let detail = format!("there is no `{what}` here; the sets are {}", sets.join(", "));
    Problem::not_found("unknown-entity", detail)
}

pub(super) fn no_entity(set: Set, id: &str) -> Problem {
    Problem::not_found("unknown-entity", format!("there is no {}({id})", set.name()))
}

/// The set that a path leads to or into, and what of it; nothing is read for it.
pub(super) fn goal(parts: &[Part]) -> Outcome<(Set, Goal)> {
    let Some((first, mut rest)) = parts.split_first() else {
        return Err(unknown(""));
    };
    let mut set = Set::of(&first.name).ok_or_else(|| unknown(&first.name))?;
    let mut is_one = first.id.is_some();
    while let Some((part, further)) = rest.split_first() {
        let navigation = if is_one { set.navigation(&part.name) } else { None };
        if let Some((next, many)) = navigation {
            if !many && part.id.is_some() {
                return Err(unknown(&part.name));
            }
            (set, is_one, rest) = (next, !many || part.id.is_some(), further);
            continue;
        }
        let names: Vec<&str> = rest.iter().map(|part| part.name.as_str()).collect();
        let goal = match names.as_slice() {
            ["$ref"] if !is_one => Goal::References,
            [name] if is_one && set.property(name).is_some() => Goal::Property,
            [name, "$value"] if is_one && set.property(name).is_some() => Goal::Bare,
            _ => return Err(unknown(&part.name)),
        };
        return Ok((set, goal));
    }
    Ok((set, if is_one { Goal::Entity } else { Goal::Set }))
}

/// What a path leads to.
pub(super) enum Target<'w> {
    Set(Related<'w>),
    Entity(Entity<'w>),
    /// An entity's property, and its name.
    Value(Value, String),
}

/// Follows a path that has a [`goal`].
pub(super) async fn follow<'w>(world: &'w World<'_>, parts: &[Part]) -> Outcome<Target<'w>> {
    let Some((first, rest)) = parts.split_first() else {
        return Err(unknown(""));
    };
    let set = Set::of(&first.name).ok_or_else(|| unknown(&first.name))?;
    let mut current = match &first.id {
        Some(id) => world.entity(set, id).await?.ok_or_else(|| no_entity(set, id))?,
        None => return Ok(Target::Set(world.set(set))),
    };
    for part in rest {
        let Some(related) = current.related(&part.name, world) else {
            let name = if super::schema::is_id(&part.name) {
                "@iot.id"
            } else {
                &part.name
            };
            let value = current.plain().remove(name);
            return Ok(Target::Value(value.unwrap_or_default(), part.name.clone()));
        };
        let next = current.set().navigation(&part.name).map(|(set, _)| set);
        current = match (related, &part.id, next) {
            (Related::One(one), ..) => one.ok_or_else(|| unknown(&part.name))?,
            (many, Some(id), Some(set)) => {
                let found = world.entity(set, id).await?;
                let found = found.filter(|found| holds(&many, found));
                found.ok_or_else(|| no_entity(set, id))?
            }
            (many, ..) => return Ok(Target::Set(many)),
        };
    }
    Ok(Target::Entity(current))
}

fn holds(related: &Related<'_>, found: &Entity<'_>) -> bool {
    match (related, found) {
        (Related::Many(all), found) => all.iter().any(|one| one.id() == found.id()),
        (Related::Observations(streams), Entity::Observation(of, _)) => {
            streams.iter().any(|one| one.id() == of.id())
        }
        _ => false,
    }
}

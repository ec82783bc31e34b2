//! Reading: sets, entities, their values, and what is expanded.

use super::filter::{Literal, compare};
use super::model::{Entity, Related, World, observation_id};
use super::options::Options;
use crate::problem::{Outcome, Problem};
use chrono::Duration;
use sen_catalog::observation::Datastream;
use sen_catalog::store::ObservationQuery;
use serde_json::{Map, Value, json};
use std::cmp::Ordering;
use std::pin::Pin;

/// Observations looked at for one page at most: a filter that lets few through gives a short page and the way on.
const MOST_SCANNED: usize = 200_000;

/// Observations read at once.
const CHUNK: usize = 2000;

/// A page of a set.
pub(super) struct Page<'w> {
    pub(super) entities: Vec<Entity<'w>>,
    pub(super) count: Option<u64>,
    /// Query parameters that lead on: `$skip` or `$skiptoken` with their value.
    pub(super) next: Option<(&'static str, String)>,
}

/// The page of a set that the options ask for.
pub(super) async fn page<'w>(world: &'w World<'_>, set: Related<'w>, options: &Options) -> Outcome<Page<'w>> {
    match set {
        Related::Observations(streams) => observations(world, streams, options).await,
        Related::Many(_, entities) => entities_of(world, entities, options),
        Related::One(entity) => entities_of(world, entity.into_iter().collect(), options),
    }
}

fn entities_of<'w>(world: &'w World<'_>, all: Vec<Entity<'w>>, options: &Options) -> Outcome<Page<'w>> {
    let mut kept = Vec::new();
    for entity in all {
        if passes(world, &entity, options)? {
            kept.push(entity);
        }
    }
    sort(world, &mut kept, options);
    let count = options.count.then_some(kept.len() as u64);
    let (skip, page) = (options.skip, options.page());
    let more = page > 0 && kept.len() > skip.saturating_add(page);
    Ok(Page {
        entities: kept.into_iter().skip(skip).take(page).collect(),
        count,
        next: more.then(|| ("$skip", (skip + page).to_string())),
    })
}

fn passes<'w>(world: &'w World<'_>, entity: &Entity<'w>, options: &Options) -> Outcome<bool> {
    let filter = options.filter.as_ref();
    filter.map_or(Ok(true), |filter| {
        filter.is_true(&|path| entity.find(path, world))
    })
}

fn sort<'w>(world: &'w World<'_>, entities: &mut [Entity<'w>], options: &Options) {
    if options.orderby.is_empty() {
        return;
    }
    entities.sort_by_cached_key(|entity| {
        Keys(
            options
                .orderby
                .iter()
                .map(|(path, descending)| (Literal::of(entity.find(path, world)), *descending))
                .collect(),
        )
    });
}

/// What entities are sorted by; what is missing comes first.
struct Keys(Vec<(Literal, bool)>);

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
    fn cmp(&self, other: &Self) -> Ordering {
        let rank = |value: &Literal| u8::from(*value != Literal::Null);
        let pairs = self.0.iter().zip(&other.0).map(|((a, descending), (b, _))| {
            let ordering = rank(a)
                .cmp(&rank(b))
                .then_with(|| compare(a, b).unwrap_or(Ordering::Equal));
            if *descending { ordering.reverse() } else { ordering }
        });
        pairs.fold(Ordering::Equal, Ordering::then)
    }
}

/// The order in which the store can give observations.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Order {
    /// By datastream, then time.
    ById,
    /// By time, over all datastreams.
    ByTime { newest_first: bool },
}

fn order(options: &Options) -> Outcome<Order> {
    match options.orderby.as_slice() {
        [] => Ok(Order::ById),
        [(path, descending), ..] => match path.iter().map(String::as_str).collect::<Vec<_>>()[..] {
            ["phenomenonTime" | "resultTime"] => Ok(Order::ByTime {
                newest_first: *descending,
            }),
            ["id" | "@iot.id"] if !descending => Ok(Order::ById),
            _ => Err(Problem::bad(
                "$orderby",
                "$orderby: observations are given in the order of phenomenonTime (asc, desc) or id",
            )),
        },
    }
}

async fn observations<'w>(
    world: &'w World<'_>,
    streams: Vec<&'w Datastream>,
    options: &Options,
) -> Outcome<Page<'w>> {
    let order = order(options)?;
    let (from, to) = options
        .filter
        .as_ref()
        .map_or((None, None), super::filter::Expr::times);
    let base = |stream: &Datastream| ObservationQuery {
        from,
        to,
        ..ObservationQuery::datastream(stream.id)
    };
    let count = match (options.count, &options.filter) {
        (false, _) => None,
        (true, None) => {
            let mut sum = 0;
            for stream in &streams {
                sum += world.store.count_observations(&base(stream)).await?;
            }
            Some(sum)
        }
        (true, Some(_)) => Some(counted(world, &streams, options, &base).await?),
    };
    let newest_first = order == Order::ByTime { newest_first: true };
    if order != Order::ById && streams.len() > 1 {
        return merged(world, streams, options, newest_first, count, &base).await;
    }
    let after = match &options.after {
        Some(token) => Some(
            world
                .key(token)
                .ok_or_else(|| Problem::bad("$skiptoken", "$skiptoken: is none that this service gave"))?,
        ),
        None => None,
    };
    let (wanted, mut skip, mut scanned) = (options.page(), options.skip, 0);
    let mut found: Vec<Entity<'w>> = Vec::new();
    for stream in streams {
        let mut query = base(stream);
        query.newest_first = newest_first;
        if let Some((last, time)) = after {
            if stream.id < last.id {
                continue;
            }
            if stream.id == last.id {
                beyond(&mut query, time);
            }
        }
        loop {
            query.limit = Some(CHUNK.min(wanted.saturating_add(skip) + 1));
            let chunk = world.store.details(&query).await?;
            let full = query.limit == Some(chunk.len());
            for detail in chunk {
                scanned += 1;
                let time = detail.observation.time;
                let entity = Entity::Observation(stream, detail);
                if passes(world, &entity, options)? {
                    if skip > 0 {
                        skip -= 1;
                    } else if found.len() == wanted {
                        let last = found.last().map(super::model::Entity::id);
                        let next = last.and_then(|id| id.as_str().map(|id| ("$skiptoken", id.to_owned())));
                        return Ok(Page {
                            entities: found,
                            count,
                            next,
                        });
                    } else {
                        found.push(entity);
                    }
                }
                if scanned >= MOST_SCANNED {
                    let token = observation_id(stream.id, time);
                    return Ok(Page {
                        entities: found,
                        count,
                        next: Some(("$skiptoken", token)),
                    });
                }
                beyond(&mut query, time);
            }
            if !full {
                break;
            }
        }
    }
    Ok(Page {
        entities: found,
        count,
        next: None,
    })
}

/// What comes after a time in the query's order.
fn beyond(query: &mut ObservationQuery, time: chrono::DateTime<chrono::Utc>) {
    if query.newest_first {
        query.to = Some(time);
    } else {
        query.from = Some(time + Duration::milliseconds(1));
    }
}

async fn counted(
    world: &World<'_>,
    streams: &[&Datastream],
    options: &Options,
    base: &(dyn Fn(&Datastream) -> ObservationQuery + Sync),
) -> Outcome<u64> {
    let (mut sum, mut scanned) = (0, 0);
    for &stream in streams {
        let mut query = base(stream);
        query.limit = Some(CHUNK);
        loop {
            let chunk = world.store.details(&query).await?;
            let full = chunk.len() == CHUNK;
            for detail in chunk {
                scanned += 1;
                beyond(&mut query, detail.observation.time);
                sum += u64::from(passes(world, &Entity::Observation(stream, detail), options)?);
            }
            if scanned > MOST_SCANNED {
                let detail = format!(
                    "$count: more than {MOST_SCANNED} observations to look at; filter by phenomenonTime"
                );
                return Err(Problem::bad("$count", detail));
            }
            if !full {
                break;
            }
        }
    }
    Ok(sum)
}

/// Observations of several datastreams in the order of time.
async fn merged<'w>(
    world: &'w World<'_>,
    streams: Vec<&'w Datastream>,
    options: &Options,
    newest_first: bool,
    count: Option<u64>,
    base: &(dyn Fn(&Datastream) -> ObservationQuery + Sync),
) -> Outcome<Page<'w>> {
    let needed = options.skip + options.page() + 1;
    if needed.saturating_mul(streams.len()) > MOST_SCANNED {
        return Err(too_many());
    }
    let (mut found, mut scanned) = (Vec::new(), 0);
    for stream in streams {
        let mut query = ObservationQuery {
            newest_first,
            limit: Some(needed),
            ..base(stream)
        };
        let mut passed = 0;
        while passed < needed {
            let chunk = world.store.details(&query).await?;
            let full = chunk.len() == needed;
            scanned += chunk.len();
            if scanned > MOST_SCANNED {
                return Err(too_many());
            }
            for detail in chunk {
                beyond(&mut query, detail.observation.time);
                let entity = Entity::Observation(stream, detail);
                if passes(world, &entity, options)? {
                    passed += 1;
                    found.push(entity);
                }
            }
            if !full {
                break;
            }
        }
    }
    sort(world, &mut found, options);
    let more = options.page() > 0 && found.len() >= needed;
    Ok(Page {
        entities: found
            .into_iter()
            .skip(options.skip)
            .take(options.page())
            .collect(),
        count,
        next: more.then(|| ("$skip", (options.skip + options.page()).to_string())),
    })
}

fn too_many() -> Problem {
    Problem::bad(
        "$orderby",
        "$orderby: too many observations of too many datastreams to sort; ask by datastream or time, lower $top or $skip",
    )
}

/// A page as JSON.
pub(super) async fn page_json<'w>(
    world: &'w World<'_>,
    page: Page<'w>,
    options: &Options,
    next: Option<String>,
) -> Outcome<Map<String, Value>> {
    let mut body = Map::new();
    if let Some(count) = page.count {
        body.insert("@iot.count".into(), json!(count));
    }
    if let Some(next) = next {
        body.insert("@iot.nextLink".into(), json!(next));
    }
    let mut values = Vec::new();
    for entity in page.entities {
        values.push(Value::Object(entity_json(world, entity, options).await?));
    }
    body.insert("value".into(), Value::Array(values));
    Ok(body)
}

type Boxed<'f, T> = Pin<Box<dyn Future<Output = Outcome<T>> + Send + 'f>>;

/// An entity as JSON, with what is expanded and only what is selected.
pub(super) fn entity_json<'f, 'w: 'f>(
    world: &'w World<'_>,
    entity: Entity<'w>,
    options: &'f Options,
) -> Boxed<'f, Map<String, Value>> {
    Box::pin(async move {
        world.count()?;
        let mut map = entity.whole(world).await?;
        let selected = |name: &str| {
            let plain = name.trim_start_matches("@iot.");
            options
                .select
                .iter()
                .any(|wanted| wanted == name || wanted == plain)
        };
        if !options.select.is_empty() {
            map.retain(|name, _| selected(name.split("@iot.navigationLink").next().unwrap_or(name)));
        }
        for (name, inner) in &options.expand {
            let Some(related) = entity.related(name, world) else {
                let detail = format!("$expand: {} has no `{name}`", entity.set_name());
                return Err(Problem::bad("$expand", detail));
            };
            map.remove(&format!("{name}@iot.navigationLink"));
            if let Related::One(one) = related {
                let value = match one {
                    Some(one) => Value::Object(entity_json(world, one, inner).await?),
                    None => Value::Null,
                };
                map.insert(name.clone(), value);
                continue;
            }
            let page = page(world, related, inner).await?;
            let own = format!("{}/{}/{name}", world.base, entity.address());
            if let Some((parameter, value)) = &page.next {
                map.insert(
                    format!("{name}@iot.nextLink"),
                    json!(format!("{own}?{parameter}={value}")),
                );
            }
            let inner = page_json(world, page, inner, None).await?;
            if let Some(count) = inner.get("@iot.count") {
                map.insert(format!("{name}@iot.count"), count.clone());
            }
            map.insert(name.clone(), inner.get("value").cloned().unwrap_or_default());
        }
        Ok(map)
    })
}

/// A page of observations as data arrays, one for each datastream.
pub(super) fn data_array(
    world: &World<'_>,
    page: Page<'_>,
    options: &Options,
    next: Option<String>,
) -> Value {
    let all = [
        "id",
        "phenomenonTime",
        "resultTime",
        "result",
        "resultQuality",
        "parameters",
    ];
    let names: Vec<&str> = all
        .into_iter()
        .filter(|name| options.select.is_empty() || options.select.iter().any(|wanted| wanted == name))
        .collect();
    let mut blocks: Vec<(i64, Vec<Value>)> = Vec::new();
    for entity in page.entities {
        let Entity::Observation(stream, _) = &entity else {
            continue;
        };
        let plain = entity.plain();
        let key = |name: &str| {
            if name == "id" {
                "@iot.id".to_owned()
            } else {
                name.to_owned()
            }
        };
        let row: Vec<Value> = names
            .iter()
            .map(|name| plain.get(&key(name)).cloned().unwrap_or_default())
            .collect();
        match blocks.iter_mut().find(|(id, _)| *id == stream.id) {
            Some((_, rows)) => rows.push(Value::Array(row)),
            None => blocks.push((stream.id, vec![Value::Array(row)])),
        }
    }
    let blocks: Vec<Value> = blocks
        .into_iter()
        .map(|(id, rows)| {
            json!({
                "Datastream@iot.navigationLink": format!("{}/Datastreams({id})", world.base),
                "components": names, "dataArray@iot.count": rows.len(), "dataArray": rows,
            })
        })
        .collect();
    let mut body = Map::new();
    if let Some(count) = page.count {
        body.insert("@iot.count".into(), json!(count));
    }
    if let Some(next) = next {
        body.insert("@iot.nextLink".into(), json!(next));
    }
    body.insert("value".into(), Value::Array(blocks));
    Value::Object(body)
}

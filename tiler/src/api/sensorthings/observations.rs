//! Pages of observations: as much as possible by the index of the store, the rest looked at in bounded pieces.

use super::filter::{Filter, Limits};
use super::model::{Entity, Stream, World, observation_id};
use super::options::Options;
use super::page::{Keys, Page, no_token};
use crate::problem::{Outcome, Problem};
use chrono::{DateTime, TimeDelta, Utc};
use sen_catalog::observation::{Detail, Flag, Marks, Observation};
use sen_catalog::store::ObservationQuery;
use serde_json::Map;
use std::collections::{BinaryHeap, VecDeque};
use std::sync::atomic::Ordering::Relaxed;

/// Observations looked at for one page at most: a filter that lets few through gives a short page and the way on.
const MOST_SCANNED: usize = 200_000;

/// Observations looked at for one request at most, with all that is expanded or sorted.
const MOST_OF_REQUEST: usize = 1_500_000;

/// Entities left out at most where every observation has to be sorted.
const MOST_SKIP_SORTED: usize = 10_000;

/// Observations read at once.
const CHUNK: usize = 2000;

/// The order observations are asked for in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Order {
    /// By datastream, then time.
    ById,
    /// By time, over all datastreams.
    ByTime { newest_first: bool },
    /// By anything else: all have to be looked at.
    Sorted,
}

/// What is asked of the observations of some datastreams.
struct Question<'w, 'q> {
    world: &'w World<'w>,
    options: &'q Options,
    limits: Limits,
    streams: Vec<&'w Stream>,
}

/// The page of the observations of some datastreams.
pub(super) async fn observations<'w>(
    world: &'w World<'_>,
    mut streams: Vec<&'w Stream>,
    options: &Options,
) -> Outcome<Page<'w>> {
    let limits = options.filter.as_ref().map(Filter::limits).unwrap_or_default();
    if let Some(filter) = &limits.of_stream {
        let mut kept = Vec::new();
        for stream in streams {
            if any(stream).passes(Some(filter), world)? {
                kept.push(stream);
            }
        }
        streams = kept;
    }
    let question = Question {
        world,
        options,
        limits,
        streams,
    };
    let count = if options.count {
        Some(question.count().await?)
    } else {
        None
    };
    let order = question.order().await?;
    let page = match order {
        Order::ById => question.scanned(false).await?,
        Order::ByTime { newest_first } if question.streams.len() < 2 => {
            question.scanned(newest_first).await?
        }
        Order::ByTime { newest_first } => question.merged(newest_first).await?,
        Order::Sorted => question.sorted().await?,
    };
    Ok(Page { count, ..page })
}

/// Some observation of a datastream, for what is the same for all of them.
fn any(stream: &Stream) -> Entity<'_> {
    let observation = Observation {
        datastream: stream.id(),
        time: DateTime::UNIX_EPOCH,
        value: None,
        flag: Flag::Missing,
    };
    let detail = Detail {
        observation,
        marks: Marks::default(),
        arrived: DateTime::UNIX_EPOCH,
        fields: Map::new(),
    };
    Entity::Observation(stream, detail)
}

/// What comes after a time in the query's order.
fn beyond(query: &mut ObservationQuery, time: DateTime<Utc>) {
    if query.newest_first {
        query.to = Some(time);
    } else {
        query.from = Some(time + TimeDelta::milliseconds(1));
    }
}

fn too_many(name: &'static str) -> Problem {
    let detail = format!(
        "{name}: more than {MOST_OF_REQUEST} observations to look at; ask by datastream, filter by phenomenonTime, or expand \
         less"
    );
    Problem::bad(name, detail)
}

impl<'w> Question<'w, '_> {
    async fn order(&self) -> Outcome<Order> {
        let Some((path, descending)) = self.options.orderby.first() else {
            return Ok(Order::ById);
        };
        let newest_first = *descending;
        Ok(match path.iter().map(String::as_str).collect::<Vec<_>>()[..] {
            ["phenomenonTime"] => Order::ByTime { newest_first },
            ["resultTime"] => {
                // the time of measurement where nobody said another
                let said = self.world.store.datastreams_with_fields().await?;
                if self.streams.iter().any(|stream| said.contains(&stream.id())) {
                    Order::Sorted
                } else {
                    Order::ByTime { newest_first }
                }
            }
            ["id" | "@iot.id"] if !descending => Order::ById,
            ["id" | "@iot.id"] if self.streams.len() < 2 => Order::ByTime { newest_first },
            _ => Order::Sorted,
        })
    }

    fn query(&self, stream: &Stream, newest_first: bool) -> ObservationQuery {
        ObservationQuery {
            from: self.limits.from,
            to: self.limits.to,
            newest_first,
            ..ObservationQuery::datastream(stream.id())
        }
    }

    /// Reads a piece, and counts what is read.
    async fn read(&self, query: &ObservationQuery, name: &'static str) -> Outcome<Vec<Detail>> {
        let found = self.world.store.details(query).await?;
        if self.world.scanned.fetch_add(found.len(), Relaxed) > MOST_OF_REQUEST {
            return Err(too_many(name));
        }
        Ok(found)
    }

    fn passes(&self, entity: &Entity<'w>) -> Outcome<bool> {
        entity.passes(self.limits.rest.as_ref(), self.world)
    }

    async fn count(&self) -> Outcome<u64> {
        let mut sum = 0;
        for &stream in &self.streams {
            let mut query = self.query(stream, false);
            if self.limits.rest.is_none() {
                sum += self.world.store.count_observations(&query).await?;
                continue;
            }
            query.limit = Some(CHUNK);
            loop {
                let chunk = self.read(&query, "$count").await?;
                let is_full = chunk.len() == CHUNK;
                for detail in chunk {
                    beyond(&mut query, detail.observation.time);
                    sum += u64::from(self.passes(&stream.observation(detail))?);
                }
                if !is_full {
                    break;
                }
            }
        }
        Ok(sum)
    }

    /// Datastream by datastream, by time.
    async fn scanned(&self, newest_first: bool) -> Outcome<Page<'w>> {
        let after = match &self.options.after {
            Some(token) => Some(self.world.key(token).ok_or_else(no_token)?),
            None => None,
        };
        let (wanted, mut skip, mut scanned) = (self.options.page(), self.options.skip, 0);
        let mut page = Page::default();
        if wanted == 0 {
            return Ok(page);
        }
        for &stream in &self.streams {
            let mut query = self.query(stream, newest_first);
            if let Some((last, time)) = after {
                if stream.id() < last.id() {
                    continue;
                }
                if stream.id() == last.id() {
                    beyond(&mut query, time);
                }
            }
            // what every observation passes is left out by the index
            if self.limits.rest.is_none() && skip > 0 {
                let there = self.world.store.count_observations(&query).await? as usize;
                query.skip = skip.min(there);
                skip -= query.skip;
            }
            // a filter that lets few through is read in larger and larger pieces
            let mut piece = wanted - page.entities.len() + skip + 1;
            loop {
                query.limit = Some(piece.min(CHUNK));
                piece = piece.saturating_mul(8);
                let chunk = self.read(&query, "$filter").await?;
                let is_full = query.limit == Some(chunk.len());
                query.skip = 0;
                for detail in chunk {
                    scanned += 1;
                    let time = detail.observation.time;
                    beyond(&mut query, time);
                    let entity = stream.observation(detail);
                    if self.passes(&entity)? {
                        if skip > 0 {
                            skip -= 1;
                        } else if page.entities.len() == wanted {
                            page.next = page.entities.last().map(|(_, token)| token.clone());
                            return Ok(page);
                        } else {
                            page.entities.push((entity, observation_id(stream.id(), time)));
                        }
                    }
                    // what was still to be left out is not told by the way on
                    if scanned >= MOST_SCANNED && skip == 0 {
                        page.next = Some(observation_id(stream.id(), time));
                        return Ok(page);
                    }
                }
                if !is_full {
                    break;
                }
            }
        }
        Ok(page)
    }

    /// Of several datastreams, in the order of time; what was measured at one time in the order of the other keys.
    async fn merged(&self, newest_first: bool) -> Outcome<Page<'w>> {
        let after = self.options.after.as_deref().map(Keys::read).transpose()?;
        let (wanted, mut skip, mut scanned) = (self.options.page(), self.options.skip, 0);
        let mut page = Page::default();
        if wanted == 0 {
            return Ok(page);
        }
        let piece = (2 * (wanted + skip) / self.streams.len()).clamp(2, CHUNK / 4);
        let mut sources = Vec::with_capacity(self.streams.len());
        for &stream in &self.streams {
            let mut query = self.query(stream, newest_first);
            query.limit = Some(piece);
            // those of the token's own time are met again, and told apart by their keys
            if let Some(super::filter::Literal::Time(time, _)) = after.as_ref().and_then(Keys::first) {
                if newest_first {
                    let to = *time + TimeDelta::milliseconds(1);
                    query.to = Some(query.to.map_or(to, |limit| limit.min(to)));
                } else {
                    query.from = Some(query.from.map_or(*time, |limit| limit.max(*time)));
                }
            }
            sources.push(Source {
                stream,
                query,
                ready: VecDeque::new(),
                is_done: false,
            });
        }
        loop {
            for source in &mut sources {
                source.fill(self).await?;
            }
            let fronts = sources.iter().filter_map(Source::front);
            let Some(time) = (if newest_first { fronts.max() } else { fronts.min() }) else {
                return Ok(page);
            };
            let mut group = Vec::new();
            for source in sources.iter_mut().filter(|source| source.front() == Some(time)) {
                if let Some(detail) = source.ready.pop_front() {
                    let entity = source.stream.observation(detail);
                    let keys = Keys::of(&entity, self.world, self.options);
                    group.push((keys, entity));
                }
            }
            scanned += group.len();
            group.sort_by(|(a, _), (b, _)| a.cmp(b));
            let last = group.last().map(|(keys, _)| keys.write());
            for (keys, entity) in group {
                let is_new = after.as_ref().is_none_or(|after| keys.is_after(after));
                if !is_new || !self.passes(&entity)? {
                    continue;
                }
                if skip > 0 {
                    skip -= 1;
                } else if page.entities.len() == wanted {
                    page.next = page.entities.last().map(|(_, token)| token.clone());
                    return Ok(page);
                } else {
                    page.entities.push((entity, keys.write()));
                }
            }
            if scanned >= MOST_SCANNED && skip == 0 {
                page.next = last;
                return Ok(page);
            }
        }
    }

    /// In any other order: all are looked at, and those of the page kept.
    async fn sorted(&self) -> Outcome<Page<'w>> {
        let after = self.options.after.as_deref().map(Keys::read).transpose()?;
        let (wanted, skip) = (self.options.page(), self.options.skip);
        if skip > MOST_SKIP_SORTED {
            let detail = format!(
                "$skip: {skip} is more than {MOST_SKIP_SORTED}, the most in this order; follow @iot.nextLink, or filter"
            );
            return Err(Problem::bad("$skip", detail));
        }
        let needed = skip + wanted + 1;
        let mut best: BinaryHeap<Sorted<'w>> = BinaryHeap::new();
        for &stream in &self.streams {
            let mut query = self.query(stream, false);
            query.limit = Some(CHUNK);
            loop {
                let chunk = self.read(&query, "$orderby").await?;
                let is_full = chunk.len() == CHUNK;
                for detail in chunk {
                    beyond(&mut query, detail.observation.time);
                    let entity = stream.observation(detail);
                    let keys = Keys::of(&entity, self.world, self.options);
                    let is_new = after.as_ref().is_none_or(|after| keys.is_after(after));
                    let is_near = best.len() < needed || best.peek().is_some_and(|worst| keys < worst.0);
                    if is_new && is_near && self.passes(&entity)? {
                        best.push(Sorted(keys, entity));
                        if best.len() > needed {
                            best.pop();
                        }
                    }
                }
                if !is_full {
                    break;
                }
            }
        }
        let more = wanted > 0 && best.len() == needed;
        let page = best.into_sorted_vec().into_iter().skip(skip).take(wanted);
        let entities: Vec<_> = page.map(|Sorted(keys, entity)| (entity, keys.write())).collect();
        Ok(Page {
            next: entities.last().filter(|_| more).map(|(_, token)| token.clone()),
            entities,
            count: None,
        })
    }
}

/// The observations of one datastream among those of others.
struct Source<'w> {
    stream: &'w Stream,
    query: ObservationQuery,
    ready: VecDeque<Detail>,
    is_done: bool,
}

impl Source<'_> {
    fn front(&self) -> Option<DateTime<Utc>> {
        self.ready.front().map(|detail| detail.observation.time)
    }

    async fn fill(&mut self, question: &Question<'_, '_>) -> Outcome<()> {
        if self.is_done || !self.ready.is_empty() {
            return Ok(());
        }
        let chunk = question.read(&self.query, "$orderby").await?;
        self.is_done = self.query.limit != Some(chunk.len());
        if let Some(last) = chunk.last() {
            beyond(&mut self.query, last.observation.time);
        }
        self.ready = chunk.into();
        Ok(())
    }
}

/// An observation in the order of its keys.
struct Sorted<'w>(Keys, Entity<'w>);

impl PartialEq for Sorted<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}
impl Eq for Sorted<'_> {}
impl PartialOrd for Sorted<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Sorted<'_> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.cmp(&other.0)
    }
}

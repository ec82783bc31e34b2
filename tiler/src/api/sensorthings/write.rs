//! Entities as JSON, with what is expanded and only what is selected: written straight into the answer, which is never
//! larger than a page may be; what does not fit any more is behind a link.

use super::model::{Entity, Related, World};
use super::options::Options;
use super::page::{Page, page};
use super::schema::{Set, is_id};
use crate::problem::{Outcome, Problem};
use serde_json::{Map, Value, json};
use std::pin::Pin;

/// Bytes of an answer after which no further entity is begun: so many are held for each client that is slow to read.
const MOST_BYTES: usize = 1_500_000;

type Written<'f, T> = Pin<Box<dyn Future<Output = Outcome<T>> + Send + 'f>>;

/// A document under way.
pub(super) type Body = Vec<u8>;

fn push(body: &mut Body, value: &Value) -> Outcome<()> {
    serde_json::to_writer(body, value).map_err(|_| Problem::internal("writing the answer"))
}

fn push_name(body: &mut Body, name: &str) -> Outcome<()> {
    if !body.ends_with(b"{") {
        body.push(b',');
    }
    push(body, &json!(name))?;
    body.push(b':');
    Ok(())
}

/// A page as a document; `address` is where it was asked for.
pub(super) async fn page_document<'w>(
    world: &'w World<'_>,
    page: Page<'w>,
    options: &Options,
    address: &str,
) -> Outcome<Body> {
    let mut body = Body::new();
    body.push(b'{');
    if let Some(count) = page.count {
        push_name(&mut body, "@iot.count")?;
        push(&mut body, &json!(count))?;
    }
    push_name(&mut body, "value")?;
    if let Some(token) = entities(world, &mut body, page, options).await? {
        push_name(&mut body, "@iot.nextLink")?;
        push(
            &mut body,
            &json!(format!("{address}?{}", options.further(&token))),
        )?;
    }
    body.push(b'}');
    Ok(body)
}

/// The entities of a page as a list; gives what leads on where there is more.
fn entities<'f, 'w: 'f>(
    world: &'w World<'_>,
    body: &'f mut Body,
    page: Page<'w>,
    options: &'f Options,
) -> Written<'f, Option<String>> {
    Box::pin(async move {
        body.push(b'[');
        let mut last: Option<String> = None;
        for (entity, token) in page.entities {
            if last.is_some() {
                if body.len() > MOST_BYTES {
                    body.push(b']');
                    return Ok(last);
                }
                body.push(b',');
            }
            entity_into(world, body, entity, options).await?;
            last = Some(token);
        }
        body.push(b']');
        Ok(page.next)
    })
}

/// An entity, with what is expanded and only what is selected.
pub(super) fn entity_into<'f, 'w: 'f>(
    world: &'w World<'_>,
    body: &'f mut Body,
    entity: Entity<'w>,
    options: &'f Options,
) -> Written<'f, ()> {
    Box::pin(async move {
        let mut map = entity.whole(world);
        if !options.select.is_empty() {
            map.retain(|name, _| options.selects(name));
        }
        for (name, _) in &options.expand {
            map.remove(&format!("{name}@iot.navigationLink"));
        }
        push(body, &Value::Object(map))?;
        body.pop();
        for (name, inner) in &options.expand {
            let Some(related) = entity.related(name, world) else {
                continue;
            };
            push_name(body, name)?;
            if let Related::One(one) = related {
                match one {
                    Some(one) => entity_into(world, body, one, inner).await?,
                    None => push(body, &Value::Null)?,
                }
                continue;
            }
            let page = page(world, related, inner).await?;
            let count = page.count;
            let next = entities(world, body, page, inner).await?;
            if let Some(count) = count {
                push_name(body, &format!("{name}@iot.count"))?;
                push(body, &json!(count))?;
            }
            if let Some(token) = next {
                let own = format!("{}/{}/{name}", world.base, entity.address());
                push_name(body, &format!("{name}@iot.nextLink"))?;
                push(body, &json!(format!("{own}?{}", inner.further(&token))))?;
            }
        }
        body.push(b'}');
        Ok(())
    })
}

/// The addresses of the entities of a page.
pub(super) fn references(world: &World<'_>, page: &Page<'_>, options: &Options, address: &str) -> Value {
    let links = page.entities.iter();
    let links: Vec<Value> = links
        .map(|(entity, _)| json!({"@iot.selfLink": format!("{}/{}", world.base, entity.address())}))
        .collect();
    Value::Object(envelope(page, options, address, links))
}

fn envelope(page: &Page<'_>, options: &Options, address: &str, values: Vec<Value>) -> Map<String, Value> {
    let mut body = Map::new();
    if let Some(count) = page.count {
        body.insert("@iot.count".into(), json!(count));
    }
    if let Some(token) = &page.next {
        let link = format!("{address}?{}", options.further(token));
        body.insert("@iot.nextLink".into(), json!(link));
    }
    body.insert("value".into(), Value::Array(values));
    body
}

/// A page of observations as data arrays, one for each datastream.
pub(super) fn data_array(world: &World<'_>, page: &Page<'_>, options: &Options, address: &str) -> Value {
    let own = Set::Observations.properties().iter().map(|(name, _)| *name);
    let all = std::iter::once("id").chain(own);
    let names: Vec<&str> = all
        .filter(|name| options.select.is_empty() || options.selects(name))
        .collect();
    let mut blocks: Vec<(i64, Vec<Value>)> = Vec::new();
    for (entity, _) in &page.entities {
        let Entity::Observation(stream, _) = entity else {
            continue;
        };
        let plain = entity.plain();
        let cell = |name: &&str| plain.get(if is_id(name) { "@iot.id" } else { name }).cloned();
        let row = Value::Array(names.iter().map(|name| cell(name).unwrap_or_default()).collect());
        // the newest block is most often the one
        match blocks.iter_mut().rev().find(|(id, _)| *id == stream.id()) {
            Some((_, rows)) => rows.push(row),
            None => blocks.push((stream.id(), vec![row])),
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
    Value::Object(envelope(page, options, address, blocks))
}

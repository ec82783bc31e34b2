//! `/assets/{collection}/{year}/{item}/{file}`: the files of weekly items, whole or in ranges.
//!
//! Only files that a row of the catalogue points at are served; the address is looked up, never joined to a path.

use super::Standard;
use crate::admission::Streamed;
use crate::headers::{HOUR, not_modified};
use crate::layers::is_layer;
use crate::problem::{Outcome, Problem};
use crate::query::{Query, segments};
use crate::state::Shared;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use hyper::body::Frame;
use sen_catalog::object::{ObjectFile, ReadAt};
use sen_catalog::{Asset, Item, ItemQuery};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::sync::mpsc;

/// Bytes read at once: three of them are held for each download under way.
const CHUNK: usize = 64 * 1024;

/// Bytes held against their checksums before the head of the answer goes out, some milliseconds: a damaged file is 503. What comes
/// after is held against them as it is sent, and the answer ends early where it does not fit.
const VERIFIED_AHEAD: u64 = 64 << 20;

/// See the module.
pub(crate) struct AssetFiles;

impl Standard for AssetFiles {
    fn routes(&self) -> Router<Shared> {
        Router::new().route("/assets/{collection}/{year}/{item}/{file}", get(file))
    }

    fn reserved(&self) -> &'static [&'static str] {
        &["assets"]
    }

    /// Rasters are compressed inside.
    fn is_pictures(&self) -> bool {
        true
    }
}

/// The address of an asset for clients; the files of scenes keep their place to themselves.
pub(crate) fn address(base: &str, item: &Item, href: &str) -> String {
    if href.contains("://") {
        return href.to_owned();
    }
    let own =
        item.assets.values().any(|asset| asset.href == href) && !href.starts_with('/') && !item.is_scene();
    if own {
        format!("{base}/assets/{href}")
    } else {
        // a file name alone says which band it is and nothing about this machine
        href.rsplit('/').next().unwrap_or_default().to_owned()
    }
}

async fn file(State(app): State<Shared>, request: Request) -> Outcome {
    Query::of(request.uri(), &[])?;
    let parts = segments(request.uri().path())?;
    let part = |index: usize| parts.get(index).map_or("", AsRef::as_ref);
    let nothing = || Problem::not_found("unknown-asset", "no item of the catalogue has such a file");
    let snapshot = app.lookup.snapshot().await?;
    let (collection, id) = (part(1), part(3));
    if !is_layer(&snapshot, collection) {
        return Err(nothing());
    }
    let item = app
        .lookup
        .store()
        .item(collection, id)
        .await?
        .ok_or_else(nothing)?;
    let href = parts.get(1..).unwrap_or_default().join("/");
    let asset = match item.assets.values().find(|asset| asset.href == href) {
        Some(asset) => asset.clone(),
        None => asset_beside(&app, &item, &href).await?.ok_or_else(nothing)?,
    };
    if href.starts_with('/') || href.split('/').any(|part| part == ".." || part.is_empty()) {
        return Err(nothing());
    }
    let assets = app.assets.clone();
    let object = off_reactor({
        let asset = asset.clone();
        move || assets.open_object(&asset)
    })
    .await?;
    send(object, &asset, request.method(), request.headers()).await
}

/// The asset of another layer of the week that names the file: what it shares with this item may be another here by now.
async fn asset_beside(app: &Shared, item: &Item, href: &str) -> Outcome<Option<Asset>> {
    let week = Some(item.period());
    let query = ItemQuery {
        from: week,
        to: week,
        ..ItemQuery::default()
    };
    let items = app.lookup.store().items(&query).await?;
    let mut assets = items
        .into_iter()
        .filter(|item| !item.is_scene())
        .flat_map(|item| item.assets.into_values());
    Ok(assets.find(|asset| asset.href == href))
}

/// Runs what waits for the disk on a thread that may.
async fn off_reactor<T: Send + 'static>(
    work: impl FnOnce() -> sen_catalog::Result<T> + Send + 'static,
) -> Outcome<T> {
    let done = tokio::task::spawn_blocking(work).await;
    Ok(done.map_err(|_| Problem::internal("reading a file"))??)
}

async fn send(object: Arc<ObjectFile>, asset: &Asset, method: &Method, asked: &HeaderMap) -> Outcome {
    let size = object.size();
    let etag = asset
        .sha256
        .as_deref()
        .and_then(|hex| hex.get(..32))
        .map(|hex| format!("\"{hex}\""));
    let current = etag.as_deref().is_some_and(|etag| not_modified(asked, etag));
    let if_range = asked.get(header::IF_RANGE).and_then(|value| value.to_str().ok());
    let range_holds = if_range.is_none_or(|validator| Some(validator) == etag.as_deref());
    let range = asked
        .get(header::RANGE)
        .and_then(|value| value.to_str().ok())
        .filter(|_| range_holds);
    let range = range.map_or(Range::Whole, |range| Range::parse(range, size));
    let mut response = match range {
        _ if current => StatusCode::NOT_MODIFIED.into_response(),
        Range::Outside => {
            let mut response = Problem::range(size).into_response();
            response
                .headers_mut()
                .insert(header::CONTENT_RANGE, text(&format!("bytes */{size}")));
            return Ok(response);
        }
        Range::Whole | Range::Part(..) => {
            let (first, length) = match range {
                Range::Part(first, last) => (first, last - first + 1),
                Range::Whole | Range::Outside => (0, size),
            };
            let mut response = Response::new(Body::empty());
            if *method != Method::HEAD {
                let ahead = first + length.min(VERIFIED_AHEAD);
                let opened = Arc::clone(&object);
                off_reactor(move || opened.verify_range(first, ahead)).await?;
                *response.body_mut() = Body::new(stream(object, first, length));
                response.extensions_mut().insert(Streamed);
            }
            if let Range::Part(first, last) = range {
                *response.status_mut() = StatusCode::PARTIAL_CONTENT;
                response.headers_mut().insert(
                    header::CONTENT_RANGE,
                    text(&format!("bytes {first}-{last}/{size}")),
                );
            }
            let headers = response.headers_mut();
            headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
            headers.insert(header::CONTENT_TYPE, content_type(&asset.href));
            response
        }
    };
    let headers = response.headers_mut();
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.insert(header::CACHE_CONTROL, HOUR);
    if let Some(etag) = etag {
        headers.insert(header::ETAG, text(&etag));
    }
    Ok(response)
}

fn text(value: &str) -> HeaderValue {
    HeaderValue::try_from(value).expect("digits, letters and quotes are a header value")
}

fn content_type(href: &str) -> HeaderValue {
    let extension = href.rsplit_once('.').map_or("", |(_, extension)| extension);
    HeaderValue::from_static(match extension {
        "tif" | "tiff" => "image/tiff; application=geotiff; profile=cloud-optimized",
        "json" => "application/json",
        "csv" => "text/csv; charset=utf-8",
        _ => "application/octet-stream",
    })
}

/// Which bytes are asked for; several ranges at once are answered with the whole file, as RFC 9110 allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Range {
    Whole,
    /// First and last byte.
    Part(u64, u64),
    Outside,
}

impl Range {
    fn parse(text: &str, size: u64) -> Self {
        let Some((first, last)) = text
            .strip_prefix("bytes=")
            .and_then(|range| range.split_once('-'))
        else {
            return Self::Whole;
        };
        match (first.trim().parse::<u64>(), last.trim().parse::<u64>()) {
            (Ok(first), _) if first >= size => Self::Outside,
            (Ok(first), Ok(last)) if last >= first => Self::Part(first, last.min(size - 1)),
            (Ok(first), Err(_)) if last.trim().is_empty() => Self::Part(first, size - 1),
            (Err(_), Ok(0)) if first.trim().is_empty() => Self::Outside,
            (Err(_), Ok(length)) if first.trim().is_empty() && size > 0 => {
                Self::Part(size.saturating_sub(length), size - 1)
            }
            _ => Self::Whole,
        }
    }
}

/// A file's bytes as they are read, two chunks ahead of the client at most.
struct FileBody(mpsc::Receiver<std::io::Result<Bytes>>);

impl hyper::body::Body for FileBody {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        self.0
            .poll_recv(context)
            .map(|chunk| chunk.map(|chunk| chunk.map(Frame::data)))
    }
}

fn stream(object: Arc<ObjectFile>, first: u64, length: u64) -> FileBody {
    let (sender, receiver) = mpsc::channel(2);
    tokio::spawn(async move {
        let (mut at, end) = (first, first + length);
        while at < end {
            let size = usize::try_from(end - at).map_or(CHUNK, |left| left.min(CHUNK));
            let (file, from) = (Arc::clone(&object), at);
            let read = off_reactor(move || {
                let mut chunk = vec![0; size];
                file.read_into(&mut chunk, from)?;
                Ok(Bytes::from(chunk))
            });
            // the log says why; the client sees fewer bytes than it was told of
            let chunk = read.await.map_err(|_| std::io::ErrorKind::UnexpectedEof.into());
            let failed = chunk.is_err();
            if sender.send(chunk).await.is_err() || failed {
                return; // the client has gone, or the file has
            }
            at += size as u64;
        }
    });
    FileBody(receiver)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_follow_rfc_9110() {
        for (text, expected) in [
            ("bytes=0-99", Range::Part(0, 99)),
            ("bytes=990-", Range::Part(990, 999)),
            ("bytes=-10", Range::Part(990, 999)),
            ("bytes=-5000", Range::Part(0, 999)),
            ("bytes=5-5000", Range::Part(5, 999)),
            ("bytes=1000-", Range::Outside),
            ("bytes=-0", Range::Outside),
            ("bytes=9-3", Range::Whole),
            ("bytes=0-1,5-6", Range::Whole),
            ("lines=1-2", Range::Whole),
            ("bytes=x-y", Range::Whole),
        ] {
            assert_eq!(Range::parse(text, 1000), expected, "{text}");
        }
        assert_eq!(Range::parse("bytes=0-", 0), Range::Outside);
    }
}

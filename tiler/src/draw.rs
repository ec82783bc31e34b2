//! Pictures of any box and size, with a validator that is known before a pixel is read.

use crate::encode::{self, Format, IndexedImage};
use crate::headers::{SEN_PERIOD, not_modified};
use crate::problem::{Outcome, Problem};
use crate::query::Query;
use crate::state::{Raster, Shared};
use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use sen_catalog::crs::lon_lat_to_mercator;
use sen_catalog::{Bounds, Crs, Grid};
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// Most pixels of one picture.
const MAX_PIXELS: usize = 2048 * 2048;

/// Furthest north and south that EPSG:3857 shows, degrees.
const MERCATOR_LIMIT: f64 = 85.051_128;

/// Width and height of a picture, pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Size {
    pub(crate) width: usize,
    pub(crate) height: usize,
}

impl Size {
    /// A size that one request may cost, else 413.
    pub(crate) fn new(width: usize, height: usize) -> Outcome<Self> {
        if width == 0 || height == 0 {
            return Err(Problem::bad("size", "width and height begin at 1 pixel"));
        }
        if width.saturating_mul(height) > MAX_PIXELS {
            let detail =
                format!("{width} x {height} pixels are more than {MAX_PIXELS}; ask for a smaller picture");
            return Err(Problem::too_large(detail));
        }
        Ok(Self { width, height })
    }

    /// Reads `{width}x{height}[@2x]`.
    pub(crate) fn parse(text: &str) -> Outcome<Self> {
        let wrong = || {
            Problem::bad(
                "size",
                format!("`{text}` is no size; write width x height such as 800x600"),
            )
        };
        let (size, scale) = match text.split_once('@') {
            None => (text, 1),
            Some((size, "1x")) => (size, 1),
            Some((size, "2x")) => (size, 2),
            Some(_) => return Err(wrong()),
        };
        let (width, height) = size.split_once('x').ok_or_else(wrong)?;
        let number = |text: &str| {
            let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            digits
                .then(|| text.parse().unwrap_or(usize::MAX))
                .ok_or_else(wrong)
        };
        Self::new(
            number(width)?.saturating_mul(scale),
            number(height)?.saturating_mul(scale),
        )
    }
}

/// Reads `west,south,east,north` in degrees.
pub(crate) fn parse_box(text: &str) -> Outcome<Bounds> {
    let wrong = || {
        Problem::bad(
            "bbox",
            format!("`{text}` is no box; write west,south,east,north in degrees"),
        )
    };
    let numbers: Vec<f64> = text
        .split(',')
        .map_while(|part| part.trim().parse().ok())
        .collect();
    let [west, south, east, north] = numbers.try_into().map_err(|_| wrong())?;
    let finite = [west, south, east, north].iter().all(|edge| edge.is_finite());
    let sane =
        west < east && south < north && (-180.0..=180.0).contains(&west) && (-180.0..=180.0).contains(&east);
    let visible = south < MERCATOR_LIMIT && north > -MERCATOR_LIMIT && south >= -90.0 && north <= 90.0;
    if finite && sane && visible {
        Ok(Bounds::new(west, south, east, north))
    } else {
        Err(wrong())
    }
}

/// The grid in EPSG:3857 of a picture that fills a box of degrees from edge to edge.
pub(crate) fn grid(bbox: Bounds, size: Size) -> Grid {
    let (west, south) = lon_lat_to_mercator(bbox.west, bbox.south.max(-MERCATOR_LIMIT));
    let (east, north) = lon_lat_to_mercator(bbox.east, bbox.north.min(MERCATOR_LIMIT));
    Grid {
        crs: Crs::WEB_MERCATOR,
        west,
        north,
        cell_width: (east - west) / size.width as f64,
        cell_height: (north - south) / size.height as f64,
        width: size.width,
        height: size.height,
    }
}

/// The one side of a picture that is given; the other follows from the shape of the box.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fit {
    /// The longer one.
    Longest(usize),
    /// The width.
    Width(usize),
    /// The height.
    Height(usize),
}

/// The size of a box when one side is given, pixels.
pub(crate) fn fitted(bbox: Bounds, fit: Fit) -> Outcome<Size> {
    let unit = grid(bbox, Size { width: 1, height: 1 });
    let scale = match fit {
        Fit::Longest(side) => side as f64 / unit.cell_width.max(unit.cell_height),
        Fit::Width(side) => side as f64 / unit.cell_width,
        Fit::Height(side) => side as f64 / unit.cell_height,
    };
    let side = |length: f64| ((length * scale).round() as usize).max(1);
    Size::new(side(unit.cell_width), side(unit.cell_height))
}

/// The format an address ends with.
pub(crate) fn split_format(text: &str) -> Outcome<(&str, Option<Format>)> {
    let Some((rest, extension)) = text.rsplit_once('.') else {
        return Ok((text, None));
    };
    // the dot of a decimal number is no extension
    if extension.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok((text, None));
    }
    match Format::from_extension(extension) {
        Some(format) => Ok((rest, Some(format))),
        None => Err(Problem::not_found(
            "unknown-format",
            format!("pictures are png or webp, not `{extension}`"),
        )),
    }
}

/// The picture of a raster on a grid; transparent where there is no data.
pub(crate) async fn picture(
    app: &Shared,
    asked: &HeaderMap,
    raster: &Arc<Raster>,
    grid: Grid,
    format: Format,
    cache: HeaderValue,
) -> Outcome {
    let mut hasher = Sha256::new();
    hasher.update(raster.source.to_le_bytes());
    hasher.update(format!("{grid:?} {format:?}").as_bytes());
    let hash = sen_catalog::asset::hex(hasher.finalize().get(..8).unwrap_or_default());
    let etag = format!("\"{hash}\"");
    let mut response = if not_modified(asked, &etag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let (rasters, raster) = (Arc::clone(&app.rasters), Arc::clone(raster));
        let draw = move || {
            let blank = || IndexedImage {
                width: grid.width,
                height: grid.height,
                indices: vec![0; grid.width * grid.height],
                palette: Arc::new([[0; 4]]),
            };
            let image = rasters
                .render(&raster.asset(), &raster.style, &grid)?
                .unwrap_or_else(blank);
            encode::encode(&image, format)
        };
        let mut response = Response::new(Body::from(app.cpu.run(draw).await??));
        response.headers_mut().insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static(format.media_type()),
        );
        response
    };
    let headers = response.headers_mut();
    headers.insert(
        header::ETAG,
        HeaderValue::try_from(etag).expect("hexadecimal digits and quotes are a header value"),
    );
    headers.insert(header::CACHE_CONTROL, cache);
    headers.insert(SEN_PERIOD, raster.period_header.clone());
    Ok(response)
}

/// The time or version parameters a picture's address shares with tiles, for its `Cache-Control`.
pub(crate) fn cache(raster: &Raster, when: crate::time::When, query: &Query<'_>) -> HeaderValue {
    crate::api::tiles::cache_control(Some(raster), when, query)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_boxes_are_bounded() {
        assert_eq!(
            Size::parse("800x600@2x").ok(),
            Some(Size {
                width: 1600,
                height: 1200
            })
        );
        for (text, status) in [
            ("0x5", 400),
            ("x", 400),
            ("-1x5", 400),
            ("99999999999999999999x9", 413),
            ("4096x4096", 413),
        ] {
            assert_eq!(
                Size::parse(text).expect_err("refused").status().as_u16(),
                status,
                "{text}"
            );
        }
        assert!(parse_box("105.1,10.1,105.9,10.9").is_ok());
        for bad in [
            "1,2,3",
            "3,2,1,4",
            "1,2,3,nan",
            "a,b,c,d",
            "0,0,0,0",
            "0,86,1,89",
            "1,2,3,4,5",
        ] {
            assert!(parse_box(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_picture_keeps_the_shape_of_its_box() {
        let size = fitted(Bounds::new(105.0, 10.0, 106.0, 10.5), Fit::Longest(1000)).expect("small");
        assert_eq!(size.width, 1000);
        assert!((505..=511).contains(&size.height), "{size:?}"); // half as high in degrees, stretched by 1 / cos 10.25
        let high = Bounds::new(105.0, 10.0, 105.5, 11.0);
        assert_eq!(fitted(high, Fit::Width(256)).expect("small").width, 256);
        assert!(fitted(high, Fit::Width(256)).expect("small").height > 500);
        assert_eq!(fitted(high, Fit::Height(256)).expect("small").height, 256);
    }
}

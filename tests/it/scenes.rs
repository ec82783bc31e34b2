//! Small scenes as providers deliver them, written by the tests.

use sen_catalog::raster::{CogProfile, CogWriter, Compression, Overviews, Pixel};
use sen_catalog::{Bounds, Crs, Grid};
use serde_json::json;
use std::fs;
use std::path::{Path, PathBuf};

/// Side of the little province, metres; 128 x 128 cells of 10 m near Cao Lanh.
const SIDE_M: f64 = 1280.0;

/// The grid of all scenes here.
pub(crate) fn grid() -> Grid {
    let (west, south) = (569_000.0, 1_156_000.0);
    Grid::covering(
        Crs::UTM_48N,
        Bounds::new(west, south, west + SIDE_M, south + SIDE_M),
        10.0,
    )
    .expect("sane")
}

/// A lon/lat point in the middle of the cell (column, row).
pub(crate) fn lon_lat(column: usize, row: usize) -> (f64, f64) {
    let grid = grid();
    let transform = sen_catalog::crs::Transform::new(grid.crs, Crs::WGS84).expect("known");
    let x = grid.west + (column as f64 + 0.5) * 10.0;
    let y = grid.north - (row as f64 + 0.5) * 10.0;
    transform.point(x, y).expect("inside")
}

/// A square of cells of the little province, as a closed ring of lon/lat.
pub(crate) fn ring(column: f64, row: f64, side: f64) -> Vec<(f64, f64)> {
    let grid = grid();
    let back = sen_catalog::crs::Transform::new(grid.crs, Crs::WGS84).expect("known");
    let corners = [(0.0, 0.0), (0.0, side), (side, side), (side, 0.0), (0.0, 0.0)];
    let place = |(dx, dy): (f64, f64)| {
        let x = grid.west + (column + dx) * grid.cell_width;
        let y = grid.north - (row + dy) * grid.cell_height;
        back.point(x, y).expect("inside")
    };
    corners.into_iter().map(place).collect()
}

/// XYZ address of the tile over a cell of the little province.
pub(crate) fn tile(zoom: u32, column: usize, row: usize) -> (u32, u32, u32) {
    let (lon, lat) = lon_lat(column, row);
    let n = f64::from(1 << zoom);
    let x = (lon + 180.0) / 360.0 * n;
    let y = (1.0 - lat.to_radians().tan().asinh() / std::f64::consts::PI) / 2.0 * n;
    (zoom, x as u32, y as u32)
}

pub(crate) fn write<T: Pixel>(path: &Path, grid: Grid, nodata: Option<f64>, pixels: &[T]) {
    let profile = CogProfile {
        grid,
        data_type: T::DATA_TYPE,
        nodata,
        scale: 1.0,
        offset: 0.0,
        compression: Compression::Deflate(1),
        block: 128,
        overviews: Overviews::None,
        description: String::new(),
    };
    let mut writer = CogWriter::create(path, profile).expect("creates");
    writer.write_rows(pixels).expect("writes");
    writer.finish().expect("finishes");
}

/// Stored numbers of one Sentinel-2 pixel.
#[derive(Clone, Copy)]
pub(crate) struct Dn {
    pub(crate) blue: u16,
    pub(crate) green: u16,
    pub(crate) red: u16,
    pub(crate) nir: u16,
    pub(crate) swir16: u16,
    pub(crate) scl: u8,
}

/// Rice at heading: NDVI 0.777778 (reflectance nir 0.40, red 0.05).
pub(crate) const RICE: Dn = Dn {
    blue: 300,
    green: 700,
    red: 500,
    nir: 4000,
    swir16: 1500,
    scl: 4,
};
/// Open water.
pub(crate) const WATER: Dn = Dn {
    blue: 600,
    green: 700,
    red: 500,
    nir: 200,
    swir16: 100,
    scl: 6,
};
/// A bright cloud.
pub(crate) const CLOUD: Dn = Dn {
    blue: 6000,
    green: 6000,
    red: 6000,
    nir: 6500,
    swir16: 5000,
    scl: 9,
};
/// Never looked at.
pub(crate) const NOTHING: Dn = Dn {
    blue: 0,
    green: 0,
    red: 0,
    nir: 0,
    swir16: 0,
    scl: 0,
};

/// A Sentinel-2 L2A STAC Item (Earth Search v1 flavour, offset already applied) with its files, in `folder`.
pub(crate) fn sentinel2(
    folder: &Path,
    id: &str,
    datetime: &str,
    pixel: impl Fn(usize, usize) -> Dn,
) -> PathBuf {
    sentinel2_with(folder, id, datetime, 0, Some(("05.11", true)), pixel)
}

/// The same with `added` on every stored number and with the given baseline metadata.
pub(crate) fn sentinel2_with(
    folder: &Path,
    id: &str,
    datetime: &str,
    added: u16,
    baseline: Option<(&str, bool)>,
    pixel: impl Fn(usize, usize) -> Dn,
) -> PathBuf {
    let place = folder.join(id);
    fs::create_dir_all(&place).expect("scene folder");
    let fine = grid();
    let coarse = fine.coarser(2);
    let band = |name: &str, grid: Grid, step: usize, take: &dyn Fn(Dn) -> u16| {
        let mut pixels = Vec::with_capacity(grid.width * grid.height);
        for row in 0..grid.height {
            for column in 0..grid.width {
                let stored = take(pixel(column * step, row * step));
                pixels.push(if stored == 0 { 0 } else { stored + added });
            }
        }
        write(&place.join(format!("{name}.tif")), grid, Some(0.0), &pixels);
    };
    band("blue", fine, 1, &|dn| dn.blue);
    band("green", fine, 1, &|dn| dn.green);
    band("red", fine, 1, &|dn| dn.red);
    band("nir", fine, 1, &|dn| dn.nir);
    band("swir16", coarse, 2, &|dn| dn.swir16);
    let classes: Vec<u8> = (0..coarse.width * coarse.height)
        .map(|index| pixel(index % coarse.width * 2, index / coarse.width * 2).scl)
        .collect();
    write(&place.join("scl.tif"), coarse, Some(0.0), &classes);

    let mut assets = serde_json::Map::new();
    for name in ["blue", "green", "red", "nir", "swir16", "scl"] {
        let mut asset = json!({"href": format!("./{name}.tif"), "type": "image/tiff; application=geotiff"});
        if name != "scl" {
            asset["eo:bands"] = json!([{"name": name, "common_name": name}]);
            if baseline.is_some() {
                asset["raster:bands"] =
                    json!([{"nodata": 0, "data_type": "uint16", "scale": 0.0001, "offset": -0.1}]);
            }
        }
        assets.insert(name.to_owned(), asset);
    }
    let mut properties = json!({
        "datetime": datetime, "platform": "sentinel-2a", "constellation": "sentinel-2",
        "proj:epsg": fine.crs.code(), "proj:code": fine.crs.to_string(),
    });
    if let Some((version, applied)) = baseline {
        properties["s2:processing_baseline"] = json!(version);
        properties["earthsearch:boa_offset_applied"] = json!(applied);
    }
    item(
        &place,
        id,
        "sentinel-2-l2a",
        &properties,
        &serde_json::Value::Object(assets),
    )
}

/// A Sentinel-1 RTC STAC Item (Planetary Computer flavour), gamma0 in linear power.
pub(crate) fn sentinel1(
    folder: &Path,
    id: &str,
    datetime: &str,
    vv: impl Fn(usize, usize) -> f32,
) -> PathBuf {
    let place = folder.join(id);
    fs::create_dir_all(&place).expect("scene folder");
    let grid = grid();
    let power: Vec<f32> = (0..grid.width * grid.height)
        .map(|index| vv(index % grid.width, index / grid.width))
        .collect();
    let cross: Vec<f32> = power
        .iter()
        .map(|vv| if *vv == -32768.0 { *vv } else { vv / 6.0 })
        .collect();
    write(&place.join("vv.tif"), grid, Some(-32768.0), &power);
    write(&place.join("vh.tif"), grid, Some(-32768.0), &cross);
    let properties = json!({
        "datetime": datetime, "platform": "SENTINEL-1A", "proj:code": grid.crs.to_string(),
        "sat:orbit_state": "descending", "sat:relative_orbit": 18, "sar:polarizations": ["VV", "VH"],
    });
    let assets = json!({
        "vv": {"href": "./vv.tif", "raster:bands": [{"nodata": -32768, "data_type": "float32"}]},
        "vh": {"href": "./vh.tif", "raster:bands": [{"nodata": -32768, "data_type": "float32"}]},
    });
    item(&place, id, "sentinel-1-rtc", &properties, &assets)
}

fn item(
    place: &Path,
    id: &str,
    collection: &str,
    properties: &serde_json::Value,
    assets: &serde_json::Value,
) -> PathBuf {
    let b = grid().lon_lat_bounds().expect("inside the zone");
    let ring = [
        [b.west, b.south],
        [b.east, b.south],
        [b.east, b.north],
        [b.west, b.north],
        [b.west, b.south],
    ];
    let item = json!({
        "type": "Feature", "stac_version": "1.0.0", "id": id, "collection": collection,
        "geometry": {"type": "Polygon", "coordinates": [ring]}, "bbox": [b.west, b.south, b.east, b.north],
        "properties": properties, "assets": assets, "links": [],
    });
    let path = place.join(format!("{id}.json"));
    fs::write(&path, item.to_string()).expect("item is written");
    path
}

//! The zones of one layer, as much of them as is needed to measure them.

use crate::Result;
use crate::run::Progress;
use geo_types::MultiPolygon;
use rayon::prelude::*;
use sen_catalog::coverage::Projection;
use sen_catalog::zonal::Zone;
use sen_catalog::{FeatureQuery, Store, asset};
use sha2::{Digest, Sha256};

/// Features read from the store at once; the rest of what they hold is let go again.
const PAGE: usize = 20_000;

/// A feature without its attributes.
pub(super) struct Polygons {
    pub(super) fid: i64,
    pub(super) code: String,
    shape: MultiPolygon<f64>,
    area_m2: f64,
    /// Changes with shape and area: what its numbers depend on beside the raster.
    pub(super) mark: u64,
}

/// A layer's zones in the order of their fid.
pub(super) struct Zones {
    pub(super) layer: String,
    pub(super) features: Vec<Polygons>,
    /// Changes with whatever the numbers depend on, and with nothing else: not with how often the layer was imported.
    pub(super) fingerprint: String,
}

impl Zones {
    pub(super) async fn read(store: &dyn Store, layer: &str) -> Result<Self> {
        let mut features: Vec<Polygons> = Vec::new();
        let mut hasher = Sha256::new();
        loop {
            let page = store
                .features(&FeatureQuery {
                    after: features.last().map(|feature| feature.fid),
                    limit: Some(PAGE),
                    ..FeatureQuery::layer(layer)
                })
                .await?;
            let last = page.len() < PAGE;
            for feature in page {
                let shape = feature.polygons().unwrap_or(MultiPolygon(Vec::new()));
                let own = Polygons {
                    fid: feature.fid,
                    mark: mark_shape(&shape, feature.area_m2),
                    shape,
                    code: feature.code,
                    area_m2: feature.area_m2,
                };
                own.hash(&mut hasher);
                features.push(own);
            }
            if last {
                break;
            }
        }
        Ok(Self {
            layer: layer.to_owned(),
            features,
            fingerprint: asset::hex(&hasher.finalize()),
        })
    }

    /// About what they take in memory once they are placed: each point here and there.
    pub(super) fn bytes(&self) -> usize {
        let point = 2 * size_of::<geo_types::Coord<f64>>();
        let rings = |polygon: &geo_types::Polygon<f64>| {
            let inner: usize = polygon.interiors().iter().map(|ring| ring.0.len()).sum();
            polygon.exterior().0.len() + inner
        };
        let points = |feature: &Polygons| feature.shape.iter().map(rings).sum::<usize>() * point;
        let own = size_of::<Polygons>() + size_of::<Zone>();
        self.features.iter().map(|feature| own + points(feature)).sum()
    }

    /// The zones on a grid; one that has no place there is counted as not seen.
    pub(super) fn place(&self, projection: &Projection, progress: &dyn Progress) -> Vec<Zone> {
        let place = |feature: &Polygons| self.place_one(feature, projection, progress);
        self.features.par_iter().map(place).collect()
    }

    /// Some of them, by their rows.
    pub(super) fn place_some(
        &self,
        rows: &[usize],
        projection: &Projection,
        progress: &dyn Progress,
    ) -> Vec<Zone> {
        let place = |row: &usize| self.place_one(&self.features[*row], projection, progress);
        rows.par_iter().map(place).collect()
    }

    fn place_one(&self, feature: &Polygons, projection: &Projection, progress: &dyn Progress) -> Zone {
        Zone::new(&feature.shape, feature.area_m2, projection).unwrap_or_else(|error| {
            progress.message(&format!("{} {}: {error}", self.layer, feature.code));
            Zone::nowhere(feature.area_m2)
        })
    }
}

/// A mark of a shape and its area: two of them are the same mark by a chance of one in 10^19.
pub(crate) fn mark_shape(shape: &MultiPolygon<f64>, area_m2: f64) -> u64 {
    let mut hasher = Sha256::new();
    hash_shape(shape, area_m2, &mut hasher);
    let digest = hasher.finalize();
    digest.first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes))
}

fn hash_shape(shape: &MultiPolygon<f64>, area_m2: f64, hasher: &mut Sha256) {
    hasher.update(area_m2.to_le_bytes());
    for polygon in shape {
        for ring in std::iter::once(polygon.exterior()).chain(polygon.interiors()) {
            hasher.update((ring.0.len() as u64).to_le_bytes());
            for point in &ring.0 {
                hasher.update(point.x.to_le_bytes());
                hasher.update(point.y.to_le_bytes());
            }
        }
    }
}

impl Polygons {
    fn hash(&self, hasher: &mut Sha256) {
        hasher.update(self.fid.to_le_bytes());
        hasher.update((self.code.len() as u64).to_le_bytes());
        hasher.update(&self.code);
        hash_shape(&self.shape, self.area_m2, hasher);
    }
}

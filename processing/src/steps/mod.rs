//! The parts of a run beside the pixel products, and the names of all layers that a run makes. The roof: everything else in
//! this crate is below, and nothing there knows it.

mod fire_danger;
mod flood_depth;
mod forest_cover;
mod report;

pub use report::Report;

use crate::Result;
use crate::fire::Fire;
use crate::inundation::Depths;
use crate::product::PRODUCTS;
use crate::run::Progress;
use async_trait::async_trait;
use fire_danger::FireDanger;
use flood_depth::FloodDepth;
use forest_cover::ForestCover;
use sen_catalog::Period;

/// Every layer drawn from records, in the order in which they are made.
pub const DRAWN: &[&dyn Drawn] = &[&FireDanger, &ForestCover, &FloodDepth];

/// Names of all layers that a run makes and a style shows: first those measured in looks, then those drawn from records.
pub fn layer_names() -> Vec<&'static str> {
    let measured = PRODUCTS.iter().map(|product| product.name());
    measured.chain(DRAWN.iter().map(|layer| layer.name())).collect()
}

/// What products are drawn from.
pub struct Records<'a> {
    /// Forest blocks, their days of danger and their change.
    pub fire: Fire<'a>,
    /// Floods, levels between gauges, and the ground.
    pub depths: Depths<'a>,
}

/// A weekly raster drawn from what is known beside the looks.
#[async_trait]
pub trait Drawn: Sync {
    /// Name of the collection, of the main asset and of the style.
    fn name(&self) -> &'static str;

    /// Draws the weeks that are missing or out of date, and notes it in the report; weeks nobody asked for go into
    /// [`Report::also`]. True when anything was drawn, for then zones want statistics of it.
    ///
    /// # Errors
    /// When the catalogue cannot be read or written, or a file cannot be written.
    async fn draw(
        &self,
        records: &Records<'_>,
        weeks: &[Period],
        progress: &dyn Progress,
        report: &mut Report,
    ) -> Result<bool>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_measured_layers_come_first() {
        let mut names = layer_names();
        let measured = ["ndvi", "evi", "ndmi", "nbr", "mndwi", "flood"];
        assert_eq!(names[..6], measured);
        assert_eq!(names[6..], ["fire_danger", "forest_cover", "flood_depth"]);
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}

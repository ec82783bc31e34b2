//! Geometries as filters write them: WKT in longitude and latitude, degrees.

use geo::CoordsIter;
use geo_types::Geometry;
use wkt::TryFromWkt;

/// Reads a geometry.
///
/// # Errors
/// What is wrong with it, in words.
pub(super) fn parse(text: &str) -> Result<Geometry<f64>, String> {
    // PostGIS and its users write the system in front
    let (srid, body) = text.split_once(';').unwrap_or(("SRID=4326", text));
    if !srid.trim().eq_ignore_ascii_case("SRID=4326") {
        return Err(format!(
            "geography'{srid};...': only SRID=4326 is taken, longitude and latitude"
        ));
    }
    let geometry = Geometry::<f64>::try_from_wkt_str(body.trim())
        .map_err(|error| format!("geography'{text}': is no WKT: {error}"))?;
    if geometry.coords_count() == 0 {
        return Err(format!("geography'{text}': is empty"));
    }
    for at in geometry.coords_iter() {
        if !(-180.0..=180.0).contains(&at.x) || !(-90.0..=90.0).contains(&at.y) {
            return Err(format!(
                "geography'...': {} {} lies not on Earth; longitude comes first, in degrees: are the axes swapped?",
                at.x, at.y
            ));
        }
    }
    Ok(geometry)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn geometries_are_read_and_what_is_none_is_told() {
        for good in [
            "POINT(105.5 10.5)",
            "SRID=4326;Point (105.5 10.5)",
            "LINESTRING(105 10, 106 1.1e1)",
            "POLYGON((105 10,106 10,106 11,105 11,105 10),(105.1 10.1,105.2 10.1,105.2 10.2,105.1 10.1))",
            "MULTIPOLYGON(((105 10,106 10,106 11,105 10)))",
        ] {
            parse(good).unwrap_or_else(|error| panic!("{good}: {error}"));
        }
        let deep = "GEOMETRYCOLLECTION(".repeat(200) + "POINT(105 10)" + &")".repeat(200);
        let _ = parse(&deep); // whatever it says, it says it
        for wrong in [
            "",
            "POINT()",
            "POINT(105.5)",
            "POINT(105.5 10.5",
            "POINT(10.5 105.5)",
            "POINT(nan 1)",
            "POINT(1e999 1)",
            "POLYGON EMPTY",
            "CIRCLE(1 2)",
            "SRID=3405;POINT(105 10)",
        ] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}

//! The official transformation against the figures computed with its parameters in PROJ 9.1.1 (`cct`).

use super::*;
use geo_types::Point;

/// Longitude, latitude; easting and northing in EPSG:5897; in EPSG:9210.
const VECTORS: [[f64; 6]; 6] = [
    [
        105.6325,
        10.4603,
        569045.613,
        1156833.621,
        486941.611,
        1156767.085,
    ],
    [
        105.2430,
        10.8010,
        526376.137,
        1194456.493,
        444363.700,
        1194492.385,
    ],
    [
        105.7570,
        10.2900,
        582720.457,
        1138027.060,
        500571.112,
        1137929.667,
    ],
    [
        106.3600,
        10.3600,
        648744.795,
        1145989.078,
        566603.933,
        1145735.536,
    ],
    [
        105.5200,
        10.7000,
        556685.412,
        1183323.094,
        474645.665,
        1183285.016,
    ],
    [
        105.4600,
        10.8700,
        550093.805,
        1202115.568,
        468100.278,
        1202093.109,
    ],
];
/// 2 mm in degrees of latitude.
const TWO_MM: f64 = 0.002 / 111_000.0;

fn place(way: &ToWgs84, x: f64, y: f64) -> (f64, f64) {
    let mut geometry: Geometry<f64> = Point::new(x, y).into();
    way.apply(&mut geometry).expect("a place on earth");
    match geometry {
        Geometry::Point(point) => (point.x(), point.y()),
        _ => unreachable!("points stay points"),
    }
}

fn assert_official(system: &System, column: usize) {
    let way = system.to_wgs84().expect("a way");
    for vector in VECTORS {
        let (lon, lat) = place(&way, vector[column], vector[column + 1]);
        assert!(
            (lon - vector[0]).abs() < TWO_MM && (lat - vector[1]).abs() < TWO_MM,
            "{}: {lon} {lat} for {vector:?}",
            system.name()
        );
    }
}

#[test]
fn vn2000_zones_go_by_the_official_parameters() {
    assert_official(&System::epsg(Crs::epsg(5897)).expect("known"), 2);
    assert_official(&System::epsg(Crs::epsg(9210)).expect("known"), 4);
}

#[test]
fn proj_s_own_choice_is_eighty_centimetres_off() {
    let source = SpatialRef::from_epsg(5897).expect("known");
    let mut target = SpatialRef::from_epsg(4326).expect("known");
    target.set_axis_mapping_strategy(AxisMappingStrategy::TraditionalGisOrder);
    let way = ToWgs84(Some(CoordTransform::new(&source, &target).expect("a way")));
    let (lon, _) = place(&way, VECTORS[0][2], VECTORS[0][3]);
    let off_m = (lon - VECTORS[0][0]).abs() * 109_500.0;
    assert!((0.7..0.9).contains(&off_m), "{off_m} m");
}

#[test]
fn every_vn2000_code_is_known_for_what_it_is() {
    let codes = [3405, 3406, 4756]
        .into_iter()
        .chain(5896..=5899)
        .chain(9205..=9218);
    for code in codes {
        let system = System::epsg(Crs::epsg(code)).expect("known");
        assert!(system.is_vn2000(), "EPSG:{code}");
        let area = system.area().expect("Viet Nam");
        let way = system.to_wgs84().expect("a way");
        let (x, y) = if code == 4756 {
            (105.630713, 10.4613126)
        } else {
            (500_000.0, 1_156_833.0)
        };
        let (lon, lat) = place(&way, x, y);
        assert!(
            area.west < lon && lon < area.east && (lat - 10.46).abs() < 0.01,
            "EPSG:{code}: {lon} {lat}"
        );
    }
}

#[test]
fn geographic_vn2000_differs_from_wgs84_by_225_m() {
    // 105.6307130 10.4613126 in VN-2000 is 105.6325 10.4603 in WGS 84
    let way = System::epsg(Crs::epsg(4756))
        .expect("known")
        .to_wgs84()
        .expect("a way");
    let (lon, lat) = place(&way, 105.630_713_0, 10.461_312_6);
    assert!(
        (lon - 105.6325).abs() < 1e-7 && (lat - 10.4603).abs() < 1e-7,
        "{lon} {lat}"
    );
}

#[test]
fn custom_systems_with_or_without_towgs84_are_vn2000() {
    init();
    let zone = "+proj=tmerc +lat_0=0 +lon_0=105 +k=0.9999 +x_0=500000 +y_0=0 +ellps=WGS84 +units=m +no_defs";
    for shift in [
        "",
        "+towgs84=-191.90441429,-39.30318279,-111.45032835,0.00928836,-0.01975479,0.00427372,0.252906278",
        // the wrong rotation convention and the parameters of EPSG:5194, as found in the field
        "+towgs84=-191.90441429,-39.30318279,-111.45032835,-0.00928836,0.01975479,-0.00427372,0.252906278",
        "+towgs84=-192.873,-39.382,-111.202,-0.00205,-0.0005,0.00335,0.0188",
    ] {
        let definition = SpatialRef::from_proj4(&format!("{zone} {shift}")).expect("parses");
        let system = System::of_file(definition).expect("on earth");
        assert!(system.is_vn2000(), "{shift}");
        assert_eq!(system.assumed.is_some(), shift.is_empty(), "{shift}");
        assert_official(&system, 2);
    }
    let esri = r#"PROJCS["VN_2000_TM-3_zone_482",GEOGCS["GCS_VN_2000",DATUM["D_Vietnam_2000",SPHEROID["WGS_1984",6378137.0,298.257223563]],PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]],PROJECTION["Transverse_Mercator"],PARAMETER["False_Easting",500000.0],PARAMETER["False_Northing",0.0],PARAMETER["Central_Meridian",105.0],PARAMETER["Scale_Factor",0.9999],PARAMETER["Latitude_Of_Origin",0.0],UNIT["Meter",1.0]]"#;
    let system = System::of_file(SpatialRef::from_esri(esri).expect("parses")).expect("on earth");
    assert_official(&system, 2);
}

#[test]
fn utm_and_wgs84_are_left_to_proj() {
    let utm = System::epsg(Crs::UTM_48N).expect("known");
    assert!(!utm.is_vn2000() && utm.area().is_some());
    let (lon, lat) = place(&utm.to_wgs84().expect("a way"), 500_000.0, 0.0);
    assert!((lon - 105.0).abs() < 1e-9 && lat.abs() < 1e-9);
    let degrees = System::epsg(Crs::WGS84)
        .expect("known")
        .to_wgs84()
        .expect("a way");
    assert_eq!(place(&degrees, 105.5, 10.5), (105.5, 10.5));
}

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
        let system = System::of_file(definition).expect("sound").expect("on earth");
        assert!(system.is_vn2000(), "{shift}");
        assert_eq!(system.assumed.is_some(), shift.is_empty(), "{shift}");
        assert!(shift.is_empty() || system.vn2000_twin().is_none(), "{shift}");
        assert_official(&system, 2);
    }
    let esri = r#"PROJCS["VN_2000_TM-3_zone_482",GEOGCS["GCS_VN_2000",DATUM["D_Vietnam_2000",SPHEROID["WGS_1984",6378137.0,298.257223563]],PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]],PROJECTION["Transverse_Mercator"],PARAMETER["False_Easting",500000.0],PARAMETER["False_Northing",0.0],PARAMETER["Central_Meridian",105.0],PARAMETER["Scale_Factor",0.9999],PARAMETER["Latitude_Of_Origin",0.0],UNIT["Meter",1.0]]"#;
    let system = System::of_prj(esri).expect("sound").expect("on earth");
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

/// A `.prj` as GDAL writes it of a system of the user's own.
fn prj_of(datum: &str, meridian: f64, scale: f64) -> String {
    format!(
        "PROJCS[\"unknown\",GEOGCS[\"GCS_unknown\",DATUM[\"{datum}\",SPHEROID[\"WGS_1984\",6378137.0,298.257223563]],\
         PRIMEM[\"Greenwich\",0.0],UNIT[\"Degree\",0.0174532925199433]],PROJECTION[\"Transverse_Mercator\"],\
         PARAMETER[\"False_Easting\",500000.0],PARAMETER[\"False_Northing\",0.0],\
         PARAMETER[\"Central_Meridian\",{meridian}],PARAMETER[\"Scale_Factor\",{scale}],\
         PARAMETER[\"Latitude_Of_Origin\",0.0],UNIT[\"Meter\",1.0]]"
    )
}

#[test]
fn a_shift_that_only_the_name_of_the_datum_remembers_counts() {
    for datum in [
        "D_Unknown_based_on_WGS84_ellipsoid_using_towgs84_-192_873_-39_382_-111_202",
        "D_Unknown_based_on_WGS84_ellipsoid_using_towgs84_-191_90441429_-39_30318279_-111_45032835_0_00928836_-0_01975479_0_00427372_0_252906278",
    ] {
        // UTM's scale on UTM's meridian: nothing but the name tells
        let system = System::of_prj(&prj_of(datum, 105.0, 0.9996))
            .expect("sound")
            .expect("on earth");
        assert!(system.is_vn2000() && system.assumed.is_none(), "{datum}");
        let utm = System::epsg(Crs::epsg(3405)).expect("known");
        let (x, y) = (569_000.0, 1_156_800.0);
        let right = place(&utm.to_wgs84().expect("a way"), x, y);
        let here = place(&system.to_wgs84().expect("a way"), x, y);
        assert!(
            (here.0 - right.0).abs() < TWO_MM && (here.1 - right.1).abs() < TWO_MM,
            "{here:?}"
        );
    }
    // another datum's shift is applied as it stands: 100 m up the axis of the earth is 98 m north here
    let other = prj_of(
        "D_Unknown_based_on_WGS84_ellipsoid_using_towgs84_0_0_100_0_0_0_0",
        105.0,
        0.9996,
    );
    let system = System::of_prj(&other).expect("sound").expect("on earth");
    assert!(!system.is_vn2000());
    let utm = System::epsg(Crs::UTM_48N).expect("known");
    let unshifted = place(&utm.to_wgs84().expect("a way"), 569_000.0, 1_156_800.0);
    let shifted = place(&system.to_wgs84().expect("a way"), 569_000.0, 1_156_800.0);
    let north_m = (shifted.1 - unshifted.1) * 110_600.0;
    assert!((97.0..100.0).contains(&north_m), "{north_m} m");
    // one that cannot be read is told
    let broken = prj_of("D_using_towgs84_-191_90441429_-39", 105.0, 0.9996);
    let system = System::of_prj(&broken).expect("sound").expect("on earth");
    assert!(system.assumed.expect("told").contains("--crs"));
}

#[test]
fn a_scale_of_utm_on_a_meridian_that_utm_has_not_is_vn2000_and_told() {
    let zero = "D_Unknown_based_on_WGS84_ellipsoid_using_towgs84_0_0_0_0_0_0_0";
    for datum in [zero, "D_WGS_1984", "D_unknown"] {
        let system = System::of_prj(&prj_of(datum, 105.75, 0.9996))
            .expect("sound")
            .expect("on earth");
        assert!(system.is_vn2000(), "{datum}");
        let note = system.assumed.as_deref().expect("told");
        assert!(
            note.contains("105.75") && note.contains("--datum wgs84"),
            "{note}"
        );
        // the other way is the plain projection
        let plain = system.on(ToldDatum::Wgs84).expect("a projection");
        assert!(!plain.is_vn2000());
        let (lon, lat) = place(&plain.to_wgs84().expect("a way"), 500_000.0, 0.0);
        assert!((lon - 105.75).abs() < 1e-9 && lat.abs() < 1e-9, "{lon} {lat}");
    }
    // UTM 48N that names no datum stays where it is, with a word of what to type; named, there is nothing to say
    let doubtful = System::of_prj(&prj_of(zero, 105.0, 0.9996))
        .expect("sound")
        .expect("on earth");
    assert!(!doubtful.is_vn2000() && !doubtful.is_named());
    assert_eq!(doubtful.vn2000_twin(), Some("--crs EPSG:3405"));
    let named = System::of_prj(&prj_of("D_WGS_1984", 105.0, 0.9996))
        .expect("sound")
        .expect("on earth");
    assert!(named.is_named());
}

#[test]
fn axes_of_a_file_s_own_order_change_nothing() {
    let shift =
        "TOWGS84[-191.90441429,-39.30318279,-111.45032835,0.00928836,-0.01975479,0.00427372,0.252906278]";
    let degrees = |axes: &str| {
        format!(
            "GEOGCS[\"unknown\",DATUM[\"unknown\",SPHEROID[\"WGS 84\",6378137,298.257223563],{shift}],\
             PRIMEM[\"Greenwich\",0],UNIT[\"degree\",0.0174532925199433]{axes}]"
        )
    };
    for axes in [
        "",
        ",AXIS[\"Longitude\",EAST],AXIS[\"Latitude\",NORTH]",
        ",AXIS[\"Latitude\",NORTH],AXIS[\"Longitude\",EAST]",
    ] {
        let system = System::of_name(&degrees(axes)).expect("sound").expect("on earth");
        let (lon, lat) = place(&system.to_wgs84().expect("a way"), 105.630_713_0, 10.461_312_6);
        assert!(
            (lon - 105.6325).abs() < 1e-7 && (lat - 10.4603).abs() < 1e-7,
            "{axes}: {lon} {lat}"
        );
    }
    for axes in [
        "AXIS[\"Easting\",EAST],AXIS[\"Northing\",NORTH]",
        "AXIS[\"Northing\",NORTH],AXIS[\"Easting\",EAST]",
    ] {
        let wkt = format!(
            "PROJCS[\"VN2000 / TM-3 105-00\",{},PROJECTION[\"Transverse_Mercator\"],PARAMETER[\"latitude_of_origin\",0],\
             PARAMETER[\"central_meridian\",105],PARAMETER[\"scale_factor\",0.9999],PARAMETER[\"false_easting\",500000],\
             PARAMETER[\"false_northing\",0],UNIT[\"metre\",1],{axes}]",
            degrees("")
        );
        assert_official(&System::of_name(&wkt).expect("sound").expect("on earth"), 2);
    }
}

#[test]
fn names_of_systems_are_read_and_never_asked_for() {
    for name in [
        "EPSG:5897",
        "urn:ogc:def:crs:EPSG::5897",
        "urn:ogc:def:crs:EPSG:6.9:5897",
        "http://www.opengis.net/def/crs/EPSG/0/5897",
        "https://www.opengis.net/gml/srs/epsg.xml#5897",
    ] {
        assert_official(&System::of_name(name).expect("known").expect("on earth"), 2);
    }
    let degrees = System::of_name("urn:ogc:def:crs:OGC:1.3:CRS84")
        .expect("known")
        .expect("on earth");
    assert!(degrees.is_geographic());
    for bad in ["/etc/passwd", "https://example.org/crs.wkt", "EPSG:999999"] {
        assert!(System::of_name(bad).is_err(), "{bad}");
    }
    let grids = "+proj=longlat +ellps=WGS84 +nadgrids=/tmp/shift.gsb +no_defs";
    assert!(
        System::of_name(grids)
            .expect_err("refused")
            .to_string()
            .contains("nadgrids")
    );
}

//! Hot spots of real and made-up files.

use super::super::HotspotSettings;
use super::super::cluster::{Burning, Surroundings, burning, fires, static_sources, summaries};
use super::super::firms::{self, Confidence, Delivery, Hotspot, Instrument};
use super::real;
use crate::Result;
use chrono::TimeDelta;
use geo::{Distance, Geodesic};
use std::io::Read;

/// Reads at noon of 2 March 2026, UTC.
fn read(source: impl Read) -> Result<Delivery> {
    firms::read(source, "2026-03-02T12:00:00Z".parse().expect("a time"))
}

fn of(text: &str) -> Vec<Hotspot> {
    let delivery = read(text.as_bytes()).expect("hot spots");
    assert_eq!(delivery.reasons, Vec::<String>::new());
    delivery.hotspots
}

const VIIRS: &str = "latitude,longitude,bright_ti4,scan,track,acq_date,acq_time,satellite,instrument,confidence,version,bright_ti5,frp,daynight\n";
const VIIRS_24H: &str = "latitude,longitude,bright_ti4,scan,track,acq_date,acq_time,satellite,confidence,version,bright_ti5,frp,daynight\n";

#[test]
fn times_lose_no_hour_however_many_noughts_the_file_lost() {
    for (written, time) in [
        ("0731", "07:31"),
        ("731", "07:31"),
        ("149", "01:49"),
        ("5", "00:05"),
        ("0", "00:00"),
        ("1159", "11:59"),
        ("07:31", "07:31"),
    ] {
        let row = format!("10.5,105.5,330.1,0.4,0.4,2026-03-02,{written},N,n,2.0NRT,290,4.5,D\n");
        let found = of(&(VIIRS_24H.to_owned() + &row));
        assert_eq!(
            found[0].time.to_rfc3339(),
            format!("2026-03-02T{time}:00+00:00"),
            "{written}"
        );
    }
    let late =
        of(&(VIIRS_24H.to_owned() + "10.5,105.5,330.1,0.4,0.4,2026-03-01,1805,N,n,2.0NRT,290,4.5,N\n"));
    let feature = late[0].feature();
    assert_eq!(
        feature.properties["day"], "2026-03-02",
        "01:05 on the next local day"
    );
    assert_eq!(feature.properties["week"], "2026-W10");
}

#[test]
fn every_shape_of_delivery_is_read() {
    let archive = VIIRS.trim_end().to_owned()
        + ",type\n10.5,105.5,330.1,0.4,0.36,2026-03-02,612,1,VIIRS,h,2,290,4.5,D,2\n";
    let archive = of(&archive);
    assert_eq!(
        (archive[0].satellite.as_str(), archive[0].kind),
        ("NOAA-20", Some(2))
    );
    assert_eq!(archive[0].confidence, Some(Confidence::High));
    let country = "country_id,".to_owned()
        + VIIRS
        + "VNM,10.5,105.5,330.1,0.4,0.4,2026-03-02,612,N21,VIIRS,nominal,2.0NRT,290,4.5,D\n";
    assert_eq!(of(&country)[0].satellite, "NOAA-21");
    let modis = "latitude,longitude,brightness,scan,track,acq_date,acq_time,satellite,confidence,version,bright_t31,frp,daynight\r\n\
                 10.5,105.5,309.9,1.1,1.1,2018-05-23,0025,T,79,6.0NRT,289.9,7.6,D\r\n\
                 10.5,105.5,309.9,1.1,1.1,2018-05-23,0025,Aqua,80,6.0NRT,289.9,7.6,D\r\n";
    let modis = of(modis);
    assert_eq!(
        [modis[0].confidence, modis[1].confidence],
        [Some(Confidence::Nominal), Some(Confidence::High)]
    );
    assert_eq!([&*modis[0].satellite, &*modis[1].satellite], ["Terra", "Aqua"]);
    let landsat = "latitude,longitude,path,row,scan,track,acq_date,acq_time,satellite,confidence,daynight\n\
                   10.5,105.5,125,53,0.03,0.03,2026-03-02,0315,L9,M,D\n";
    let landsat = of(landsat);
    assert_eq!(
        (landsat[0].instrument, landsat[0].power_mw),
        (Instrument::Landsat, None)
    );
    // a file without a fire is an answer too, and so is a byte-order mark
    assert!(of(&format!("\u{feff}{VIIRS_24H}")).is_empty());
}

#[test]
fn an_answer_that_is_no_table_is_refused_in_words() {
    for (body, word) in [
        (
            "<!DOCTYPE html><html><body>Service Unavailable</body></html>",
            "web page",
        ),
        ("\n<html>\n", "web page"),
        ("Invalid MAP_KEY.", "Invalid MAP_KEY"),
        ("", "empty"),
        ("code,name,value\n1,2,3\n", "latitude"),
    ] {
        let said = read(body.as_bytes()).expect_err("refused").to_string();
        assert!(said.contains(word), "{said}");
    }
}

#[test]
fn rows_that_cannot_be_used_are_named_and_the_rest_is_read() {
    let rows = "10.5,105.5,330.1,0.4,0.4,2026-03-02,0731,N,n,2.0NRT,290,4.5,D\n\
                95.0,105.5,330.1,0.4,0.4,2026-03-02,0731,N,n,2.0NRT,290,4.5,D\n\
                10.5,105.5,330.1,0.4,0.4,2026-03-02,2460,N,n,2.0NRT,290,4.5,D\n\
                10.5,105.5,330.1,0.4,0.4,yesterday,0731,N,n,2.0NRT,290,4.5,D\n\
                10.5,105.5,330.1,0.4,0.4,2026-03-02,0731,N,maybe,2.0NRT,290,4.5,D\n\
                10.5\n";
    let delivery = read((VIIRS_24H.to_owned() + rows).as_bytes()).expect("readable");
    assert_eq!((delivery.hotspots.len(), delivery.refused), (1, 5));
    let told = delivery.reasons.join("\n");
    for word in [
        "row 3: latitude 95",
        "`2460`",
        "`yesterday`",
        "`maybe`",
        "row 7: longitude",
    ] {
        assert!(told.contains(word), "{told}");
    }
}

#[test]
fn a_table_saved_again_by_a_spreadsheet_is_read_alike() {
    let row = "10.5,105.25,330.125,0.4,0.4,2026-03-02,0731,N,n,2.0NRT,290,4.5,D\n";
    let plain = VIIRS_24H.to_owned() + row;
    let expected = of(&plain);
    let semicolons = plain.replace(',', ";");
    let commas = semicolons.replace('.', ",").replace("2,0NRT", "2.0NRT");
    let wide: Vec<u8> = plain
        .replace(',', "\t")
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let wide = [b"\xFF\xFE".as_slice(), &wide].concat();
    for bytes in [
        semicolons.into_bytes(),
        commas.clone().into_bytes(),
        format!("sep=;\r\n{commas}").into_bytes(),
        format!("\u{feff}{plain}").into_bytes(),
        wide,
    ] {
        let delivery = read(bytes.as_slice()).expect("hot spots");
        assert_eq!(
            (delivery.hotspots, delivery.reasons),
            (expected.clone(), Vec::new())
        );
    }
    let broken = format!("sep=;\n{}", commas.replace("10,5;", "95,5;"));
    let told = read(broken.as_bytes()).expect("readable").reasons.join(" ");
    assert!(told.starts_with("row 3: latitude 95.5"), "{told}");
}

#[test]
fn what_no_satellite_can_have_seen_is_refused_by_row() {
    let good = "10.5,105.5,330.1,0.4,0.4,2026-03-02,0731,N,n,2.0NRT,290,4.5,D\n";
    let rows: String = [
        ("330.1", "-1", "brightness -1"),
        ("330.1", "0", "brightness 0"),
        ("330.1", "9999", "brightness 9999"),
        ("330.1", "NaN", ""),
        (",4.5,", ",-1,", "frp -1"),
        (",4.5,", ",1e300,", "frp"),
        ("2026-03-02", "0001-03-02", "acq_date 0001"),
        ("10.5,105.5", "0,0", "latitude and longitude"),
    ]
    .iter()
    .map(|(part, other, _)| good.replace(part, other))
    .collect();
    let delivery = read((VIIRS_24H.to_owned() + &rows).as_bytes()).expect("readable");
    assert_eq!(
        (delivery.hotspots.len(), delivery.refused),
        (1, 7),
        "{:?}",
        delivery.reasons
    );
    for (reason, told) in delivery.reasons.iter().zip([
        "row 2: brightness -1",
        "row 3: brightness 0",
        "row 4: brightness 9999",
        "row 6: frp -1",
        "row 7: frp 1",
        "row 8: acq_date 0001-03-02",
        "row 9: latitude and longitude",
    ]) {
        assert!(reason.starts_with(told), "{reason}");
    }
    assert_eq!(delivery.hotspots[0].brightness_k, None, "NaN is a missing one");
}

#[test]
fn versions_tell_the_processing() {
    use firms::Processing::{NearRealTime, RealTime, Standard};
    let of_version = |version: &str| {
        let row = format!("10.5,105.5,330.1,0.4,0.4,2026-03-02,0731,N,VIIRS,n,{version},290,4.5,D\n");
        of(&(VIIRS.to_owned() + &row))[0].processing
    };
    for (version, processing) in [
        ("2.0NRT", Some(NearRealTime)),
        ("6.1NRT", Some(NearRealTime)),
        ("2.0URT", Some(RealTime)),
        ("2.0RT", Some(RealTime)),
        ("2", Some(Standard)),
        ("6.03", Some(Standard)),
        ("", None),
    ] {
        assert_eq!(of_version(version), processing, "{version}");
    }
    // the archive of VIIRS writes the columns of MODIS
    let archive = "latitude,longitude,brightness,scan,track,acq_date,acq_time,satellite,confidence,version,bright_t31,frp,daynight,type\n\
                   10.5,105.5,330.1,0.4,0.4,2026-03-02,0731,N20,n,,290,4.5,D,0\n";
    let found = of(archive);
    assert_eq!(
        (found[0].instrument, found[0].processing),
        (Instrument::Viirs, Some(Standard))
    );
}

#[test]
fn a_hot_spot_that_is_still_to_come_is_refused_by_row_and_field() {
    let row =
        |day: &str, clock: &str| format!("10.5,105.5,330.1,0.4,0.4,{day},{clock},N,n,2.0NRT,290,4.5,D\n");
    let text = VIIRS_24H.to_owned()
        + &row("2026-03-02", "1200")
        + &row("2026-03-02", "1205")
        + &row("2026-03-02", "1206")
        + &row("2062-03-02", "0731");
    let delivery = read(text.as_bytes()).expect("readable");
    assert_eq!(delivery.hotspots.len(), 2, "clocks differ by minutes");
    assert_eq!(delivery.refused, 2);
    let told = delivery.reasons.join("\n");
    for word in [
        "row 4: acq_date, acq_time: 2026-03-02 12:06",
        "row 5: acq_date, acq_time: 2062-03-02 07:31",
    ] {
        assert!(told.contains(word), "{told}");
    }
}

#[test]
fn a_footprint_has_the_size_of_scan_and_track_and_comes_back_from_its_feature() {
    let found =
        of(&(VIIRS.to_owned() + "10.5,105.5,330.1,0.64,0.41,2026-03-02,0731,N20,VIIRS,l,2.0NRT,290,4.5,N\n"));
    let feature = found[0].feature();
    let bounds = feature.bounds().expect("a polygon");
    let middle = |lon, lat| geo_types::Point::new(lon, lat);
    // GeographicLib's geodesics: metres on the ellipsoid
    let wide = Geodesic.distance(middle(bounds.west, 10.5), middle(bounds.east, 10.5));
    let high = Geodesic.distance(middle(105.5, bounds.south), middle(105.5, bounds.north));
    assert!(
        (wide - 640.0).abs() < 0.5 && (high - 410.0).abs() < 0.5,
        "{wide} {high}"
    );
    assert_eq!(feature.code, "NOAA20-20260302T0731-10.50000-105.50000");
    assert_eq!(Hotspot::of_feature(&feature).as_ref(), Some(&found[0]));
}

#[test]
fn a_real_day_of_modis_is_read_whole() {
    let Some(path) = real("fire/modis_c6_nrt_seasia_0523_0524.csv") else {
        return;
    };
    let file = std::fs::File::open(path).expect("opens");
    let delivery = read(file).expect("hot spots");
    assert_eq!((delivery.hotspots.len(), delivery.refused), (477, 0));
    let first = &delivery.hotspots[0];
    assert_eq!(first.time.to_rfc3339(), "2018-05-23T00:25:00+00:00");
    assert_eq!(
        (first.lat, first.lon, first.power_mw),
        (-5.538, 148.422, Some(7.6))
    );
    assert!(
        delivery
            .hotspots
            .iter()
            .all(|one| one.instrument == Instrument::Modis)
    );
    // counted in the file with awk
    let count = |wanted| {
        let hotspots = delivery.hotspots.iter();
        hotspots.filter(|one| one.confidence == Some(wanted)).count()
    };
    assert_eq!((count(Confidence::High), count(Confidence::Low)), (63, 55));
}

/// A hot spot so many metres east of a place, so many hours later.
fn at(east_m: f64, hours: f64, instrument: Instrument) -> Hotspot {
    let row = "10.5,105.0,330.1,0.4,0.4,2026-03-02,0600,N,n,2.0NRT,290,4.5,D\n";
    let mut one = of(&(VIIRS_24H.to_owned() + row)).remove(0);
    // on the central meridian of EPSG:5897 a metre is 1 / 0.9999 m of the ground
    one.lon += east_m / 109_464.0;
    one.time += TimeDelta::seconds((hours * 3600.0) as i64);
    one.instrument = instrument;
    one
}

#[test]
fn hot_spots_chain_into_fires_in_metres_and_hours() {
    use Instrument::{Modis, Viirs};
    let settings = HotspotSettings::default();
    let spots = [
        at(0.0, 0.0, Viirs),
        at(900.0, 10.0, Viirs),
        // 1.8 km and 34 h from the first, but a link of the chain
        at(1800.0, 34.0, Viirs),
        // too far for VIIRS, near enough for MODIS
        at(3200.0, 34.0, Viirs),
        at(-1400.0, 0.0, Modis),
        // in place, two days late
        at(0.0, 60.0, Viirs),
    ];
    let numbers = fires(&spots, &vec![Burning::Forest; spots.len()], &settings).expect("a plane");
    assert_eq!(numbers, [0, 0, 0, 1, 0, 2]);
    let found = summaries(&spots, &numbers);
    assert_eq!(found.iter().map(|fire| fire.count).collect::<Vec<_>>(), [4, 1, 1]);
    assert_eq!(found[0].power_mw, Some(18.0));
    assert_eq!((found[0].last - found[0].first).num_hours(), 34);
    assert_eq!(fires(&[], &[], &settings).expect("none"), Vec::<usize>::new());
}

#[test]
fn a_chimney_is_hot_on_more_than_ten_days_and_a_long_fire_is_not() {
    let settings = HotspotSettings::default();
    let days = |count: i32, step: f64| -> Vec<Hotspot> {
        (0..count)
            .map(|day| at(10.0, f64::from(day) * 24.0 * step, Instrument::Viirs))
            .collect()
    };
    assert!(
        static_sources(&days(11, 3.0), &settings)
            .expect("a plane")
            .iter()
            .all(|hot| *hot)
    );
    assert!(
        static_sources(&days(10, 3.0), &settings)
            .expect("a plane")
            .iter()
            .all(|hot| !*hot)
    );
    assert!(
        static_sources(&days(11, 10.0), &settings)
            .expect("a plane")
            .iter()
            .all(|hot| !*hot),
        "eleven days in 100"
    );
    let mut called = at(0.0, 0.0, Instrument::Viirs);
    called.kind = Some(2);
    assert_eq!(static_sources(&[called], &settings).expect("a plane"), [true]);
}

#[test]
fn straw_in_a_paddy_is_no_forest_fire_unless_forest_is_near() {
    let settings = HotspotSettings::default();
    let kind = |forest_m: Option<f64>, in_paddy, is_static| {
        burning(Surroundings { forest_m, in_paddy }, is_static, &settings)
    };
    assert_eq!(kind(None, true, false), Burning::Straw);
    assert_eq!(kind(Some(499.0), true, false), Burning::Forest);
    assert_eq!(kind(Some(501.0), true, false), Burning::Straw);
    assert_eq!(kind(Some(0.0), false, false), Burning::Forest);
    assert_eq!(kind(Some(0.0), false, true), Burning::Static);
    assert_eq!(kind(None, false, false), Burning::Other);
}

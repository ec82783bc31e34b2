//! Which pixels of which look are taken, and which scenes are not.

use super::*;
use crate::product::{EVI, NDMI};

/// A look of one colour everywhere: blue, red and near infrared as reflectance, with SWIR and classes of 20 m.
fn colour(delta: &Delta, id: &str, day: u32, (blue, red, nir): (f64, f64, f64), class: u8) -> Scene {
    let dn = |reflectance: f64| (reflectance * 10_000.0).round() as u16 + 1000;
    let at = format!("2026-08-{day:02}T03:20:00Z");
    Scene::new(delta.folder.path(), "sentinel-2-l2a", id, &at, swath())
        .band(Band::Blue, 1, move |_, _| dn(blue))
        .band(Band::Green, 1, move |_, _| dn(blue))
        .band(Band::Red, 1, move |_, _| dn(red))
        .band(Band::Nir, 1, move |_, _| dn(nir))
        .band(Band::Swir16, 2, move |_, _| dn(0.2))
        .band(Band::Scl, 2, move |_, _| class)
}

const RICE: (f64, f64, f64) = (0.04, 0.05, 0.30);
const HAZE: (f64, f64, f64) = (0.118, 0.095, 0.31);

/// Days from the looks that the indices took to Sunday, by product.
async fn ages(delta: &Delta, products: &[&str]) -> Vec<u8> {
    let mut ages = Vec::new();
    for product in products {
        ages.push(delta.pixels::<u8>(product, "age_days", WEEK).await[0]);
    }
    ages
}

#[tokio::test]
async fn all_indices_of_a_cell_are_of_the_look_that_is_not_hazy() {
    const INDICES: &[&dyn Product] = &[&NDVI, &EVI, &NDMI, &MNDWI];
    const NAMES: &[&str] = &["ndvi", "evi", "ndmi", "mndwi"];
    let delta = Delta::new(INDICES);
    delta.scene(colour(&delta, "S2A_a", 18, RICE, 4)).await;
    delta.scene(colour(&delta, "S2B_b", 21, HAZE, 4)).await;
    assert!(delta.run(WEEK).await.is_complete());
    assert_eq!(
        ages(&delta, NAMES).await,
        [5; 4],
        "Tuesday is clear, Friday under haze"
    );
    assert_eq!(delta.pixels::<i16>("ndvi", "ndvi", WEEK).await[0], 7143);
    assert_eq!(delta.pixels::<u8>("ndvi", "n_clear", WEEK).await[0], 2);
    // each product made alone takes the same look
    for product in [&NDVI as &dyn Product, &MNDWI] {
        let alone = Delta::new(vec![product].leak());
        alone.scene(colour(&alone, "S2A_a", 18, RICE, 4)).await;
        alone.scene(colour(&alone, "S2B_b", 21, HAZE, 4)).await;
        alone.run(WEEK).await;
        assert_eq!(ages(&alone, &[product.name()]).await, [5], "{}", product.name());
    }
    // a later clear one, a dark area that only water maps use, and harvest
    delta
        .scene(colour(&delta, "S2C_c", 22, (0.09, 0.14, 0.20), 5))
        .await;
    delta
        .scene(colour(&delta, "S2A_d", 23, (0.03, 0.03, 0.03), 2))
        .await;
    assert!(delta.run(WEEK).await.is_complete());
    assert_eq!(
        ages(&delta, NAMES).await,
        [1; 4],
        "one look for all, though MNDWI may use Sunday's"
    );
    assert_eq!(
        delta.pixels::<i16>("ndvi", "ndvi", WEEK).await[0],
        1765,
        "harvest keeps its minimum"
    );
}

#[tokio::test]
async fn scenes_without_blue_are_taken_by_their_time() {
    let delta = Delta::new(ONLY_NDVI);
    delta.scene(colour(&delta, "S2A_a", 18, RICE, 4)).await;
    delta
        .scene(optical(&delta, "S2B_b", "2026-08-21T03:20:00Z", 0.3))
        .await;
    delta.run(WEEK).await;
    assert_eq!(delta.pixels::<i16>("ndvi", "ndvi", WEEK).await[0], 3000);
}

#[tokio::test]
async fn a_scene_outside_the_grid_is_named_with_the_bounds_that_would_hold_it() {
    let delta = Delta::new(ONLY_NDVI);
    delta
        .scene(optical(&delta, "S2A_a", "2026-08-19T03:20:00Z", 0.6))
        .await;
    let east = Grid {
        west: 650_000.0,
        ..swath()
    };
    let far = Scene::new(
        delta.folder.path(),
        "sentinel-2-l2a",
        "S2A_east",
        "2026-08-19T03:20:00Z",
        east,
    )
    .band(Band::Nir, 1, |_, _| 5000_u16)
    .band(Band::Red, 1, |_, _| 1500_u16);
    delta.scene(far).await;
    let report = delta.run(WEEK).await;
    assert_eq!(report.units[0].1, StepStatus::Made);
    let [outside] = &report.notes[..] else {
        panic!("{report:?}")
    };
    assert_eq!(outside.what, "sentinel-2-l2a/S2A_east");
    let numbers: Vec<f64> = outside
        .reason
        .split(['[', ']', ','])
        .filter_map(|text| text.trim().parse().ok())
        .collect();
    let [west, _, own_east, _, wider @ ..] = &numbers[..] else {
        panic!("{report:?}")
    };
    let province = province().lon_lat_bounds().expect("a place");
    assert!(wider[0] <= province.west && wider[1] <= province.south && wider[3] >= province.north);
    assert!(wider[2] >= own_east - 0.01 && wider[2] - own_east < 0.02 && *west > province.east - 0.01);
    // a system that leads nowhere is a failure with its reason
    let mut nowhere = optical(&delta, "S2A_nowhere", "2026-08-20T03:20:00Z", 0.6);
    nowhere.item.grid.crs = Crs::epsg(1);
    delta.scene(nowhere).await;
    let report = delta.run(WEEK).await;
    assert_eq!(
        report.left_out[0].what, "sentinel-2-l2a/S2A_nowhere",
        "{report:?}"
    );
    assert!(!report.is_complete());
}

/// The row as an ingest puts it: with checksum and time of each file.
fn taken_in(mut scene: Scene) -> Scene {
    for asset in scene.item.assets.values_mut() {
        let path = PathBuf::from(&asset.href);
        let (sha256, bytes) = asset::checksum(&path).expect("reads");
        let metadata = std::fs::metadata(&path).expect("is there");
        (asset.sha256, asset.bytes, asset.modified) = (Some(sha256), bytes, unchanged::modified(&metadata));
    }
    scene
}

#[tokio::test]
async fn a_scene_whose_files_changed_since_it_was_taken_in_is_never_mixed_in() {
    let delta = Delta::new(&[&NDVI, &NDMI]);
    let scene = || colour(&delta, "S2A_a", 18, RICE, 4);
    let first = taken_in(scene());
    let nir = PathBuf::from(&first.item.assets["nir"].href);
    delta.scene(first).await;
    assert!(delta.run(WEEK).await.is_complete());
    let digest = delta.digest().await;

    // another time and the same bytes: a copy
    let bytes = std::fs::read(&nir).expect("reads");
    std::thread::sleep(std::time::Duration::from_millis(20));
    std::fs::write(&nir, &bytes).expect("writes");
    assert!(delta.run(WEEK).await.is_complete());

    // the same size and other pixels: noticed though all is up to date, and nothing is made
    let other = taken_in(colour(&delta, "S2A_a", 18, (0.04, 0.05, 0.25), 4));
    assert_eq!(
        std::fs::metadata(&nir).expect("is there").len(),
        bytes.len() as u64
    );
    let report = delta.run(WEEK).await;
    assert_eq!(report.units.len(), 2);
    for (_, status) in &report.units {
        let StepStatus::Failed { reason } = status else {
            panic!("{report:?}")
        };
        assert!(
            reason.contains("S2A_a_nir.tif") && reason.contains("sen ingest"),
            "{reason}"
        );
    }
    assert_eq!(delta.digest().await, digest, "the week keeps its rasters");

    // taken in again it is a scene like any other
    delta.scene(other).await;
    assert!(delta.run(WEEK).await.is_complete());
    assert_ne!(delta.digest().await, digest);

    // a mask laid beside a file is a change, too
    let digest = delta.digest().await;
    std::fs::write(nir.with_file_name("S2A_a_nir.tif.aux.xml"), "<PAMDataset/>").expect("writes");
    let report = delta.run(WEEK).await;
    assert!(
        matches!(&report.units[0].1, StepStatus::Failed { reason } if reason.contains(".aux.xml")),
        "{report:?}"
    );
    assert_eq!(delta.digest().await, digest);
}

#[tokio::test]
async fn cells_that_a_mask_beside_the_file_hides_have_no_value() {
    let delta = Delta::new(ONLY_NDVI);
    let mut scene = optical(&delta, "S2A_a", "2026-08-19T03:20:00Z", 0.6);
    let red = PathBuf::from(&scene.item.assets["red"].href);
    let mut mask = red.clone().into_os_string();
    mask.push(".msk");
    // column 9 of the swath is column 6 of the province
    let seen = (0..50 * 40)
        .map(|index| if index % 50 == 9 { 0.0 } else { 255.0 })
        .collect();
    let flags = [("INTERNAL_MASK_FLAGS_1", "2")];
    crate::gdal_io::write_raster(
        Path::new(&mask),
        ("GTiff", "UInt16"),
        &swath(),
        &[seen],
        None,
        &flags,
    );
    let sidecars = crate::source::sidecars(&scene.item.assets).expect("reads");
    assert_eq!(sidecars.keys().collect::<Vec<_>>(), ["red.msk"]);
    scene
        .item
        .properties
        .insert(crate::source::SIDECARS.to_owned(), json!(sidecars));
    delta.scene(scene).await;
    let report = delta.run(WEEK).await;
    assert!(report.is_complete(), "{report:?}");
    let ndvi = delta.pixels::<i16>("ndvi", "ndvi", WEEK).await;
    assert!(
        ndvi.chunks(40)
            .all(|row| row[6] == -32768 && row[5] == 6000 && row[7] == 6000)
    );
}

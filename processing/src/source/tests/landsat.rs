//! Landsat folders.

use super::*;

const PRODUCT: &str = "LC08_L2SP_125053_20220110_20220114_02_T1";

fn mtl(level: &str, lines: usize) -> String {
    let mut text = format!(
        "GROUP = LANDSAT_METADATA_FILE\n  GROUP = PRODUCT_CONTENTS\n    LANDSAT_PRODUCT_ID = \"{PRODUCT}\"\n    \
         PROCESSING_LEVEL = \"{level}\"\n    COLLECTION_NUMBER = 02\n"
    );
    for number in 2..=6 {
        text += &format!("    FILE_NAME_BAND_{number} = \"{PRODUCT}_SR_B{number}.TIF\"\n");
    }
    text += &format!(
        "    FILE_NAME_QUALITY_L1_PIXEL = \"{PRODUCT}_QA_PIXEL.TIF\"\n  END_GROUP = PRODUCT_CONTENTS\n  \
         GROUP = IMAGE_ATTRIBUTES\n    SPACECRAFT_ID = \"LANDSAT_8\"\n    DATE_ACQUIRED = 2022-01-10\n    \
         SCENE_CENTER_TIME = \"03:15:34.3964289Z\"\n    WRS_PATH = 125\n  END_GROUP = IMAGE_ATTRIBUTES\n  \
         GROUP = PROJECTION_ATTRIBUTES\n    MAP_PROJECTION = \"UTM\"\n    DATUM = \"WGS84\"\n    UTM_ZONE = 48\n    \
         GRID_CELL_SIZE_REFLECTIVE = 30.00\n    REFLECTIVE_LINES = {lines}\n    REFLECTIVE_SAMPLES = 8\n    \
         CORNER_UL_PROJECTION_X_PRODUCT = 560015.000\n    CORNER_UL_PROJECTION_Y_PRODUCT = 1149985.000\n  \
         END_GROUP = PROJECTION_ATTRIBUTES\n  GROUP = LEVEL2_SURFACE_REFLECTANCE_PARAMETERS\n"
    );
    for number in 2..=6 {
        text += &format!(
            "    REFLECTANCE_MULT_BAND_{number} = 2.75e-05\n    REFLECTANCE_ADD_BAND_{number} = -0.2\n"
        );
    }
    // Level-1 numbers follow under the same names and must not be taken
    text += "  END_GROUP = LEVEL2_SURFACE_REFLECTANCE_PARAMETERS\n  GROUP = LEVEL1_RADIOMETRIC_RESCALING\n";
    text += "    REFLECTANCE_MULT_BAND_4 = 2.0000E-05\n    REFLECTANCE_ADD_BAND_4 = -0.100000\n";
    text + "  END_GROUP = LEVEL1_RADIOMETRIC_RESCALING\nEND_GROUP = LANDSAT_METADATA_FILE\nEND\n"
}

fn folder(mtl: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("folder");
    let grid = Grid {
        cell_width: 30.0,
        cell_height: 30.0,
        ..grid(8)
    };
    for name in ["SR_B2", "SR_B3", "SR_B4", "SR_B5", "SR_B6", "QA_PIXEL"] {
        let path = folder.path().join(format!("{PRODUCT}_{name}.TIF"));
        crate::gdal_io::write_raster(&path, ("GTiff", "UInt16"), &grid, &[vec![9000.0; 64]], None, &[]);
    }
    std::fs::write(folder.path().join(format!("{PRODUCT}_MTL.txt")), mtl).expect("written");
    folder
}

fn read(folder: &tempfile::TempDir) -> Found {
    discover(&folder.path().display().to_string(), &SourceOptions::default()).expect("imagery")
}

#[test]
fn a_level_2_folder_is_read_with_the_numbers_of_its_metadata() {
    let scene = only(read(&folder(&mtl("L2SP", 8))));
    assert_eq!(
        (scene.id.as_str(), scene.collection.as_str()),
        (PRODUCT, "landsat-c2-l2")
    );
    assert_eq!(
        (scene.assets["red"].scale, scene.assets["red"].offset),
        (2.75e-5, -0.2)
    );
    assert_eq!(
        (scene.assets["qa_pixel"].scale, scene.assets["qa_pixel"].nodata),
        (1.0, None)
    );
    assert_eq!(scene.assets["nir"].href, scene.assets["nir08"].href);
    assert_eq!(
        scene.interval.start.to_rfc3339(),
        "2022-01-10T03:15:34.396428900+00:00"
    );
    assert_eq!(scene.properties["platform"], "landsat-8");
}

#[test]
fn level_1_cut_metadata_other_sizes_and_missing_bands_are_named() {
    let failure = only_failure(read(&folder(&mtl("L1TP", 8))));
    assert!(
        failure.reason.contains("level L1TP") && failure.reason.contains("L2SP"),
        "{failure:?}"
    );
    let text = mtl("L2SP", 8);
    let failure = only_failure(read(&folder(&text[..text.len() - 60])));
    assert!(failure.reason.contains("cut short"), "{failure:?}");
    let failure = only_failure(read(&folder(&mtl("L2SP", 9))));
    assert!(
        failure.reason.contains("metadata contradict the pixels"),
        "{failure:?}"
    );
    let folder = folder(&text);
    std::fs::remove_file(folder.path().join(format!("{PRODUCT}_SR_B5.TIF"))).expect("removed");
    let failure = only_failure(read(&folder));
    assert!(
        failure.reason.contains("SR_B5.TIF") && failure.reason.contains("no such file"),
        "{failure:?}"
    );
}

#[test]
fn the_real_metadata_without_pixels_name_the_first_missing_file() {
    let Some(folder) = shared("metadata/landsat") else {
        return;
    };
    let options = SourceOptions {
        source: Some("landsat".into()),
        ..SourceOptions::default()
    };
    let found = discover(&folder, &options).expect("imagery");
    assert_eq!(found.failures.len(), 2, "text and XML of a scene are one");
    for failure in found.failures {
        assert!(
            failure.reason.contains("_SR_B2.TIF: band blue is listed"),
            "{failure:?}"
        );
    }
    // the same through the XML
    let text = std::fs::read(format!(
        "{folder}/LC09_L2SP_010065_20220129_20220131_02_T1_MTL.xml"
    ))
    .expect("read");
    let alone = tempfile::tempdir().expect("folder");
    std::fs::write(alone.path().join("LC09_MTL.xml"), text).expect("written");
    assert!(
        only_failure(read(&alone))
            .reason
            .contains("LC09_L2SP_010065_20220129_20220131_02_T1_SR_B2.TIF")
    );
}

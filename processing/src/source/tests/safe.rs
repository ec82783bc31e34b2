//! SAFE folders and zips.

use super::*;
use std::fs::File;
use std::io::Write;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

const PRODUCT: &str = "S2A_MSIL2A_20220301T031649_N0400_R118_T48PWS_20220301T063012";
const GRANULE: &str = "GRANULE/L2A_T48PWS_A034938_20220301T032534";

fn metadata(baseline: &str, offsets: bool) -> String {
    let image = |resolution: u32, band: &str| {
        format!(
            "<IMAGE_FILE>{GRANULE}/IMG_DATA/R{resolution}m/T48PWS_20220301T031649_{band}_{resolution}m</IMAGE_FILE>"
        )
    };
    let images: String = [
        (20, "B04"),
        (10, "B04"),
        (10, "B08"),
        (20, "B8A"),
        (60, "SCL"),
        (20, "SCL"),
        (10, "TCI"),
        (10, "AOT"),
    ]
    .map(|(resolution, band)| image(resolution, band))
    .concat();
    // band ids: 3 is B04, 7 is B08, 8 is B8A
    let offset = |id: usize| format!("<BOA_ADD_OFFSET band_id=\"{id}\">-{}</BOA_ADD_OFFSET>", 1000 + id);
    let offsets = if offsets {
        format!(
            "<BOA_ADD_OFFSET_VALUES_LIST>{}</BOA_ADD_OFFSET_VALUES_LIST>",
            (0..13).map(offset).collect::<String>()
        )
    } else {
        String::new()
    };
    format!(
        r#"<?xml version="1.0"?><n1:Level-2A_User_Product xmlns:n1="x"><n1:General_Info><Product_Info>
        <PRODUCT_START_TIME>2022-03-01T03:16:49.024Z</PRODUCT_START_TIME><PRODUCT_URI>{PRODUCT}.SAFE</PRODUCT_URI>
        <PROCESSING_BASELINE>{baseline}</PROCESSING_BASELINE>
        <Datatake datatakeIdentifier="G"><SPACECRAFT_NAME>Sentinel-2A</SPACECRAFT_NAME>
        <SENSING_ORBIT_NUMBER>118</SENSING_ORBIT_NUMBER><SENSING_ORBIT_DIRECTION>DESCENDING</SENSING_ORBIT_DIRECTION></Datatake>
        <Product_Organisation><Granule_List><Granule>{images}</Granule></Granule_List></Product_Organisation></Product_Info>
        <Product_Image_Characteristics><QUANTIFICATION_VALUES_LIST>
        <BOA_QUANTIFICATION_VALUE unit="none">10000</BOA_QUANTIFICATION_VALUE></QUANTIFICATION_VALUES_LIST>{offsets}
        </Product_Image_Characteristics></n1:General_Info></n1:Level-2A_User_Product>"#
    )
}

fn tile_metadata(columns: usize) -> String {
    let place = |cell: usize, columns: usize| {
        format!(
            "<Size resolution=\"{cell}\"><NROWS>{columns}</NROWS><NCOLS>{columns}</NCOLS></Size>\
             <Geoposition resolution=\"{cell}\"><ULX>560000</ULX><ULY>1150000</ULY><XDIM>{cell}</XDIM><YDIM>-{cell}</YDIM></Geoposition>"
        )
    };
    format!(
        "<n1:Level-2A_Tile_ID xmlns:n1=\"x\"><Tile_Geocoding><HORIZONTAL_CS_CODE>EPSG:32648</HORIZONTAL_CS_CODE>{}{}\
         </Tile_Geocoding></n1:Level-2A_Tile_ID>",
        place(10, columns),
        place(20, columns / 2)
    )
}

/// The files of a small product: name and bytes.
fn files(metadata: &str, tile: &str) -> Vec<(String, Vec<u8>)> {
    let folder = tempfile::tempdir().expect("folder");
    let coarse = Grid {
        cell_width: 20.0,
        cell_height: 20.0,
        ..grid(16)
    };
    let image = |resolution: u32, band: &str| {
        let path = folder.path().join("a.jp2");
        let grid = if resolution == 10 { grid(32) } else { coarse };
        let pixels: Vec<f32> = (0..grid.width * grid.height)
            .map(|index| (1100 + index) as f32)
            .collect();
        crate::gdal_io::write_raster(&path, ("JP2OpenJPEG", "UInt16"), &grid, &[pixels], None, &[]);
        let name =
            format!("{GRANULE}/IMG_DATA/R{resolution}m/T48PWS_20220301T031649_{band}_{resolution}m.jp2");
        (name, std::fs::read(path).expect("read"))
    };
    vec![
        ("MTD_MSIL2A.xml".into(), metadata.as_bytes().to_vec()),
        (format!("{GRANULE}/MTD_TL.xml"), tile.as_bytes().to_vec()),
        image(10, "B04"),
        image(20, "B04"),
        image(10, "B08"),
        image(20, "B8A"),
        image(20, "SCL"),
    ]
}

fn unpacked(files: &[(String, Vec<u8>)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("folder");
    for (name, bytes) in files {
        let path = folder.path().join(format!("{PRODUCT}.SAFE")).join(name);
        std::fs::create_dir_all(path.parent().expect("in a folder")).expect("made");
        std::fs::write(path, bytes).expect("written");
    }
    folder
}

fn zipped(path: &Path, files: &[(String, Vec<u8>)]) {
    let mut zip = ZipWriter::new(File::create(path).expect("created"));
    for (name, bytes) in files {
        zip.start_file(format!("{PRODUCT}.SAFE/{name}"), SimpleFileOptions::default())
            .expect("started");
        zip.write_all(bytes).expect("written");
    }
    zip.finish().expect("finished");
}

fn find(path: &Path) -> Found {
    discover(&path.display().to_string(), &SourceOptions::default()).expect("imagery")
}

fn check_scene(scene: &Item) {
    assert_eq!(
        (scene.id.as_str(), scene.collection.as_str()),
        (PRODUCT, "sentinel-2-l2a")
    );
    assert_eq!(
        scene.assets.keys().collect::<Vec<_>>(),
        ["nir", "nir08", "red", "scl"]
    );
    // (1500 - 1003) / 10000 and so on: the offset is that of the band
    assert!(
        (scene.assets["red"].offset + 0.1003).abs() < 1e-12,
        "{}",
        scene.assets["red"].offset
    );
    assert!((scene.assets["nir"].offset + 0.1007).abs() < 1e-12);
    assert!((scene.assets["nir08"].offset + 0.1008).abs() < 1e-12);
    assert_eq!(
        (scene.assets["scl"].scale, scene.assets["scl"].offset),
        (1.0, 0.0)
    );
    assert!(
        scene.assets["red"]
            .href
            .ends_with("R10m/T48PWS_20220301T031649_B04_10m.jp2")
    );
    assert!(scene.assets["scl"].href.ends_with("_SCL_20m.jp2"));
    assert_eq!((scene.grid, scene.assets["red"].nodata), (grid(32), Some(0.0)));
    assert_eq!(
        (
            &scene.properties["sat:relative_orbit"],
            &scene.properties["platform"]
        ),
        (&118.into(), &"sentinel-2a".into())
    );
    let href = &scene.assets["red"].href;
    let pixels =
        crate::gdal_io::warp_onto(href, 1, &grid(32), crate::gdal_io::Resampling::Nearest, Some(0.0));
    assert_eq!(pixels.expect("read")[33], 1133.0);
}

#[test]
fn a_folder_and_its_zip_give_the_same_scene() {
    let files = files(&metadata("04.00", true), &tile_metadata(32));
    let folder = unpacked(&files);
    check_scene(&only(find(folder.path())));
    let zip = folder.path().join("delivery.zip");
    zipped(&zip, &files);
    let scene = only(find(&zip));
    check_scene(&scene);
    assert!(scene.assets["red"].href.starts_with("/vsizip/{"));
    assert_eq!(
        scene.assets["red"].bytes,
        std::fs::metadata(&zip).expect("there").len()
    );
}

#[test]
fn a_late_baseline_without_offsets_asks_the_user_and_an_early_one_does_not() {
    let folder = unpacked(&files(&metadata("05.09", false), &tile_metadata(32)));
    let failure = only_failure(find(folder.path()));
    assert!(
        failure.reason.contains("--offset -1000") && failure.reason.contains("05.09"),
        "{failure:?}"
    );
    let said = SourceOptions {
        offset: Some(-1000.0),
        ..SourceOptions::default()
    };
    let scene = only(discover(&folder.path().display().to_string(), &said).expect("imagery"));
    assert!((scene.assets["red"].offset + 0.1).abs() < 1e-12);
    let folder = unpacked(&files(&metadata("03.01", false), &tile_metadata(32)));
    assert_eq!(only(find(folder.path())).assets["red"].offset, 0.0);
}

#[test]
fn missing_bands_cut_metadata_and_contradictions_are_named() {
    let whole = files(&metadata("04.00", true), &tile_metadata(32));
    let without = |end: &str| {
        whole
            .iter()
            .filter(|(name, _)| !name.ends_with(end))
            .cloned()
            .collect::<Vec<_>>()
    };
    for end in ["B08_10m.jp2", "SCL_20m.jp2"] {
        let folder = unpacked(&without(end));
        let failure = only_failure(find(folder.path()));
        assert!(
            failure.reason.contains(end) && failure.reason.contains("no such file"),
            "{failure:?}"
        );
    }
    let folder = unpacked(&without("MTD_MSIL2A.xml"));
    assert!(
        only_failure(find(folder.path()))
            .reason
            .contains("MTD_MSIL2A.xml")
    );
    let text = metadata("04.00", true);
    let folder = unpacked(&files(&text[..text.len() / 2], &tile_metadata(32)));
    assert!(
        only_failure(find(folder.path())).reason.contains("XML")
            || only_failure(find(folder.path())).reason.contains("cut short")
    );
    let folder = unpacked(&files(&text, &tile_metadata(40)));
    assert!(
        only_failure(find(folder.path()))
            .reason
            .contains("metadata contradict the pixels")
    );
    let outside = text.replace(&format!("{GRANULE}/IMG_DATA/R10m"), "../../etc");
    let folder = unpacked(&files(&outside, &tile_metadata(32)));
    assert!(
        only_failure(find(folder.path()))
            .reason
            .contains("outside the product")
    );
}

#[test]
fn a_product_one_folder_deeper_or_beside_another_in_a_zip_is_read() {
    let files = files(&metadata("04.00", true), &tile_metadata(32));
    let folder = tempfile::tempdir().expect("folder");
    let outer = format!("{PRODUCT}.SAFE");
    for (name, bytes) in &files {
        let path = folder.path().join(&outer).join(&outer).join(name);
        std::fs::create_dir_all(path.parent().expect("in a folder")).expect("made");
        std::fs::write(path, bytes).expect("written");
    }
    check_scene(&only(find(folder.path())));
    // two products in one zip, under a path with braces
    let second = PRODUCT.replace("20220301T031649", "20220306T031649");
    let place = folder.path().join("ảnh {2022}");
    std::fs::create_dir(&place).expect("made");
    let mut zip = ZipWriter::new(File::create(place.join("hai.zip")).expect("created"));
    for product in [PRODUCT, &second] {
        for (name, bytes) in &files {
            let bytes = if name.starts_with("MTD") {
                String::from_utf8_lossy(bytes)
                    .replace(PRODUCT, product)
                    .replace(
                        "2022-03-01",
                        if product == PRODUCT {
                            "2022-03-01"
                        } else {
                            "2022-03-06"
                        },
                    )
                    .into_bytes()
            } else {
                bytes.clone()
            };
            zip.start_file(format!("{product}.SAFE/{name}"), SimpleFileOptions::default())
                .expect("started");
            zip.write_all(&bytes).expect("written");
        }
    }
    zip.finish().expect("finished");
    let found = find(&place.join("hai.zip"));
    assert_eq!(found.failures, []);
    let ids: Vec<&str> = found.scenes.iter().map(|scene| scene.id.as_str()).collect();
    assert_eq!(ids, [PRODUCT, second.as_str()]);
    check_scene(&found.scenes[0]);
    assert!(found.scenes[0].assets["red"].sha256.is_some());
}

#[test]
fn a_zip_packed_in_another_way_is_named_with_the_cure() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("large.zip");
    zipped(&path, &files(&metadata("04.00", true), &tile_metadata(32)));
    let whole = std::fs::read(&path).expect("read");
    let change = |at: usize, bytes: [u8; 2]| {
        let mut changed = whole.clone();
        for (signature, before) in [(b"PK\x01\x02", at + 2), (b"PK\x03\x04", at)] {
            let entry = whole
                .windows(4)
                .position(|four| four == signature)
                .expect("entry");
            changed[entry + before..entry + before + 2].copy_from_slice(&bytes);
        }
        std::fs::write(&path, changed).expect("written");
        only_failure(find(&path)).reason
    };
    // Deflate64 is method 9; the lowest bit of the flags is encryption
    let reason = change(8, [9, 0]);
    assert!(
        reason.contains("MTD_MSIL2A.xml") && reason.contains("unpack it and give the folder"),
        "{reason}"
    );
    let reason = change(6, [1, 0]);
    assert!(reason.contains("password"), "{reason}");
}

#[test]
fn a_zip_of_many_members_is_listed_once() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("many.zip");
    let mut all = files(&metadata("04.00", true), &tile_metadata(32));
    all.extend((0..3000).map(|number| (format!("HTML/{number}.html"), Vec::new())));
    zipped(&path, &all);
    let before = super::super::safe_archive::listings();
    check_scene(&only(find(&path)));
    assert_eq!(super::super::safe_archive::listings() - before, 1);
}

#[test]
fn offsets_of_some_bands_are_no_offset_of_the_others() {
    let text = metadata("04.00", true);
    let without = |id: usize, text: &str| {
        let start = text
            .find(&format!("<BOA_ADD_OFFSET band_id=\"{id}\""))
            .expect("listed");
        let end =
            start + text[start..].find("</BOA_ADD_OFFSET>").expect("closed") + "</BOA_ADD_OFFSET>".len();
        format!("{}{}", &text[..start], &text[end..])
    };
    let folder = unpacked(&files(&without(3, &text), &tile_metadata(32)));
    let failure = only_failure(find(folder.path()));
    assert!(failure.reason.contains("none of red"), "{failure:?}");
    let mut same = text;
    for id in 0..13 {
        same = same.replace(&format!("-{}<", 1000 + id), "-1000<");
    }
    let folder = unpacked(&files(&without(3, &same), &tile_metadata(32)));
    assert!((only(find(folder.path())).assets["red"].offset + 0.1).abs() < 1e-12);
}

#[test]
fn a_baseline_that_esa_never_gave_and_offsets_against_the_pixels_are_asked_about() {
    let ask = |folder: &Path, offset: Option<f64>| {
        let options = SourceOptions {
            offset,
            ..SourceOptions::default()
        };
        discover(&folder.display().to_string(), &options).expect("imagery")
    };
    let folder = unpacked(&files(&metadata("99.99", false), &tile_metadata(32)));
    let failure = only_failure(ask(folder.path(), None));
    assert!(
        failure.reason.contains("99.99") && failure.reason.contains("--offset 0"),
        "{failure:?}"
    );
    assert_eq!(only(ask(folder.path(), Some(0.0))).assets["red"].offset, 0.0);
    // pixels from 1100 on against an offset of -3003
    let text = metadata("04.00", true).replace(">-1003<", ">-3003<");
    let folder = unpacked(&files(&text, &tile_metadata(32)));
    let failure = only_failure(ask(folder.path(), None));
    assert!(failure.reason.contains("fall below 0"), "{failure:?}");
    let found = ask(folder.path(), Some(-1000.0));
    assert!(
        found.notes[0].reason.contains("--offset -1000"),
        "{:?}",
        found.notes
    );
    assert!((only(found).assets["red"].offset + 0.1).abs() < 1e-12);
}

#[test]
fn hostile_and_damaged_zips_are_refused() {
    let folder = tempfile::tempdir().expect("folder");
    let whole = files(&metadata("04.00", true), &tile_metadata(32));
    let path = folder.path().join("climbing.zip");
    let mut climbing = whole.clone();
    climbing.push(("../../../escaped.txt".into(), b"x".to_vec()));
    zipped(&path, &climbing);
    let failure = only_failure(find(&path));
    assert!(
        failure.reason.contains("outside its folder") && failure.reason.contains("escaped.txt"),
        "{failure:?}"
    );

    let path = folder.path().join("bomb.zip");
    let mut bomb = whole.clone();
    bomb.push(("padding.bin".into(), vec![0; 80 << 20]));
    zipped(&path, &bomb);
    let failure = only_failure(find(&path));
    assert!(
        failure.reason.contains("padding.bin") && failure.reason.contains("83886080"),
        "{failure:?}"
    );

    let path = folder.path().join("cut.zip");
    zipped(&path, &whole);
    let bytes = std::fs::read(&path).expect("read");
    std::fs::write(&path, &bytes[..bytes.len() / 2]).expect("written");
    assert!(only_failure(find(&path)).reason.contains("no whole zip"));

    // a pixel file with one byte turned over: its checksum tells
    let path = folder.path().join("turned.zip");
    let mut turned = bytes.clone();
    let middle = bytes.len() / 2;
    turned[middle] ^= 0xff;
    std::fs::write(&path, turned).expect("written");
    assert!(
        only_failure(find(&path)).reason.contains(".jp2"),
        "{:?}",
        find(&path).failures
    );
}

#[test]
fn a_zip_that_lists_less_than_it_unpacks_to_is_refused() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("liar.zip");
    let text = metadata("04.00", true);
    zipped(&path, &files(&text, &tile_metadata(32)));
    let mut bytes = std::fs::read(&path).expect("read");
    // central directory entry: signature, and the unpacked size 24 bytes on
    let entry = bytes
        .windows(4)
        .position(|four| four == b"PK\x01\x02")
        .expect("central directory");
    let listed = u32::from_le_bytes(bytes[entry + 24..entry + 28].try_into().expect("four"));
    assert_eq!(listed as usize, text.len(), "the first member is the metadata");
    bytes[entry + 24..entry + 28].copy_from_slice(&100_u32.to_le_bytes());
    std::fs::write(&path, bytes).expect("written");
    let failure = only_failure(find(&path));
    assert!(failure.reason.contains("more than the 100 bytes"), "{failure:?}");
}

#[test]
fn the_real_samples_say_what_is_missing() {
    let Some(folder) = shared("metadata/safe") else {
        return;
    };
    let found = find(Path::new(&folder));
    assert!(found.scenes.is_empty());
    let [radar, optical] = &found.failures[..] else {
        panic!("{:?}", found.failures)
    };
    let (radar, optical) = if radar.reason.contains("GRDH") {
        (radar, optical)
    } else {
        (optical, radar)
    };
    assert!(radar.reason.contains("there is no such file"), "{radar:?}");
    // all metadata are read; the pixels are not part of the sample
    assert!(
        optical.reason.contains("T46RER_20210908T042701_B02.jp2"),
        "{optical:?}"
    );
}

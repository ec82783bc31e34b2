//! Sentinel-1 GRD as SAFE folder and zip, whole and broken.

use super::*;
use crate::source::sentinel1_grd::made::{Made, NAME};
use std::fs::File;
use std::io::Write;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// The files of a made product: path in it and bytes.
fn files(made: Made, polarisations: &[&str]) -> Vec<(String, Vec<u8>)> {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("a.tiff");
    let texts = made.texts(polarisations).into_iter();
    let mut files: Vec<_> = texts.map(|(name, text)| (name, text.into_bytes())).collect();
    for name in polarisations {
        let numbers = (0..made.columns * made.lines)
            .map(|index| f32::from(made.number(name, 0.1, index / made.columns, index % made.columns)));
        let numbers = numbers.collect();
        crate::gdal_io::write_raster(
            &path,
            ("GTiff", "UInt16"),
            &made.image_grid(),
            &[numbers],
            None,
            &[],
        );
        files.push((Made::measurement(name), std::fs::read(&path).expect("read")));
    }
    files
}

fn unpacked(folder: &Path, files: &[(String, Vec<u8>)]) -> PathBuf {
    let product = folder.join(format!("{NAME}.SAFE"));
    for (name, bytes) in files {
        let path = product.join(name);
        std::fs::create_dir_all(path.parent().expect("in a folder")).expect("made");
        std::fs::write(path, bytes).expect("written");
    }
    product
}

fn zipped(folder: &Path, files: &[(String, Vec<u8>)]) -> PathBuf {
    let path = folder.join(format!("{NAME}.zip"));
    let mut zip = ZipWriter::new(File::create(&path).expect("created"));
    for (name, bytes) in files {
        zip.start_file(format!("{NAME}.SAFE/{name}"), SimpleFileOptions::default())
            .expect("begun");
        zip.write_all(bytes).expect("written");
    }
    zip.finish().expect("finished");
    path
}

fn discovered(path: &Path) -> Found {
    discover(path.to_str().expect("UTF-8"), &SourceOptions::default()).expect("found something")
}

#[test]
fn a_product_says_its_orbit_and_that_it_is_sigma0_and_a_zip_is_the_same_scene() {
    let folder = tempfile::tempdir().expect("folder");
    let files = files(Made::default(), &["vv", "vh"]);
    let found = discovered(&unpacked(folder.path(), &files));
    assert_eq!(found.failures, []);
    let [scene] = &found.scenes[..] else {
        panic!("one scene, not {}", found.scenes.len());
    };
    assert_eq!(
        (scene.collection.as_str(), scene.id.as_str()),
        ("sentinel-1-grd", NAME)
    );
    assert_eq!(
        scene.interval.start.to_rfc3339(),
        "2026-08-18T22:46:06.123456+00:00"
    );
    let said = |name: &str| scene.properties[name].clone();
    assert_eq!(said("sat:orbit_state"), "descending");
    // stated by the manifest; the orbit alone would give (65915 - 73) mod 175 + 1 = 43
    assert_eq!(said("sat:relative_orbit"), 18);
    assert_eq!(said("sen:backscatter"), "sigma0");
    assert_eq!(said("s1:processor_version"), "3.71");
    assert_eq!(scene.assets.len(), 8);
    assert!(scene.assets.values().all(|asset| asset.sha256.is_some()));
    let (west, north) = Made::place(0.0, 0.0);
    assert!(scene.grid.crs == Crs::UTM_48N && scene.grid.north >= north && scene.grid.west <= west);

    let zip = tempfile::tempdir().expect("folder");
    let path = zipped(zip.path(), &files);
    let packed = discovered(&path).scenes;
    assert_eq!(packed[0].id, scene.id);
    assert!(packed[0].assets["noise-vh"].href.starts_with("/vsizip/{"));
    // and its pixels are the same
    let read = |scene: &Item| {
        let image =
            crate::source::sentinel1_grd::GroundRange::of(scene, sen_catalog::Band::Vh).expect("opened");
        let province = Made::default().province();
        let values = image.read(province.window(), &province).expect("read");
        values.into_iter().map(f32::to_bits).collect::<Vec<_>>()
    };
    assert_eq!(read(&packed[0]), read(scene));
}

/// What is said of a product in which some files are others.
fn said_of(change: impl Fn(&mut Vec<(String, Vec<u8>)>)) -> String {
    let folder = tempfile::tempdir().expect("folder");
    let mut files = files(Made::default(), &["vv"]);
    change(&mut files);
    let found = discovered(&unpacked(folder.path(), &files));
    assert!(found.scenes.is_empty());
    format!("{}: {}", found.failures[0].what, found.failures[0].reason)
}

/// Replaces a text in the files whose path holds a word.
fn swap(files: &mut [(String, Vec<u8>)], word: &str, from: &str, to: &str) {
    for (_, bytes) in files.iter_mut().filter(|(name, _)| name.contains(word)) {
        let text = String::from_utf8(bytes.clone()).expect("text");
        assert!(text.contains(from), "{from}");
        *bytes = text.replace(from, to).into_bytes();
    }
}

#[test]
fn broken_products_say_what_is_wrong_with_which_file() {
    let says = |text: String, words: &[&str]| {
        for word in words {
            assert!(text.contains(word), "`{word}` is not in: {text}");
        }
    };
    says(
        said_of(|files| files.retain(|(name, _)| !name.contains("calibration-"))),
        &["calibration-s1a-iw-grd-vv", "there is no such file"],
    );
    says(
        said_of(|files| files.retain(|(name, _)| !name.starts_with("annotation/s1a"))),
        &["annotation of vv is listed", "there is no such file"],
    );
    says(
        said_of(|files| {
            swap(
                files,
                "noise-",
                "<noiseRangeVector><line>199",
                "<noiseRangeVector><line>41",
            );
            swap(
                files,
                "noise-",
                "<noiseRangeVector><line>160",
                "<noiseRangeVector><line>42",
            );
        }),
        &["noise-s1a", "do not cover the image: lines 0 to 120 of 0 to 199"],
    );
    says(
        said_of(|files| swap(files, "/calibration-", "200 239", "200")),
        &["calibration-s1a", "columns but"],
    );
    says(
        said_of(|files| swap(files, "annotation/s1a", "geolocationGridPoint>", "point>")),
        &["annotation/s1a", "geolocation grid is not whole: 0 points"],
    );
    says(
        said_of(|files| swap(files, "annotation/s1a", "<productType>GRD", "<productType>SLC")),
        &["is a Sentinel-1 SLC product of mode IW", "IW_GRDH"],
    );
    says(
        said_of(|files| swap(files, "annotation/s1a", "<mode>IW", "<mode>EW")),
        &["of mode EW"],
    );
    says(
        said_of(|files| {
            swap(files, "manifest", "s1a-iw-grd", "s1a-iw1-slc");
        }),
        &["SLC product of mode IW1"],
    );
    says(
        said_of(|files| swap(files, "annotation/s1a", "1.000000e+01", "4.000000e+01")),
        &["pixels of 40 m"],
    );
    says(
        said_of(|files| {
            swap(
                files,
                "annotation/s1a",
                "<numberOfLines>200",
                "<numberOfLines>199",
            );
        }),
        &["240 x 199 in the annotation, 240 x 200 in the file"],
    );
    says(
        said_of(|files| {
            let (_, bytes) = files
                .iter_mut()
                .find(|(name, _)| name.ends_with(".tiff"))
                .expect("there");
            bytes.truncate(bytes.len() - 1000);
        }),
        &[".tiff", "cannot be read"],
    );
    says(
        said_of(|files| swap(files, "manifest", "href=\"./measurement", "href=\"../measurement")),
        &["outside the product"],
    );
    says(
        said_of(|files| swap(files, "annotation/s1a", "<polarisation>VV", "<polarisation>VH")),
        &["is named for vv but says it is of VH"],
    );
    says(
        said_of(|files| swap(files, "manifest", "iw-grd-vv", "iw-grd-hh")),
        &["neither VV nor VH"],
    );
}

#[test]
fn a_good_product_beside_broken_ones_goes_on_and_bombs_are_refused() {
    let folder = tempfile::tempdir().expect("folder");
    let good = files(Made::default(), &["vv", "vh"]);
    unpacked(folder.path(), &good);
    let broken = folder.path().join("broken");
    let mut bad = good.clone();
    bad.retain(|(name, _)| !name.contains("noise-"));
    unpacked(&broken, &bad);
    // the raster of a bomb: 128 MiB of zeros in some hundred kilobytes
    let bomb = folder.path().join("bomb");
    std::fs::create_dir(&bomb).expect("made");
    let mut bad = good.clone();
    bad.push(("measurement/zeros.tiff".into(), vec![0; 128 << 20]));
    zipped(&bomb, &bad);
    let found = discovered(folder.path());
    assert_eq!(found.scenes.len(), 1, "{:?}", found.failures);
    let reasons: Vec<&str> = found.failures.iter().map(|f| f.reason.as_str()).collect();
    assert_eq!(reasons.len(), 2, "{reasons:?}");
    assert!(
        reasons
            .iter()
            .any(|reason| reason.contains("there is no such file"))
    );
    assert!(
        reasons
            .iter()
            .any(|reason| reason.contains("claims to unpack to"))
    );
}

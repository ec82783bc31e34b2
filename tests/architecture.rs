//! The rules of the house: who may import whom, where GDAL lives, and that the docs name files that exist.

#![allow(clippy::panic, reason = "a test fails by panicking")]

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn sources(folder: &Path, out: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            sources(&path, out);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            out.push(path);
        }
    }
}

/// The workspace crates named in a manifest's `[dependencies]` and `[build-dependencies]`.
fn workspace_dependencies(manifest: &str) -> Vec<&'static str> {
    let shipped = manifest.split("[dev-dependencies]").next().unwrap_or_default();
    ["sen-catalog", "sen-processing", "sen-tiler", "sen-fixtures"]
        .into_iter()
        .filter(|name| shipped.lines().any(|line| line.starts_with(name)))
        .collect()
}

#[test]
fn arrows_point_from_the_binary_to_the_catalogue() {
    let allowed: [(&str, &[&str]); 5] = [
        ("Cargo.toml", &["sen-catalog", "sen-processing", "sen-tiler"]),
        ("processing/Cargo.toml", &["sen-catalog"]),
        ("tiler/Cargo.toml", &["sen-catalog"]),
        ("fixtures/Cargo.toml", &["sen-catalog"]),
        ("catalog/Cargo.toml", &[]),
    ];
    for (manifest, may) in allowed {
        let text = read(&root().join(manifest));
        let text = if manifest == "Cargo.toml" {
            text.split("[package]").nth(1).expect("root package").to_owned()
        } else {
            text
        };
        for name in workspace_dependencies(&text) {
            assert!(may.contains(&name), "{manifest} must not depend on {name}");
        }
    }
}

#[test]
fn gdal_lives_in_one_file() {
    let mut files = Vec::new();
    for folder in [
        "src",
        "catalog/src",
        "processing/src",
        "tiler/src",
        "fixtures/src",
    ] {
        sources(&root().join(folder), &mut files);
    }
    for path in files {
        if path.ends_with("processing/src/gdal_io.rs")
            || path.starts_with(root().join("processing/src/gdal_io"))
        {
            continue;
        }
        for (number, line) in read(&path).lines().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            let uses = code.contains("use gdal") || code.contains("gdal::") || code.contains("gdal_sys");
            assert!(
                !uses,
                "{}:{} uses GDAL; only processing/src/gdal_io.rs may",
                path.display(),
                number + 1
            );
        }
    }
    for manifest in [
        "Cargo.toml",
        "catalog/Cargo.toml",
        "tiler/Cargo.toml",
        "fixtures/Cargo.toml",
    ] {
        let text = read(&root().join(manifest));
        let own = text.split("[package]").last().expect("a package");
        assert!(
            !own.lines().any(|line| line.starts_with("gdal")),
            "{manifest} must not depend on GDAL"
        );
    }
}

#[test]
fn pure_data_modules_of_the_catalogue_know_nothing_of_storage() {
    for module in ["grid", "tms", "band", "item", "period", "crs"] {
        let text = read(&root().join(format!("catalog/src/{module}.rs")));
        for outside in ["crate::raster", "crate::store", "crate::asset", "rusqlite"] {
            assert!(
                !text.contains(outside),
                "catalog/src/{module}.rs imports {outside}"
            );
        }
    }
}

#[test]
fn files_named_in_the_docs_exist() {
    for entry in fs::read_dir(root().join("docs")).expect("docs").flatten() {
        let page = entry.path();
        if page.extension().is_none_or(|extension| extension != "md") {
            continue;
        }
        for word in read(&page).split('`').skip(1).step_by(2) {
            let file = word.split(':').next().unwrap_or_default();
            let known = [".rs", ".ts", ".json", ".toml", ".sh"]
                .iter()
                .any(|end| file.ends_with(end));
            let placed = [
                "src/",
                "catalog/",
                "processing/",
                "tiler/",
                "fixtures/",
                "styles/",
                "web/",
                "tests/",
                "scripts/",
                "benches/",
                "schemas/",
            ]
            .iter()
            .any(|folder| file.starts_with(folder));
            if known && placed && !file.contains(['{', '*', ' ']) {
                assert!(
                    root().join(file).exists(),
                    "{} names {file}, which is not there",
                    page.display()
                );
            }
        }
    }
}

#[test]
fn every_registered_product_has_its_file_and_style() {
    for product in sen_processing::product::PRODUCTS {
        let name = product.name();
        for file in [
            format!("processing/src/product/{name}.rs"),
            format!("styles/raster/{name}.json"),
        ] {
            assert!(root().join(&file).exists(), "the product {name} needs {file}");
        }
    }
}

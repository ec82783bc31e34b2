//! The rules of the house: who may import whom, where GDAL lives, and that the docs name files that exist.

#![allow(clippy::panic, reason = "a test fails by panicking")]

#[path = "architecture/imports.rs"]
mod imports;

use imports::{below, circle, imports, shipped};
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
fn modules_of_a_crate_import_each_other_in_no_circle() {
    for src in ["catalog/src", "processing/src"] {
        let circle = circle(&imports(&root().join(src)));
        assert!(
            circle.is_none(),
            "{src}: what two modules need of each other belongs below both:{}",
            circle.unwrap_or_default()
        );
    }
}

#[test]
fn circles_are_found_through_names_passed_on_and_super_but_not_through_tests() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs::write(path, text).expect("written");
    };
    write("lib.rs", "mod a; mod b; mod c; pub use a::{Kept, Other};");
    write("a.rs", "use super::b::{self, X}; // use crate::c::Nothing");
    write(
        "b/mod.rs",
        "mod d;\n#[cfg(test)]\nmod tests {\n    use crate::a::Kept;\n}\n#[cfg(test)]\nmod told;",
    );
    write("b/told.rs", "use crate::a::Kept;");
    write(
        "b/d.rs",
        "use crate::{\n    c::{Y, Z},\n    Error,\n};\nconst TEXT: &str = \"crate::a::Kept\";",
    );
    write("c.rs", "struct Y;");
    let found = imports(folder.path());
    assert_eq!(below(&found, "a"), ["b", "c"].map(str::to_owned).into());
    assert_eq!(circle(&found), None);
    write("c.rs", "fn f() -> crate::Kept { todo!() }");
    let told = circle(&imports(folder.path())).expect("a circle");
    assert!(told.contains("c imports a") && told.contains("b/d"), "{told}");
    write("c.rs", "");
    write("b/d.rs", "use super::super::a::Kept;");
    assert!(circle(&imports(folder.path())).is_some());
}

/// The modules that the page of the catalogue calls pure.
fn pure_modules() -> Vec<String> {
    let page = read(&root().join("catalog/src/lib.rs")).replace("\n//!", "");
    let list = page
        .split_once("The pure data modules (")
        .and_then(|(_, rest)| rest.split_once(')'));
    let (list, _) = list.expect("catalog/src/lib.rs names its pure data modules");
    list.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

#[test]
fn pure_data_modules_of_the_catalogue_know_nothing_of_storage() {
    let src = root().join("catalog/src");
    let imports = imports(&src);
    let pure = pure_modules();
    assert!(pure.len() >= 11, "{pure:?}");
    for module in pure {
        let below = below(&imports, &module);
        for storage in ["asset", "raster", "statistic", "store"] {
            assert!(!below.contains(storage), "catalog/src/{module} imports {storage}");
        }
        let mut files = vec![src.join(format!("{module}.rs"))];
        if src.join(&module).is_dir() {
            sources(&src.join(&module), &mut files);
        }
        files.retain(|file| file.exists());
        assert!(
            !files.is_empty(),
            "catalog/src/lib.rs names {module}, which is not there"
        );
        for file in files {
            let text = shipped(&read(&file));
            for outside in ["rusqlite", "std::fs"] {
                assert!(!text.contains(outside), "{} imports {outside}", file.display());
            }
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
fn every_layer_that_is_made_has_its_file_and_style() {
    let measured = sen_processing::product::PRODUCTS
        .iter()
        .map(|product| ("product", product.name()));
    let measured: Vec<_> = measured.collect();
    let names = sen_processing::steps::layer_names();
    let drawn = names[measured.len()..].iter().map(|name| ("steps", *name));
    for (folder, name) in measured.iter().copied().chain(drawn) {
        for file in [
            format!("processing/src/{folder}/{name}.rs"),
            format!("styles/raster/{name}.json"),
        ] {
            assert!(root().join(&file).exists(), "the layer {name} needs {file}");
        }
    }
}

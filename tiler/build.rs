//! The map page is built apart (`web/dist`, by `make build`); a fresh checkout must compile without it.

use std::{fs, io, path::Path};

fn main() -> io::Result<()> {
    let dist = Path::new(env!("CARGO_MANIFEST_DIR")).join("../web/dist");
    println!("cargo::rerun-if-changed={}", dist.display());
    fs::create_dir_all(dist)
}

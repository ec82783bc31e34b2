//! The map page is built apart (`web/dist`, by `make build`); a fresh checkout must compile without it.
//! A style that comes or goes is built in without another line.

use std::{fs, io, path::Path};

fn main() -> io::Result<()> {
    let dist = Path::new(env!("CARGO_MANIFEST_DIR")).join("../web/dist");
    println!("cargo::rerun-if-changed={}", dist.display());
    println!("cargo::rerun-if-changed=../styles/raster");
    fs::create_dir_all(dist)
}

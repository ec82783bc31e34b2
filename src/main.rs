//! sen.
fn main() {}

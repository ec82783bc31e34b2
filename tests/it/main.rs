//! Stories through the real binary: each module is one that a user would tell.

mod angiang;
mod broken_input;
mod demo;
mod harness;
mod interrupted;
mod scenes;
mod weeks;

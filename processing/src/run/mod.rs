//! What every part of a run needs and that knows none of them: how far it is, and how it calls long work.

mod blocking;
mod progress;

pub(crate) use blocking::blocking;
pub use progress::{Progress, Silent};

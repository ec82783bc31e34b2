//! What every part of a run needs and that knows none of them: how far it is, how it calls long work, how it hears sensors.

mod blocking;
mod progress;
mod readings;

pub(crate) use blocking::blocking;
pub use progress::{Progress, Silent};
pub(crate) use readings::for_each_reading;

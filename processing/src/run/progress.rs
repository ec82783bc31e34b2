//! How far a run is.

/// Hears how far a run is, for a progress bar.
pub trait Progress: Sync {
    /// A piece of work of `total` steps begins.
    fn begin(&self, what: &str, total: u64);

    /// So many more steps are done.
    fn advance(&self, by: u64);

    /// Something a person may want to know.
    fn message(&self, text: &str);
}

/// Tells nobody.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Progress for Silent {
    fn begin(&self, _what: &str, _total: u64) {}
    fn advance(&self, _by: u64) {}
    fn message(&self, _text: &str) {}
}

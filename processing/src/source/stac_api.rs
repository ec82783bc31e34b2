//! Being written.
use super::{Found, SourceOptions};
use crate::{Error, Result};
pub(super) fn discover(location: &str, _: &SourceOptions) -> Result<Found> {
    Err(Error::Invalid(location.to_owned()))
}

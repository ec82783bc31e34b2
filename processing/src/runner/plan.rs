//! The order of steps, from what they read and write.

use super::{Step, StepSettings};
use crate::{Error, Result};
use sen_catalog::run::Dataset;

/// True when a step that writes `written` has to be done before one that reads `read`. Earlier weeks of the reader's own
/// kind or of what was made before are no edge.
fn is_needed(read: &Dataset, written: &Dataset) -> bool {
    !matches!(read, Dataset::PriorWeeks(_)) && read.meets(written)
}

/// The steps in an order in which each finds what it reads made; of those that could come next, the one named first.
///
/// # Errors
/// Names the steps that wait for each other in a circle.
pub fn sort_steps<'s>(steps: &[&'s dyn Step], settings: &StepSettings<'_>) -> Result<Vec<&'s dyn Step>> {
    let writes: Vec<Vec<Dataset>> = steps.iter().map(|step| step.writes(settings)).collect();
    let waits_for = |index: usize, other: usize| {
        let reads = steps[index].reads(settings);
        index != other
            && reads
                .iter()
                .any(|read| writes[other].iter().any(|written| is_needed(read, written)))
    };
    let mut left: Vec<usize> = (0..steps.len()).collect();
    let mut sorted = Vec::with_capacity(steps.len());
    while !left.is_empty() {
        let ready = |index: &usize| left.iter().all(|other| !waits_for(*index, *other));
        let Some(place) = left.iter().position(ready) else {
            let names: Vec<_> = left.iter().map(|index| steps[*index].name()).collect();
            return Err(Error::Invalid(format!(
                "steps wait for each other: {}",
                names.join(", ")
            )));
        };
        sorted.push(steps[left.remove(place)]);
    }
    Ok(sorted)
}

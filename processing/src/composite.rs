//! One value a cell and week from the week's looks.
//!
//! The rule of all products so far: **the look with the median value; of the two middle ones the later**. It is always
//! a real look, so that it has a date. A maximum would be cheaper and suppress clouds, but it is biased high and wipes
//! out the minimum at transplanting, when paddies are flooded, and with it the start of the season; the median keeps
//! it, and drops a single look with a missed cloud as soon as there are three. For classes 0 and 1 the same rule is the
//! vote of the majority, a tie going to the later look.
//!
//! Nothing is filled in: a cell without a clear look stays without a value.

/// What one look measured.
#[derive(Clone, Debug)]
pub struct Measured {
    /// A value a cell, NaN where the look shows nothing usable.
    pub values: Vec<f32>,
    /// Scenes of one overpass share this number: where two tiles overlap they count as one look.
    pub pass: usize,
    /// Days from the local date of the look to the last day of the week.
    pub age_days: u8,
}

/// The week's values with what tells how good they are.
#[derive(Clone, Debug, PartialEq)]
pub struct Composite {
    /// The chosen value a cell, NaN for none.
    pub values: Vec<f32>,
    /// Clear looks a cell.
    pub n_clear: Vec<u8>,
    /// Age of the chosen look in days, [`NO_AGE`] for none.
    pub age_days: Vec<u8>,
    /// 0 no look, 1 a single one, 2 two or more.
    pub quality: Vec<u8>,
}

/// Stands in `age_days` where there is no look.
pub const NO_AGE: u8 = 255;

/// The rule in words, for the item's `sen:rule`.
pub const RULE: &str = "median look: of the week's clear looks the one with the median value, of two middle ones the \
                        later; no gap filling";

/// The median look of each of `cells` cells; `looks` are in order of time, those of one pass next to each other.
pub fn median_look(mut looks: Vec<Measured>, cells: usize) -> Composite {
    match looks.len() {
        0 => none(cells),
        // a week has mostly one look, whose values are taken as they are
        1 => looks.pop().map_or_else(|| none(cells), single),
        _ => several(&looks, cells),
    }
}

/// No look at all.
pub fn none(cells: usize) -> Composite {
    Composite {
        values: vec![f32::NAN; cells],
        n_clear: vec![0; cells],
        age_days: vec![NO_AGE; cells],
        quality: vec![0; cells],
    }
}

fn single(look: Measured) -> Composite {
    let seen: Vec<u8> = look
        .values
        .iter()
        .map(|value| u8::from(!value.is_nan()))
        .collect();
    let age = look.age_days;
    Composite {
        age_days: seen
            .iter()
            .map(|&seen| if seen == 1 { age } else { NO_AGE })
            .collect(),
        values: look.values,
        quality: seen.clone(),
        n_clear: seen,
    }
}

fn several(looks: &[Measured], cells: usize) -> Composite {
    let mut out = none(cells);
    // value and look of the clear looks of one cell, in order of value, then of time
    let mut clear: Vec<(f32, usize)> = Vec::with_capacity(looks.len());
    for cell in 0..cells {
        clear.clear();
        let mut last_pass = None;
        for (index, look) in looks.iter().enumerate() {
            let value = look.values[cell];
            if !value.is_nan() && last_pass != Some(look.pass) {
                last_pass = Some(look.pass);
                let place = clear.partition_point(|&(other, _)| other <= value);
                clear.insert(place, (value, index));
            }
        }
        let Some(&(value, index)) = middle(&clear) else {
            continue;
        };
        out.values[cell] = value;
        out.age_days[cell] = looks[index].age_days;
        out.n_clear[cell] = u8::try_from(clear.len()).unwrap_or(u8::MAX);
        out.quality[cell] = if clear.len() == 1 { 1 } else { 2 };
    }
    out
}

/// The median of a sorted list; of the two middle ones of an even list the later look.
fn middle(sorted: &[(f32, usize)]) -> Option<&(f32, usize)> {
    let upper = sorted.get(sorted.len() / 2)?;
    if sorted.len() % 2 == 1 {
        return Some(upper);
    }
    sorted
        .get(sorted.len() / 2 - 1)
        .map(|lower| if lower.1 > upper.1 { lower } else { upper })
}

#[cfg(test)]
mod tests {
    use super::*;

    const N: f32 = f32::NAN;

    fn look(pass: usize, age_days: u8, values: &[f32]) -> Measured {
        Measured {
            values: values.to_vec(),
            pass,
            age_days,
        }
    }

    #[test]
    fn the_median_look_is_chosen_and_of_two_the_later() {
        let looks = vec![
            look(0, 6, &[0.8, 0.8, N, 0.1, N]),
            look(1, 4, &[0.2, N, N, 0.5, N]),
            look(2, 1, &[0.7, 0.1, 0.3, N, N]),
        ];
        let week = median_look(looks, 5);
        assert_eq!(week.values[..4], [0.7, 0.1, 0.3, 0.5]);
        assert!(week.values[4].is_nan());
        assert_eq!(week.n_clear, [3, 2, 1, 2, 0]);
        assert_eq!(week.age_days, [1, 1, 1, 4, NO_AGE]);
        assert_eq!(week.quality, [2, 2, 1, 2, 0]);
    }

    #[test]
    fn the_minimum_at_transplanting_survives_where_a_maximum_would_wipe_it_out() {
        let looks = vec![look(0, 5, &[0.62]), look(1, 2, &[0.14])];
        assert_eq!(median_look(looks, 1).values, [0.14]);
        let looks = vec![look(0, 5, &[0.15]), look(1, 3, &[0.62]), look(2, 1, &[0.14])];
        assert_eq!(median_look(looks, 1).values, [0.15]);
    }

    #[test]
    fn two_tiles_of_one_pass_count_once() {
        let looks = vec![look(0, 3, &[0.4, N]), look(0, 3, &[0.5, 0.6])];
        let week = median_look(looks, 2);
        assert_eq!(week.values, [0.4, 0.6]);
        assert_eq!(week.n_clear, [1, 1]);
    }

    #[test]
    fn of_classes_the_majority_wins_and_a_tie_goes_to_the_later_look() {
        let looks = vec![
            look(0, 6, &[1.0, 1.0, 0.0]),
            look(1, 3, &[1.0, 0.0, 1.0]),
            look(2, 0, &[0.0, N, N]),
        ];
        assert_eq!(median_look(looks, 3).values, [1.0, 0.0, 1.0]);
    }
}

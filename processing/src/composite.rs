//! One value a cell and week from the week's looks.
//!
//! Two rules, of which both take a real look, so that it has a date:
//!
//! **Indices take the latest look that is not hazier than the clearest** ([`latest_clear_look`]). Haze is what is blue and not
//! red: plants, soil and water have about half as much blue as red or a little more, haze and thin cloud, which masks often
//! miss, scatter blue. One look is chosen for a cell and serves every index. A maximum of an index would
//! be cheaper and suppress haze, but it is biased high and wipes out the minimum at transplanting, when paddies are flooded,
//! and the fall at harvest; what is compared here says nothing of how green a cell is.
//!
//! **Classes take the look with the median value; of the two middle ones the later** ([`median_look`]): for classes 0 and 1
//! that is the vote of the majority, a tie going to the later look.
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
    /// How hazy the look is, a cell each ([`haze`]): NaN where it cannot be told, infinite where the look is to be taken only
    /// where there is no other. Empty when all of it cannot be told.
    pub haze: Vec<f32>,
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

/// By how much a look may be hazier than the clearest of the week and still be taken, reflectance.
pub const HAZE_ALLOWED: f32 = 0.03;

/// Sums of stored numbers in single precision differ by less.
const ROUNDING: f32 = 1e-6;

/// How hazy a cell looks, reflectance: what is blue and not red. Thin haze adds some 0.05 to it.
///
/// ```
/// use sen_processing::composite::haze;
/// assert!((haze(0.04, 0.05) - 0.015).abs() < 1e-6); // rice
/// assert!((haze(0.118, 0.12) - 0.058).abs() < 1e-6); // the same under thin haze
/// assert!(haze(f32::NAN, 0.05).is_nan());
/// ```
pub fn haze(blue: f32, red: f32) -> f32 {
    blue - 0.5 * red
}

/// The rule of indices in words, for the item's `sen:rule`.
pub const RULE: &str = "of the week's clear looks the latest whose haze (blue - 0.5 red) is at most 0.03 above the least; one \
                        without blue counts as no hazier; looks clear for water only where no other is; one look a cell for all indices; no gap filling";

/// The latest look of each of `cells` cells that is not hazier than the clearest by more than [`HAZE_ALLOWED`]; `looks` are in
/// order of time, those of one pass next to each other, the preferred first.
pub fn latest_clear_look(looks: Vec<Measured>, cells: usize) -> Composite {
    compose(looks, cells, |clear| {
        let hazes = || clear.iter().map(|seen| seen.haze);
        let least = hazes()
            .filter(|haze| !haze.is_nan())
            .fold(f32::INFINITY, f32::min);
        clear
            .iter()
            .rev()
            .find(|seen| seen.haze.is_nan() || seen.haze <= least + HAZE_ALLOWED + ROUNDING)
            .copied()
    })
}

/// The median look of each of `cells` cells; `looks` are in order of time, those of one pass next to each other, the preferred
/// first.
pub fn median_look(looks: Vec<Measured>, cells: usize) -> Composite {
    compose(looks, cells, |clear| {
        clear.sort_by(|a, b| a.value.total_cmp(&b.value));
        middle(clear)
    })
}

/// A look at a cell that shows something.
#[derive(Clone, Copy)]
struct Seen {
    value: f32,
    haze: f32,
    /// Its place in order of time.
    look: usize,
}

/// The look that `choose` takes of those that show something of a cell, in order of time.
fn compose(
    mut looks: Vec<Measured>,
    cells: usize,
    choose: impl Fn(&mut [Seen]) -> Option<Seen>,
) -> Composite {
    match looks.len() {
        0 => none(cells),
        // a week has mostly one look, whose values are taken as they are
        1 => looks.pop().map_or_else(|| none(cells), single),
        _ => several(&looks, cells, choose),
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

fn several(looks: &[Measured], cells: usize, choose: impl Fn(&mut [Seen]) -> Option<Seen>) -> Composite {
    let mut out = none(cells);
    let mut clear: Vec<Seen> = Vec::with_capacity(looks.len());
    for cell in 0..cells {
        clear.clear();
        let mut last_pass = None;
        for (index, look) in looks.iter().enumerate() {
            let value = look.values[cell];
            if !value.is_nan() && last_pass != Some(look.pass) {
                last_pass = Some(look.pass);
                let haze = look.haze.get(cell).copied().unwrap_or(f32::NAN);
                clear.push(Seen {
                    value,
                    haze,
                    look: index,
                });
            }
        }
        let Some(chosen) = choose(&mut clear) else {
            continue;
        };
        out.values[cell] = chosen.value;
        out.age_days[cell] = looks[chosen.look].age_days;
        out.n_clear[cell] = u8::try_from(clear.len()).unwrap_or(u8::MAX);
        out.quality[cell] = if clear.len() == 1 { 1 } else { 2 };
    }
    out
}

/// The median of a sorted list; of the two middle ones of an even list the later look.
fn middle(sorted: &[Seen]) -> Option<Seen> {
    let upper = *sorted.get(sorted.len() / 2)?;
    if sorted.len() % 2 == 1 {
        return Some(upper);
    }
    let lower = *sorted.get(sorted.len() / 2 - 1)?;
    Some(if lower.look > upper.look { lower } else { upper })
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
            haze: Vec::new(),
        }
    }

    /// A look at one cell: its NDVI, blue and red.
    fn seen(pass: usize, (ndvi, blue, red): (f32, f32, f32)) -> Measured {
        Measured {
            haze: vec![haze(blue, red)],
            ..look(pass, 6 - pass as u8, &[ndvi])
        }
    }

    #[track_caller]
    fn takes(looks: &[(f32, f32, f32)], expected: f32, why: &str) {
        let all = || looks.iter().enumerate().map(|(pass, &look)| seen(pass, look));
        let week = latest_clear_look(all().collect(), 1);
        assert_eq!(week.values, [expected], "{why}");
        assert_eq!(usize::from(week.n_clear[0]), looks.len(), "{why}");
    }

    #[test]
    fn the_later_look_is_taken_unless_it_is_hazier() {
        let rice = (0.71, 0.04, 0.05);
        takes(&[rice, (0.53, 0.118, 0.12)], 0.71, "haze later");
        takes(&[(0.53, 0.118, 0.12), rice], 0.71, "haze before");
        takes(&[rice, (0.66, 0.06, 0.06)], 0.66, "0.015 hazier is as clear");
        takes(&[rice, (0.62, 0.075, 0.06)], 0.62, "0.03 hazier is allowed");
        takes(
            &[(0.53, 0.118, 0.12), (0.45, 0.14, 0.14)],
            0.45,
            "both under haze",
        );
        takes(
            &[rice, (0.70, 0.045, 0.05), (0.53, 0.118, 0.12)],
            0.70,
            "of three the latest clear one",
        );
        // step by step each is little hazier than the one before: the last is much hazier than the clearest
        takes(
            &[rice, (0.65, 0.065, 0.05), (0.60, 0.09, 0.05)],
            0.65,
            "haze is held against the clearest",
        );
    }

    #[test]
    fn harvest_and_first_flooding_keep_their_minimum() {
        takes(
            &[(0.78, 0.03, 0.04), (0.18, 0.09, 0.14)],
            0.18,
            "harvest: bright stubble",
        );
        takes(
            &[(0.35, 0.05, 0.07), (0.02, 0.05, 0.05)],
            0.02,
            "first flooding: dark water",
        );
        takes(
            &[(0.30, 0.06, 0.10), (0.05, 0.09, 0.12)],
            0.05,
            "first flooding: silt",
        );
        takes(
            &[(0.80, 0.03, 0.03), (0.12, 0.06, 0.06)],
            0.12,
            "flooded for transplanting",
        );
        takes(
            &[(0.14, 0.05, 0.05), (0.62, 0.03, 0.04)],
            0.62,
            "and what is greener later is later",
        );
    }

    #[test]
    fn without_blue_the_later_look_is_taken_and_doubted_cells_only_where_there_is_no_other() {
        takes(
            &[(0.71, 0.04, 0.05), (0.53, N, 0.12)],
            0.53,
            "the later one has no blue",
        );
        takes(
            &[(0.71, N, 0.05), (0.53, 0.118, 0.12)],
            0.53,
            "the earlier one has none",
        );
        let dark = |pass, value| Measured {
            haze: vec![f32::INFINITY],
            ..look(pass, 0, &[value])
        };
        let of = |looks| latest_clear_look(looks, 1).values[0];
        assert_eq!(of(vec![seen(0, (0.1, 0.04, 0.05)), dark(1, 0.4)]), 0.1);
        assert_eq!(of(vec![dark(0, 0.3), dark(1, 0.4)]), 0.4);
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

//! What grows in a compartment on a day, from the crop calendar of its plots and from its own water.
//!
//! A crop enters the calendar only when plants have been seen after the water, weeks after sowing. Until then the water
//! itself tells: paddies that were under water and fell dry again carry seedlings.

use crate::season::Season;
use chrono::{NaiveDate, TimeDelta};

/// Days after sowing from which on water no longer belongs between the plants (a crop counts as seedlings until then).
const STANDING_FROM: i64 = 18;
/// Days after sowing in which water between the plants is expected (section 3.5 of the science notes).
const WATER_TO: i64 = 25;
/// Days before sowing in which land is soaked and ploughed.
const PREPARATION: i64 = 20;
/// Days after sowing from which a crop whose harvest was not seen may have been cut since the last look: varieties of the
/// delta stand 90 to 105 days.
const DUE: i64 = 85;
/// The same from the day on which the water of transplanting fell away, two to three weeks after sowing.
const DUE_AFTER_WATER: i64 = 65;
/// Days that such water stays on after `WATER_TO` is counted from the day it fell away.
const YOUNG_AFTER_WATER: i64 = 10;
/// Days for which a drowned crop still counts as the crop that stands there.
const DROWNED: i64 = 14;
/// Share of the plots' area whose crop must be known before anything is said.
const KNOWN: f64 = 0.3;

/// Shares of the known plots of a compartment, by area. A plot may be in two: a crop of 18 to 25 days stands, and water
/// may be between its plants.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Crop {
    /// Past the seedling stage and not due for harvest.
    pub standing: f64,
    /// Fallow, under preparation, or up to 25 days after sowing.
    pub resting: f64,
    /// Of `resting`: under preparation or sown, by a date of sowing that is known.
    pub sown: f64,
    /// Area of the plots whose crop is known over that of all.
    pub known: f64,
}

impl Crop {
    /// True when most of the compartment carries a standing crop.
    pub fn is_standing(&self) -> bool {
        self.known >= KNOWN && self.standing >= 0.5
    }

    /// True when most of it carries none that water would harm.
    pub fn is_resting(&self) -> bool {
        self.known >= KNOWN && self.resting >= 0.5
    }

    /// True when most of it is known to be under preparation or just sown.
    pub fn is_sown(&self) -> bool {
        self.known >= KNOWN && self.sown >= 0.5
    }

    /// True when enough plots are known.
    pub fn is_known(&self) -> bool {
        self.known >= KNOWN
    }
}

/// A plot: its area and its crops in order of time.
#[derive(Clone, Debug)]
pub struct Plot {
    /// Any unit, the same for all.
    pub area: f64,
    /// Its crops.
    pub seasons: Vec<Season>,
}

/// What one plot does.
#[derive(Clone, Copy, Default)]
struct State {
    standing: bool,
    resting: bool,
    sown: bool,
}

/// The crop of a compartment on a day. `drained` is the day on which the compartment's water of transplanting was last
/// seen to have fallen away.
pub fn crop_on(plots: &[Plot], drained: Option<NaiveDate>, day: NaiveDate) -> Crop {
    let mut crop = Crop::default();
    let (mut all, mut known) = (0.0, 0.0);
    for plot in plots {
        all += plot.area;
        let Some(state) = state_of(&plot.seasons, drained, day) else {
            continue;
        };
        known += plot.area;
        crop.standing += plot.area * f64::from(u8::from(state.standing));
        crop.resting += plot.area * f64::from(u8::from(state.resting));
        crop.sown += plot.area * f64::from(u8::from(state.sown));
    }
    if known > 0.0 {
        crop.standing /= known;
        crop.resting /= known;
        crop.sown /= known;
        crop.known = known / all;
    }
    crop
}

fn state_of(seasons: &[Season], drained: Option<NaiveDate>, day: NaiveDate) -> Option<State> {
    let mut last_end: Option<NaiveDate> = None;
    for season in seasons {
        let sowing = sowing(season)?;
        let end = end(season, sowing);
        if day < sowing {
            if sowing - day <= TimeDelta::days(PREPARATION) {
                return Some(State {
                    resting: true,
                    sown: true,
                    ..State::default()
                });
            }
            break;
        }
        if day < end {
            let age = (day - sowing).num_days();
            let due = season.harvest.is_none() && age > DUE;
            let young = age <= WATER_TO;
            return Some(State {
                standing: age >= STANDING_FROM && !due,
                resting: young,
                sown: young,
            });
        }
        last_end = Some(end);
    }
    // not in the calendar: a crop of which nothing but the water was seen so far
    let since = drained.filter(|drained| *drained <= day && last_end.is_none_or(|end| end < *drained));
    if let Some(days) = since.map(|drained| (day - drained).num_days())
        && days <= DUE_AFTER_WATER
    {
        return Some(State {
            standing: true,
            resting: days <= YOUNG_AFTER_WATER,
            sown: days <= YOUNG_AFTER_WATER,
        });
    }
    last_end.map(|_| State {
        resting: true,
        ..State::default()
    })
}

/// The day of sowing, reckoned back from heading or harvest where it was not seen.
fn sowing(season: &Season) -> Option<NaiveDate> {
    let back = |day: Option<NaiveDate>, days: i64| day.map(|day| day - TimeDelta::days(days));
    season
        .sowing
        .or_else(|| {
            back(
                season.heading,
                crate::season::USUAL_DAYS - crate::season::RIPENING_DAYS,
            )
        })
        .or_else(|| back(season.harvest, crate::season::USUAL_DAYS))
}

/// The day after which the crop no longer counts.
fn end(season: &Season, sowing: NaiveDate) -> NaiveDate {
    season
        .harvest
        .or_else(|| season.lost.map(|lost| lost + TimeDelta::days(DROWNED)))
        .unwrap_or(sowing + TimeDelta::days(crate::season::USUAL_DAYS + crate::season::RIPENING_DAYS))
}

//! Class numbers of the weekly layers `flood` and `flood_observed`: what writes them (processing) and what reads them (statistics, service)
//! agree here.
//!
//! 0, 1, 2 and 251 to 255 are those of OPERA DSWx; 3 to 5 say what kind of water it is, as far as that is known.

/// Looked at and not under water.
pub const NOT_WATER: u8 = 0;
/// Open water whose kind is not known: too little is known of the cell's past.
pub const OPEN_WATER: u8 = 1;
/// Partly water: plants or land and water in one cell.
pub const PARTIAL: u8 = 2;
/// Water all year: rivers, canals, ponds.
pub const PERMANENT: u8 = 3;
/// Water that comes and goes with the crop and the season: paddies at transplanting.
pub const SEASONAL: u8 = 4;
/// Flood: land under water that is neither permanent nor expected.
pub const FLOOD: u8 = 5;
/// Looked at, but only by radar and where it cannot tell water: among buildings, under dense forest. OPERA DSWx-S1 gives
/// its masked layover and shadow the same number.
pub const NOT_CLASSIFIED: u8 = 251;
/// Snow or ice was seen. Not made here; kept free as in DSWx.
pub const SNOW: u8 = 252;
/// Looked at, but only clouds and their shadows were seen.
pub const CLOUD: u8 = 253;
/// Ocean, masked. Not made here; kept free as in DSWx.
pub const OCEAN: u8 = 254;
/// No look covers the cell.
pub const NO_DATA: u8 = 255;

/// The collection of the weekly maps as the causes tell them; it names files of [`FLOOD_OBSERVED`] where those say nothing else.
pub const FLOOD_TOLD: &str = "flood";

/// The collection of the weekly maps as the satellites alone saw them.
pub const FLOOD_OBSERVED: &str = "flood_observed";

/// True for open water of every kind; partly water is land with some.
///
/// ```
/// use sen_catalog::flood::{FLOOD, NOT_WATER, PARTIAL, is_water};
/// assert!(is_water(FLOOD) && !is_water(PARTIAL) && !is_water(NOT_WATER));
/// ```
pub const fn is_water(class: u8) -> bool {
    matches!(class, OPEN_WATER | PERMANENT | SEASONAL | FLOOD)
}

/// True for open water on land: all but the permanent one.
///
/// ```
/// use sen_catalog::flood::{OPEN_WATER, PERMANENT, SEASONAL, is_on_land};
/// assert!(is_on_land(SEASONAL) && is_on_land(OPEN_WATER) && !is_on_land(PERMANENT));
/// ```
pub const fn is_on_land(class: u8) -> bool {
    is_water(class) && class != PERMANENT
}

/// True where the surface was seen, wet or dry.
///
/// ```
/// use sen_catalog::flood::{CLOUD, NO_DATA, NOT_CLASSIFIED, NOT_WATER, is_seen};
/// assert!(is_seen(NOT_WATER) && !is_seen(CLOUD) && !is_seen(NOT_CLASSIFIED) && !is_seen(NO_DATA));
/// ```
pub const fn is_seen(class: u8) -> bool {
    class <= FLOOD
}

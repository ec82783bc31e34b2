//! Thresholds for the Mekong delta where nothing else is configured.

use super::config::{Flat, Range, Rate, Spike, SpikeMethod, Tests};

fn range(fail: [f64; 2]) -> Option<Range> {
    Some(Range { fail, suspect: None })
}

fn spike(suspect: f64, fail: f64) -> Option<Spike> {
    Some(Spike {
        suspect,
        fail,
        method: SpikeMethod::Average,
    })
}

/// The tests of a property, none for one that is not known here.
///
/// Water level in metres: -2 to 7 m covers the record floods of Tan Chau and the lowest tides, tides here rise by less
/// than 0.5 m an hour. The pH of canal water moves by at least 0.04 within half a day at every station of the demo
/// province; a probe that moves by less is stuck, even where its electronics drift.
pub fn defaults(property: &str) -> Tests {
    match property {
        "water_level" => Tests {
            range: range([-2.0, 7.0]),
            spike: spike(0.15, 0.40),
            rate: Some(Rate {
                suspect_per_hour: 0.5,
                fail_per_hour: None,
            }),
            flat: Some(Flat {
                suspect_hours: 3.0,
                fail_hours: 6.0,
                tolerance: 0.005,
            }),
            ..Tests::default()
        },
        "salinity" => Tests {
            range: range([0.0, 35.0]),
            spike: spike(1.0, 3.0),
            ..Tests::default()
        },
        "ph" => Tests {
            range: range([3.0, 10.0]),
            spike: spike(0.5, 1.0),
            flat: Some(Flat {
                suspect_hours: 12.0,
                fail_hours: 24.0,
                tolerance: 0.025,
            }),
            ..Tests::default()
        },
        "temperature" | "water_temperature" => Tests {
            range: range([15.0, 45.0]),
            ..Tests::default()
        },
        // below 1 % by volume a probe stands in the air, or tells a fraction
        "soil_moisture" => Tests {
            range: range([1.0, 60.0]),
            ..Tests::default()
        },
        // the driest air of the delta has some 25 %
        "humidity" => Tests {
            range: range([5.0, 100.0]),
            ..Tests::default()
        },
        // sea water has 53 mS/cm
        "conductivity" => Tests {
            range: range([0.0, 80.0]),
            ..Tests::default()
        },
        // the deepest pools of the Mekong have some 45 m
        "water_depth" => Tests {
            range: range([-0.5, 60.0]),
            ..Tests::default()
        },
        // twice what warm water holds in equilibrium with air: algae by day
        "dissolved_oxygen" => Tests {
            range: range([0.0, 25.0]),
            ..Tests::default()
        },
        "oxygen_saturation" => Tests {
            range: range([0.0, 300.0]),
            ..Tests::default()
        },
        // the lowest typhoon and the highest mountain of the province's neighbours
        "pressure" => Tests {
            range: range([850.0, 1090.0]),
            ..Tests::default()
        },
        "battery" => Tests {
            range: range([1.0, 32.0]),
            ..Tests::default()
        },
        "battery_level" => Tests {
            range: range([0.0, 100.0]),
            ..Tests::default()
        },
        // no typhoon blew faster over land
        "wind_speed" => Tests {
            range: range([0.0, 90.0]),
            ..Tests::default()
        },
        // 600 mm in an hour were never measured anywhere
        "rain" => Tests {
            range: range([0.0, 600.0]),
            ..Tests::default()
        },
        _ => Tests::default(),
    }
}

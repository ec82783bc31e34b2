//! The Canadian Forest Fire Weather Index: three moisture codes carried from day to day, and what they say together.
//!
//! Equations of Van Wagner & Pickett 1985 as the R package cffdrs 1.10.0 has them, with its exact constant 250 * 59.5 / 101
//! in place of the printed 147.2 (the two differ by up to 1.8 % in ISI), and its factors for latitude. Published as a
//! number only: its European classes are not levels of Vietnamese law.

use serde::{Deserialize, Serialize};

/// Turns fine-fuel moisture code into moisture content, and back.
const FFMC_COEFFICIENT: f64 = 250.0 * 59.5 / 101.0;

/// Weather at noon, local standard time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Weather {
    /// Air temperature, degrees Celsius.
    pub temperature_c: f64,
    /// Relative humidity, percent.
    pub humidity_percent: f64,
    /// Wind 10 m above the ground, km/h.
    pub wind_km_h: f64,
    /// Rain of the 24 hours before, mm.
    pub rain_mm: f64,
}

/// The moisture codes at the end of a day.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Codes {
    /// Fine fuel moisture code: litter, days.
    pub ffmc: f64,
    /// Duff moisture code: about two weeks.
    pub dmc: f64,
    /// Drought code: about two months.
    pub dc: f64,
}

/// Where a count begins (Canadian spring after snow melt); the drought code needs about two months to forget it.
pub const START: Codes = Codes {
    ffmc: 85.0,
    dmc: 6.0,
    dc: 15.0,
};

/// The indices of a day.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fwi {
    /// Initial spread index.
    pub isi: f64,
    /// Build-up index.
    pub bui: f64,
    /// Fire weather index.
    pub fwi: f64,
    /// Daily severity rating.
    pub dsr: f64,
}

impl Codes {
    /// The codes a day later; `month` 1 to 12, `latitude` in degrees.
    #[must_use]
    pub fn next(&self, weather: &Weather, month: u32, latitude: f64) -> Self {
        let humidity = weather.humidity_percent.clamp(0.0, 99.9999);
        let weather = Weather {
            humidity_percent: humidity,
            ..*weather
        };
        Self {
            ffmc: fine_fuel(self.ffmc, &weather),
            dmc: duff(self.dmc, &weather, day_length(month, latitude)),
            dc: drought(self.dc, &weather, dry_day_factor(month, latitude)),
        }
    }

    /// What the codes say with the wind of the day.
    pub fn index(&self, wind_km_h: f64) -> Fwi {
        let isi = spread(self.ffmc, wind_km_h);
        let bui = build_up(self.dmc, self.dc);
        let intensity = if bui > 80.0 {
            0.1 * isi * (1000.0 / (25.0 + 108.64 * (-0.023 * bui).exp()))
        } else {
            0.1 * isi * (0.626 * bui.powf(0.809) + 2.0)
        };
        let fwi = if intensity <= 1.0 {
            intensity
        } else {
            (2.72 * (0.434 * intensity.ln()).powf(0.647)).exp()
        };
        Fwi {
            isi,
            bui,
            fwi,
            dsr: 0.0272 * fwi.powf(1.77),
        }
    }
}

fn moisture(ffmc: f64) -> f64 {
    FFMC_COEFFICIENT * (101.0 - ffmc) / (59.5 + ffmc)
}

fn fine_fuel(before: f64, weather: &Weather) -> f64 {
    let (t, h, w) = (weather.temperature_c, weather.humidity_percent, weather.wind_km_h);
    let mut m = moisture(before);
    if weather.rain_mm > 0.5 {
        let rain = weather.rain_mm - 0.5;
        let mut wetter = m + 42.5 * rain * (-100.0 / (251.0 - m)).exp() * (1.0 - (-6.93 / rain).exp());
        if m > 150.0 {
            wetter += 0.0015 * (m - 150.0).powi(2) * rain.sqrt();
        }
        m = wetter.min(250.0);
    }
    let warm = 0.18 * (21.1 - t) * (1.0 - (-0.115 * h).exp());
    let drying = 0.942 * h.powf(0.679) + 11.0 * ((h - 100.0) / 10.0).exp() + warm;
    let wetting = 0.618 * h.powf(0.753) + 10.0 * ((h - 100.0) / 10.0).exp() + warm;
    let rate = |share: f64| {
        let log = 0.424 * (1.0 - share.powf(1.7)) + 0.0694 * w.sqrt() * (1.0 - share.powi(8));
        10_f64.powf(-log * 0.581 * (0.0365 * t).exp())
    };
    if m > drying {
        m = drying + (m - drying) * rate(h / 100.0);
    } else if m < wetting {
        m = wetting - (wetting - m) * rate((100.0 - h) / 100.0);
    }
    (59.5 * (250.0 - m) / (FFMC_COEFFICIENT + m)).clamp(0.0, 101.0)
}

fn duff(before: f64, weather: &Weather, hours: f64) -> f64 {
    let t = weather.temperature_c.max(-1.1);
    let dried = 1.894 * (t + 1.1) * (100.0 - weather.humidity_percent) * hours * 1e-4;
    let mut code = before;
    if weather.rain_mm > 1.5 {
        let rain = 0.92 * weather.rain_mm - 1.27;
        let m = 20.0 + 280.0 * (-0.023 * before).exp();
        let slope = if before <= 33.0 {
            100.0 / (0.5 + 0.3 * before)
        } else if before <= 65.0 {
            14.0 - 1.3 * before.ln()
        } else {
            6.2 * before.ln() - 17.2
        };
        let wet = m + 1000.0 * rain / (48.77 + slope * rain);
        code = (43.43 * (5.6348 - (wet - 20.0).ln())).max(0.0);
    }
    (code + dried).max(0.0)
}

fn drought(before: f64, weather: &Weather, factor: f64) -> f64 {
    let t = weather.temperature_c.max(-2.8);
    let mut code = before;
    if weather.rain_mm > 2.8 {
        let rain = 0.83 * weather.rain_mm - 1.27;
        let m = 800.0 * (-before / 400.0).exp();
        code = (before - 400.0 * (1.0 + 3.937 * rain / m).ln()).max(0.0);
    }
    code + (0.36f64.mul_add(t + 2.8, factor) / 2.0).max(0.0)
}

fn spread(ffmc: f64, wind_km_h: f64) -> f64 {
    let m = moisture(ffmc);
    let fuel = 91.9 * (-0.1386 * m).exp() * (1.0 + m.powf(5.31) / 4.93e7);
    0.208 * (0.05039 * wind_km_h).exp() * fuel
}

fn build_up(dmc: f64, dc: f64) -> f64 {
    if dmc <= 0.0 {
        return 0.0;
    }
    let together = 0.8 * dc * dmc / (dmc + 0.4 * dc);
    if together >= dmc {
        return together;
    }
    let excess = (dmc - together) / dmc;
    (dmc - (0.92 + (0.0114 * dmc).powf(1.7)) * excess).max(0.0)
}

/// Effective day length of the duff moisture code, hours.
fn day_length(month: u32, latitude: f64) -> f64 {
    const NORTH: [f64; 12] = [6.5, 7.5, 9.0, 12.8, 13.9, 13.9, 12.4, 10.9, 9.4, 8.0, 7.0, 6.0];
    const TROPIC_NORTH: [f64; 12] = [7.9, 8.4, 8.9, 9.5, 9.9, 10.2, 10.1, 9.7, 9.1, 8.6, 8.1, 7.8];
    const TROPIC_SOUTH: [f64; 12] = [10.1, 9.6, 9.1, 8.5, 8.1, 7.8, 7.9, 8.3, 8.9, 9.4, 9.9, 10.2];
    const SOUTH: [f64; 12] = [11.5, 10.5, 9.2, 7.9, 6.8, 6.2, 6.5, 7.4, 8.7, 10.0, 11.2, 11.8];
    let index = (month.clamp(1, 12) - 1) as usize;
    match latitude {
        l if l > 30.0 => NORTH[index],
        l if l > 10.0 => TROPIC_NORTH[index],
        l if l > -10.0 => 9.0,
        l if l > -30.0 => TROPIC_SOUTH[index],
        _ => SOUTH[index],
    }
}

/// Day-length factor of the drought code.
fn dry_day_factor(month: u32, latitude: f64) -> f64 {
    const NORTH: [f64; 12] = [-1.6, -1.6, -1.6, 0.9, 3.8, 5.8, 6.4, 5.0, 2.4, 0.4, -1.6, -1.6];
    const SOUTH: [f64; 12] = [6.4, 5.0, 2.4, 0.4, -1.6, -1.6, -1.6, -1.6, -1.6, 0.9, 3.8, 5.8];
    let index = (month.clamp(1, 12) - 1) as usize;
    match latitude {
        l if l > 20.0 => NORTH[index],
        l if l > -20.0 => 1.4,
        _ => SOUTH[index],
    }
}

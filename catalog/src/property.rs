//! What can be measured: the properties this project knows by name, their units, and what other units become.
//!
//! The list is open: a property that is not in it is kept under its own name in the unit it comes with.

use crate::{Error, Result, qartod};

/// A property that stations measure.
#[derive(Debug, PartialEq)]
pub struct Property {
    /// The project's name: `water_level`.
    pub name: &'static str,
    /// The unit it is kept in, UCUM.
    pub unit: &'static str,
    /// Name for people, Vietnamese.
    pub vi: &'static str,
    /// Name for people, English.
    pub en: &'static str,
    /// Where the word is defined: a CF standard name, where one fits.
    pub definition: &'static str,
    /// Other names by which files call it.
    aliases: &'static [&'static str],
    /// Other spellings and units: name, factor, offset; value * factor + offset is in the property's unit.
    units: &'static [(&'static str, f64, f64)],
}

const METRES: &[(&str, f64, f64)] = &[
    ("m", 1.0, 0.0),
    ("cm", 0.01, 0.0),
    ("mm", 0.001, 0.0),
    ("ft", 0.3048, 0.0),
    ("[ft_i]", 0.3048, 0.0),
];
const DEGREES: &[(&str, f64, f64)] = &[
    ("Cel", 1.0, 0.0),
    ("C", 1.0, 0.0),
    ("°C", 1.0, 0.0),
    ("degC", 1.0, 0.0),
    ("K", 1.0, -273.15),
    ("F", 5.0 / 9.0, -160.0 / 9.0),
    ("degF", 5.0 / 9.0, -160.0 / 9.0),
];
/// Without UCUM's `1` for fractions: `humidity_1` is the first of two probes.
const PERCENT: &[(&str, f64, f64)] = &[
    ("%", 1.0, 0.0),
    ("percent", 1.0, 0.0),
    ("pct", 1.0, 0.0),
    ("fraction", 100.0, 0.0),
];

/// Grams of salt a litre for each mS/cm (dS/m) of conductivity at 25 degrees, and up to which conductivity that holds
/// (section 5.5 of the project's science notes).
const SALT_BY_CONDUCTIVITY: f64 = 0.64;
const MOST_CONDUCTIVITY: f64 = 5.0;

/// Every property known by name.
pub const PROPERTIES: &[Property] = &[
    Property {
        name: "water_level",
        unit: "m",
        vi: "Mực nước",
        en: "Water level",
        definition: "http://vocab.nerc.ac.uk/standard_name/water_surface_height_above_reference_datum/",
        aliases: &["level", "muc_nuoc", "stage"],
        units: METRES,
    },
    Property {
        name: "water_depth",
        unit: "m",
        vi: "Độ sâu nước",
        en: "Water depth",
        definition: "http://vocab.nerc.ac.uk/standard_name/depth/",
        aliases: &["depth", "do_sau"],
        units: METRES,
    },
    Property {
        name: "salinity",
        unit: "g/L",
        vi: "Độ mặn",
        en: "Salinity",
        definition: "http://vocab.nerc.ac.uk/standard_name/sea_water_salinity/",
        aliases: &["sal", "do_man"],
        units: &[
            ("g/L", 1.0, 0.0),
            ("ppt", 1.0, 0.0),
            ("psu", 1.0, 0.0),
            ("‰", 1.0, 0.0),
            ("mg/L", 0.001, 0.0),
            ("mS/cm", SALT_BY_CONDUCTIVITY, 0.0),
            ("dS/m", SALT_BY_CONDUCTIVITY, 0.0),
            ("uS/cm", SALT_BY_CONDUCTIVITY / 1000.0, 0.0),
            ("µS/cm", SALT_BY_CONDUCTIVITY / 1000.0, 0.0),
        ],
    },
    Property {
        name: "conductivity",
        unit: "mS/cm",
        vi: "Độ dẫn điện ở 25 °C",
        en: "Conductivity at 25 °C",
        definition: "http://vocab.nerc.ac.uk/standard_name/sea_water_electrical_conductivity_at_reference_temperature/",
        aliases: &["ec", "spcond", "specific_conductance"],
        units: &[
            ("mS/cm", 1.0, 0.0),
            ("dS/m", 1.0, 0.0),
            ("uS/cm", 0.001, 0.0),
            ("µS/cm", 0.001, 0.0),
        ],
    },
    Property {
        name: "ph",
        unit: "[pH]",
        vi: "Độ pH",
        en: "pH",
        definition: "http://vocab.nerc.ac.uk/standard_name/sea_water_ph_reported_on_total_scale/",
        aliases: &[],
        units: &[("[pH]", 1.0, 0.0), ("pH", 1.0, 0.0), ("1", 1.0, 0.0)],
    },
    Property {
        name: "temperature",
        unit: "Cel",
        vi: "Nhiệt độ",
        en: "Temperature",
        definition: "http://vocab.nerc.ac.uk/standard_name/air_temperature/",
        aliases: &["temp", "air_temperature", "nhiet_do"],
        units: DEGREES,
    },
    Property {
        name: "water_temperature",
        unit: "Cel",
        vi: "Nhiệt độ nước",
        en: "Water temperature",
        definition: "http://vocab.nerc.ac.uk/standard_name/sea_water_temperature/",
        aliases: &["watertemp"],
        units: DEGREES,
    },
    Property {
        name: "humidity",
        unit: "%",
        vi: "Độ ẩm không khí",
        en: "Relative humidity",
        definition: "http://vocab.nerc.ac.uk/standard_name/relative_humidity/",
        aliases: &["rh", "relative_humidity", "do_am"],
        units: PERCENT,
    },
    Property {
        name: "rain",
        unit: "mm",
        vi: "Lượng mưa",
        en: "Rain",
        definition: "http://vocab.nerc.ac.uk/standard_name/thickness_of_rainfall_amount/",
        aliases: &["rainfall", "precipitation", "mua"],
        units: &[
            ("mm", 1.0, 0.0),
            ("cm", 10.0, 0.0),
            ("in", 25.4, 0.0),
            ("[in_i]", 25.4, 0.0),
        ],
    },
    Property {
        name: "wind_speed",
        unit: "m/s",
        vi: "Tốc độ gió ở độ cao 10 m",
        en: "Wind speed at 10 m",
        definition: "http://vocab.nerc.ac.uk/standard_name/wind_speed/",
        aliases: &["wind", "toc_do_gio", "gio"],
        units: &[
            ("m/s", 1.0, 0.0),
            ("km/h", 1.0 / 3.6, 0.0),
            ("kn", 1852.0 / 3600.0, 0.0),
            ("[kn_i]", 1852.0 / 3600.0, 0.0),
        ],
    },
    Property {
        name: "soil_moisture",
        unit: "%",
        vi: "Độ ẩm đất (thể tích)",
        en: "Soil moisture (by volume)",
        definition: "http://vocab.nerc.ac.uk/standard_name/volume_fraction_of_condensed_water_in_soil/",
        aliases: &["vwc", "do_am_dat"],
        units: &[
            ("%", 1.0, 0.0),
            ("percent", 1.0, 0.0),
            ("pct", 1.0, 0.0),
            ("m3/m3", 100.0, 0.0),
            ("m³/m³", 100.0, 0.0),
            ("cm3/cm3", 100.0, 0.0),
            ("fraction", 100.0, 0.0),
        ],
    },
    Property {
        name: "dissolved_oxygen",
        unit: "mg/L",
        vi: "Oxy hòa tan",
        en: "Dissolved oxygen",
        definition: "http://vocab.nerc.ac.uk/standard_name/mass_concentration_of_oxygen_in_sea_water/",
        aliases: &["do", "do_mgl", "oxygen"],
        units: &[("mg/L", 1.0, 0.0), ("ppm", 1.0, 0.0), ("g/L", 1000.0, 0.0)],
    },
    Property {
        name: "oxygen_saturation",
        unit: "%",
        vi: "Độ bão hòa oxy",
        en: "Oxygen saturation",
        definition: "http://vocab.nerc.ac.uk/standard_name/fractional_saturation_of_oxygen_in_sea_water/",
        aliases: &[
            "do_sat",
            "do_pct",
            "do_percent",
            "oxygen_percent",
            "dissolved_oxygen_saturation",
        ],
        units: PERCENT,
    },
    Property {
        name: "pressure",
        unit: "hPa",
        vi: "Khí áp tại trạm",
        en: "Air pressure at the station",
        definition: "http://vocab.nerc.ac.uk/standard_name/surface_air_pressure/",
        aliases: &["air_pressure", "barometric_pressure", "khi_ap"],
        units: &[
            ("hPa", 1.0, 0.0),
            ("mbar", 1.0, 0.0),
            ("kPa", 10.0, 0.0),
            ("Pa", 0.01, 0.0),
            ("bar", 1000.0, 0.0),
            ("mmHg", 1.333_223_874_15, 0.0),
            ("mm[Hg]", 1.333_223_874_15, 0.0),
            ("inHg", 33.863_886_403_41, 0.0),
        ],
    },
    Property {
        name: "turbidity",
        unit: "[NTU]",
        vi: "Độ đục",
        en: "Turbidity",
        definition: "http://vocab.nerc.ac.uk/standard_name/sea_water_turbidity/",
        aliases: &["turb"],
        units: &[("[NTU]", 1.0, 0.0), ("NTU", 1.0, 0.0), ("FNU", 1.0, 0.0)],
    },
    Property {
        name: "pest_count",
        unit: "1",
        vi: "Số sâu hại trong bẫy",
        en: "Pests in the trap",
        definition: "",
        aliases: &["pests", "trap_count"],
        units: &[("1", 1.0, 0.0), ("count", 1.0, 0.0)],
    },
    Property {
        name: "battery",
        unit: "V",
        vi: "Điện áp pin",
        en: "Battery",
        definition: "http://vocab.nerc.ac.uk/standard_name/battery_voltage/",
        aliases: &["battery_voltage", "vbat"],
        units: &[("V", 1.0, 0.0), ("mV", 0.001, 0.0)],
    },
    Property {
        name: "battery_level",
        unit: "%",
        vi: "Mức pin",
        en: "Battery level",
        definition: "",
        aliases: &["battery_percent", "battery_pct", "soc"],
        units: PERCENT,
    },
];

/// Properties that go by one name in tables without units: `oxygen` is mg/L or per cent of saturation.
const NAMESAKES: [(&str, &str); 2] = [
    ("dissolved_oxygen", "oxygen_saturation"),
    ("battery", "battery_level"),
];

/// What a number without unit is likely in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LikelyUnit {
    /// The property, which may be a namesake of the one that was said.
    pub property: &'static str,
    /// The unit.
    pub unit: &'static str,
}

impl std::fmt::Display for LikelyUnit {
    /// As `--column NAME=` takes it: `conductivity:uS/cm`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.property, self.unit)
    }
}

/// A property by its name or one of its other names, in any case.
pub fn property(name: &str) -> Option<&'static Property> {
    let name = name.trim().to_lowercase();
    PROPERTIES
        .iter()
        .find(|property| property.name == name || property.aliases.contains(&name.as_str()))
}

/// The same unit however it is written: `g_l`, `g/l`, `G/L`.
fn plain(unit: &str) -> String {
    let plain: String = unit.trim().to_lowercase().replace(['_', ' ', '/'], "");
    plain.replace('μ', "µ")
}

impl Property {
    /// A value in another unit, in the property's own.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a unit that does not fit, and for a conductivity too high to tell the salinity from.
    pub fn convert(&self, value: f64, unit: &str) -> Result<f64> {
        let wanted = plain(unit);
        let Some((known, factor, offset)) = self.units.iter().find(|(name, ..)| plain(name) == wanted) else {
            let fitting: Vec<_> = self.units.iter().map(|(name, ..)| *name).collect();
            return Err(Error::Invalid(format!(
                "the unit `{unit}` does not fit {}; it takes {}",
                self.name,
                fitting.join(", ")
            )));
        };
        let from_conductivity = self.name == "salinity" && (known.ends_with("S/cm") || *known == "dS/m");
        let converted = value * factor + offset;
        if from_conductivity && converted > SALT_BY_CONDUCTIVITY * MOST_CONDUCTIVITY {
            return Err(Error::Invalid(format!(
                "{value} {unit} is too much to tell the salinity from: {SALT_BY_CONDUCTIVITY} g/L for each mS/cm \
                 holds up to {MOST_CONDUCTIVITY} mS/cm; deliver it as conductivity, or as salinity in g/L"
            )));
        }
        Ok(converted)
    }

    /// What a number without unit is likely in, where it is none that can be measured here in the property's own unit and
    /// one that can in another: 1850 of conductivity is in uS/cm, not in mS/cm. Empty where nothing speaks against the
    /// property's own unit, or no other fits either.
    pub fn likely_units(&self, value: f64) -> Vec<LikelyUnit> {
        let measurable = |property: &str, value: f64| {
            let range = qartod::defaults(property).range;
            range.is_some_and(|range| (range.fail[0]..=range.fail[1]).contains(&value))
        };
        if qartod::defaults(self.name).range.is_none() || measurable(self.name, value) {
            return Vec::new();
        }
        let mut likely: Vec<LikelyUnit> = Vec::new();
        let mut known: Vec<(f64, f64)> = Vec::new();
        for &(unit, factor, offset) in self.units {
            let fits = self
                .convert(value, unit)
                .is_ok_and(|own| measurable(self.name, own));
            if fits && !known.contains(&(factor, offset)) {
                known.push((factor, offset));
                likely.push(LikelyUnit {
                    property: self.name,
                    unit,
                });
            }
        }
        let namesake = NAMESAKES.iter().find(|(name, _)| *name == self.name);
        if let Some(other) = namesake.and_then(|(_, other)| property(other))
            && measurable(other.name, value)
        {
            likely.push(LikelyUnit {
                property: other.name,
                unit: other.unit,
            });
        }
        likely
    }

    /// True when the unit is one of per cent.
    pub fn is_percent(unit: &str) -> bool {
        ["%", "percent", "pct"].contains(&plain(unit).as_str())
    }

    /// True when values in the unit can be converted.
    pub fn takes(&self, unit: &str) -> bool {
        let wanted = plain(unit);
        self.units.iter().any(|(name, ..)| plain(name) == wanted)
    }
}

/// What a column named `property_unit` (`level_m`, `salinity_g_l`, `temperature_c`, `EC (µS/cm)`, `ph`) holds: the
/// property and its unit, none where the name says none. None when it does not begin with the name of a property or does
/// not end in a unit that fits.
pub fn column(name: &str) -> Option<(&'static Property, Option<&'static str>)> {
    let name = name.trim();
    let in_brackets = name
        .strip_suffix([')', ']'])
        .and_then(|name| name.split_once(['(', '[']));
    let cuts = name.char_indices().filter(|&(_, c)| c == '_');
    let cut = cuts.filter_map(|(at, _)| Some((name.get(..at)?, name.get(at + 1..)?)));
    for (head, unit) in in_brackets.into_iter().chain(cut) {
        let Some(found) = property(&head.trim().replace(' ', "_")) else {
            continue;
        };
        let wanted = plain(unit);
        if let Some((unit, ..)) = found.units.iter().find(|(known, ..)| plain(known) == wanted) {
            return Some((found, Some(unit)));
        }
    }
    // a name that is the property's says no unit, even where there is but one
    property(name).map(|found| (found, None))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(a: f64, b: f64) -> bool {
        (a - b).abs() < 1e-9
    }

    #[test]
    fn columns_of_stations_name_property_and_unit() {
        let names = |text| column(text).map(|(property, unit)| (property.name, unit));
        for (name, property, unit) in [
            ("level_m", "water_level", Some("m")),
            ("water_level_cm", "water_level", Some("cm")),
            ("salinity_g_l", "salinity", Some("g/L")),
            ("ph", "ph", None),
            ("temperature_c", "temperature", Some("C")),
            ("humidity_percent", "humidity", Some("percent")),
            ("rain_mm", "rain", Some("mm")),
            ("wind_m_s", "wind_speed", Some("m/s")),
            ("EC (µS/cm)", "conductivity", Some("µS/cm")),
            ("Water level [cm]", "water_level", Some("cm")),
            ("DO_mgl", "dissolved_oxygen", Some("mg/L")),
            ("DO_pct", "oxygen_saturation", None),
            ("do_man", "salinity", None),
            ("EC", "conductivity", None),
        ] {
            assert_eq!(names(name), Some((property, unit)), "{name}");
        }
        for name in ["humidity_1", "EC (kg)"] {
            assert_eq!(names(name), None, "{name}");
        }
        assert_eq!(names("level_kg"), None);
        assert_eq!(names("F_Record"), None);
    }

    #[test]
    fn units_are_converted_and_those_that_do_not_fit_refused() {
        let level = property("Level").expect("known");
        assert!(close(level.convert(152.0, "cm").expect("fits"), 1.52));
        assert!(
            level
                .convert(1.0, "g/L")
                .expect_err("refused")
                .to_string()
                .contains("`g/L`")
        );
        let salinity = property("salinity").expect("known");
        assert!(close(salinity.convert(2.5, "mS/cm").expect("fits"), 1.6));
        assert!(close(salinity.convert(2500.0, "µS/cm").expect("fits"), 1.6));
        assert!(close(salinity.convert(1600.0, "mg/l").expect("fits"), 1.6));
        let sea = salinity.convert(53.0, "mS/cm").expect_err("refused").to_string();
        assert!(sea.contains("conductivity"), "{sea}");
        let air = property("temp").expect("known");
        assert!(close(air.convert(86.0, "degF").expect("fits"), 30.0));
        assert!(close(air.convert(303.15, "K").expect("fits"), 30.0));
    }

    #[test]
    fn a_number_that_cannot_be_measured_here_tells_its_unit() {
        let likely = |name: &str, value: f64| {
            let units = property(name).expect("known").likely_units(value);
            units
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join(" ")
        };
        for (name, value, units) in [
            ("ec", 1850.0, "conductivity:uS/cm"),
            ("ec", 1.85, ""),
            ("salinity", 2500.0, "salinity:mg/L salinity:uS/cm"),
            ("humidity", 0.85, "humidity:fraction"),
            ("humidity", 85.0, ""),
            ("soil_moisture", 0.32, "soil_moisture:m3/m3"),
            ("oxygen", 85.0, "oxygen_saturation:%"),
            ("oxygen", 7.2, ""),
            ("battery", 87.0, "battery_level:%"),
            ("battery", 3700.0, "battery:mV"),
            ("battery", 12.6, ""),
            ("level", 152.0, "water_level:cm water_level:mm"),
            ("level", 1520.0, "water_level:mm"),
            ("temp", 303.2, "temperature:K"),
            ("temp", 86.9, "temperature:F"),
            ("pressure", 101.3, "pressure:kPa"),
            ("pressure", 101_325.0, "pressure:Pa"),
            ("pressure", 760.0, "pressure:mmHg"),
            ("pressure", 29.9, "pressure:inHg"),
            ("pressure", 1009.0, ""),
            ("wind", 180.0, "wind_speed:km/h"),
            ("ph", 71.0, ""),
            ("rain", 1250.0, ""),
            ("pests", 5000.0, ""),
        ] {
            assert_eq!(likely(name, value), units, "{name} {value}");
        }
    }
}

//! What can be measured: the properties this project knows by name, their units, and what other units become.
//!
//! The list is open: a property that is not in it is kept under its own name in the unit it comes with.

use crate::{Error, Result};

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
const PERCENT: &[(&str, f64, f64)] = &[("%", 1.0, 0.0), ("percent", 1.0, 0.0), ("pct", 1.0, 0.0)];

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
        ],
    },
    Property {
        name: "dissolved_oxygen",
        unit: "mg/L",
        vi: "Oxy hòa tan",
        en: "Dissolved oxygen",
        definition: "http://vocab.nerc.ac.uk/standard_name/mass_concentration_of_oxygen_in_sea_water/",
        aliases: &["do_mgl", "oxygen"],
        units: &[("mg/L", 1.0, 0.0), ("g/L", 1000.0, 0.0)],
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
];

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

    /// True when values in the unit can be converted.
    pub fn takes(&self, unit: &str) -> bool {
        let wanted = plain(unit);
        self.units.iter().any(|(name, ..)| plain(name) == wanted)
    }
}

/// What a column named `property_unit` (`level_m`, `salinity_g_l`, `temperature_c`, `ph`) holds: the property and its
/// unit. None when it does not begin with the name of a property or does not end in a unit that fits.
pub fn column(name: &str) -> Option<(&'static Property, &'static str)> {
    let name = name.trim();
    if let Some(found) = property(name) {
        return Some((found, found.unit));
    }
    let cuts = name.char_indices().filter(|&(_, c)| c == '_').map(|(at, _)| at);
    for at in cuts {
        let (head, unit) = (name.get(..at)?, name.get(at + 1..)?);
        let Some(found) = property(head) else { continue };
        let wanted = plain(unit);
        if let Some((unit, ..)) = found.units.iter().find(|(known, ..)| plain(known) == wanted) {
            return Some((found, unit));
        }
    }
    None
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
        assert_eq!(names("level_m"), Some(("water_level", "m")));
        assert_eq!(names("water_level_cm"), Some(("water_level", "cm")));
        assert_eq!(names("salinity_g_l"), Some(("salinity", "g/L")));
        assert_eq!(names("ph"), Some(("ph", "[pH]")));
        assert_eq!(names("temperature_c"), Some(("temperature", "C")));
        assert_eq!(names("humidity_percent"), Some(("humidity", "percent")));
        assert_eq!(names("rain_mm"), Some(("rain", "mm")));
        assert_eq!(names("wind_m_s"), Some(("wind_speed", "m/s")));
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
}

//! Numbers, weeks and sentences as people read them, in both languages.

use crate::style::{Language, Text};
use chrono::{Datelike, NaiveDate};
use sen_catalog::Period;

/// A number with its decimals: `0,71` in Vietnamese, `0.71` in English, with a true minus.
pub(crate) fn number(value: f64, decimals: usize, language: Language) -> String {
    let text = format!("{value:.decimals$}");
    // rounding may leave a zero with a sign
    let text = match text.strip_prefix('-') {
        Some(rest) if rest.bytes().all(|byte| byte == b'0' || byte == b'.') => rest.to_owned(),
        Some(rest) => format!("\u{2212}{rest}"),
        None => text,
    };
    match language {
        Language::Vi => text.replace('.', ","),
        Language::En => text,
    }
}

/// A share as per cent; 0 % and 100 % are said only when they hold.
pub(crate) fn percent(share: f64) -> String {
    let value = share * 100.0;
    let shown = if value > 0.0 && value < 1.0 {
        1.0
    } else if value > 99.0 && value < 100.0 {
        99.0
    } else {
        value.round()
    };
    format!("{shown} %")
}

/// A day: `17/8/2026` or `17 Aug 2026`.
pub(crate) fn date(day: NaiveDate, language: Language) -> String {
    match language {
        Language::Vi => format!("{}/{}/{}", day.day(), day.month(), day.year()),
        Language::En => day.format("%-d %b %Y").to_string(),
    }
}

/// The days of a week: `17–23/8/2026` or `17–23 Aug 2026`.
pub(crate) fn days(period: Period, language: Language) -> String {
    let (from, to) = (period.first_day(), period.last_day());
    let start = match (from.year() == to.year(), from.month() == to.month(), language) {
        (true, true, _) => from.day().to_string(),
        (true, false, Language::Vi) => format!("{}/{}", from.day(), from.month()),
        (true, false, Language::En) => from.format("%-d %b").to_string(),
        (false, ..) => date(from, language),
    };
    format!("{start}–{}", date(to, language))
}

/// `Tuần 34` or `Week 34`.
pub(crate) fn week(period: Period, language: Language) -> String {
    let number = period.first_day().iso_week().week();
    match language {
        Language::Vi => format!("Tuần {number}"),
        Language::En => format!("Week {number}"),
    }
}

/// Words of the things measured by sensors and drawn as surfaces; others keep their own name.
pub(crate) fn property(name: &str, language: Language) -> &str {
    let (vi, en) = match name {
        "water_level" => ("mực nước", "water level"),
        "salinity" => ("độ mặn", "salinity"),
        "ph" => ("độ pH", "pH"),
        "temperature" => ("nhiệt độ", "temperature"),
        "humidity" => ("độ ẩm không khí", "humidity"),
        "rain" => ("mưa", "rain"),
        "wind_speed" => ("gió", "wind"),
        "soil_moisture" => ("độ ẩm đất", "soil moisture"),
        "pest_count" => ("số sâu rầy", "pest count"),
        other => (other, other),
    };
    match language {
        Language::Vi => vi,
        Language::En => en,
    }
}

/// How people write the units that UCUM writes for machines.
pub(crate) fn unit(ucum: &str) -> &str {
    match ucum {
        "Cel" => "\u{b0}C",
        "g/L" => "g/l",
        "[pH]" | "1" => "",
        other => other,
    }
}

/// Words of a kind of zone; kinds people named themselves keep their name.
pub(crate) fn kind(name: &str, language: Language) -> &str {
    let (vi, en) = match name {
        "plots" => ("Thửa ruộng", "Plot"),
        "dyke_compartments" => ("Ô bao", "Dyke compartment"),
        "growing_areas" => ("Vùng trồng", "Growing area"),
        "aquaculture_sites" => ("Ao nuôi", "Aquaculture site"),
        "livestock_sites" => ("Cơ sở chăn nuôi", "Livestock site"),
        "forest_blocks" => ("Khoảnh rừng", "Forest block"),
        "raw_material_areas" => ("Vùng nguyên liệu", "Raw material area"),
        "cooperatives" => ("Hợp tác xã", "Cooperative"),
        "admin_units" => ("Đơn vị hành chính", "Administrative unit"),
        "stations" => ("Trạm đo", "Station"),
        "hotspots" => ("Điểm nóng", "Hot spot"),
        "pumps" => ("Trạm bơm", "Pump"),
        "sluices" => ("Cống", "Sluice"),
        "canals" => ("Kênh", "Canal"),
        "dykes" => ("Đê", "Dyke"),
        "businesses" => ("Doanh nghiệp", "Business"),
        "riverbanks" => ("Bờ sông: sạt lở, bồi tụ", "River bank: erosion, accretion"),
        other => (other, other),
    };
    match language {
        Language::Vi => vi,
        Language::En => en,
    }
}

/// A season's label for people: `2026-he-thu` is `Hè Thu 2026`.
pub(crate) fn season(label: &str, language: Language) -> String {
    let (year, name) = label.split_once('-').unwrap_or(("", label));
    let name = match (name, language) {
        ("dong-xuan", Language::Vi) => "Đông Xuân",
        ("dong-xuan", Language::En) => "winter–spring",
        ("xuan-he", Language::Vi) => "Xuân Hè",
        ("xuan-he", Language::En) => "spring–summer",
        ("he-thu", Language::Vi) => "Hè Thu",
        ("he-thu", Language::En) => "summer–autumn",
        ("thu-dong", Language::Vi) => "Thu Đông",
        ("thu-dong", Language::En) => "autumn–winter",
        (other, _) => other,
    };
    format!("{name} {year}").trim().to_owned()
}

/// What a week's sentence is made of.
#[derive(Clone, Debug, Default)]
pub(crate) struct Said {
    /// Mean NDVI, where any of the zone was seen.
    pub(crate) ndvi: Option<f64>,
    /// Share of the zone that was seen, where a table tells.
    pub(crate) seen: Option<f64>,
    /// Growth stage in both languages.
    pub(crate) growth: Option<(&'static str, &'static str)>,
    /// Whole weeks since sowing.
    pub(crate) weeks_since_sowing: Option<i64>,
    /// Share of the seen part that is under open water.
    pub(crate) water: Option<f64>,
    /// Share of the zone whose water could be told; radar sees it through clouds.
    pub(crate) water_seen: Option<f64>,
    /// Why it is under water, and whether that is sure.
    pub(crate) cause: Option<(Text, bool)>,
    /// True when nothing at all is known of the week.
    pub(crate) nothing: bool,
}

/// `Tuần 34 (17–23/8/2026): NDVI 0,71, thấy 92 % diện tích – lúa đang làm đòng, 9 tuần sau sạ; nước phủ 12 %, thấy 100 %
/// diện tích.` Plants and water are seen by different eyes, so each says how much it saw.
pub(crate) fn sentence(period: Period, said: &Said) -> Text {
    let write = |language| {
        let vi = language == Language::Vi;
        let start = opening(period, language);
        if said.nothing {
            return start
                + if vi {
                    "chưa có số liệu."
                } else {
                    "no data yet."
                };
        }
        let of_area = |seen: Option<f64>| {
            seen.map_or(String::new(), |seen| {
                let share = percent(seen);
                if vi {
                    format!(", thấy {share} diện tích")
                } else {
                    format!(", {share} of the area seen")
                }
            })
        };
        let mut text = match (said.ndvi, said.seen) {
            (Some(ndvi), seen) => format!("NDVI {}{}", number(ndvi, 2, language), of_area(seen)),
            // what the gauges and the flood map say needs no index
            (None, None) if said.cause.is_some() || said.water.is_some() => String::new(),
            (None, _) if vi => "NDVI: mây che, chưa thấy".to_owned(),
            (None, _) => "NDVI: cloud, not seen".to_owned(),
        };
        if let Some((vi_name, en_name)) = said.growth {
            text += &if vi {
                format!(" – lúa đang {vi_name}")
            } else {
                format!(" – rice: {en_name}")
            };
            if let Some(weeks) = said.weeks_since_sowing {
                text += &match (vi, weeks) {
                    (true, _) => format!(", {weeks} tuần sau sạ"),
                    (false, 1) => ", 1 week after sowing".to_owned(),
                    (false, _) => format!(", {weeks} weeks after sowing"),
                };
            }
        }
        if let Some(water) = said.water {
            let share = percent(water);
            text += &if vi {
                format!("; nước phủ {share}")
            } else {
                format!("; open water on {share}")
            };
            text += &of_area(said.water_seen);
        }
        if let Some((cause, sure)) = &said.cause {
            let title = lower(cause.get(language));
            text += &match (vi, sure) {
                (true, true) => format!("; ngập vì: {title}"),
                (true, false) => format!("; ngập có lẽ vì: {title}"),
                (false, true) => format!("; water: {title}"),
                (false, false) => format!("; water, likely: {title}"),
            };
        }
        start + text.trim_start_matches("; ") + "."
    };
    Text {
        vi: write(Language::Vi),
        en: write(Language::En),
    }
}

/// How a sentence about a week begins: `Tuần 34 (17–23/8/2026): `.
pub(crate) fn opening(period: Period, language: Language) -> String {
    format!("{} ({}): ", week(period, language), days(period, language))
}

/// A title within a sentence: its first letter small.
fn lower(title: &str) -> String {
    let mut letters = title.chars();
    letters
        .next()
        .map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_week_is_said_with_its_days_and_numbers_of_the_language() {
        let period: Period = "2026-W34".parse().expect("a week");
        let said = Said {
            ndvi: Some(0.712),
            seen: Some(0.92),
            growth: Some(("làm đòng", "panicle")),
            weeks_since_sowing: Some(9),
            water: Some(0.004),
            water_seen: Some(1.0),
            cause: None,
            nothing: false,
        };
        let text = sentence(period, &said);
        assert_eq!(
            text.vi,
            "Tuần 34 (17–23/8/2026): NDVI 0,71, thấy 92 % diện tích – lúa đang làm đòng, 9 tuần sau sạ; nước phủ 1 %, thấy 100 % diện tích."
        );
        assert_eq!(
            text.en,
            "Week 34 (17–23 Aug 2026): NDVI 0.71, 92 % of the area seen – rice: panicle, 9 weeks after sowing; \
             open water on 1 %, 100 % of the area seen."
        );
        let breach = Said {
            ndvi: Some(-0.11),
            water: Some(0.59),
            cause: Some((
                Text {
                    vi: "Vỡ đê hoặc tràn đê".into(),
                    en: "Dyke broken or overtopped".into(),
                },
                true,
            )),
            ..Said::default()
        };
        assert_eq!(
            sentence(period, &breach).vi,
            "Tuần 34 (17–23/8/2026): NDVI \u{2212}0,11; nước phủ 59 %; ngập vì: vỡ đê hoặc tràn đê."
        );
        // radar saw through the cloud that hid the plants
        let clouded = Said {
            seen: Some(0.0),
            water: Some(0.0),
            water_seen: Some(1.0),
            ..Said::default()
        };
        assert_eq!(
            sentence(period, &clouded).en,
            "Week 34 (17–23 Aug 2026): NDVI: cloud, not seen; open water on 0 %, 100 % of the area seen."
        );
        let nothing = Said {
            nothing: true,
            ..Said::default()
        };
        assert_eq!(
            sentence(period, &nothing).vi,
            "Tuần 34 (17–23/8/2026): chưa có số liệu."
        );
        let turn: Period = "2026-W53".parse().expect("a week");
        assert_eq!(days(turn, Language::Vi), "28/12/2026–3/1/2027");
        assert_eq!(number(-0.001, 2, Language::En), "0.00");
        assert_eq!(number(-0.25, 2, Language::Vi), "\u{2212}0,25");
        assert_eq!(season("2026-he-thu", Language::Vi), "Hè Thu 2026");
    }
}

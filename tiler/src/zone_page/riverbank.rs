//! What `sen erosion` found at a reach of a river, for people: a sentence, and its attributes with names and units.
//! A reach is known by its attributes, for `--as` gives its layer any name.

use super::words::{number, percent};
use crate::style::{Language, Text};
use sen_catalog::Feature;
use serde_json::{Value, json};

/// An attribute: its name in the layer, in Vietnamese, in English, its unit and decimals.
type Attribute = (&'static str, &'static str, &'static str, &'static str, usize);

/// The numbers, in the order in which they are told.
const ATTRIBUTES: [Attribute; 8] = [
    ("eroded_ha", "Đất mất", "Land lost", "ha", 2),
    ("accreted_ha", "Đất bồi", "Land gained", "ha", 2),
    ("retreat_max_m", "Bờ lùi tối đa", "Farthest retreat", "m", 1),
    ("retreat_mean_m", "Bờ lùi trung bình", "Mean retreat", "m", 1),
    ("advance_max_m", "Bờ bồi ra tối đa", "Farthest advance", "m", 1),
    ("advance_mean_m", "Bờ bồi ra trung bình", "Mean advance", "m", 1),
    ("bank_m", "Chiều dài hai bờ", "Length of both banks", "m", 0),
    ("min_detectable_m", "Cỡ điểm ảnh", "Size of a pixel", "m", 0),
];

/// The attributes in words of their own.
const WORDS: [(&str, &str, &str); 2] = [
    ("time_before", "Thời điểm trước", "Earlier time"),
    ("time_after", "Thời điểm sau", "Later time"),
];

/// What is told of a reach.
pub(crate) struct Reach<'a> {
    feature: &'a Feature,
    /// `erosion`, `accretion`, `both`, `none` or `unseen`.
    change: &'a str,
}

impl<'a> Reach<'a> {
    /// The feature as a reach; none for what `sen erosion` did not make.
    pub(crate) fn of(feature: &'a Feature) -> Option<Self> {
        let properties = &feature.properties;
        let change = properties.get("change")?.as_str()?;
        let made = properties.contains_key("eroded_ha") && properties.contains_key("min_detectable_m");
        made.then_some(Self { feature, change })
    }

    /// True for attributes that are told here, and for the files on the server that it was made from.
    pub(super) fn tells(name: &str) -> bool {
        ATTRIBUTES.iter().any(|(known, ..)| *known == name)
            || WORDS.iter().any(|(known, ..)| *known == name)
            || matches!(name, "change" | "seen_share" | "before" | "after")
    }

    fn value(&self, name: &str) -> Option<f64> {
        self.feature.properties.get(name)?.as_f64()
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.feature.properties.get(name)?.as_str()
    }

    /// `Bờ lùi tối đa 12 m, mất 0,8 ha; bồi 0,3 ha (2019–2024).`
    pub(crate) fn sentence(&self) -> Text {
        let write = |language| {
            let vi = language == Language::Vi;
            let metres = |name| number(self.value(name).unwrap_or(0.0), 0, language);
            let hectares = |name| number(self.value(name).unwrap_or(0.0), 2, language);
            let (retreat, lost) = (metres("retreat_max_m"), hectares("eroded_ha"));
            let (advance, gained) = (metres("advance_max_m"), hectares("accreted_ha"));
            // what did not move by more than the pixels can tell is told in hectares alone, where there are any
            let more = |share: &str, some: String| {
                if self.value(share).is_some_and(|ha| ha >= 0.005) {
                    some
                } else {
                    String::new()
                }
            };
            let text = match (self.change, vi) {
                ("erosion", true) => {
                    let gained = more("accreted_ha", format!("; bồi {gained} ha"));
                    format!("Bờ lùi tối đa {retreat} m, mất {lost} ha{gained}")
                }
                ("erosion", false) => {
                    let gained = more("accreted_ha", format!("; {gained} ha gained"));
                    format!("The bank retreated by up to {retreat} m, {lost} ha lost{gained}")
                }
                ("accretion", true) => {
                    let lost = more("eroded_ha", format!("; mất {lost} ha"));
                    format!("Bờ bồi ra tối đa {advance} m, thêm {gained} ha{lost}")
                }
                ("accretion", false) => {
                    let lost = more("eroded_ha", format!("; {lost} ha lost"));
                    format!("The bank advanced by up to {advance} m, {gained} ha gained{lost}")
                }
                ("both", true) => format!(
                    "Bờ lùi tối đa {retreat} m, mất {lost} ha; chỗ khác bồi ra tối đa {advance} m, thêm {gained} ha"
                ),
                ("both", false) => format!(
                    "The bank retreated by up to {retreat} m, {lost} ha lost; elsewhere it advanced by up to {advance} m, \
                     {gained} ha gained"
                ),
                ("none", _) => {
                    // a bank must have moved by two pixels to be called moved
                    let least = number(2.0 * self.value("min_detectable_m").unwrap_or(0.0), 0, language);
                    if vi {
                        format!("Bờ ổn định: không thấy dịch chuyển từ {least} m trở lên")
                    } else {
                        format!("Stable: no bank was seen to move by {least} m or more")
                    }
                }
                (_, true) => "Chưa biết: chưa đến nửa đoạn này được thấy ở cả hai thời điểm".to_owned(),
                (_, false) => "Not known: less than half of the reach was seen in both times".to_owned(),
            };
            let times = self.text("time_before").zip(self.text("time_after"));
            let times = times.map_or(String::new(), |(before, after)| format!(" ({before} – {after})"));
            format!("{text}{times}.")
        };
        Text {
            vi: write(Language::Vi),
            en: write(Language::En),
        }
    }

    /// What can be said of the reach, by name and value, as people read them.
    pub(super) fn rows(&self, language: Language) -> Vec<(String, String)> {
        let pick = |vi: &str, en: &str| if language == Language::Vi { vi } else { en }.to_owned();
        let words = WORDS
            .iter()
            .filter_map(|(name, vi, en)| Some((pick(vi, en), self.text(name)?.to_owned())));
        let numbers = ATTRIBUTES.iter().filter_map(|(name, vi, en, unit, decimals)| {
            let value = number(self.value(name)?, *decimals, language);
            Some((pick(vi, en), format!("{value} {unit}")))
        });
        let seen = self.value("seen_share").map(|seen| {
            let name = pick("Thấy ở cả hai thời điểm", "Seen in both times");
            (name, percent(seen))
        });
        words.chain(numbers).chain(seen).collect()
    }

    /// As the API tells it: the sentence, and the rows in both languages.
    pub(crate) fn json(&self) -> Value {
        let sentence = self.sentence();
        let vi = self.rows(Language::Vi).into_iter();
        let rows = vi
            .zip(self.rows(Language::En))
            .map(|(vi, en)| json!({"title": {"vi": vi.0, "en": en.0}, "value": {"vi": vi.1, "en": en.1}}));
        json!({
            "change": self.change, "sentence": {"vi": sentence.vi, "en": sentence.en},
            "rows": rows.collect::<Vec<_>>(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use geo_types::{Geometry, Point};

    fn reach(change: &str) -> Feature {
        let mut feature = Feature::new("banks_of_mine", "R0001", Geometry::Point(Point::new(105.6, 10.4)));
        let properties = json!({
            "change": change, "eroded_ha": 0.8, "accreted_ha": 0.3, "retreat_max_m": 12.0, "advance_max_m": 4.0,
            "min_detectable_m": 10.0, "seen_share": 1.0, "time_before": "2019", "time_after": "2024",
        });
        if let Value::Object(properties) = properties {
            feature.properties = properties;
        }
        feature
    }

    #[test]
    fn a_reach_is_said_with_metres_hectares_and_times() {
        let said = |change: &str| Reach::of(&reach(change)).map(|reach| reach.sentence());
        let erosion = said("erosion").expect("a reach");
        assert_eq!(
            erosion.vi,
            "Bờ lùi tối đa 12 m, mất 0,80 ha; bồi 0,30 ha (2019 – 2024)."
        );
        assert_eq!(
            erosion.en,
            "The bank retreated by up to 12 m, 0.80 ha lost; 0.30 ha gained (2019 – 2024)."
        );
        assert!(said("none").is_some_and(|text| text.vi.contains("20 m trở lên")));
        assert!(said("unseen").is_some_and(|text| text.en.starts_with("Not known")));
        let feature = reach("erosion");
        let rows = Reach::of(&feature).map(|reach| reach.rows(Language::Vi));
        assert!(rows.is_some_and(|rows| rows.contains(&("Đất mất".into(), "0,80 ha".into()))));
        let mut other = reach("erosion");
        other.properties.remove("eroded_ha");
        assert!(Reach::of(&other).is_none(), "any layer may have a `change`");
    }
}

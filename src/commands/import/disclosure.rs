//! What an import says of private attributes: which columns will not be shown, and which look as if they should not be.

use sen_catalog::Feature;
use sen_catalog::disclosure::{DisclosurePolicy, PUBLIC_NAME_LAYERS, personal_data};
use sen_catalog::feature::fold;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Codes stand in every address, tile and table, so none may come from a private column.
///
/// # Errors
/// Names the column and what to do.
pub(super) fn refuse_private_codes(
    file: &str,
    policy: &DisclosurePolicy,
    layer: &str,
    features: &[Feature],
) -> sen_processing::Result<()> {
    let same = |feature: &Feature, value: &Value| {
        text_of(value).is_some_and(|text| fold(&text) == fold(&feature.code))
    };
    let taken = columns(features).into_iter().find(|&name| {
        let told = |feature: &Feature| {
            feature
                .properties
                .get(name)
                .is_some_and(|value| same(feature, value))
        };
        policy.is_private(layer, name) && features.iter().all(told)
    });
    match taken {
        Some(name) => Err(sen_processing::Error::unreadable(
            file,
            format!(
                "its codes are those of the column `{name}`, which is private, and codes are shown to everybody; name another \
                 column with --code, or write in sen.toml: [layers.{layer}] public = [\"{name}\"]"
            ),
        )),
        None => Ok(()),
    }
}

/// The notes on a file's columns.
pub(super) fn notes(policy: &DisclosurePolicy, layer: &str, features: &[Feature]) -> Vec<String> {
    let columns = columns(features);
    let (hidden, shown): (Vec<&str>, Vec<&str>) = columns
        .into_iter()
        .partition(|name| policy.is_private(layer, name));
    let mut notes = Vec::new();
    if !hidden.is_empty() {
        notes.push(format!(
            "private and not shown to others: {}; to show one, write in sen.toml: [layers.{layer}] public = [\"{}\"]",
            hidden.join(", "),
            hidden[0]
        ));
    }
    let public: BTreeSet<String> = policy
        .0
        .get(layer)
        .into_iter()
        .flat_map(|own| own.public.iter().map(|name| fold(name)))
        .collect();
    let mut texts: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for feature in features {
        for &name in &shown {
            let text = feature.properties.get(name).and_then(text_of);
            texts.entry(name).or_default().extend(text);
        }
        // a column called `name` is kept as the feature's name alone
        if !policy.is_private(layer, "name") && !PUBLIC_NAME_LAYERS.contains(&layer) {
            texts.entry("name").or_default().extend(feature.name.clone());
        }
    }
    for (name, values) in texts {
        if public.contains(&fold(name)) {
            continue;
        }
        if let Some(kind) = personal_data(values.iter().map(String::as_str)) {
            notes.push(format!(
                "column `{name}` looks like {}, which everybody can see; to hide it, write in sen.toml: \
                 [layers.{layer}] private = [\"{name}\"]",
                kind.words()
            ));
        }
    }
    notes
}

/// The names of all attributes, in order.
fn columns(features: &[Feature]) -> BTreeSet<&str> {
    features
        .iter()
        .flat_map(|feature| feature.properties.keys().map(String::as_str))
        .collect()
}

fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use geo_types::Point;
    use serde_json::json;

    fn plots(column: &str, values: &[&str]) -> Vec<Feature> {
        let plot = |(index, value): (usize, &&str)| {
            let mut plot = Feature::new("plots", format!("P-{index}"), Point::new(105.6, 10.4).into());
            plot.properties.insert(column.to_owned(), json!(value));
            plot
        };
        values.iter().enumerate().map(plot).collect()
    }

    #[test]
    fn columns_that_look_personal_are_named_with_the_line_to_write() {
        let policy = DisclosurePolicy::default();
        let said = notes(
            &policy,
            "plots",
            &plots("ghi_chu", &["Nguyễn Văn Bảy", "Trần Thị Hai", "Lê Ba"]),
        );
        assert_eq!(said.len(), 1);
        assert!(said[0].contains("`ghi_chu`") && said[0].contains("[layers.plots] private = [\"ghi_chu\"]"));
        let said = notes(&policy, "plots", &plots("owner", &["a", "b", "c"]));
        assert!(said[0].contains("owner") && said[0].contains("[layers.plots] public = [\"owner\"]"));
        assert!(notes(&policy, "plots", &plots("crop", &["lúa", "lúa", "xoài"])).is_empty());
    }

    #[test]
    fn identity_numbers_are_no_codes() {
        let mut features = plots("cccd", &["079012345678", "087190001234"]);
        let policy = DisclosurePolicy::default();
        assert!(refuse_private_codes("x.csv", &policy, "plots", &features).is_ok());
        for feature in &mut features {
            feature.code = feature.properties["cccd"].as_str().expect("a text").to_owned();
        }
        let error = refuse_private_codes("x.csv", &policy, "plots", &features).expect_err("refused");
        assert!(error.to_string().contains("`cccd`") && error.to_string().contains("--code"));
    }
}

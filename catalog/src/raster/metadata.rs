//! The little XML of GDAL_METADATA: `<Item name="SCALE" sample="0" role="scale">0.0001</Item>`.
//!
//! GDAL escapes a value twice, once for the value and once for the document.

/// One item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Item {
    pub(super) name: String,
    /// Band from 0; none for the whole file.
    pub(super) sample: Option<usize>,
    pub(super) role: String,
    pub(super) domain: String,
    pub(super) value: String,
}

/// The items of a text; what is not an item is passed over.
pub(super) fn parse(xml: &str) -> Vec<Item> {
    let mut items = Vec::new();
    for part in xml.split("<Item").skip(1) {
        let Some((attributes, rest)) = part.split_once('>') else {
            continue;
        };
        let value = rest.split('<').next().unwrap_or_default();
        let sample = attribute(attributes, "sample").parse().ok();
        items.push(Item {
            name: attribute(attributes, "name"),
            sample,
            role: attribute(attributes, "role"),
            domain: attribute(attributes, "domain"),
            value: unescape(&unescape(value)),
        });
    }
    items
}

fn attribute(attributes: &str, name: &str) -> String {
    let start = format!(" {name}=\"");
    let value = attributes
        .split_once(&start)
        .and_then(|(_, rest)| rest.split_once('"'));
    value.map(|(value, _)| unescape(value)).unwrap_or_default()
}

fn unescape(text: &str) -> String {
    // the ampersand last, or `&amp;lt;` would turn into `<`
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&apos;", "'")
        .replace("&amp;", "&")
}

/// A value as GDAL writes it.
pub(super) fn escape_value(text: &str) -> String {
    escape(&escape(text))
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_are_found_with_their_band_and_role() {
        let items = parse(
            "<GDALMetadata>\n<Item name=\"BOA_ADD_OFFSET\">-1000</Item>\
             <Item name=\"SCALE\" sample=\"1\" role=\"scale\">0.0001</Item><Item name=\"A\">x &amp;amp;lt; &lt;y</Item>",
        );
        assert_eq!(items.len(), 3);
        assert_eq!(
            (items[0].name.as_str(), items[0].sample, items[0].value.as_str()),
            ("BOA_ADD_OFFSET", None, "-1000")
        );
        assert_eq!((items[1].sample, items[1].role.as_str()), (Some(1), "scale"));
        assert_eq!(items[2].value, "x &lt; <y");
        assert!(parse("<Item name=\"").is_empty());
    }
}

//! Metadata in XML, flat: each element with its parent's name, attributes and text.

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

/// An element that holds text (or nothing).
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Element {
    /// Name without prefix.
    pub(crate) name: String,
    /// Name of the enclosing element.
    pub(crate) parent: String,
    /// Attributes of this element and of those around it, outermost first.
    pub(crate) attributes: Vec<(String, String)>,
    /// Text, trimmed.
    pub(crate) text: String,
}

impl Element {
    /// The attribute of this name, nearest first.
    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes
            .iter()
            .rev()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }
}

/// The innermost elements of a document, in order. Entities of a DTD are never expanded.
pub(crate) fn elements(text: &str) -> Result<Vec<Element>, String> {
    let mut found = Vec::new();
    let mut open: Vec<Element> = Vec::new();
    let mut reader = Reader::from_str(text);
    loop {
        match reader
            .read_event()
            .map_err(|error| format!("is not whole XML: {error}"))?
        {
            Event::Start(tag) => open.push(start(&tag, open.last())),
            Event::Empty(tag) => found.push(start(&tag, open.last())),
            Event::Text(value) => {
                if let Some(element) = open.last_mut() {
                    element.text.push_str(value.trim());
                }
            }
            Event::End(_) => found.extend(open.pop().filter(|element| !element.text.is_empty())),
            Event::Eof if open.is_empty() && !found.is_empty() => return Ok(found),
            Event::Eof => return Err("is cut short: not all its elements are closed".into()),
            _ => {}
        }
    }
}

fn start(tag: &BytesStart<'_>, parent: Option<&Element>) -> Element {
    let mut attributes = parent.map(|parent| parent.attributes.clone()).unwrap_or_default();
    let own = tag.attributes().flatten();
    attributes.extend(own.map(|attribute| {
        (
            attribute.key.local_name().as_ref().to_owned(),
            attribute.value.into_owned(),
        )
    }));
    Element {
        name: tag.local_name().as_ref().to_owned(),
        parent: parent.map(|parent| parent.name.clone()).unwrap_or_default(),
        attributes,
        text: String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_know_their_parent_and_the_attributes_around_them() {
        let text = r#"<a:A xmlns:a="x"><Size resolution="10"><NROWS>5</NROWS></Size><Empty id="2"/></a:A>"#;
        let found = elements(text).expect("whole");
        assert_eq!(
            (
                found[0].name.as_str(),
                found[0].parent.as_str(),
                found[0].text.as_str()
            ),
            ("NROWS", "Size", "5")
        );
        assert_eq!(found[0].attribute("resolution"), Some("10"));
        assert_eq!(found[1].attribute("id"), Some("2"));
        assert!(elements("<A><B>1</B>").is_err() && elements("").is_err() && elements("<A></B>").is_err());
    }
}

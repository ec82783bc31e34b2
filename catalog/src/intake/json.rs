//! JSON as gateways write it: with a byte-order mark, with Python's `NaN` and `Infinity`, and lists of which one entry is
//! none.

use serde_json::Value;

/// A document. `NaN` is null, as in tables; `Infinity` becomes a text, which is then no number.
///
/// # Errors
/// For what is no JSON otherwise, with the place.
pub fn document(bytes: &[u8]) -> Result<Value, String> {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    serde_json::from_slice(bytes).or_else(|error| {
        let without = without_words(bytes).ok_or_else(|| format!("is no JSON: {error}"))?;
        serde_json::from_slice(&without).map_err(|error| format!("is no JSON: {error}"))
    })
}

/// The entries of a list, each by itself, so that one that cannot be read costs no other; a document that is no list is
/// a list of one.
///
/// # Errors
/// For what is no JSON and no list.
pub fn entries(bytes: &[u8]) -> Result<Vec<Result<Value, String>>, String> {
    match document(bytes) {
        Ok(Value::Array(all)) => Ok(all.into_iter().map(Ok).collect()),
        Ok(one) => Ok(vec![Ok(one)]),
        Err(reason) => salvaged(bytes).ok_or(reason),
    }
}

/// The entries of a list that is no document as a whole, each by itself; none where there are no two.
pub fn salvaged(bytes: &[u8]) -> Option<Vec<Result<Value, String>>> {
    let parts = parts(bytes).filter(|parts| parts.len() > 1)?;
    Some(parts.into_iter().map(document).collect())
}

/// Walks over the bytes that stand outside of texts.
fn outside_texts(bytes: &[u8]) -> impl Iterator<Item = (usize, u8)> {
    let (mut in_text, mut escaped) = (false, false);
    bytes.iter().copied().enumerate().filter(move |&(_, byte)| {
        let outside = !in_text;
        if byte == b'"' && !escaped {
            in_text = !in_text;
        }
        escaped = in_text && byte == b'\\' && !escaped;
        outside && byte != b'"'
    })
}

/// The document with JSON in place of the words of Python and JavaScript; none where there are none.
fn without_words(bytes: &[u8]) -> Option<Vec<u8>> {
    const WORDS: [(&[u8], &[u8]); 3] = [
        (b"NaN", b"null"),
        (b"-Infinity", b"\"-Infinity\""),
        (b"Infinity", b"\"Infinity\""),
    ];
    let mut out = Vec::with_capacity(bytes.len());
    let mut done = 0;
    for (at, _) in outside_texts(bytes) {
        let word = WORDS.iter().find(|(word, _)| bytes[at..].starts_with(word));
        if let Some((word, json)) = word.filter(|_| at >= done) {
            out.extend_from_slice(&bytes[done..at]);
            out.extend_from_slice(json);
            done = at + word.len();
        }
    }
    out.extend_from_slice(&bytes[done..]);
    (done > 0).then_some(out)
}

/// What stands between the commas of a list; none for what is no list.
fn parts(bytes: &[u8]) -> Option<Vec<&[u8]>> {
    let mut parts = Vec::new();
    let (mut depth, mut start) = (0_usize, None);
    for (at, byte) in outside_texts(bytes) {
        match byte {
            b'[' | b'{' => {
                depth += 1;
                if depth == 1 {
                    (byte == b'[').then_some(())?;
                    start = Some(at + 1);
                }
            }
            b',' if depth == 1 => {
                parts.push(&bytes[start?..at]);
                start = Some(at + 1);
            }
            b']' | b'}' => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    parts.push(&bytes[start?..at]);
                    return Some(parts);
                }
            }
            _ if depth == 0 && !byte.is_ascii_whitespace() && !matches!(byte, 0xEF | 0xBB | 0xBF) => {
                return None;
            }
            _ => {}
        }
    }
    // a list that was cut off: what is whole of it counts
    parts.push(&bytes[start?..]);
    Some(parts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn words_of_python_are_read_outside_of_texts_only() {
        let read =
            document(br#"{"value": NaN, "note": "NaN, \"Infinity\" \\", "most": -Infinity}"#).expect("JSON");
        assert_eq!(
            read,
            json!({"value": null, "note": "NaN, \"Infinity\" \\", "most": "-Infinity"})
        );
        assert_eq!(document(b"\xEF\xBB\xBF[1]"), Ok(json!([1])));
        assert!(document(b"rain").is_err_and(|told| told.contains("JSON")));
        assert!(document(br#"{"value": NaNa}"#).is_err());
    }

    #[test]
    fn one_entry_that_is_none_costs_no_other() {
        let good = |list: &str| -> Vec<Option<Value>> {
            entries(list.as_bytes())
                .expect("a list")
                .into_iter()
                .map(Result::ok)
                .collect()
        };
        assert_eq!(good(r#"{"a": 1}"#), [Some(json!({"a": 1}))]);
        assert_eq!(
            good(r#"[{"a": [1, 2]}, {"a": 1e999}]"#),
            [Some(json!({"a": [1, 2]})), None]
        );
        assert_eq!(
            good(r#"[{"a": "],[\""}, {"a" 1}, {"a": 3}]"#),
            [Some(json!({"a": "],[\""})), None, Some(json!({"a": 3}))]
        );
        assert_eq!(
            good(r#"[{"a": 1}, {"a": 2"#),
            [Some(json!({"a": 1})), None],
            "cut off"
        );
        assert!(entries(b"wet, dry").is_err());
        assert!(entries(br#"{"a": wet, "b": dry}"#).is_err());
    }
}

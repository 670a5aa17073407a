//! Which message fits a pattern, and how messages are shown. Pure.
//!
//! A pattern is JSON: a map fits one that has at least its entries, `{"$contains": text}` fits a text that contains it,
//! everything else fits its equal.

use serde_json::{Map, Value, json};

/// Longest text within a message that is shown whole.
const SHOWN_TEXT_BYTES_MAX: usize = 200;
/// Longest array or map within a message that is shown whole.
const SHOWN_ITEMS_MAX: usize = 32;

pub(super) fn fits(pattern: &Value, value: &Value) -> bool {
    match (pattern, value) {
        (Value::Object(pattern), Value::String(text)) => {
            let wanted = pattern.get("$contains").and_then(Value::as_str);
            wanted.is_some_and(|wanted| text.contains(wanted))
        }
        (Value::Object(pattern), Value::Object(value)) => {
            pattern.iter().all(|(key, wanted)| fits(wanted, value.get(key).unwrap_or(&Value::Null)))
        }
        (Value::Array(pattern), Value::Array(value)) => {
            pattern.len() == value.len() && pattern.iter().zip(value).all(|(pattern, value)| fits(pattern, value))
        }
        // An integer stands for the same number as a float.
        (Value::Number(pattern), Value::Number(value)) => {
            pattern == value || (pattern.is_f64() || value.is_f64()) && pattern.as_f64() == value.as_f64()
        }
        (pattern, value) => pattern == value,
    }
}

/// The value with long parts cut, for people.
pub(super) fn shortened(value: Value) -> Value {
    match value {
        Value::String(text) if text.len() > SHOWN_TEXT_BYTES_MAX => {
            let end = text.floor_char_boundary(SHOWN_TEXT_BYTES_MAX);
            Value::String(format!("{}… ({} bytes)", &text[..end], text.len()))
        }
        Value::Array(items) => {
            let left_out = items.len().saturating_sub(SHOWN_ITEMS_MAX);
            let shown = items.into_iter().take(SHOWN_ITEMS_MAX).map(shortened);
            shown.chain((left_out > 0).then(|| json!({ "$cut": left_out }))).collect()
        }
        Value::Object(entries) => {
            let left_out = entries.len().saturating_sub(SHOWN_ITEMS_MAX);
            let mut shown: Map<_, _> =
                entries.into_iter().take(SHOWN_ITEMS_MAX).map(|(key, value)| (key, shortened(value))).collect();
            if left_out > 0 {
                shown.insert("$cut".to_owned(), json!(left_out));
            }
            Value::Object(shown)
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_says_what_must_be_there() {
        let done = json!({ "done": { "task": 7, "epoch": 1, "result": { "a": [1, 2.5] }, "cut": false } });
        let table = [
            (json!({ "done": {} }), true),
            (json!({ "done": { "task": 7 } }), true),
            (json!({ "done": { "task": 7.0 } }), true),
            (json!({ "done": { "task": 8 } }), false),
            (json!({ "done": { "absent": null } }), true),
            (json!({ "done": { "absent": 0 } }), false),
            (json!({ "done": { "result": { "a": [1, 2.5] } } }), true),
            (json!({ "done": { "result": { "a": [1] } } }), false),
            (json!({ "done": { "cut": true } }), false),
            (json!({ "fail": {} }), false),
        ];
        for (pattern, fitting) in table {
            assert_eq!(fits(&pattern, &done), fitting, "{pattern}");
        }
        assert!(fits(&json!({ "$contains": "ell" }), &json!("hello")));
        assert!(!fits(&json!({ "$contains": "Ell" }), &json!("hello")));
        assert!(!fits(&json!({}), &json!("hello")));
    }

    #[test]
    fn long_parts_are_cut() {
        let long = json!({ "text": "é".repeat(200), "items": vec![0; 40], "short": "x" });
        let shown = shortened(long);
        assert_eq!(shown["text"], format!("{}… (400 bytes)", "é".repeat(100)));
        assert_eq!(shown["items"].as_array().map(Vec::len), Some(SHOWN_ITEMS_MAX + 1));
        assert_eq!(shown["items"][SHOWN_ITEMS_MAX], json!({ "$cut": 8 }));
        assert_eq!(shown["short"], "x");
    }
}

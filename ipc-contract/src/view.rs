//! MessagePack shown as JSON, streamed from the bytes: whole for machines, cut for people. Reads no JSON.
//!
//! What JSON lacks is shown: bytes as `{"$bin_bytes": n}`, keys that are no text as text, what was cut as `{"$cut": n}`
//! with the number of items left out.

use std::cell::{Cell, RefCell};

use serde::ser::{Error, SerializeMap, SerializeSeq};
use serde::{Serialize, Serializer};
use serde_json::json;

use crate::error::ContractError;
use crate::scan::{MAX_DEPTH, scan};
use crate::token::{Token, Tokens};

/// Levels of nesting in a preview.
const PREVIEW_DEPTH_MAX: usize = 32;
/// Values, keys included, in a preview.
const PREVIEW_NODES_MAX: usize = 2_000;
/// Text, keys included, in a preview.
const PREVIEW_TEXT_BYTES_MAX: usize = 64 * 1024;

/// Shows bytes that may be anything, within the limits of a preview.
pub(crate) fn preview(bytes: &[u8]) -> serde_json::Value {
    if let Err(error) = scan(bytes) {
        return json!(not_messagepack(bytes, &error));
    }
    let view = View {
        tokens: RefCell::new(Tokens::new(bytes)),
        nodes_left: Cell::new(PREVIEW_NODES_MAX),
        text_bytes_left: Cell::new(PREVIEW_TEXT_BYTES_MAX),
    };
    serde_json::to_value(Node { view: &view, depth_left: PREVIEW_DEPTH_MAX })
        .unwrap_or_else(|error| json!(format!("cannot be shown: {error}")))
}

/// Writes the value whole.
pub(crate) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    if let Err(error) = scan(bytes) {
        return serializer.serialize_str(&not_messagepack(bytes, &error));
    }
    let view = View {
        tokens: RefCell::new(Tokens::new(bytes)),
        nodes_left: Cell::new(usize::MAX),
        text_bytes_left: Cell::new(usize::MAX),
    };
    Node { view: &view, depth_left: MAX_DEPTH }.serialize(serializer)
}

fn not_messagepack(bytes: &[u8], error: &ContractError) -> String {
    format!("{} bytes that are not MessagePack: {}", bytes.len(), error.detail)
}

/// Where the reading stands, and what may still be shown. Serialising borrows shared, hence the cells.
struct View<'a> {
    tokens: RefCell<Tokens<'a>>,
    nodes_left: Cell<usize>,
    text_bytes_left: Cell<usize>,
}

impl<'a> View<'a> {
    fn next(&self) -> Result<Token<'a>, ContractError> {
        self.tokens.borrow_mut().next()
    }

    fn skip_content(&self, token: Token<'a>) -> Result<(), ContractError> {
        self.tokens.borrow_mut().skip_content(token)
    }

    /// Takes one value from the budget.
    fn grants_node(&self) -> bool {
        let left = self.nodes_left.get();
        self.nodes_left.set(left.saturating_sub(1));
        left > 0 && self.text_bytes_left.get() > 0
    }

    /// As much of `text` as the budget still has, marked when that is not all; then the budget is gone.
    fn shorten(&self, text: &str) -> String {
        let left = self.text_bytes_left.get();
        if text.len() <= left {
            self.text_bytes_left.set(left - text.len());
            return text.to_owned();
        }
        self.text_bytes_left.set(0);
        let end = (0..=left).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0);
        let shown = &text[..end];
        format!("{shown}… ({} bytes cut)", text.len() - shown.len())
    }

    /// A key as text; its content, if it has any, is passed over.
    fn key(&self) -> Result<String, ContractError> {
        let token = self.next()?;
        self.skip_content(token)?;
        Ok(match token {
            Token::Str(text) => self.shorten(text),
            Token::Nil => "null".to_owned(),
            Token::Bool(value) => value.to_string(),
            Token::Unsigned(value) => value.to_string(),
            Token::Signed(value) => value.to_string(),
            Token::Float(value) => value.to_string(),
            Token::Bin(bytes) => format!("$bin_bytes: {}", bytes.len()),
            Token::Array(items) => format!("$array_items: {items}"),
            Token::Map(pairs) => format!("$map_pairs: {pairs}"),
        })
    }
}

/// The value at which the reading stands.
struct Node<'v, 'a> {
    view: &'v View<'a>,
    depth_left: usize,
}

impl Serialize for Node<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let token = self.view.next().map_err(S::Error::custom)?;
        match token {
            Token::Nil => serializer.serialize_unit(),
            Token::Bool(value) => serializer.serialize_bool(value),
            Token::Unsigned(value) => serializer.serialize_u64(value),
            Token::Signed(value) => serializer.serialize_i64(value),
            Token::Float(value) => serializer.serialize_f64(value),
            Token::Str(text) => serializer.serialize_str(&self.view.shorten(text)),
            Token::Bin(bytes) => json!({ "$bin_bytes": bytes.len() }).serialize(serializer),
            Token::Array(count) | Token::Map(count) if self.depth_left == 0 => {
                self.view.skip_content(token).map_err(S::Error::custom)?;
                cut(count).serialize(serializer)
            }
            Token::Array(items) => self.array(items, serializer),
            Token::Map(pairs) => self.map(pairs, serializer),
        }
    }
}

impl Node<'_, '_> {
    fn inner(&self) -> Self {
        Self { view: self.view, depth_left: self.depth_left - 1 }
    }

    fn array<S: Serializer>(&self, items: u32, serializer: S) -> Result<S::Ok, S::Error> {
        let mut array = serializer.serialize_seq(None)?;
        for index in 0..items {
            if !self.view.grants_node() {
                self.view.skip_content(Token::Array(items - index)).map_err(S::Error::custom)?;
                array.serialize_element(&cut(items - index))?;
                break;
            }
            array.serialize_element(&self.inner())?;
        }
        array.end()
    }

    fn map<S: Serializer>(&self, pairs: u32, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for index in 0..pairs {
            if !(self.view.grants_node() && self.view.grants_node()) {
                self.view.skip_content(Token::Map(pairs - index)).map_err(S::Error::custom)?;
                map.serialize_entry("$cut", &(pairs - index))?;
                break;
            }
            map.serialize_entry(&self.view.key().map_err(S::Error::custom)?, &self.inner())?;
        }
        map.end()
    }
}

/// Stands for so many items or pairs that are left out.
fn cut(count: u32) -> serde_json::Value {
    json!({ "$cut": count })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::payload::Payload;

    fn whole(bytes: &[u8]) -> serde_json::Value {
        serde_json::to_value(Payload(bytes.to_vec())).unwrap()
    }

    #[test]
    fn what_json_lacks_is_shown() {
        let table: &[(&[u8], serde_json::Value)] = &[
            (b"", json!(null)),
            (b"\xc4\x03abc", json!({ "$bin_bytes": 3 })),
            (b"\x81\x07\xc3", json!({ "7": true })),
            (b"\x81\xff\xc3", json!({ "-1": true })),
            (b"\x81\xc0\xc3", json!({ "null": true })),
            (b"\x82\xc2\x01\xc3\x02", json!({ "false": 1, "true": 2 })),
            (b"\x82\x92\x01\x91\x02\x05\xa1k\x06", json!({ "$array_items: 2": 5, "k": 6 })),
            (b"\x82\x81\xa1a\x01\x05\xa1k\x06", json!({ "$map_pairs: 1": 5, "k": 6 })),
            (b"\x81\xc4\x01a\x05", json!({ "$bin_bytes: 1": 5 })),
            (b"\xca\x7f\xc0\x00\x00", json!(null)),
            (b"\xc1", json!("1 bytes that are not MessagePack: byte 0xc1 is no MessagePack")),
        ];
        for (bytes, expected) in table {
            assert_eq!(&whole(bytes), expected, "{bytes:02x?}");
            assert_eq!(&preview(Payload(bytes.to_vec()).value_bytes()), expected, "{bytes:02x?}");
        }
    }

    #[test]
    fn a_preview_is_cut_in_depth() {
        let mut bytes = vec![0x91; PREVIEW_DEPTH_MAX + 3];
        bytes.push(0xc0);
        let shown = preview(&bytes).to_string();
        assert_eq!(shown, format!("{}{{\"$cut\":1}}{}", "[".repeat(PREVIEW_DEPTH_MAX), "]".repeat(PREVIEW_DEPTH_MAX)));
        assert_eq!(whole(&bytes).to_string().matches('[').count(), PREVIEW_DEPTH_MAX + 3);
    }

    #[test]
    fn a_preview_is_cut_in_number() {
        let list = Payload::of(&vec![1; 5_000]).unwrap();
        let shown = list.preview();
        assert_eq!(shown.as_array().unwrap().len(), PREVIEW_NODES_MAX + 1);
        assert_eq!(shown[PREVIEW_NODES_MAX], json!({ "$cut": 3_000 }));
        // Once the budget is gone, what stands around says how much of it is missing as well.
        let pair = Payload::of(&json!([{ "a": vec![1; 5_000], "b": 2 }, 3])).unwrap().preview();
        assert_eq!(pair[0]["$cut"], 1);
        assert_eq!(pair[1], json!({ "$cut": 1 }));
        assert_eq!(serde_json::to_value(&list).unwrap().as_array().unwrap().len(), 5_000);
    }

    #[test]
    fn a_preview_is_cut_in_text_between_characters() {
        let text = format!("x{}", "é".repeat(PREVIEW_TEXT_BYTES_MAX));
        let shown = Payload::of(&json!([text, "more"])).unwrap().preview();
        let (head, mark) = shown[0].as_str().unwrap().split_once('…').unwrap();
        assert_eq!(head.len(), PREVIEW_TEXT_BYTES_MAX - 1);
        assert_eq!(mark, format!(" ({} bytes cut)", text.len() - head.len()));
        assert_eq!(shown[1], json!({ "$cut": 1 }));
        assert!(shown.to_string().len() < PREVIEW_TEXT_BYTES_MAX + 100);
    }
}

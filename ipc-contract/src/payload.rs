//! `Payload`: args and results as MessagePack bytes that nobody on the way decodes. How it looks as JSON is in `view`.

use std::fmt;

use serde::de::{self, DeserializeOwned, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::error::{ContractError, reason};
use crate::scan::scan;
use crate::view;

/// The one byte that says nil in MessagePack.
const NIL: u8 = 0xc0;

/// The input or result of a task: one MessagePack value, or no bytes for nothing.
///
/// In a binary format it is a `bin`. In a format that people read it is the value itself: reading turns it into
/// MessagePack, writing shows it with `{"$bin_bytes": n}` for bytes and text for keys of maps.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Payload(pub Vec<u8>);

impl Payload {
    /// The payload of a value; nil becomes no bytes.
    ///
    /// # Errors
    /// `Value` when the value cannot be MessagePack, `TooDeep` when it is nested too deeply.
    pub fn of<T: Serialize + ?Sized>(value: &T) -> Result<Self, ContractError> {
        let bytes = rmp_serde::to_vec_named(value)
            .map_err(|error| ContractError::value("payload", format!("cannot be written as MessagePack: {error}")))?;
        Self::from_value(bytes)
    }

    /// Reads the value; no bytes read as nil.
    ///
    /// # Errors
    /// Those of [`scan`](fn@crate::scan::scan); `Value` when it is not a `T`, naming the field.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, ContractError> {
        let bytes = self.value_bytes();
        scan(bytes)?;
        let mut deserializer = rmp_serde::Deserializer::from_read_ref(bytes);
        serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
            let field = error.path().to_string();
            let reason = reason(error.into_inner());
            let place = if field == "." { "the value".to_owned() } else { format!("field {field}") };
            ContractError::value(field, format!("{place} does not fit: {reason}"))
        })
    }

    /// The value for a person to look at, cut to 32 levels, 2,000 values and 64 KiB of text. Never fails: what is no
    /// MessagePack is shown as a sentence that says so.
    pub fn preview(&self) -> serde_json::Value {
        view::preview(self.value_bytes())
    }

    /// True when there are no bytes. A nil that is spelled out reads the same.
    pub fn is_nothing(&self) -> bool {
        self.0.is_empty()
    }

    /// The bytes of the value, with nothing spelled out as nil.
    pub(crate) fn value_bytes(&self) -> &[u8] {
        if self.0.is_empty() { &[NIL] } else { &self.0 }
    }

    /// Nothing has one spelling, so that equal values are equal bytes.
    fn from_value(bytes: Vec<u8>) -> Result<Self, ContractError> {
        if bytes == [NIL] {
            return Ok(Self::default());
        }
        scan(&bytes)?;
        Ok(Self(bytes))
    }
}

/// Payloads hold secrets of the user: they never reach a log by accident.
impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Payload({} bytes)", self.0.len())
    }
}

impl Serialize for Payload {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            view::serialize(self.value_bytes(), serializer)
        } else {
            serializer.serialize_bytes(&self.0)
        }
    }
}

impl<'de> Deserialize<'de> for Payload {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if !deserializer.is_human_readable() {
            return deserializer.deserialize_bytes(Bin);
        }
        // By way of a value whose maps are sorted: equal objects are equal bytes, in whatever order their keys are written.
        let value = serde_json::Value::deserialize(deserializer)?;
        let bytes = rmp_serde::to_vec(&value).map_err(de::Error::custom)?;
        Self::from_value(bytes).map_err(de::Error::custom)
    }
}

/// Accepts `bin`, and nil for nothing; a string or an array of numbers would decode to bytes by luck only.
struct Bin;

impl Visitor<'_> for Bin {
    type Value = Payload;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("bin with the MessagePack of the value")
    }

    fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<Payload, E> {
        Ok(Payload(bytes.to_vec()))
    }

    fn visit_byte_buf<E: de::Error>(self, bytes: Vec<u8>) -> Result<Payload, E> {
        Ok(Payload(bytes))
    }

    fn visit_unit<E: de::Error>(self) -> Result<Payload, E> {
        Ok(Payload::default())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn from_json(json: &str) -> Result<Payload, serde_json::Error> {
        serde_json::from_str(json)
    }

    #[test]
    fn equal_objects_are_equal_bytes() {
        let one = from_json(r#"{"b": 2, "a": {"d": 1, "c": [1.5, -1]}}"#).unwrap();
        let other = from_json(r#"{"a": {"c": [1.5, -1], "d": 1}, "b": 2}"#).unwrap();
        assert_eq!(one.0, other.0);
    }

    #[test]
    fn nothing_has_one_spelling() {
        assert_eq!(Payload::of(&()).unwrap(), Payload::default());
        assert_eq!(Payload::of(&None::<u8>).unwrap(), Payload::default());
        assert_eq!(from_json("null").unwrap(), Payload::default());
        assert_eq!(serde_json::to_string(&Payload::default()).unwrap(), "null");
        assert_eq!(Payload::default().read::<Option<u8>>().unwrap(), None);
        Payload(vec![NIL]).read::<()>().unwrap();
    }

    #[test]
    fn debug_keeps_the_content_to_itself() {
        assert_eq!(format!("{:?}", Payload::of("secret").unwrap()), "Payload(7 bytes)");
    }

    #[test]
    fn structs_become_maps_with_names() {
        #[derive(Serialize, Deserialize, PartialEq, Debug)]
        struct Resize {
            path: String,
            width: u32,
        }
        let resize = Resize { path: "a.png".to_owned(), width: 640 };
        let payload = Payload::of(&resize).unwrap();
        assert_eq!(payload, from_json(r#"{"path": "a.png", "width": 640}"#).unwrap());
        assert_eq!(payload.read::<Resize>().unwrap(), resize);
        let error = from_json(r#"{"path": "a.png", "width": "wide"}"#).unwrap().read::<Resize>().unwrap_err();
        assert_eq!(error.kind, crate::ErrorKind::Value { field: "width".to_owned() });
        assert!(Payload(vec![0x92, 1]).read::<Value>().is_err());
        assert!(Payload(vec![1, 1]).read::<u8>().is_err());
    }

    #[test]
    fn in_a_frame_it_is_bin_and_only_bin() {
        let payload = Payload::of(&json!({ "a": 1 })).unwrap();
        let bytes = rmp_serde::to_vec_named(&payload).unwrap();
        assert_eq!(bytes, b"\xc4\x04\x81\xa1a\x01");
        assert_eq!(rmp_serde::from_slice::<Payload>(&bytes).unwrap(), payload);
        assert_eq!(rmp_serde::from_slice::<Payload>(&[NIL]).unwrap(), Payload::default());
        for refused in [b"\xa1a".as_slice(), b"\x91\x01", b"\x81\xa1a\x01", b"\x07"] {
            assert!(rmp_serde::from_slice::<Payload>(refused).is_err(), "{refused:02x?}");
        }
    }

    #[test]
    fn deep_json_is_refused() {
        for depth in [65, 200, 100_000] {
            assert!(from_json(&format!("{}{}", "[".repeat(depth), "]".repeat(depth))).is_err());
        }
        assert!(from_json(&format!("{}{}", "[".repeat(64), "]".repeat(64))).is_ok());
    }

    /// Any JSON value, nested a few levels.
    fn json_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            proptest::num::f64::NORMAL.prop_map(Value::from),
            ".{0,12}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 40, 6, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                proptest::collection::btree_map(".{0,6}", inner, 0..6)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn json_survives_the_way_through(value in json_value()) {
            let payload: Payload = serde_json::from_str(&value.to_string()).unwrap();
            prop_assert_eq!(serde_json::to_value(&payload).unwrap(), value.clone());
            prop_assert_eq!(payload.read::<Value>().unwrap(), value.clone());
            prop_assert_eq!(Payload::of(&value).unwrap(), payload);
        }

        #[test]
        fn any_bytes_can_be_shown(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let payload = Payload(bytes);
            payload.preview();
            serde_json::to_string(&payload).unwrap();
        }
    }
}

//! MessagePack a second time, as a tree: the opinion that `scan` and `decode` are held against. Shares no code with them.

use std::collections::BTreeSet;

use serde_json::json;

/// Levels of arrays and maps that the contract allows.
const LEVELS_MAX: usize = 64;

#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Nil,
    Bool(bool),
    Int(i128),
    Float(f64),
    Str(String),
    Bin(Vec<u8>),
    Array(Vec<Value>),
    Map(Vec<(Value, Value)>),
}

/// How integers and lengths are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    Shortest,
    Widest,
}

/// Reads exactly one value.
///
/// # Errors
/// The name of the error in the contract: that of the first place at which the bytes cannot be right any more.
pub fn read(bytes: &[u8]) -> Result<Value, &'static str> {
    if bytes.is_empty() {
        return Err("empty");
    }
    let mut reader = Reader { bytes, at: 0 };
    let value = reader.value(0, 0)?;
    if reader.at == bytes.len() { Ok(value) } else { Err("trailing") }
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    /// `depth` containers are around this value, and they want at least `owed` values after it.
    fn value(&mut self, depth: usize, owed: u64) -> Result<Value, &'static str> {
        let marker = self.number(1)? as u8;
        let (value, children) = match marker {
            0x00..=0x7f => (Value::Int(i128::from(marker)), 0),
            0x80..=0x8f => (Value::Map(Vec::new()), 2 * u64::from(marker & 0x0f)),
            0x90..=0x9f => (Value::Array(Vec::new()), u64::from(marker & 0x0f)),
            0xa0..=0xbf => (self.text(u64::from(marker & 0x1f))?, 0),
            0xc0 => (Value::Nil, 0),
            0xc2 | 0xc3 => (Value::Bool(marker == 0xc3), 0),
            0xc4..=0xc6 => {
                let len = self.number(1 << (marker - 0xc4))?;
                (Value::Bin(self.take(len)?.to_vec()), 0)
            }
            0xca => (Value::Float(f64::from(f32::from_bits(self.number(4)? as u32))), 0),
            0xcb => (Value::Float(f64::from_bits(self.number(8)?)), 0),
            0xcc..=0xcf => (Value::Int(i128::from(self.number(1 << (marker - 0xcc))?)), 0),
            0xd0..=0xd3 => {
                let width = 1 << (marker - 0xd0);
                let unused_bits = 64 - 8 * width as u32;
                (Value::Int(i128::from((self.number(width)? << unused_bits) as i64 >> unused_bits)), 0)
            }
            0xd9..=0xdb => {
                let len = self.number(1 << (marker - 0xd9))?;
                (self.text(len)?, 0)
            }
            0xdc | 0xdd => (Value::Array(Vec::new()), self.number(2 << (marker - 0xdc))?),
            0xde | 0xdf => (Value::Map(Vec::new()), 2 * self.number(2 << (marker - 0xde))?),
            0xe0..=0xff => (Value::Int(i128::from(marker as i8)), 0),
            0xc1 | 0xc7..=0xc9 | 0xd4..=0xd8 => return Err("malformed"),
        };
        if depth == LEVELS_MAX && matches!(value, Value::Array(_) | Value::Map(_)) {
            return Err("too_deep");
        }
        // Each value that is still to come takes a byte at least.
        if owed + children > (self.bytes.len() - self.at) as u64 {
            return Err("truncated");
        }
        let mut item = |left: u64| self.value(depth + 1, owed + left);
        Ok(match value {
            Value::Array(_) => Value::Array((0..children).rev().map(&mut item).collect::<Result<_, _>>()?),
            Value::Map(_) => {
                let pair = |left: u64| Ok((item(2 * left + 1)?, item(2 * left)?));
                Value::Map((0..children / 2).rev().map(pair).collect::<Result<_, _>>()?)
            }
            scalar => scalar,
        })
    }

    fn take(&mut self, len: u64) -> Result<&[u8], &'static str> {
        let rest = &self.bytes[self.at..];
        if len > rest.len() as u64 {
            return Err("truncated");
        }
        self.at += len as usize;
        Ok(&rest[..len as usize])
    }

    fn number(&mut self, width: u64) -> Result<u64, &'static str> {
        Ok(self.take(width)?.iter().fold(0, |sum, &byte| sum * 256 + u64::from(byte)))
    }

    fn text(&mut self, len: u64) -> Result<Value, &'static str> {
        String::from_utf8(self.take(len)?.to_vec()).map(Value::Str).map_err(|_| "malformed")
    }
}

impl Value {
    pub fn write(&self, form: Form) -> Vec<u8> {
        let mut out = Vec::new();
        self.write_to(&mut out, form);
        out
    }

    fn write_to(&self, out: &mut Vec<u8>, form: Form) {
        match self {
            Self::Nil => out.push(0xc0),
            Self::Bool(value) => out.push(0xc2 + u8::from(*value)),
            Self::Int(value) => write_int(*value, out, form),
            Self::Float(value) => {
                out.push(0xcb);
                out.extend(value.to_bits().to_be_bytes());
            }
            Self::Str(text) => {
                head(out, text.len(), (0xa0, 32), 0xd9, form);
                out.extend(text.as_bytes());
            }
            Self::Bin(bytes) => {
                head(out, bytes.len(), (0, 0), 0xc4, form);
                out.extend(bytes);
            }
            Self::Array(items) => {
                head(out, items.len(), (0x90, 16), 0xdb, form);
                items.iter().for_each(|item| item.write_to(out, form));
            }
            Self::Map(pairs) => {
                head(out, pairs.len(), (0x80, 16), 0xdd, form);
                for (key, value) in pairs {
                    key.write_to(out, form);
                    value.write_to(out, form);
                }
            }
        }
    }

    /// The pairs of a map whose keys are texts, each of them once.
    pub fn named(&self) -> Option<Vec<(&str, &Value)>> {
        let Self::Map(pairs) = self else { return None };
        let named: Vec<(&str, &Self)> = pairs.iter().map(as_named).collect::<Option<_>>()?;
        let names: BTreeSet<&str> = named.iter().map(|(name, _)| *name).collect();
        (names.len() == named.len()).then_some(named)
    }
}

fn as_named((key, value): &(Value, Value)) -> Option<(&str, &Value)> {
    if let Value::Str(name) = key { Some((name, value)) } else { None }
}

impl Value {
    /// As JSON, as the contract shows payloads to people: bytes by their number, keys as text.
    pub fn shown(&self) -> serde_json::Value {
        match self {
            Self::Nil => serde_json::Value::Null,
            Self::Bool(value) => json!(value),
            Self::Int(value) => u64::try_from(*value).map_or_else(|_| json!(*value as i64), |value| json!(value)),
            Self::Float(value) => json!(value),
            Self::Str(text) => json!(text),
            Self::Bin(bytes) => json!({ "$bin_bytes": bytes.len() }),
            Self::Array(items) => items.iter().map(Self::shown).collect(),
            Self::Map(pairs) => {
                let fields = pairs.iter().map(|(key, value)| (key.shown_as_key(), value.shown()));
                serde_json::Value::Object(fields.collect())
            }
        }
    }

    fn shown_as_key(&self) -> String {
        match self {
            Self::Nil => "null".to_owned(),
            Self::Bool(value) => value.to_string(),
            Self::Int(value) => value.to_string(),
            Self::Float(value) => value.to_string(),
            Self::Str(text) => text.clone(),
            Self::Bin(bytes) => format!("$bin_bytes: {}", bytes.len()),
            Self::Array(items) => format!("$array_items: {}", items.len()),
            Self::Map(pairs) => format!("$map_pairs: {}", pairs.len()),
        }
    }
}

/// The head of a text, bytes or a container. `first` is the marker with the narrowest length, or that before it where
/// lengths start at two bytes.
fn head(out: &mut Vec<u8>, len: usize, (short, short_len): (u8, usize), first: u8, form: Form) {
    let has_one_byte = matches!(first, 0xd9 | 0xc4);
    match len {
        _ if form == Form::Widest || len > 0xffff => {
            out.push(first + 2);
            out.extend((len as u32).to_be_bytes());
        }
        _ if len < short_len => out.push(short + len as u8),
        _ if has_one_byte && len <= 0xff => out.extend([first, len as u8]),
        _ => {
            out.push(first + 1);
            out.extend((len as u16).to_be_bytes());
        }
    }
}

fn write_int(value: i128, out: &mut Vec<u8>, form: Form) {
    match value {
        -32..=127 if form == Form::Shortest => out.push(value as u8),
        0.. => {
            out.push(0xcf);
            out.extend((value as u64).to_be_bytes());
        }
        _ => {
            out.push(0xd3);
            out.extend((value as i64).to_be_bytes());
        }
    }
}

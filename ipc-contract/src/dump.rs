//! A frame written out byte by byte with what the bytes mean, for people. Reads by `token`, judges nothing.

use std::fmt::Write;

use crate::error::{ContractError, ErrorKind};
use crate::frame::LENGTH_BYTES;
use crate::scan::scan;
use crate::token::{Token, Tokens};

/// Bytes in a line.
const LINE_BYTES: usize = 14;
/// Where the meaning of a line begins.
const MEANING_COLUMN: usize = 56;
/// How much further in the content of an array, map or payload stands.
const INDENT: usize = 3;

/// A whole frame, length included, in lines of hexadecimal digits, each with what it means. A payload is shown as the value
/// that it holds.
///
/// # Errors
/// `Truncated` when there is no whole length; those of [`scan`](fn@crate::scan::scan) for what follows it.
pub fn dump(frame: &[u8]) -> Result<String, ContractError> {
    let Some((length, payload)) = frame.split_first_chunk::<LENGTH_BYTES>() else {
        return Err(ContractError::new(ErrorKind::Truncated, "the length of a frame takes four bytes"));
    };
    scan(payload)?;
    let mut dump = Dump { out: String::new(), rest: payload };
    dump.bytes(0, length, &format!("length {}", u32::from_be_bytes(*length)));
    dump.value(0, None, true)?;
    Ok(dump.out)
}

/// What was written, and what is still to be read.
struct Dump<'a> {
    out: String,
    rest: &'a [u8],
}

/// A token's own bytes, and what they mean.
struct Piece<'a> {
    bytes: &'a [u8],
    meaning: String,
}

impl<'a> Dump<'a> {
    /// The next value with all that it holds, after its name when it has one. Recurses no deeper than `scan` allows, and once
    /// more in a payload.
    fn value(&mut self, depth: usize, name: Option<Piece<'a>>, opens_payloads: bool) -> Result<(), ContractError> {
        let (token, piece) = self.next()?;
        let content = match token {
            Token::Bin(content) if opens_payloads && scan(content).is_ok() => content,
            _ => &[],
        };
        let head = Piece { bytes: &piece.bytes[..piece.bytes.len() - content.len()], ..piece };
        self.entry(depth, name, head);
        match token {
            Token::Array(items) => {
                for _ in 0..items {
                    self.value(depth + 1, None, opens_payloads)?;
                }
            }
            Token::Map(pairs) => {
                for _ in 0..pairs {
                    let (_, name) = self.next()?;
                    self.value(depth + 1, Some(name), opens_payloads)?;
                }
            }
            _ if !content.is_empty() => {
                let mut inner = Dump { out: std::mem::take(&mut self.out), rest: content };
                inner.value(depth + 1, None, false)?;
                self.out = inner.out;
            }
            _ => {}
        }
        Ok(())
    }

    fn next(&mut self) -> Result<(Token<'a>, Piece<'a>), ContractError> {
        let mut tokens = Tokens::new(self.rest);
        let token = tokens.next()?;
        let (bytes, rest) = self.rest.split_at(self.rest.len() - tokens.left());
        self.rest = rest;
        Ok((token, Piece { bytes, meaning: meaning(token) }))
    }

    /// Name and value share a line when they fit into it.
    fn entry(&mut self, depth: usize, name: Option<Piece<'_>>, value: Piece<'_>) {
        match name {
            None => self.bytes(depth, value.bytes, &value.meaning),
            Some(name) if name.bytes.len() + value.bytes.len() <= LINE_BYTES => {
                let hex = format!("{}   {}", digits(name.bytes), digits(value.bytes));
                self.line(depth, &hex, &format!("{}: {}", name.meaning, value.meaning));
            }
            Some(name) => {
                self.bytes(depth, name.bytes, &format!("{}:", name.meaning));
                self.bytes(depth, value.bytes, &format!("  {}", value.meaning));
            }
        }
    }

    /// The meaning stands in the first line.
    fn bytes(&mut self, depth: usize, bytes: &[u8], meaning: &str) {
        for (number, part) in bytes.chunks(LINE_BYTES).enumerate() {
            self.line(depth, &digits(part), if number == 0 { meaning } else { "" });
        }
    }

    fn line(&mut self, depth: usize, hex: &str, meaning: &str) {
        let line = format!("{:indent$}{hex}", "", indent = depth * INDENT);
        let line = format!("{line:MEANING_COLUMN$} {meaning}");
        let _ = writeln!(self.out, "{}", line.trim_end());
    }
}

fn digits(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ")
}

fn meaning(token: Token<'_>) -> String {
    match token {
        Token::Nil => "nil".to_owned(),
        Token::Bool(value) => value.to_string(),
        Token::Unsigned(value) => value.to_string(),
        Token::Signed(value) => value.to_string(),
        Token::Float(value) => format!("{value:?}"),
        Token::Str(text) => format!("{text:?}"),
        Token::Bin([]) => "bin of no bytes".to_owned(),
        Token::Bin(bytes) => format!("bin of {}, which are:", counted(bytes.len(), "byte")),
        Token::Array(items) => format!("array of {items}"),
        Token::Map(pairs) => format!("map of {pairs}"),
    }
}

fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Done, Fail, FromWorker, Payload, encode};

    #[test]
    fn every_byte_is_shown_once_and_in_order() {
        let result = Payload::of(&serde_json::json!({ "path": "a.png", "sizes": [640, -1, 0.5, null, true] })).unwrap();
        let frame = encode(&FromWorker::Done(Done { task: 7, epoch: 2, result, ..Done::default() })).unwrap();
        let text = dump(&frame).unwrap();
        let shown = text.lines().flat_map(|line| line.get(..MEANING_COLUMN).unwrap_or(line).split_whitespace());
        let bytes: Vec<u8> = shown.map(|digits| u8::from_str_radix(digits, 16).unwrap()).collect();
        assert_eq!(bytes, frame, "{text}");
        for part in ["length 68", "\"task\": 7", "bin of 34 bytes, which are:", "map of 2", "0.5", "-1", "nil", "true"]
        {
            assert!(text.contains(part), "no {part} in\n{text}");
        }
    }

    #[test]
    fn what_is_no_value_stays_bytes() {
        let frame = encode(&FromWorker::Done(Done { result: Payload(vec![0xc1, 2]), ..Done::default() })).unwrap();
        assert!(dump(&frame).unwrap().contains("c4 02 c1 02"));
        let long = FromWorker::Fail(Fail { error: "x".repeat(2 * LINE_BYTES + 3), ..Fail::default() });
        assert_eq!(dump(&encode(&long).unwrap()).unwrap().lines().filter(|line| line.contains("78 78 78")).count(), 3);
        assert_eq!(dump(b"\0\0\0").unwrap_err().kind.name(), "truncated");
        assert_eq!(dump(b"\0\0\0\x01\xc1").unwrap_err().kind.name(), "malformed");
    }
}

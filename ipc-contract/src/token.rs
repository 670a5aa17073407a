//! One MessagePack token at a time, straight from the bytes. The only place that knows the format byte by byte.

use rmp::Marker;

use crate::error::{ContractError, ErrorKind};

/// A scalar whole, or the head of an array (count of items) or map (count of pairs) whose content follows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Token<'a> {
    Nil,
    Bool(bool),
    Unsigned(u64),
    Signed(i64),
    Float(f64),
    Str(&'a str),
    Bin(&'a [u8]),
    Array(u32),
    Map(u32),
}

impl Token<'_> {
    /// Values that follow this token and belong to it.
    pub(crate) fn children(self) -> u64 {
        match self {
            Token::Array(items) => u64::from(items),
            Token::Map(pairs) => 2 * u64::from(pairs),
            _ => 0,
        }
    }

    pub(crate) fn is_container(self) -> bool {
        matches!(self, Token::Array(_) | Token::Map(_))
    }
}

/// Reads tokens off the front of a slice. Borrows, never allocates.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tokens<'a> {
    rest: &'a [u8],
}

impl<'a> Tokens<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// Bytes that were not read yet.
    pub(crate) fn left(&self) -> usize {
        self.rest.len()
    }

    /// The next token. Errors: truncated, or malformed (reserved byte, extension type, text that is not UTF-8).
    pub(crate) fn next(&mut self) -> Result<Token<'a>, ContractError> {
        let [marker] = self.array()?;
        Ok(match Marker::from_u8(marker) {
            Marker::Null => Token::Nil,
            Marker::True => Token::Bool(true),
            Marker::False => Token::Bool(false),
            Marker::FixPos(value) => Token::Unsigned(u64::from(value)),
            Marker::U8 => Token::Unsigned(self.length(1)?),
            Marker::U16 => Token::Unsigned(self.length(2)?),
            Marker::U32 => Token::Unsigned(self.length(4)?),
            Marker::U64 => Token::Unsigned(u64::from_be_bytes(self.array()?)),
            Marker::FixNeg(value) => Token::Signed(i64::from(value)),
            Marker::I8 => Token::Signed(i64::from(i8::from_be_bytes(self.array()?))),
            Marker::I16 => Token::Signed(i64::from(i16::from_be_bytes(self.array()?))),
            Marker::I32 => Token::Signed(i64::from(i32::from_be_bytes(self.array()?))),
            Marker::I64 => Token::Signed(i64::from_be_bytes(self.array()?)),
            Marker::F32 => Token::Float(f64::from(f32::from_be_bytes(self.array()?))),
            Marker::F64 => Token::Float(f64::from_be_bytes(self.array()?)),
            Marker::FixStr(len) => self.text(u64::from(len))?,
            Marker::Str8 => self.sized(1, Self::text)?,
            Marker::Str16 => self.sized(2, Self::text)?,
            Marker::Str32 => self.sized(4, Self::text)?,
            Marker::Bin8 => self.sized(1, Self::binary)?,
            Marker::Bin16 => self.sized(2, Self::binary)?,
            Marker::Bin32 => self.sized(4, Self::binary)?,
            Marker::FixArray(len) => Token::Array(u32::from(len)),
            Marker::Array16 => Token::Array(u32::from(u16::from_be_bytes(self.array()?))),
            Marker::Array32 => Token::Array(u32::from_be_bytes(self.array()?)),
            Marker::FixMap(len) => Token::Map(u32::from(len)),
            Marker::Map16 => Token::Map(u32::from(u16::from_be_bytes(self.array()?))),
            Marker::Map32 => Token::Map(u32::from_be_bytes(self.array()?)),
            Marker::Reserved => return Err(malformed("byte 0xc1 is no MessagePack".to_owned())),
            other => {
                return Err(malformed(format!("extension types are not part of the contract ({other:?}); use bin")));
            }
        })
    }

    /// Passes over the content that belongs to `token`, which was just read.
    pub(crate) fn skip_content(&mut self, token: Token<'a>) -> Result<(), ContractError> {
        let mut owed = token.children();
        while owed > 0 {
            owed += self.next()?.children();
            owed -= 1;
        }
        Ok(())
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], ContractError> {
        let (head, rest) = self.rest.split_first_chunk().ok_or_else(truncated)?;
        self.rest = rest;
        Ok(*head)
    }

    fn take(&mut self, len: u64) -> Result<&'a [u8], ContractError> {
        let len = usize::try_from(len).map_err(|_| truncated())?;
        let (head, rest) = self.rest.split_at_checked(len).ok_or_else(truncated)?;
        self.rest = rest;
        Ok(head)
    }

    /// A big-endian unsigned integer of `width` bytes, 1 to 8.
    fn length(&mut self, width: u64) -> Result<u64, ContractError> {
        Ok(self.take(width)?.iter().fold(0, |sum, &byte| sum << 8 | u64::from(byte)))
    }

    fn sized(
        &mut self,
        width: u64,
        read: fn(&mut Self, u64) -> Result<Token<'a>, ContractError>,
    ) -> Result<Token<'a>, ContractError> {
        let len = self.length(width)?;
        read(self, len)
    }

    fn text(&mut self, len: u64) -> Result<Token<'a>, ContractError> {
        let bytes = self.take(len)?;
        std::str::from_utf8(bytes)
            .map(Token::Str)
            .map_err(|_| malformed("a str is not UTF-8; send it as bin".to_owned()))
    }

    fn binary(&mut self, len: u64) -> Result<Token<'a>, ContractError> {
        self.take(len).map(Token::Bin)
    }
}

fn truncated() -> ContractError {
    ContractError::new(ErrorKind::Truncated, "a value announces more bytes than there are; send whole values")
}

fn malformed(detail: String) -> ContractError {
    ContractError::new(ErrorKind::Malformed, detail)
}

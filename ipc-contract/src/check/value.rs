//! Whether two payloads are the same value, however they are written. Pure.

use crate::error::ContractError;
use crate::payload::Payload;
use crate::scan::scan;
use crate::token::{Token, Tokens};

/// A value without the form in which it was written. Numbers that are equal are the same, maps have no order.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Plain {
    Nil,
    Bool(bool),
    Integer(i128),
    /// The bits of a float that is no integer.
    Float(u64),
    Text(String),
    Bytes(Vec<u8>),
    Array(Vec<Plain>),
    Map(Vec<(Plain, Plain)>),
}

/// Floats that are whole and below this stand for integers: some languages do not tell them apart.
const EXACT_MAX: f64 = (1_u64 << 53) as f64;

/// True when both are the same value.
///
/// # Errors
/// Those of [`scan`](fn@crate::scan::scan), when one is no value.
pub(super) fn is_same(one: &Payload, other: &Payload) -> Result<bool, ContractError> {
    Ok(plain(one)? == plain(other)?)
}

fn plain(payload: &Payload) -> Result<Plain, ContractError> {
    scan(payload.value_bytes())?;
    read(&mut Tokens::new(payload.value_bytes()))
}

/// Recursion is as deep as [`scan`](fn@crate::scan::scan) lets values be.
fn read(tokens: &mut Tokens<'_>) -> Result<Plain, ContractError> {
    Ok(match tokens.next()? {
        Token::Nil => Plain::Nil,
        Token::Bool(value) => Plain::Bool(value),
        Token::Unsigned(value) => Plain::Integer(value.into()),
        Token::Signed(value) => Plain::Integer(value.into()),
        Token::Float(value) if value.fract() == 0.0 && value.abs() <= EXACT_MAX => Plain::Integer(value as i128),
        Token::Float(value) => Plain::Float(value.to_bits()),
        Token::Str(text) => Plain::Text(text.to_owned()),
        Token::Bin(bytes) => Plain::Bytes(bytes.to_vec()),
        Token::Array(items) => Plain::Array((0..items).map(|_| read(tokens)).collect::<Result<_, _>>()?),
        Token::Map(pairs) => {
            let mut entries =
                (0..pairs).map(|_| Ok((read(tokens)?, read(tokens)?))).collect::<Result<Vec<_>, ContractError>>()?;
            entries.sort();
            Plain::Map(entries)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_does_not_matter_and_the_value_does() {
        let table: &[(&[u8], &[u8], bool)] = &[
            (b"\x07", b"\xcf\0\0\0\0\0\0\0\x07", true),
            (b"\x07", b"\xd3\0\0\0\0\0\0\0\x07", true),
            (b"\x07", b"\xcb\x40\x1c\0\0\0\0\0\0", true),
            (b"\x07", b"\x08", false),
            (b"\xff", b"\xd0\xff", true),
            (b"\xcf\xff\xff\xff\xff\xff\xff\xff\xff", b"\xff", false),
            (b"\xca\x3f\xc0\0\0", b"\xcb\x3f\xf8\0\0\0\0\0\0", true),
            (b"\xa1a", b"\xc4\x01a", false),
            (b"\xa1a", b"\xd9\x01a", true),
            (b"\x82\xa1a\x01\xa1b\x02", b"\xde\0\x02\xa1b\x02\xa1a\x01", true),
            (b"\x82\xa1a\x01\xa1b\x02", b"\x81\xa1a\x01", false),
            (b"\x92\x01\x02", b"\x92\x02\x01", false),
            (b"\xc0", b"", true),
            (b"\xc0", b"\xc2", false),
        ];
        for (one, other, same) in table {
            assert_eq!(is_same(&Payload(one.to_vec()), &Payload(other.to_vec())), Ok(*same), "{one:02x?} {other:02x?}");
        }
        assert!(is_same(&Payload(vec![0xc1]), &Payload::default()).is_err());
    }
}

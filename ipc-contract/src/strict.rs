//! Serde over the tokens of one frame, exactly as the contract spells it: keys and names are text, bodies are maps, and only
//! `bin` is bytes. A general MessagePack reader would take more spellings than the page allows. Knows no message.

use std::fmt;

use serde::de::value::BorrowedStrDeserializer;
use serde::de::{
    self, DeserializeSeed, EnumAccess, Expected, MapAccess, SeqAccess, Unexpected, VariantAccess, Visitor,
};
use serde::forward_to_deserialize_any;

use crate::error::ContractError;
use crate::token::{Token, Tokens};

/// Reads the value at which `tokens` stands. The bytes must have passed [`scan`](fn@crate::scan::scan), which bounds the depth.
pub(crate) struct Strict<'t, 'de>(pub(crate) &'t mut Tokens<'de>);

/// What does not fit, in a sentence.
#[derive(Debug)]
pub(crate) struct Misfit(String);

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Misfit {}

impl de::Error for Misfit {
    fn custom<T: fmt::Display>(reason: T) -> Self {
        Self(reason.to_string())
    }
}

impl From<ContractError> for Misfit {
    fn from(error: ContractError) -> Self {
        Self(error.detail)
    }
}

impl<'de> Strict<'_, 'de> {
    /// Hands a scalar to the visitor, or what follows a head.
    fn visit<V: Visitor<'de>>(self, token: Token<'de>, visitor: V) -> Result<V::Value, Misfit> {
        match token {
            Token::Nil => visitor.visit_unit(),
            Token::Bool(value) => visitor.visit_bool(value),
            Token::Unsigned(value) => visitor.visit_u64(value),
            Token::Signed(value) => visitor.visit_i64(value),
            Token::Float(value) => visitor.visit_f64(value),
            Token::Str(text) => visitor.visit_borrowed_str(text),
            Token::Bin(bytes) => visitor.visit_borrowed_bytes(bytes),
            Token::Array(left) => visitor.visit_seq(Content { tokens: self.0, left }),
            Token::Map(left) => visitor.visit_map(Content { tokens: self.0, left }),
        }
    }

    /// Reads a value that must be of one type: a derived reader would take others for it.
    fn only<V: Visitor<'de>>(self, fits: fn(&Token<'de>) -> bool, visitor: V) -> Result<V::Value, Misfit> {
        let token = self.0.next()?;
        if fits(&token) { self.visit(token, visitor) } else { Err(misfit(token, &visitor)) }
    }
}

fn misfit(token: Token<'_>, expected: &dyn Expected) -> Misfit {
    let unexpected = match token {
        Token::Nil => Unexpected::Other("nil"),
        Token::Bool(value) => Unexpected::Bool(value),
        Token::Unsigned(value) => Unexpected::Unsigned(value),
        Token::Signed(value) => Unexpected::Signed(value),
        Token::Float(value) => Unexpected::Float(value),
        Token::Str(text) => Unexpected::Str(text),
        Token::Bin(_) => Unexpected::Other("bin"),
        Token::Array(_) => Unexpected::Other("array"),
        Token::Map(_) => Unexpected::Map,
    };
    de::Error::invalid_type(unexpected, expected)
}

impl<'de> de::Deserializer<'de> for Strict<'_, 'de> {
    type Error = Misfit;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        let token = self.0.next()?;
        self.visit(token, visitor)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        self.only(|token| matches!(token, Token::Str(_)), visitor)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        self.deserialize_str(visitor)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        self.deserialize_str(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        self.only(|token| matches!(token, Token::Map(_)), visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        self.deserialize_map(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        let mut ahead = *self.0;
        if ahead.next()? != Token::Nil {
            return visitor.visit_some(self);
        }
        *self.0 = ahead;
        visitor.visit_none()
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Misfit> {
        visitor.visit_newtype_struct(self)
    }

    /// A word, or a map of one key: the name and what belongs to it.
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        match self.0.next()? {
            Token::Str(word) => visitor.visit_enum(Word(word)),
            Token::Map(1) => visitor.visit_enum(self),
            other => Err(misfit(other, &visitor)),
        }
    }

    /// Passes over it without recursion.
    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        let token = self.0.next()?;
        self.0.skip_content(token)?;
        visitor.visit_unit()
    }

    fn is_human_readable(&self) -> bool {
        false
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char bytes byte_buf unit unit_struct seq tuple tuple_struct
    }
}

/// What follows the head of an array or map.
struct Content<'t, 'de> {
    tokens: &'t mut Tokens<'de>,
    /// Items or pairs that were not read yet.
    left: u32,
}

impl<'de> SeqAccess<'de> for Content<'_, 'de> {
    type Error = Misfit;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Misfit> {
        let Some(left) = self.left.checked_sub(1) else { return Ok(None) };
        self.left = left;
        seed.deserialize(Strict(self.tokens)).map(Some)
    }
}

impl<'de> MapAccess<'de> for Content<'_, 'de> {
    type Error = Misfit;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Misfit> {
        let Some(left) = self.left.checked_sub(1) else { return Ok(None) };
        self.left = left;
        seed.deserialize(Strict(self.tokens)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Misfit> {
        seed.deserialize(Strict(self.tokens))
    }
}

/// The head of the map was read; the name and what belongs to it follow.
impl<'de> EnumAccess<'de> for Strict<'_, 'de> {
    type Error = Misfit;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Misfit> {
        let name = seed.deserialize(Strict(self.0))?;
        Ok((name, self))
    }
}

impl<'de> VariantAccess<'de> for Strict<'_, 'de> {
    type Error = Misfit;

    fn unit_variant(self) -> Result<(), Misfit> {
        Err(de::Error::custom("this name stands alone, as text"))
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Misfit> {
        seed.deserialize(self)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Misfit> {
        de::Deserializer::deserialize_any(self, visitor)
    }

    fn struct_variant<V: Visitor<'de>>(self, _: &'static [&'static str], visitor: V) -> Result<V::Value, Misfit> {
        de::Deserializer::deserialize_map(self, visitor)
    }
}

/// A name that stands alone.
struct Word<'de>(&'de str);

impl<'de> EnumAccess<'de> for Word<'de> {
    type Error = Misfit;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Misfit> {
        let name = seed.deserialize(BorrowedStrDeserializer::<Misfit>::new(self.0))?;
        Ok((name, self))
    }
}

impl<'de> VariantAccess<'de> for Word<'de> {
    type Error = Misfit;

    fn unit_variant(self) -> Result<(), Misfit> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, _: T) -> Result<T::Value, Misfit> {
        Err(lonely())
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, _: V) -> Result<V::Value, Misfit> {
        Err(lonely())
    }

    fn struct_variant<V: Visitor<'de>>(self, _: &'static [&'static str], _: V) -> Result<V::Value, Misfit> {
        Err(lonely())
    }
}

fn lonely() -> Misfit {
    de::Error::custom("this name needs a value: send a map of one key")
}

//! The one error of this crate: a kind for programs, a sentence for people. No rule is decided here.

use std::fmt;

/// First bytes of what was refused that an error keeps.
pub const HEAD_BYTES_MAX: usize = 64;

/// Characters that a sentence may have.
const DETAIL_CHARS_MAX: usize = 1024;

/// Why bytes or values were refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContractError {
    pub kind: ErrorKind,
    /// A lower-case sentence that says what is wrong and what to do.
    pub detail: String,
    /// The first bytes of what was refused, at most [`HEAD_BYTES_MAX`]; empty when no bytes were at fault.
    pub head: Vec<u8>,
}

/// A sentence may quote what a sender wrote: it stays one line of a bounded size, whatever that was.
fn plain(detail: String) -> String {
    if detail.len() <= DETAIL_CHARS_MAX && !detail.contains(char::is_control) {
        return detail;
    }
    let mut line = String::new();
    for c in detail.chars().take(DETAIL_CHARS_MAX) {
        if c.is_control() { line.extend(c.escape_default()) } else { line.push(c) }
    }
    line
}

/// What is wrong, for programs to match on.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A frame announces, or would have, more bytes than a frame may have.
    TooLong { len: u64, max: u64 },
    /// A frame announces no bytes.
    Empty,
    /// Arrays and maps are nested deeper than the limit.
    TooDeep,
    /// A length inside a value announces more than there is.
    Truncated,
    /// Bytes follow the value.
    Trailing,
    /// Not MessagePack, or a part of it that the contract leaves out.
    Malformed,
    /// Not a map of one key that names the message.
    NotAMessage,
    /// No message has this name.
    UnknownMessage(String),
    /// The message exists, but is sent by the other side.
    WrongDirection(String),
    /// The body of a message does not fit: a wrong type or a missing field.
    Body { message: String, field: Option<String> },
    /// A value is outside the limit of this name.
    Limit(&'static str),
    /// A name is not spelled as names are.
    Name(String),
    /// A task to be, a command or a payload is not usable; names the field.
    Value { field: String },
}

impl ErrorKind {
    /// The name that the golden vectors give to this kind.
    pub fn name(&self) -> &'static str {
        match self {
            Self::TooLong { .. } => "too_long",
            Self::Empty => "empty",
            Self::TooDeep => "too_deep",
            Self::Truncated => "truncated",
            Self::Trailing => "trailing",
            Self::Malformed => "malformed",
            Self::NotAMessage => "not_a_message",
            Self::UnknownMessage(_) => "unknown_message",
            Self::WrongDirection(_) => "wrong_direction",
            Self::Body { .. } => "body",
            Self::Limit(_) => "limit",
            Self::Name(_) => "name",
            Self::Value { .. } => "value",
        }
    }
}

impl ContractError {
    pub(crate) fn new(kind: ErrorKind, detail: impl Into<String>) -> Self {
        Self { kind, detail: plain(detail.into()), head: Vec::new() }
    }

    /// A value that cannot be used, by the name of its field.
    pub(crate) fn value(field: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::new(ErrorKind::Value { field: field.into() }, detail)
    }

    /// Adds the first of the refused bytes.
    pub(crate) fn with_head(mut self, bytes: &[u8]) -> Self {
        self.head = bytes.iter().copied().take(HEAD_BYTES_MAX).collect();
        self
    }
}

impl fmt::Display for ContractError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)?;
        if !self.head.is_empty() {
            // Printable bytes are shown as text, because a stray print is what they mostly are.
            write!(f, "; the bytes begin with \"{}\"", self.head.escape_ascii())?;
        }
        Ok(())
    }
}

impl std::error::Error for ContractError {}

/// What a decoder says against a value; its own words for a wrong type are not for people.
pub(crate) fn reason(error: rmp_serde::decode::Error) -> String {
    match error {
        rmp_serde::decode::Error::TypeMismatch(marker) => format!("this type does not fit here ({marker:?})"),
        rmp_serde::decode::Error::Syntax(text) => text,
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_is_one_line_of_bounded_size_whatever_it_quotes() {
        let error = ContractError::value("retry", "unknown variant `\u{1b}[2J\n\u{9b}é`");
        assert_eq!(error.detail, "unknown variant `\\u{1b}[2J\\n\\u{9b}é`");
        let error = ContractError::value("retry", "é".repeat(10_000));
        assert_eq!(error.detail, "é".repeat(DETAIL_CHARS_MAX));
    }
}

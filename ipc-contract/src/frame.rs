//! Frames: a big-endian `u32` length, then one MessagePack map. No order (`session`) and no input or output lives here.

use crate::error::{ContractError, ErrorKind, HEAD_BYTES_MAX};
use crate::kind::{Kind, Message};
use crate::scan::scan;
use crate::strict::Strict;
use crate::token::{Token, Tokens};

/// Largest payload of a frame, after its length.
pub const MAX_FRAME_BYTES: usize = 16 * 1024 * 1024;

/// Size of the length before each payload.
pub const LENGTH_BYTES: usize = 4;

/// Room that an empty decoder keeps, so that one large frame does not hold its memory for ever.
const RETAINED_BYTES: usize = 64 * 1024;

/// Encodes a message as a whole frame: length, then a one-key map with named fields.
///
/// # Errors
/// `TooLong` when the payload would exceed [`MAX_FRAME_BYTES`].
pub fn encode<M: Message>(message: &M) -> Result<Vec<u8>, ContractError> {
    let mut frame = vec![0; LENGTH_BYTES];
    let mut serializer = rmp_serde::Serializer::new(&mut frame).with_struct_map();
    message.serialize(&mut serializer).map_err(|error| {
        ContractError::new(ErrorKind::Malformed, format!("a {} cannot be encoded: {error}", message.kind().name()))
    })?;
    let len = frame.len() - LENGTH_BYTES;
    let announced = u32::try_from(len).ok().filter(|_| len <= MAX_FRAME_BYTES).ok_or_else(|| too_long(len as u64))?;
    frame[..LENGTH_BYTES].copy_from_slice(&announced.to_be_bytes());
    Ok(frame)
}

/// Decodes the payload of a frame. Fields that this version does not know are ignored.
///
/// # Errors
/// Those of [`scan`](fn@crate::scan::scan), then `NotAMessage`, `UnknownMessage`, `WrongDirection`, `Body`.
pub fn decode<M: Message>(payload: &[u8]) -> Result<M, ContractError> {
    scan(payload)?;
    let kind = read_head::<M>(payload).map_err(|error| error.with_head(payload))?;
    M::deserialize(Strict(&mut Tokens::new(payload))).map_err(|_| body_error::<M>(payload, kind).with_head(payload))
}

/// Reads `{"name": {` and says which message it is.
fn read_head<M: Message>(payload: &[u8]) -> Result<Kind, ContractError> {
    let mut tokens = Tokens::new(payload);
    let not_a_message =
        || ContractError::new(ErrorKind::NotAMessage, "a frame is a map of one key, the name of the message");
    if tokens.next()? != Token::Map(1) {
        return Err(not_a_message());
    }
    let Token::Str(name) = tokens.next()? else {
        return Err(not_a_message());
    };
    let Some(kind) = Kind::from_name(name) else {
        let name: String = name.chars().take(HEAD_BYTES_MAX).collect();
        let detail = format!("no message is named {name:?}; the contract lists the names");
        return Err(ContractError::new(ErrorKind::UnknownMessage(name), detail));
    };
    if kind.direction() != M::DIRECTION {
        let detail = format!("a {} is never sent in this direction ({})", kind.name(), M::DIRECTION.name());
        return Err(ContractError::new(ErrorKind::WrongDirection(kind.name().to_owned()), detail));
    }
    if !matches!(tokens.next()?, Token::Map(_)) {
        let detail = format!("the body of {} must be a map of named fields", kind.name());
        return Err(ContractError::new(ErrorKind::Body { message: kind.name().to_owned(), field: None }, detail));
    }
    Ok(kind)
}

/// Decodes once more to find the field at fault: following the path costs time that only a refusal may take.
fn body_error<M: Message>(payload: &[u8], kind: Kind) -> ContractError {
    let message = kind.name().to_owned();
    let (field, reason) = match serde_path_to_error::deserialize::<_, M>(Strict(&mut Tokens::new(payload))) {
        Ok(_) => (None, "the body does not fit".to_owned()),
        Err(error) => {
            let path = error.path().to_string();
            let field = path.strip_prefix(&message).map(|rest| rest.trim_start_matches('.').to_owned());
            (field.filter(|field| !field.is_empty()), error.into_inner().to_string())
        }
    };
    let place = field.as_ref().map_or(message.clone(), |field| format!("{message}.{field}"));
    ContractError::new(ErrorKind::Body { message, field }, format!("{place}: {reason}"))
}

fn too_long(len: u64) -> ContractError {
    let max = MAX_FRAME_BYTES as u64;
    let detail = format!("a frame of {len} bytes exceeds the limit of {max}; send large data as files");
    ContractError::new(ErrorKind::TooLong { len, max }, detail)
}

/// Cuts a stream of bytes into frames. It holds what arrived and never reserves what was only announced.
///
/// Call [`next_frame`](Self::next_frame) after each [`push`](Self::push) until it gives `None`: then the decoder holds at
/// most one unfinished frame. After an error the stream is lost, and every further call repeats the error.
#[derive(Debug, Default)]
pub struct FrameDecoder {
    buffer: Vec<u8>,
    /// Bytes at the front of `buffer` that were given out.
    read: usize,
}

impl FrameDecoder {
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds what arrived.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The payload of the next whole frame, or `None` when more bytes are needed.
    ///
    /// # Errors
    /// `Empty` or `TooLong`, as soon as the four bytes of the length are there.
    pub fn next_frame(&mut self) -> Result<Option<Vec<u8>>, ContractError> {
        let Some((length, rest)) = self.unread().split_first_chunk::<LENGTH_BYTES>() else {
            self.compact();
            return Ok(None);
        };
        let announced = u32::from_be_bytes(*length);
        if announced == 0 {
            let detail = "a frame announces no bytes; the shortest message takes more";
            return Err(ContractError::new(ErrorKind::Empty, detail).with_head(self.unread()));
        }
        let len = announced as usize;
        if len > MAX_FRAME_BYTES {
            return Err(too_long(u64::from(announced)).with_head(self.unread()));
        }
        let Some(payload) = rest.get(..len) else {
            self.compact();
            return Ok(None);
        };
        let payload = payload.to_vec();
        self.read += LENGTH_BYTES + len;
        Ok(Some(payload))
    }

    /// True while a frame has begun and is not complete: the end of the stream here is an error of the sender.
    pub fn is_partial(&self) -> bool {
        !self.unread().is_empty()
    }

    /// What arrived and was not given out; after an error, the evidence.
    pub fn unread(&self) -> &[u8] {
        &self.buffer[self.read..]
    }

    /// Memory that the decoder takes now.
    pub fn capacity_bytes(&self) -> usize {
        self.buffer.capacity()
    }

    /// Drops what was given out. Done once per drained push, so that many small frames cost one move.
    fn compact(&mut self) {
        self.buffer.drain(..self.read);
        self.read = 0;
        if self.buffer.is_empty() {
            self.buffer.shrink_to(RETAINED_BYTES);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_follows_what_arrived_and_is_given_back() {
        let mut decoder = FrameDecoder::new();
        let payload = vec![0xc0; MAX_FRAME_BYTES / 4];
        decoder.push(&u32::try_from(payload.len()).unwrap().to_be_bytes());
        assert_eq!(decoder.next_frame(), Ok(None));
        assert!(decoder.buffer.capacity() <= RETAINED_BYTES);
        decoder.push(&payload);
        assert_eq!(decoder.next_frame(), Ok(Some(payload)));
        assert_eq!(decoder.next_frame(), Ok(None));
        assert!(decoder.buffer.capacity() <= RETAINED_BYTES);
    }
}

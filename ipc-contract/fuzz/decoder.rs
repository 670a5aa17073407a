//! Target `decoder`: any bytes in any pieces give the frames and the error that the whole stream has, in bounded memory.

use ipc_contract::frame::{LENGTH_BYTES, MAX_FRAME_BYTES};
use ipc_contract::{ErrorKind, FrameDecoder};

use super::rng::SplitMix64;
use super::trail::{Trail, bucket, ensure};

/// The last bytes of what is unread, which are looked at after each piece.
const TAIL_BYTES: usize = 64;
/// Before the stream: how often it is repeated, how it is cut, and the seed of the cuts.
pub const HEAD_BYTES: usize = 4;
/// Repeats by the first byte; any other is one. For what shows only when much has passed, and slow.
const REPEATS: [(u8, usize); 2] = [(254, 8), (255, 64)];
/// Room that a decoder may keep when it holds nothing.
const IDLE_BYTES_MAX: usize = 64 * 1024;
/// Bytes after the error, to show that it stays.
const AFTER_ERROR: &[u8] = b"\x00\x00\x00\x01\xc0";

/// What a stream is, by the rules of SPEC.md section 2: its frames, then an error or what is left.
struct Whole<'a> {
    frames: Vec<&'a [u8]>,
    error: Option<&'static str>,
    rest: &'a [u8],
}

pub fn check(input: &[u8]) -> Result<Trail, String> {
    let Some((head, stream)) = input.split_first_chunk::<HEAD_BYTES>() else { return Ok(Trail::default()) };
    let [repeats, pieces, seed @ ..] = *head;
    let repeats = REPEATS.iter().find(|(byte, _)| *byte == repeats).map_or(1, |(_, repeats)| *repeats);
    let stream = stream.repeat(repeats);
    let whole = split(&stream);
    let mut rng = SplitMix64::new(u64::from(u16::from_be_bytes(seed)));
    let mut decoder = FrameDecoder::new();
    let mut frames = whole.frames.iter();
    let (mut given_bytes, mut pushed_bytes, mut held_bytes_max) = (0, 0, 0);
    let error = loop {
        let left = &stream[pushed_bytes..];
        let piece = &left[..(piece_bytes(pieces, &mut rng) * repeats).min(left.len())];
        held_bytes_max = held_bytes_max.max(pushed_bytes - given_bytes + piece.len());
        decoder.push(piece);
        pushed_bytes += piece.len();
        let error = loop {
            match decoder.next_frame() {
                Ok(Some(frame)) => {
                    ensure(frames.next() == Some(&frame.as_slice()), || "another frame than in one piece".to_owned())?;
                    given_bytes += LENGTH_BYTES + frame.len();
                }
                Ok(None) => break None,
                Err(error) => break Some(error),
            }
        };
        let unread = &stream[given_bytes..pushed_bytes];
        // Byte by byte, the whole of it each time would take the square of the time.
        let tail = unread.len().saturating_sub(TAIL_BYTES);
        let is_unread = decoder.unread().len() == unread.len() && decoder.unread()[tail..] == unread[tail..];
        ensure(is_unread, || "what is unread is not what arrived and was not given out".to_owned())?;
        ensure(decoder.is_partial() != unread.is_empty(), || "is_partial says otherwise".to_owned())?;
        let capacity = decoder.capacity_bytes();
        let allowed = if unread.is_empty() && error.is_none() { IDLE_BYTES_MAX } else { usize::MAX };
        ensure(capacity <= allowed.min(2 * held_bytes_max.max(LENGTH_BYTES)), || {
            format!("takes {capacity} bytes, but never held more than {held_bytes_max}")
        })?;
        if error.is_some() || pushed_bytes == stream.len() {
            break error;
        }
    };
    ensure(frames.next().is_none(), || "fewer frames than in one piece".to_owned())?;
    if let Some(error) = &error {
        ensure(whole.rest.starts_with(&error.head) && !error.head.is_empty(), || {
            "the evidence is not there".to_owned()
        })?;
        decoder.push(AFTER_ERROR);
        let again = decoder.next_frame().map_err(|error| error.kind);
        ensure(again.as_ref() == Err(&error.kind), || "the error does not stay".to_owned())?;
    }
    let found = error.as_ref().map(|error| error.kind.name());
    ensure(found == whole.error, || format!("the error is {found:?}, in one piece {:?}", whole.error))?;
    ensure(error.is_none_or(|error| says_length(&error.kind, whole.rest)), || "the length is not told".to_owned())?;
    let mut trail = Trail::default();
    trail.mark((found, bucket(whole.frames.len()), pieces % PIECES, whole.rest.is_empty()));
    trail.mark((found, bucket(held_bytes_max), bucket(stream.len())));
    Ok(trail)
}

fn split(stream: &[u8]) -> Whole<'_> {
    let mut whole = Whole { frames: Vec::new(), error: None, rest: stream };
    while let [a, b, c, d, rest @ ..] = whole.rest {
        let len = usize::from(*a) << 24 | usize::from(*b) << 16 | usize::from(*c) << 8 | usize::from(*d);
        whole.error = match len {
            0 => Some("empty"),
            len if len > MAX_FRAME_BYTES => Some("too_long"),
            _ => None,
        };
        if whole.error.is_some() || len > rest.len() {
            break;
        }
        whole.frames.push(&rest[..len]);
        whole.rest = &rest[len..];
    }
    whole
}

fn says_length(kind: &ErrorKind, rest: &[u8]) -> bool {
    match kind {
        ErrorKind::TooLong { len, max } => {
            len.to_be_bytes()[LENGTH_BYTES..] == rest[..LENGTH_BYTES] && *max == MAX_FRAME_BYTES as u64
        }
        _ => true,
    }
}

/// Ways to cut a stream.
const PIECES: u8 = 4;

fn piece_bytes(pieces: u8, rng: &mut SplitMix64) -> usize {
    match pieces % PIECES {
        0 => MAX_FRAME_BYTES,
        1 => 1,
        2 => 1 + rng.below(7),
        _ => 1 + rng.below(400),
    }
}

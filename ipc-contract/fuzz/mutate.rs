//! Mutations of bytes that know no format: flips, cuts, copies, splices, lengths, words. How values change is in `reshape`.

use ipc_contract::MAX_FRAME_BYTES;

use super::rng::SplitMix64;

/// What an input may grow to.
pub const INPUT_BYTES_MAX: usize = 2048;
/// Changes in one mutation.
const CHANGES_MAX: usize = 4;
/// Bytes that one change copies, cuts or inserts.
const SPAN_BYTES_MAX: usize = 64;
/// Levels of a depth bomb; the limit of 64 lies well within.
const BOMB_LEVELS_MAX: usize = 130;

const EDGES: [u8; 12] = [0x00, 0x01, 0x7f, 0x80, 0x81, 0x8f, 0x90, 0xa1, 0xc0, 0xc1, 0xe0, 0xff];

/// Heads whose count or length follows, with that of an array of 16 bits, of a map of 32 bits, and so on.
const HEADS: [(u8, usize); 10] =
    [(0xc4, 1), (0xc5, 2), (0xc6, 4), (0xd9, 1), (0xda, 2), (0xdb, 4), (0xdc, 2), (0xdd, 4), (0xde, 2), (0xdf, 4)];

/// Changes some bytes. `unit` is the size of what is moved as a whole; `words` are what the format is made of.
pub fn mutate(rng: &mut SplitMix64, input: &[u8], other: &[u8], unit: usize, words: &[&[u8]]) -> Vec<u8> {
    let mut bytes = input.to_vec();
    for _ in 0..=rng.below(CHANGES_MAX) {
        change(rng, &mut bytes, other, unit, words);
        bytes.truncate(INPUT_BYTES_MAX);
    }
    bytes
}

fn change(rng: &mut SplitMix64, bytes: &mut Vec<u8>, other: &[u8], unit: usize, words: &[&[u8]]) {
    let at = rng.below(bytes.len() + 1);
    let (from, to) = span(rng, bytes.len(), unit);
    let (other_from, other_to) = span(rng, other.len(), unit);
    match rng.below(11) {
        0 | 1 => set(bytes, at, |byte| byte ^ 1 << rng.below(8)),
        2 => set(bytes, at, |_| *rng.pick(&EDGES)),
        3 => set(bytes, at, |byte| byte.wrapping_add(rng.byte() % 5).wrapping_sub(2)),
        4 => drop(bytes.drain(from..to)),
        5 => {
            let copy = bytes[from..to].to_vec();
            insert(bytes, aligned(at, unit), &copy);
        }
        6 => insert(bytes, aligned(at, unit), &other[other_from..other_to]),
        7 => {
            bytes.truncate(from);
            bytes.extend_from_slice(&other[other_from..]);
        }
        8 => {
            let fresh: Vec<u8> = (0..unit * (1 + rng.below(4))).map(|_| rng.byte()).collect();
            insert(bytes, aligned(at, unit), &fresh);
        }
        9 if !words.is_empty() => insert(bytes, at, words[rng.below(words.len())]),
        _ => bytes.truncate(from),
    }
}

/// A lie about a length, a bomb of levels, or four bytes as the length of a frame.
pub fn lie(rng: &mut SplitMix64, bytes: &mut Vec<u8>) {
    let at = rng.below(bytes.len() + 1);
    match rng.below(3) {
        0 => {
            let (head, width) = *rng.pick(&HEADS);
            let count = announced(rng, bytes.len() - at).to_be_bytes();
            insert(bytes, at, &[&[head], &count[count.len() - width..]].concat());
        }
        1 => {
            let level: &[u8] = if rng.one_in(2) { b"\x91" } else { b"\x81\xa0" };
            insert(bytes, at, &level.repeat(rng.below(BOMB_LEVELS_MAX)));
        }
        _ => {
            let length = announced(rng, bytes.len().saturating_sub(at + 4)).to_be_bytes();
            let end = bytes.len().min(at + 4);
            bytes.splice(at..end, length);
        }
    }
    bytes.truncate(INPUT_BYTES_MAX);
}

/// A length that is right for `len` bytes, or nearly right, or at an edge.
fn announced(rng: &mut SplitMix64, len: usize) -> u32 {
    let max = MAX_FRAME_BYTES as u32;
    let len = len as u32;
    *rng.pick(&[len, len, len.wrapping_sub(1), len + 1, len / 2, 0, 1, max, max + 1, u32::MAX])
}

fn set(bytes: &mut [u8], at: usize, with: impl FnOnce(u8) -> u8) {
    if let Some(byte) = bytes.get_mut(at) {
        *byte = with(*byte);
    }
}

fn insert(bytes: &mut Vec<u8>, at: usize, what: &[u8]) {
    bytes.splice(at..at, what.iter().copied());
}

fn aligned(at: usize, unit: usize) -> usize {
    at - at % unit
}

fn span(rng: &mut SplitMix64, len: usize, unit: usize) -> (usize, usize) {
    let from = aligned(rng.below(len + 1), unit);
    (from, len.min(from + unit * (1 + rng.below(SPAN_BYTES_MAX / unit))))
}

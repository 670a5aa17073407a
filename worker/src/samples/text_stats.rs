//! Counting a text of any size in one pass over its bytes. Pure; who reads the file is not decided here.

use serde::Serialize;

/// What was counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Counts {
    bytes: u64,
    /// Line feeds.
    lines: u64,
    /// Runs of bytes other than ASCII white space.
    words: u64,
    /// Characters; absent when the bytes are not UTF-8.
    chars: Option<u64>,
}

/// Counts what is pushed, in any pieces, with a memory of a few bytes.
#[derive(Default)]
pub(super) struct Counter {
    bytes: u64,
    lines: u64,
    words: u64,
    in_word: bool,
    chars: u64,
    is_utf8: bool,
    /// The beginning of a character whose rest is still to come.
    begun: Vec<u8>,
}

impl Counter {
    pub(super) fn new() -> Self {
        Self { is_utf8: true, ..Self::default() }
    }

    pub(super) fn push(&mut self, piece: &[u8]) {
        self.bytes += piece.len() as u64;
        for &byte in piece {
            let in_word = !byte.is_ascii_whitespace();
            self.words += u64::from(in_word && !self.in_word);
            self.in_word = in_word;
            self.lines += u64::from(byte == b'\n');
        }
        if self.is_utf8 {
            self.push_chars(piece);
        }
    }

    pub(super) fn finish(self) -> Counts {
        let whole = self.is_utf8 && self.begun.is_empty();
        Counts { bytes: self.bytes, lines: self.lines, words: self.words, chars: whole.then_some(self.chars) }
    }

    fn push_chars(&mut self, mut piece: &[u8]) {
        // Byte by byte until the character that an earlier piece began is whole: three steps at most.
        while !self.begun.is_empty() {
            let Some((&byte, rest)) = piece.split_first() else { return };
            self.begun.push(byte);
            piece = rest;
            let begun = std::mem::take(&mut self.begun);
            self.begun = self.count(&begun);
        }
        self.begun = self.count(piece);
    }

    /// Counts whole characters and returns the unfinished one at the end.
    fn count(&mut self, bytes: &[u8]) -> Vec<u8> {
        let valid_bytes = match std::str::from_utf8(bytes) {
            Ok(_) => bytes.len(),
            Err(error) => {
                self.is_utf8 &= error.error_len().is_none();
                error.valid_up_to()
            }
        };
        let (valid, rest) = bytes.split_at(valid_bytes);
        self.chars += valid.iter().filter(|&&byte| byte & 0xC0 != 0x80).count() as u64;
        if self.is_utf8 { rest.to_vec() } else { Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(bytes: &[u8], piece_bytes: usize) -> Counts {
        let mut counter = Counter::new();
        bytes.chunks(piece_bytes).for_each(|piece| counter.push(piece));
        counter.finish()
    }

    #[test]
    fn counts_are_the_same_in_any_pieces() {
        let table: &[(&[u8], u64, u64, Option<u64>)] = &[
            (b"", 0, 0, Some(0)),
            (b"one two\nthree", 1, 3, Some(13)),
            (b"\n\n  \t\n", 3, 0, Some(6)),
            ("mutirão é 協力 🤝\n".as_bytes(), 1, 4, Some(15)),
            (b"latin \xe3 end", 0, 3, None),
            (b"cut \xf0\x9f\xa4", 0, 2, None),
            (b"\xff\xfe", 0, 1, None),
        ];
        for &(bytes, lines, words, chars) in table {
            let expected = Counts { bytes: bytes.len() as u64, lines, words, chars };
            for piece_bytes in 1..=bytes.len().max(1) {
                assert_eq!(count(bytes, piece_bytes), expected, "{bytes:?} in pieces of {piece_bytes}");
            }
        }
    }
}

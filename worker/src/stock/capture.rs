//! The last part of a stream of unknown length, in bounded memory, and its form as a result. Pure.

use ipc_contract::{ContractError, Payload};

/// Keeps the last bytes of what is pushed.
pub(super) struct Tail {
    bytes: Vec<u8>,
    max_bytes: usize,
    cut: bool,
}

impl Tail {
    pub(super) fn new(max_bytes: usize) -> Self {
        Self { bytes: Vec::new(), max_bytes, cut: false }
    }

    /// Memory stays below twice the maximum plus one push: the front is dropped in one move once it is worth the move.
    pub(super) fn push(&mut self, more: &[u8]) {
        self.bytes.extend_from_slice(more);
        if self.bytes.len() > 2 * self.max_bytes {
            self.trim();
        }
    }

    /// The kept bytes, and whether there were more before them.
    pub(super) fn finish(mut self) -> Captured {
        self.trim();
        Captured { bytes: self.bytes, cut: self.cut }
    }

    fn trim(&mut self) {
        let surplus = self.bytes.len().saturating_sub(self.max_bytes);
        if surplus > 0 {
            self.bytes.drain(..surplus);
            self.cut = true;
        }
    }
}

/// What a command has printed: all of it, or (when `cut`) the last part.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Captured {
    pub(super) bytes: Vec<u8>,
    pub(super) cut: bool,
}

impl Captured {
    /// A MessagePack text when the bytes are UTF-8, else binary.
    pub(super) fn payload(&self) -> Result<Payload, ContractError> {
        match std::str::from_utf8(self.whole_characters()) {
            Ok(text) => Payload::of(text),
            Err(_) => Payload::of(serde_bytes::Bytes::new(&self.bytes)),
        }
    }

    /// Without the rest of a character whose beginning was cut off: continuation bytes, of which UTF-8 has at most three.
    fn whole_characters(&self) -> &[u8] {
        const CONTINUATION_MAX_BYTES: usize = 3;
        let rest = self.bytes.iter().take_while(|&&byte| byte & 0xC0 == 0x80).count();
        let skip = if self.cut && rest <= CONTINUATION_MAX_BYTES { rest } else { 0 };
        &self.bytes[skip..]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn capture(max_bytes: usize, chunks: &[&[u8]]) -> Captured {
        let mut tail = Tail::new(max_bytes);
        for chunk in chunks {
            tail.push(chunk);
            assert!(tail.bytes.len() <= 2 * max_bytes + chunk.len());
        }
        tail.finish()
    }

    #[test]
    fn keeps_the_end_and_says_when_it_cut() {
        type Case = (usize, &'static [&'static [u8]], &'static [u8], bool);
        let table: &[Case] = &[
            (4, &[], b"", false),
            (4, &[b"abcd"], b"abcd", false),
            (4, &[b"abcde"], b"bcde", true),
            (4, &[b"ab", b"cd", b"ef", b"gh", b"ij"], b"ghij", true),
            (4, &[b"abcdefghijkl"], b"ijkl", true),
            (0, &[b"x"], b"", true),
        ];
        for (max_bytes, chunks, bytes, cut) in table {
            assert_eq!(capture(*max_bytes, chunks), Captured { bytes: bytes.to_vec(), cut: *cut });
        }
    }

    #[test]
    fn text_is_text_and_the_rest_is_binary() {
        let text = |bytes: &[u8], cut| Captured { bytes: bytes.to_vec(), cut }.payload().unwrap().read::<String>().ok();
        assert_eq!(text("né\n".as_bytes(), false).as_deref(), Some("né\n"));
        assert_eq!(text(b"", false).as_deref(), Some(""));
        assert_eq!(text(b"\xa9\n", true).as_deref(), Some("\n"), "the half character was ours");
        assert_eq!(text(b"\xa9\n", false), None, "the half character was the command's");
        assert_eq!(text(b"\x80\x80\x80\x80", true), None);
        let binary = Captured { bytes: vec![0xff, 0], cut: false }.payload().unwrap();
        assert_eq!(binary.read::<serde_bytes::ByteBuf>().unwrap().into_vec(), vec![0xff, 0]);
    }
}

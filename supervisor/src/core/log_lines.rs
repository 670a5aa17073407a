//! From bytes as they come to lines as they are kept: whole, safe for a terminal, of bounded length. Pure.

use super::log_line::{LogLine, Source};
use crate::text::printable;

/// Bytes of one line; a longer one is broken.
pub const LINE_BYTES_MAX: usize = 8 * 1024;
/// Bytes of a character behind its first one, at most.
const CONTINUATION_BYTES_MAX: usize = 3;

/// The unfinished line of an output.
#[derive(Clone, Debug, Default)]
pub struct Lines {
    open: Vec<u8>,
    opened_at_us: i64,
    /// The last line was ended by a carriage return: a line feed that follows belongs to it.
    returned: bool,
}

impl Lines {
    /// Gives out the lines that `bytes` finishes. What the worker's library logs is always finished.
    pub fn take(&mut self, at_us: i64, source: Source, bytes: &[u8], put: &mut impl FnMut(LogLine)) {
        if source != Source::Output {
            let text = printable(bytes);
            return text.lines().for_each(|text| put(LogLine { at_us, source, text: text.to_owned() }));
        }
        for piece in bytes.split_inclusive(|byte| matches!(byte, b'\n' | b'\r')) {
            let (text, end) = match piece.split_last() {
                Some((end @ (b'\n' | b'\r'), text)) => (text, Some(*end)),
                _ => (piece, None),
            };
            if self.open.is_empty() {
                self.opened_at_us = at_us;
            }
            let follows_return = std::mem::take(&mut self.returned) && text.is_empty() && end == Some(b'\n');
            self.open.extend_from_slice(text);
            self.break_long(put);
            let Some(end) = end else { continue };
            self.returned = end == b'\r';
            // A return at the beginning of a line, as of a progress bar, ends nothing.
            let ends_nothing = follows_return || (self.returned && self.open.is_empty());
            if !ends_nothing {
                self.put(self.open.len(), put);
            }
        }
    }

    /// No more will come: gives out what is unfinished.
    pub fn finish(&mut self, put: &mut impl FnMut(LogLine)) {
        if !self.open.is_empty() {
            self.put(self.open.len(), put);
        }
    }

    fn break_long(&mut self, put: &mut impl FnMut(LogLine)) {
        while self.open.len() > LINE_BYTES_MAX {
            let inside = |at: &usize| self.open[*at] & 0xC0 == 0x80;
            let start = LINE_BYTES_MAX - CONTINUATION_BYTES_MAX;
            let cut = (start..=LINE_BYTES_MAX).rev().find(|at| !inside(at)).unwrap_or(LINE_BYTES_MAX);
            self.put(cut, put);
        }
    }

    fn put(&mut self, bytes: usize, put: &mut impl FnMut(LogLine)) {
        let text = printable(&self.open[..bytes]);
        self.open.drain(..bytes);
        put(LogLine { at_us: self.opened_at_us, source: Source::Output, text });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ipc_contract::message::Level;

    fn lines(chunks: &[(i64, &[u8])]) -> Vec<(i64, String)> {
        let (mut lines, mut out) = (Lines::default(), Vec::new());
        let mut put = |line: LogLine| out.push((line.at_us, line.text));
        for (at, bytes) in chunks {
            lines.take(*at, Source::Output, bytes, &mut put);
        }
        lines.finish(&mut put);
        out
    }

    #[test]
    fn chunks_become_lines_at_the_time_of_their_beginning() {
        type Case = (&'static [(i64, &'static [u8])], &'static [(i64, &'static str)]);
        let table: &[Case] = &[
            (&[], &[]),
            (&[(1, b"a\nb\n")], &[(1, "a"), (1, "b")]),
            (&[(1, b"a"), (2, b"b\nc"), (3, b"\n")], &[(1, "ab"), (2, "c")]),
            (&[(1, b"\n\nx")], &[(1, ""), (1, ""), (1, "x")]),
            (&[(1, b"a\r\nb\r"), (2, b"\nc\r\n")], &[(1, "a"), (1, "b"), (2, "c")]),
            (&[(1, b"\r10%\r20%\rdone\n")], &[(1, "10%"), (1, "20%"), (1, "done")]),
            (&[(1, b"caf\xc3"), (2, b"\xa9 \xff\n")], &[(1, "café \u{fffd}")]),
            (&[(1, b"\x1b[31mred\x00\n")], &[(1, "\\u{1b}[31mred\\u{0}")]),
        ];
        for (chunks, expected) in table {
            let expected: Vec<_> = expected.iter().map(|(at, text)| (*at, (*text).to_owned())).collect();
            assert_eq!(lines(chunks), expected, "{chunks:?}");
        }
    }

    #[test]
    fn a_long_line_is_broken_between_characters() {
        let text = format!("x{}", "é".repeat(LINE_BYTES_MAX));
        let broken = lines(&[(1, text.as_bytes())]);
        assert_eq!(broken.iter().map(|(_, text)| text.as_str()).collect::<String>(), text);
        assert!(broken.iter().all(|(_, text)| text.len() <= LINE_BYTES_MAX));
        assert_eq!(lines(&[(1, &[0x80; LINE_BYTES_MAX + 1])]).len(), 2, "what is no text is broken as well");
    }

    #[test]
    fn what_is_logged_stands_by_itself() {
        let (mut lines, mut out) = (Lines::default(), Vec::new());
        lines.take(1, Source::Output, b"half ", &mut |line| out.push(line.text));
        lines.take(2, Source::Log(Level::Warn), b"one\ntwo", &mut |line| out.push(line.text));
        lines.take(3, Source::Output, b"whole\n", &mut |line| out.push(line.text));
        assert_eq!(out, ["one", "two", "half whole"]);
    }
}

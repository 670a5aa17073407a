//! What a worker wrote to stderr: the beginning and the end of it, in bounded memory. Pure.

use std::collections::VecDeque;

/// Kept of the beginning.
const HEAD_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Kept of the end.
const TAIL_BYTES_MAX: usize = 64 * 1024;

#[derive(Debug, Default)]
pub(super) struct Log {
    head: Vec<u8>,
    tail: VecDeque<u8>,
    total_bytes: u64,
}

impl Log {
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.total_bytes += bytes.len() as u64;
        let (head, rest) = bytes.split_at(bytes.len().min(HEAD_BYTES_MAX - self.head.len()));
        self.head.extend_from_slice(head);
        self.tail.extend(rest);
        let surplus = self.tail.len().saturating_sub(TAIL_BYTES_MAX);
        self.tail.drain(..surplus);
    }

    pub(super) fn total_bytes(&self) -> u64 {
        self.total_bytes
    }

    /// True when the text stands in what is kept.
    pub(super) fn contains(&self, text: &str) -> bool {
        text.is_empty() || self.kept().windows(text.len()).any(|window| window == text.as_bytes())
    }

    /// How many lines are exactly this text.
    pub(super) fn lines_of(&self, text: &str) -> usize {
        self.kept().split(|byte| *byte == b'\n').filter(|line| *line == text.as_bytes()).count()
    }

    pub(super) fn kept(&self) -> Vec<u8> {
        self.head.iter().chain(&self.tail).copied().collect()
    }

    /// The last lines, safe to print.
    pub(super) fn last_lines(&self, lines_max: usize) -> Vec<String> {
        let kept = self.kept();
        let text = String::from_utf8_lossy(&kept[kept.len().saturating_sub(TAIL_BYTES_MAX)..]);
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(lines_max)..].iter().map(|line| printable(line)).collect()
    }
}

/// Control characters would act on the terminal of whoever reads the report.
fn printable(line: &str) -> String {
    line.chars()
        .flat_map(|c| if c.is_control() && c != '\t' { c.escape_default().collect() } else { vec![c] })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beginning_and_end_are_kept() {
        let mut log = Log::default();
        log.push(b"first\n");
        for _ in 0..100 {
            log.push(&vec![b'.'; HEAD_BYTES_MAX / 20]);
        }
        log.push(b"\nlast\x1b[1m\nlast\n");
        assert_eq!(log.total_bytes(), 6 + 100 * (HEAD_BYTES_MAX as u64 / 20) + 15);
        assert_eq!(log.kept().len(), HEAD_BYTES_MAX + TAIL_BYTES_MAX);
        assert!(log.contains("first") && log.contains("last\x1b") && !log.contains("lost"));
        assert_eq!(log.lines_of("last"), 1);
        assert_eq!(log.last_lines(2), ["last\\u{1b}[1m", "last"]);
    }
}

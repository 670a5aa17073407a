//! What went over one channel, with times and directions, in bounded memory: what is saved of a failed case. Pure.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};

use super::log::Log;

/// Entries that are kept of one process; later ones are counted.
const ENTRIES_MAX: usize = 4_096;
/// Bytes that are kept of each direction.
const RAW_BYTES_MAX: usize = 4 * 1024 * 1024;

/// The record of one process.
#[derive(Debug, Default)]
pub(super) struct Tape {
    entries: Vec<Value>,
    left_out: u64,
    pub(super) to_worker: Vec<u8>,
    pub(super) from_worker: Vec<u8>,
    pub(super) stderr: Log,
    /// The kinds of which runs were sent.
    pub(super) kinds: BTreeSet<String>,
}

impl Tape {
    /// Adds one line: what happened, so long after the start.
    pub(super) fn note(&mut self, at: Duration, what: &str, content: Value) {
        if self.entries.len() < ENTRIES_MAX {
            self.entries.push(json!({ "at_ms": (at.as_secs_f64() * 1e6).round() / 1e3, what: content }));
        } else {
            self.left_out += 1;
        }
    }

    /// One line of JSON for each entry.
    pub(super) fn lines(&self) -> String {
        let mut lines: String = self.entries.iter().map(|entry| format!("{entry}\n")).collect();
        if self.left_out > 0 {
            lines.push_str(&format!("{}\n", json!({ "left_out": self.left_out })));
        }
        lines
    }
}

/// Adds bytes as long as there is room.
pub(super) fn keep(kept: &mut Vec<u8>, bytes: &[u8]) {
    kept.extend_from_slice(&bytes[..bytes.len().min(RAW_BYTES_MAX - kept.len())]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tape_is_bounded_and_says_what_it_left_out() {
        let mut tape = Tape::default();
        for number in 0..ENTRIES_MAX + 3 {
            tape.note(Duration::from_micros(1_500), "to_worker", json!(number));
        }
        let lines = tape.lines();
        assert_eq!(lines.lines().count(), ENTRIES_MAX + 1);
        assert_eq!(lines.lines().next(), Some(r#"{"at_ms":1.5,"to_worker":0}"#));
        assert_eq!(lines.lines().last(), Some(r#"{"left_out":3}"#));
        let mut kept = Vec::new();
        keep(&mut kept, &vec![0; RAW_BYTES_MAX + 1]);
        keep(&mut kept, &[0]);
        assert_eq!(kept.len(), RAW_BYTES_MAX);
    }
}

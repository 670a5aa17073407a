//! What one run prints and logs, in bounded memory: the beginning and the end are kept, the middle is counted. Bytes become
//! lines only when they are handed to the store, so that a flood costs hardly more than its copying. Pure: times are
//! arguments.

use std::collections::VecDeque;

use queue_core::task::LogParts;

use super::log_line::{LogLine, Source};
use super::log_lines::Lines;

/// What is kept of the beginning, and as much of the end.
pub const LOG_HALF_BYTES: usize = 512 * 1024;
/// One part of a log in the store, apart from the last line in it.
const PART_BYTES: usize = 64 * 1024;
/// What is printed within so long is one chunk, and has one time.
const CHUNK_SPAN_US: i64 = 10_000;
/// What a chunk weighs beside its bytes, so that a flood of tiny ones is bounded as well.
const CHUNK_WEIGHT_BYTES: usize = 64;
/// What a line grows by when it is stored: its time and source. Blank lines would otherwise be twenty times themselves.
const LINE_GROWTH_BYTES: usize = 20;
/// After so much, what comes next is stored only after a pause, whoever follows it.
const LONG_FLUSH_BYTES: usize = 128 * 1024;
const LONG_FLUSH_PAUSE_US: i64 = 2_000_000;

#[derive(Clone, Debug)]
pub struct RunLog {
    /// What waits for the store and belongs to the beginning.
    front: VecDeque<Chunk>,
    front_room_bytes: usize,
    /// What waits behind that: the last part of it.
    back: VecDeque<Chunk>,
    back_bytes: usize,
    back_is_cut: bool,
    lines: Lines,
    /// Stored, of the beginning.
    head_bytes: usize,
    /// The part that says how much is left out. Its number is taken when the beginning is over.
    gap: Option<i64>,
    /// Stored parts of the end, with their sizes.
    tail: VecDeque<(i64, usize)>,
    tail_bytes: usize,
    next_part: i64,
    left_out_bytes: usize,
    last_at_us: i64,
    /// After a long flush: when the next one may be.
    paused_until_us: i64,
}

#[derive(Clone, Debug)]
struct Chunk {
    at_us: i64,
    source: Source,
    bytes: Vec<u8>,
}

impl Default for RunLog {
    fn default() -> RunLog {
        RunLog {
            front: VecDeque::new(),
            front_room_bytes: LOG_HALF_BYTES,
            back: VecDeque::new(),
            back_bytes: 0,
            back_is_cut: false,
            lines: Lines::default(),
            head_bytes: 0,
            gap: None,
            tail: VecDeque::new(),
            tail_bytes: 0,
            next_part: 0,
            left_out_bytes: 0,
            last_at_us: 0,
            paused_until_us: i64::MIN,
        }
    }
}

impl RunLog {
    /// Takes what was printed or logged at `at_us`.
    pub fn push(&mut self, at_us: i64, source: Source, bytes: &[u8]) {
        self.last_at_us = at_us;
        for bytes in bytes.chunks(PART_BYTES) {
            let weight = grown(bytes);
            if weight + CHUNK_WEIGHT_BYTES <= self.front_room_bytes {
                self.front_room_bytes -= weight + append(&mut self.front, at_us, source, bytes);
                continue;
            }
            self.front_room_bytes = 0;
            self.back_bytes += weight + append(&mut self.back, at_us, source, bytes);
            while self.back_bytes > LOG_HALF_BYTES
                && let Some(gone) = self.back.pop_front()
            {
                self.back_bytes -= grown(&gone.bytes) + CHUNK_WEIGHT_BYTES;
                self.left_out_bytes += gone.bytes.len();
                self.back_is_cut = true;
            }
        }
    }

    /// What is new since the last time, as parts for the store; `None` when there is nothing. An unfinished line waits for
    /// its rest, unless this is the last time.
    pub fn flush(&mut self, now_us: i64, is_last: bool) -> Option<LogParts> {
        // A wall clock that steps back must not pause it for long.
        if !is_last && (1..=LONG_FLUSH_PAUSE_US).contains(&self.paused_until_us.saturating_sub(now_us)) {
            return None;
        }
        let left_out_before = self.left_out_bytes;
        let mut new = LogParts::default();
        let (front, back) = (std::mem::take(&mut self.front), std::mem::take(&mut self.back));
        let is_cut = std::mem::take(&mut self.back_is_cut);
        self.store(front, is_cut, &mut new);
        if is_cut {
            self.end_of_head();
        }
        self.store(back, is_last, &mut new);
        self.back_bytes = 0;
        self.front_room_bytes = if self.gap.is_some() { 0 } else { LOG_HALF_BYTES - self.head_bytes };
        self.drop_old(&mut new);
        if let Some(gap) = self.gap.filter(|_| is_cut || self.left_out_bytes > left_out_before) {
            let text = format!("about {} bytes are left out here", self.left_out_bytes);
            let line = LogLine { at_us: self.last_at_us, source: Source::Supervisor, text };
            new.parts.push((gap, line.spelled().into_bytes()));
        }
        if new.parts.iter().map(|(_, bytes)| bytes.len()).sum::<usize>() >= LONG_FLUSH_BYTES {
            self.paused_until_us = now_us.saturating_add(LONG_FLUSH_PAUSE_US);
        }
        (!new.parts.is_empty()).then_some(new)
    }

    fn store(&mut self, chunks: VecDeque<Chunk>, is_end: bool, new: &mut LogParts) {
        let mut part = String::new();
        let mut full = Vec::new();
        let mut put = |line: LogLine| {
            part.push_str(&line.spelled());
            if part.len() >= PART_BYTES {
                full.push(std::mem::take(&mut part));
            }
        };
        for chunk in chunks {
            self.lines.take(chunk.at_us, chunk.source, &chunk.bytes, &mut put);
        }
        if is_end {
            self.lines.finish(&mut put);
        }
        full.extend(Some(part).filter(|part| !part.is_empty()));
        for part in full {
            self.number(part.into_bytes(), new);
        }
    }

    fn number(&mut self, part: Vec<u8>, new: &mut LogParts) {
        if self.gap.is_none() && self.head_bytes + part.len() <= LOG_HALF_BYTES {
            self.head_bytes += part.len();
        } else {
            self.end_of_head();
            self.tail.push_back((self.next_part, part.len()));
            self.tail_bytes += part.len();
        }
        new.parts.push((self.next_part, part));
        self.next_part += 1;
    }

    fn end_of_head(&mut self) {
        if self.gap.is_none() {
            self.gap = Some(self.next_part);
            self.next_part += 1;
        }
    }

    /// Parts of the end leave in the order in which they came, whether the store has them already or not.
    fn drop_old(&mut self, new: &mut LogParts) {
        let Some((first, _)) = self.tail.front().copied() else { return };
        while self.tail_bytes > LOG_HALF_BYTES
            && let Some((_, bytes)) = self.tail.pop_front()
        {
            self.tail_bytes -= bytes;
            self.left_out_bytes += bytes;
        }
        let until = self.tail.front().map_or(self.next_part, |(part, _)| *part);
        new.parts.retain(|(part, _)| !(first..until).contains(part));
        new.dropped = first..until;
    }
}

/// About what bytes weigh when they are stored.
fn grown(bytes: &[u8]) -> usize {
    // Counted in bytes, so that the compiler can count many at once: every byte of a flood comes by here.
    const STRIDE: usize = u8::MAX as usize;
    let ends = |bytes: &[u8]| bytes.iter().map(|&byte| u8::from((byte == b'\n') | (byte == b'\r'))).sum::<u8>();
    bytes.len() + LINE_GROWTH_BYTES * bytes.chunks(STRIDE).map(|bytes| usize::from(ends(bytes))).sum::<usize>()
}

/// Gives what the chunks weigh more, beside the bytes.
fn append(chunks: &mut VecDeque<Chunk>, at_us: i64, source: Source, bytes: &[u8]) -> usize {
    match chunks.back_mut() {
        Some(last)
            if (last.source, source) == (Source::Output, Source::Output)
                && at_us - last.at_us < CHUNK_SPAN_US
                && last.bytes.len() + bytes.len() <= PART_BYTES =>
        {
            last.bytes.extend_from_slice(bytes);
            0
        }
        _ => {
            chunks.push_back(Chunk { at_us, source, bytes: bytes.to_vec() });
            CHUNK_WEIGHT_BYTES
        }
    }
}

#[cfg(test)]
#[path = "run_log_tests.rs"]
mod tests;

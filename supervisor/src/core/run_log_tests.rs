//! What is kept of a log, whatever its length and however it comes.

use std::collections::BTreeMap;

use super::*;

/// Of a machine on which no time passes between two flushes of a short log.
const NOW_US: i64 = 7;

/// What a store has after all flushes: the lines, in order.
#[derive(Default)]
struct Kept(BTreeMap<i64, Vec<u8>>);

impl Kept {
    fn take(&mut self, new: Option<LogParts>) {
        let Some(new) = new else { return };
        self.0.retain(|part, _| !new.dropped.contains(part));
        self.0.extend(new.parts);
    }

    fn lines(&self) -> Vec<LogLine> {
        let bytes: Vec<u8> = self.0.values().flatten().copied().collect();
        String::from_utf8(bytes).unwrap().lines().map(LogLine::read).collect()
    }

    fn bytes(&self) -> usize {
        self.0.values().map(Vec::len).sum()
    }
}

/// Where the middle is cut out a line may be cut as well.
fn is_whole(text: &str) -> bool {
    text.starts_with("line ") && text.len() == "line 00000000".len()
}

/// So many numbered lines, pushed in chunks, flushed after each `flush_every` chunks.
fn keep(count: usize, chunk: usize, flush_every: usize) -> (Kept, usize) {
    let text: String = (0..count).map(|n| format!("line {n:08}\n")).collect();
    let (mut log, mut kept) = (RunLog::default(), Kept::default());
    for (index, bytes) in text.as_bytes().chunks(chunk).enumerate() {
        log.push(index as i64 * 1_000, Source::Output, bytes);
        let waiting: usize = log.front.iter().chain(&log.back).map(|chunk| chunk.bytes.len()).sum();
        assert!(waiting <= 2 * LOG_HALF_BYTES);
        if index % flush_every == flush_every - 1 {
            kept.take(log.flush(NOW_US, false));
        }
    }
    kept.take(log.flush(NOW_US, true));
    assert_eq!(log.flush(NOW_US, true), None);
    (kept, text.len())
}

#[test]
fn a_short_log_is_kept_whole() {
    for (chunk, flush_every) in [(1, 7), (13, 1), (1_000, 3), (100_000, 1), (100_000, 100)] {
        let (kept, _) = keep(3_000, chunk, flush_every);
        let lines = kept.lines();
        assert_eq!(lines.len(), 3_000, "chunks of {chunk}");
        assert!(lines.iter().enumerate().all(|(n, line)| line.text == format!("line {n:08}")));
        assert!(lines.is_sorted_by_key(|line| line.at_us));
    }
}

#[test]
fn of_a_long_log_the_beginning_and_the_end_are_kept_and_the_middle_is_told() {
    for (chunk, flush_every) in [(1_000, 40), (65_536, 1), (65_536, 1_000_000), (300_000, 2)] {
        let count = 150_000;
        let (kept, bytes) = keep(count, chunk, flush_every);
        assert!(kept.bytes() <= 2 * LOG_HALF_BYTES + 100, "{} bytes with chunks of {chunk}", kept.bytes());
        assert!(kept.bytes() > LOG_HALF_BYTES, "{} bytes with chunks of {chunk}", kept.bytes());
        let lines = kept.lines();
        assert_eq!(lines[0].text, "line 00000000");
        assert_eq!(lines.last().unwrap().text, format!("line {:08}", count - 1));
        let remarks: Vec<_> = lines.iter().filter(|line| line.source == Source::Supervisor).collect();
        let [remark] = remarks.as_slice() else { panic!("{remarks:?}") };
        let told: usize = remark.text.split(' ').nth(1).unwrap().parse().unwrap();
        assert!(told > bytes / 4, "{told} of {bytes}");
        let numbers: Vec<_> = lines.iter().filter(|line| is_whole(&line.text)).map(|line| &line.text).collect();
        let wrong = numbers.windows(2).find(|pair| pair[0] > pair[1]);
        assert_eq!(wrong, None, "out of order with chunks of {chunk}");
    }
}

#[test]
fn an_unfinished_line_waits_for_its_rest() {
    let (mut log, mut kept) = (RunLog::default(), Kept::default());
    log.push(1, Source::Output, b"one\ntw");
    kept.take(log.flush(NOW_US, false));
    assert_eq!(kept.lines().len(), 1);
    assert_eq!(log.flush(NOW_US, false), None);
    log.push(2, Source::Output, b"o\nthree");
    kept.take(log.flush(NOW_US, true));
    assert_eq!(kept.lines().into_iter().map(|line| line.text).collect::<Vec<_>>(), ["one", "two", "three"]);
}

#[test]
fn after_a_long_flush_the_next_one_waits_whatever_the_clock_does() {
    let mut log = RunLog::default();
    log.push(0, Source::Output, &b"0123456789\n".repeat(20_000));
    assert!(log.flush(0, false).is_some());
    log.push(1, Source::Output, b"more\n");
    assert_eq!(log.flush(LONG_FLUSH_PAUSE_US - 1, false), None);
    assert!(log.clone().flush(LONG_FLUSH_PAUSE_US, false).is_some());
    assert!(log.clone().flush(-10 * LONG_FLUSH_PAUSE_US, false).is_some(), "the clock stepped back");
    assert!(log.flush(1, true).is_some(), "the last time is not put off");
}

#[test]
fn a_flood_of_tiny_and_of_blank_lines_is_bounded_before_and_after_it_is_stored() {
    let (mut log, mut kept) = (RunLog::default(), Kept::default());
    for n in 0..300_000 {
        log.push(n, Source::Log(ipc_contract::message::Level::Info), b"x");
    }
    let chunks = log.front.len() + log.back.len();
    assert!(chunks * CHUNK_WEIGHT_BYTES <= 2 * LOG_HALF_BYTES, "{chunks} chunks");
    log.push(300_000, Source::Output, &[b'\n'; 1_000_000]);
    let waiting: usize = log.front.iter().chain(&log.back).map(|chunk| grown(&chunk.bytes)).sum();
    assert!(waiting <= 2 * LOG_HALF_BYTES, "{waiting} bytes to be stored");
    kept.take(log.flush(0, true));
    assert!(kept.bytes() <= 2 * LOG_HALF_BYTES + 100);
}

#[test]
fn bytes_that_grow_when_they_are_made_safe_are_bounded_as_stored() {
    let (mut log, mut kept) = (RunLog::default(), Kept::default());
    for n in 0..40 {
        log.push(n, Source::Output, &[7; 50_000]);
        kept.take(log.flush(NOW_US, false));
    }
    kept.take(log.flush(NOW_US, true));
    assert!(kept.bytes() <= 2 * LOG_HALF_BYTES + 100, "{}", kept.bytes());
}

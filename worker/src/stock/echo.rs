//! What a command prints on stdout, on its way to the stderr of the worker, which is the log of the run. Bounded, and never
//! in the way of the command: what the log does not take in time is left out and counted, the oldest first.

use std::collections::VecDeque;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::{Errno, retry_on_intr, write};

/// What waits for the log: as much as that keeps of a run.
const WAITING_MAX_BYTES: usize = 1024 * 1024;
/// A pipe that polls as writable takes so much without a wait, and as one piece.
const PIECE_MAX_BYTES: usize = 4096;

#[derive(Default)]
pub(super) struct Echo {
    waiting: VecDeque<u8>,
    /// Before what waits.
    left_out_bytes: usize,
    /// Nobody listens any more.
    closed: bool,
}

impl Echo {
    pub(super) fn push(&mut self, bytes: &[u8]) {
        if self.closed {
            return;
        }
        self.waiting.extend(bytes);
        let surplus = self.waiting.len().saturating_sub(WAITING_MAX_BYTES);
        self.waiting.drain(..surplus);
        self.left_out_bytes += surplus;
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Writes all that the sink takes until `deadline`, which may be now. The log is worth no failure of the command: a sink
    /// that cannot be written is given up.
    pub(super) fn write(&mut self, sink: impl AsFd, deadline: Instant) {
        while !self.is_empty() && is_writable(&sink, deadline.saturating_duration_since(Instant::now())) {
            let remark = std::mem::take(&mut self.left_out_bytes);
            if remark > 0 {
                let remark = format!("\nabout {remark} bytes of stdout are left out here\n");
                self.write_piece(&sink, remark.as_bytes());
                continue;
            }
            let next = piece(self.waiting.as_slices().0).to_vec();
            let written = self.write_piece(&sink, &next);
            self.waiting.drain(..written.min(self.waiting.len()));
        }
    }

    fn write_piece(&mut self, sink: impl AsFd, piece: &[u8]) -> usize {
        match retry_on_intr(|| write(&sink, piece)) {
            Ok(size_bytes) => size_bytes,
            Err(Errno::AGAIN) => 0,
            Err(_) => {
                self.closed = true;
                self.waiting.clear();
                0
            }
        }
    }
}

fn is_writable(sink: impl AsFd, wait: Duration) -> bool {
    let Ok(wait) = Timespec::try_from(wait) else { return false };
    matches!(retry_on_intr(|| poll(&mut [PollFd::new(&sink, PollFlags::OUT)], Some(&wait))), Ok(1..))
}

/// Whole lines where that is possible, so that those of stderr come between them.
fn piece(bytes: &[u8]) -> &[u8] {
    let most = &bytes[..bytes.len().min(PIECE_MAX_BYTES)];
    match most.iter().rposition(|&byte| byte == b'\n') {
        Some(end) => &most[..=end],
        None => most,
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, pipe};

    use super::*;

    #[test]
    fn a_piece_is_whole_lines_within_a_limit() {
        let long = [b'x'; PIECE_MAX_BYTES + 1];
        let table: [(&[u8], usize); 5] =
            [(b"", 0), (b"half", 4), (b"one\ntwo\nhalf", 8), (&long, PIECE_MAX_BYTES), (b"\n", 1)];
        for (bytes, size_bytes) in table {
            assert_eq!(piece(bytes).len(), size_bytes);
        }
    }

    /// Reads to the end while `write` writes.
    fn sent(write: impl FnOnce(&std::io::PipeWriter)) -> Vec<u8> {
        let (mut ours, theirs) = pipe().unwrap();
        let reader = std::thread::spawn(move || {
            let mut read = Vec::new();
            ours.read_to_end(&mut read).unwrap();
            read
        });
        write(&theirs);
        drop(theirs);
        reader.join().unwrap()
    }

    /// Nothing depends on it but how long a test hangs.
    fn long() -> Instant {
        Instant::now() + Duration::from_secs(180)
    }

    #[test]
    fn all_arrives_as_long_as_somebody_reads() {
        let bytes: Vec<u8> = (0..WAITING_MAX_BYTES).map(|number| b"0123456789abcde\n"[number % 16]).collect();
        let mut echo = Echo::default();
        echo.push(&bytes);
        let read = sent(|sink| echo.write(sink, long()));
        assert!(echo.is_empty());
        assert!(read == bytes, "{} bytes of {}", read.len(), bytes.len());
    }

    #[test]
    fn what_is_left_out_is_the_oldest_and_is_counted() {
        let mut echo = Echo::default();
        echo.push(b"oldest!");
        echo.push(&vec![b'x'; WAITING_MAX_BYTES - 4]);
        echo.push(b"end\n");
        let read = String::from_utf8(sent(|sink| echo.write(sink, long()))).unwrap();
        assert!(read.starts_with("\nabout 7 bytes of stdout are left out here\nxxx"), "{:.60}", read);
        assert!(read.ends_with("xxxend\n") && read.matches("about").count() == 1);
    }

    #[test]
    fn who_does_not_read_is_not_waited_for() {
        let (ours, theirs) = pipe().unwrap();
        let mut echo = Echo::default();
        for _ in 0..3 {
            echo.push(&vec![b'x'; WAITING_MAX_BYTES]);
            echo.write(&theirs, Instant::now());
            assert!(!echo.is_empty() && echo.waiting.len() <= WAITING_MAX_BYTES);
        }
        drop(ours);
        echo.write(&theirs, Instant::now());
        echo.push(b"more");
        assert!(echo.is_empty(), "nobody listens any more");
    }
}

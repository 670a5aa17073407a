//! How far it is: one line that changes on a terminal, a few lines elsewhere. Steps are counted, not timed.

use std::io::{IsTerminal, Write, stderr};

/// So often is the line of a terminal written anew.
const TERMINAL_STEPS: usize = 200;
/// Lines for a reader that keeps them all.
const PLAIN_STEPS: usize = 10;

pub(super) struct Progress {
    what: &'static str,
    done: usize,
    total: usize,
    is_terminal: bool,
}

impl Progress {
    /// Of `total` things that are `what`, such as "done".
    pub(super) fn new(what: &'static str, total: usize) -> Progress {
        Progress { what, done: 0, total, is_terminal: stderr().is_terminal() }
    }

    pub(super) fn step(&mut self) {
        self.done += 1;
        if is_due(self.done, self.total, if self.is_terminal { TERMINAL_STEPS } else { PLAIN_STEPS }) {
            self.write();
        }
    }

    fn write(&self) {
        let (what, done, total) = (self.what, self.done, self.total);
        let line = match (self.is_terminal, done == total) {
            (true, false) => format!("\r{what} {done} of {total}"),
            (true, true) => format!("\r{what} {done} of {total}\n"),
            (false, _) => format!("{what} {done} of {total}\n"),
        };
        // Nobody may be there to read it.
        let _ = stderr().write_all(line.as_bytes());
    }
}

/// Whether `done` is the first to reach one of the `steps` equal parts of `total`.
fn is_due(done: usize, total: usize, steps: usize) -> bool {
    let part = |done: usize| done * steps / total.max(1);
    part(done) != part(done.saturating_sub(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_for_each_part_and_always_for_the_last() {
        let due = |total, steps| (1..=total).filter(|done| is_due(*done, total, steps)).collect::<Vec<_>>();
        assert_eq!(due(20, 4), [5, 10, 15, 20]);
        assert_eq!(due(3, 10), [1, 2, 3]);
        assert_eq!(due(7, 2), [4, 7]);
        assert_eq!(due(100_000, 10).len(), 10);
    }
}

//! What of a task's log is read next, and when that ends. Pure: what stands where, and what was found, are arguments.

use std::fmt;

use queue_core::state::TaskState;
use queue_core::store::{LogPart, TaskView};

use super::dto::LogLine;
use crate::core::log_line::{self, Source};

/// A jump over one part may be the place that is kept for what is left out, and empty.
const JUMP_PARTS_MAX: i64 = 1;

/// Where a task stands, to be asked *before* its log is looked at: what ended until then is in there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Of its last run; 0 before the first.
    pub epoch: i64,
    pub is_running: bool,
    pub is_final: bool,
}

/// How far a log is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The first run that is wanted.
    run: i64,
    /// Those behind it as well.
    later: bool,
    follow: bool,
    /// Run and number of the part that was read last.
    after: (i64, i64),
    /// The last line says itself that some are left out behind it.
    at_remark: bool,
}

/// What to do after a look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    Look,
    /// There will be more, but not now.
    Wait,
    End,
}

/// A run that the task never had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoSuchRun {
    pub run: i64,
    /// The runs are numbered from 1 to this.
    pub last: i64,
}

impl Standing {
    pub fn of(view: &TaskView) -> Standing {
        Standing {
            epoch: view.tally.epoch,
            is_running: view.state == TaskState::Running,
            is_final: view.state.is_final(),
        }
    }
}

impl Reading {
    /// Of the run `attempt`, else of the last one. With `follow` until that run has ended, or the task is final.
    ///
    /// # Errors
    /// There is no such run.
    pub fn begin(attempt: Option<i64>, follow: bool, standing: Standing) -> Result<Reading, NoSuchRun> {
        let run = attempt.unwrap_or(standing.epoch);
        if attempt.is_some() && !(1..=standing.epoch).contains(&run) {
            return Err(NoSuchRun { run, last: standing.epoch });
        }
        Ok(Reading { run, later: attempt.is_none() && follow, follow, after: (run, -1), at_remark: false })
    }

    /// The arguments of a look at the parts: the first run, whether later ones as well, and behind which part.
    pub fn place(&self) -> (i64, bool, (i64, i64)) {
        (self.run, self.later, self.after)
    }

    /// Takes what a look found, in order, as lines.
    pub fn take(&mut self, parts: &[LogPart]) -> Vec<LogLine> {
        let mut lines = Vec::new();
        for part in parts {
            let jump = if part.epoch == self.after.0 { part.part - self.after.1 - 1 } else { 0 };
            for (number, line) in String::from_utf8_lossy(&part.bytes).lines().enumerate() {
                let line = log_line::LogLine::read(line);
                if number == 0 && jump > JUMP_PARTS_MAX && !self.at_remark {
                    lines.push(LogLine::of(part.epoch, left_out(line.at_us)));
                }
                self.at_remark = line.source == Source::Supervisor;
                lines.push(LogLine::of(part.epoch, line));
            }
            self.after = (part.epoch, part.part);
        }
        lines
    }

    /// What to do after a look that found so many parts.
    pub fn next(&self, standing: Standing, found: usize) -> Next {
        let is_over = match self.later {
            true => standing.is_final,
            false => !standing.is_running || standing.epoch > self.run,
        };
        match () {
            () if found > 0 => Next::Look,
            () if !self.follow || is_over => Next::End,
            () => Next::Wait,
        }
    }
}

/// A log keeps its beginning and its end: who follows too slowly finds a gap.
fn left_out(at_us: i64) -> log_line::LogLine {
    let text = "some lines are left out here: they were printed faster than they were read".to_owned();
    log_line::LogLine { at_us, source: Source::Supervisor, text }
}

impl fmt::Display for NoSuchRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.last {
            0 => f.write_str("it has not run yet"),
            1 => f.write_str("its only attempt is 1"),
            last => write!(f, "its attempts are 1 to {last}"),
        }
    }
}

#[cfg(test)]
#[path = "reading_tests.rs"]
mod tests;

//! What a check found, as values.

use std::time::Duration;

use super::super::{Channel, Failure};

/// All of it.
#[derive(Clone, Debug)]
pub struct Report {
    /// The worker's program and its arguments.
    pub command: Vec<String>,
    pub channels: Vec<ChannelReport>,
    pub cases: Vec<CaseReport>,
}

/// One channel that was asked for.
#[derive(Clone, Debug)]
pub struct ChannelReport {
    pub channel: Channel,
    pub spoken: Spoken,
}

/// Whether the worker speaks over a channel.
#[derive(Clone, Debug)]
pub enum Spoken {
    /// It says this of itself.
    Yes { sdk: String, concurrency: u32, features: Vec<String>, kinds: usize, variables: Vec<String> },
    /// It was started and said no `hello`.
    Mute,
    /// It exits with 78, with this last line on stderr.
    No { reason: String },
}

/// One case on one channel.
#[derive(Clone, Debug)]
pub struct CaseReport {
    pub name: String,
    pub channel: Channel,
    pub section: String,
    pub rule: String,
    pub duration: Duration,
    /// True when it failed beside others and was played once more, alone.
    pub was_played_again: bool,
    pub outcome: Outcome,
}

#[derive(Clone, Debug)]
pub enum Outcome {
    Passed,
    Failed(Failing),
    /// Why the worker was not tested for it.
    Skipped(String),
    /// It fails, as the file of expected failures says.
    ExpectedFailure(Failing),
    /// The file of expected failures says that it fails, and it does not.
    UnexpectedPass,
}

/// A failure with what helps to understand it.
#[derive(Clone, Debug)]
pub struct Failing {
    pub failure: Failure,
    /// The last lines.
    pub stderr: Vec<String>,
    /// The folder with the frames.
    pub saved: String,
    /// The command that plays this case alone.
    pub alone: String,
}

impl Outcome {
    /// One word, the same in all formats.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed(_) => "failed",
            Self::Skipped(_) => "skipped",
            Self::ExpectedFailure(_) => "expected_failure",
            Self::UnexpectedPass => "unexpected_pass",
        }
    }

    /// True when the worker, or the file of expected failures, is wrong.
    pub fn is_bad(&self) -> bool {
        matches!(self, Self::Failed(_) | Self::UnexpectedPass)
    }
}

/// How many cases ended how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Counts {
    pub passed: usize,
    pub failed: usize,
    pub skipped: usize,
    pub expected_failures: usize,
    pub unexpected_passes: usize,
}

impl Counts {
    pub fn of<'a>(cases: impl IntoIterator<Item = &'a CaseReport>) -> Self {
        let mut counts = Self::default();
        for case in cases {
            match case.outcome {
                Outcome::Passed => counts.passed += 1,
                Outcome::Failed(_) => counts.failed += 1,
                Outcome::Skipped(_) => counts.skipped += 1,
                Outcome::ExpectedFailure(_) => counts.expected_failures += 1,
                Outcome::UnexpectedPass => counts.unexpected_passes += 1,
            }
        }
        counts
    }
}

impl Report {
    /// True when nothing is wrong.
    pub fn is_good(&self) -> bool {
        !self.cases.iter().any(|case| case.outcome.is_bad())
    }
}

//! A line of what a run printed. Values only.

use ipc_contract::message::Level;
use serde::{Deserialize, Serialize};

use crate::core::log_line::{self, Source};
use crate::text::time;

/// One line of a log, harmless for a terminal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLine {
    /// The epoch of the run.
    pub run: i64,
    /// When it was begun; RFC 3339 in UTC.
    pub at: String,
    /// `output`: printed by the process or below it; `log`: sent by the worker's library; `supervisor`: a remark.
    pub source: String,
    /// Of what was sent by the library: `debug`, `info`, `warning` or `error`.
    pub level: Option<String>,
    pub text: String,
}

impl LogLine {
    pub fn of(run: i64, line: log_line::LogLine) -> LogLine {
        let (source, level) = match line.source {
            Source::Output => ("output", None),
            Source::Log(level) => ("log", Some(level_name(level))),
            Source::Supervisor => ("supervisor", None),
        };
        let (source, level) = (source.to_owned(), level.map(str::to_owned));
        LogLine { run, at: time(line.at_us), source, level, text: line.text }
    }
}

fn level_name(level: Level) -> &'static str {
    match level {
        Level::Debug => "debug",
        Level::Info => "info",
        Level::Warn => "warning",
        Level::Error => "error",
    }
}

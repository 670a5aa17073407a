//! One line of a task's log, and how it is spelled in the store: `MICROSECONDS SOURCE TEXT`, one line each. Pure.

use ipc_contract::message::Level;

/// Who said it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// Printed by the process, by code in C below it, or by a program that it started.
    Output,
    /// Sent by the worker's library.
    Log(Level),
    /// A remark of the supervisor.
    Supervisor,
}

const SOURCES: [(Source, char); 6] = [
    (Source::Output, 'o'),
    (Source::Log(Level::Debug), 'd'),
    (Source::Log(Level::Info), 'i'),
    (Source::Log(Level::Warn), 'w'),
    (Source::Log(Level::Error), 'e'),
    (Source::Supervisor, 's'),
];

/// A line, harmless for a terminal and without its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// Since 1970.
    pub at_us: i64,
    pub source: Source,
    pub text: String,
}

impl LogLine {
    /// With its end.
    pub fn spelled(&self) -> String {
        let code = SOURCES.iter().find(|(source, _)| *source == self.source).map_or('s', |(_, code)| *code);
        format!("{} {code} {}\n", self.at_us, self.text)
    }

    /// Reads a line back; one that nobody wrote is a remark as it stands.
    pub fn read(line: &str) -> LogLine {
        LogLine::try_read(line).unwrap_or_else(|| LogLine {
            at_us: 0,
            source: Source::Supervisor,
            text: line.to_owned(),
        })
    }

    fn try_read(line: &str) -> Option<LogLine> {
        let (at_us, rest) = line.split_once(' ')?;
        let (code, text) = rest.split_once(' ')?;
        let source = SOURCES.iter().find(|(_, known)| code.chars().eq([*known]))?.0;
        Some(LogLine { at_us: at_us.parse().ok()?, source, text: text.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_as_it_was_spelled() {
        for (source, _) in SOURCES {
            for text in ["", "plain", " leading, and trailing ", "7 o nested"] {
                let line = LogLine { at_us: 1_795_437_296_000_123, source, text: text.to_owned() };
                assert_eq!(LogLine::read(line.spelled().strip_suffix('\n').unwrap()), line);
            }
        }
        for foreign in ["", "x", "7", "7 o", "x o y", "7 oo y", "7 z y"] {
            assert_eq!(LogLine::read(foreign).source, Source::Supervisor, "{foreign}");
        }
    }
}

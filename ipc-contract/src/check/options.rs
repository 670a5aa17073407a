//! The command line, as values: what is asked for, before anything is started.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Parser, ValueEnum};

use super::Channel;

/// Cases that are played at the same time, at most.
pub(super) const JOBS_MAX: u64 = 64;

/// Plays every case of the contract between supervisor and worker against a worker, on each channel
///
/// Exit codes: 0 all is well, 2 wrong usage, 3 the command cannot be started or tested, 100 cases have failed.
#[derive(Parser, Debug)]
#[command(
    version,
    disable_help_subcommand = true,
    after_help = "Example: contract-test TASK NOTE/spend -- python3 my_worker.py"
)]
pub(super) struct Options {
    /// Only these cases, or parts of their tree, such as `TASK` or `NOTE/spend`
    #[arg(value_name = "CASE")]
    pub(super) cases: Vec<String>,
    /// The worker's program and its arguments, after `--`
    #[arg(value_name = "COMMAND", last = true)]
    pub(super) command: Vec<OsString>,
    /// Print the cases with their sections and rules, and play nothing
    #[arg(long)]
    pub(super) list: bool,
    /// Only this channel
    #[arg(long, value_enum, default_value_t)]
    pub(super) channel: Channels,
    /// How the report is printed
    #[arg(long, value_enum, default_value_t)]
    pub(super) format: Format,
    /// Cases that are known to fail, one a line, `NAME` or `NAME@CHANNEL`; one of them that passes is a failure
    #[arg(long, value_name = "FILE")]
    pub(super) expected_failures: Option<PathBuf>,
    /// So many times the usual 10 s are waited for any one thing, 0.1 to 100
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0, value_parser = scale)]
    pub(super) timeout_scale: f64,
    /// So many cases at the same time, 1 to 64
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..=JOBS_MAX))]
    pub(super) jobs: u64,
    /// Where frames and stderr of failed cases are kept; a new folder among the temporary files when left out
    #[arg(long, value_name = "DIR")]
    pub(super) save: Option<PathBuf>,
    /// Colours in the report for people
    #[arg(long, value_enum, default_value_t)]
    pub(super) color: Color,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Channels {
    /// Those that the worker speaks
    #[default]
    Both,
    /// Descriptors 0 and 1
    Stdio,
    /// Descriptors 3 and 4
    Fd3,
}

impl Channels {
    pub(super) fn list(self) -> &'static [Channel] {
        match self {
            Self::Both => Channel::ALL,
            Self::Stdio => &[Channel::Stdio],
            Self::Fd3 => &[Channel::Fd3],
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For people
    #[default]
    Human,
    /// One JSON document
    Json,
    /// JUnit XML
    Junit,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Color {
    /// On a terminal, unless NO_COLOR is set
    #[default]
    Auto,
    /// Everywhere
    Always,
    /// Nowhere
    Never,
}

impl Color {
    pub(super) fn is_on(self, is_terminal: bool, has_no_color: bool) -> bool {
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Auto => is_terminal && !has_no_color,
        }
    }
}

fn scale(text: &str) -> Result<f64, String> {
    let factor: f64 = text.parse().map_err(|_| "it is no number; give one such as 2.5".to_owned())?;
    if (0.1..=100.0).contains(&factor) { Ok(factor) } else { Err("it must be 0.1 to 100".to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_stands_behind_two_dashes() {
        let parsed = Options::try_parse_from(["contract-test", "TASK", "--jobs", "4", "--", "w", "--list"]).unwrap();
        assert_eq!(
            (parsed.cases, parsed.command, parsed.jobs),
            (vec!["TASK".into()], vec!["w".into(), "--list".into()], 4)
        );
        assert!(!parsed.list);
        for wrong in [&["--jobs", "0"][..], &["--jobs", "65"], &["--timeout-scale", "nan"], &["--timeout-scale", "0"]] {
            let line = ["contract-test"].iter().chain(wrong);
            assert!(Options::try_parse_from(line).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn colours_are_for_terminals() {
        let table = [
            (Color::Auto, true, false, true),
            (Color::Auto, true, true, false),
            (Color::Auto, false, false, false),
            (Color::Always, false, true, true),
            (Color::Never, true, false, false),
        ];
        for (color, is_terminal, has_no_color, on) in table {
            assert_eq!(color.is_on(is_terminal, has_no_color), on, "{color:?} {is_terminal} {has_no_color}");
        }
    }
}

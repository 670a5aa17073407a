//! The one error of the configuration. Says everything that is wrong at once.

use std::fmt;
use std::path::PathBuf;

use super::problem::Report;

/// A configuration that cannot be used.
#[derive(Debug)]
pub struct ConfigError {
    pub kind: ConfigErrorKind,
    /// The configuration or database file that it is about.
    pub file: PathBuf,
}

#[derive(Debug)]
pub enum ConfigErrorKind {
    /// Neither a configuration nor a database was named, and the default file is not there.
    Nothing,
    /// The file, or the folder that a path starts from, cannot be read.
    Unreadable(std::io::Error),
    /// Read, but not usable.
    Unusable(Report),
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = self.file.display();
        match &self.kind {
            ConfigErrorKind::Nothing => write!(
                f,
                "there is no {file} here; write one with `supervisor init`, name one with --config FILE, or a database \
                 alone with --db FILE"
            ),
            ConfigErrorKind::Unreadable(error) => write!(f, "cannot read {file}: {error}; check the path"),
            ConfigErrorKind::Unusable(report) => {
                let count = report.problems().len();
                let problems = if count == 1 { "problem" } else { "problems" };
                write!(f, "{file} cannot be used: {count} {problems}\n\n{report}")
            }
        }
    }
}

impl std::error::Error for ConfigError {}

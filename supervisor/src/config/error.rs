//! The one error of the configuration. Says everything that is wrong at once.

use std::fmt;
use std::path::PathBuf;

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
    /// Not TOML, an unknown key, or a value of another type: with line, column and what was expected.
    Syntax(String),
    /// Read, but not usable: one sentence each, beginning with the path of its key.
    Problems(Vec<String>),
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = self.file.display();
        match &self.kind {
            ConfigErrorKind::Nothing => {
                write!(f, "there is no {file} here; name one with --config FILE, or a database alone with --db FILE")
            }
            ConfigErrorKind::Unreadable(error) => write!(f, "cannot read {file}: {error}; check the path"),
            ConfigErrorKind::Syntax(text) => write!(f, "{file} cannot be understood: {}", text.trim_end()),
            ConfigErrorKind::Problems(problems) => {
                write!(f, "{file} cannot be used:")?;
                problems.iter().try_for_each(|problem| write!(f, "\n  {problem}"))
            }
        }
    }
}

impl std::error::Error for ConfigError {}

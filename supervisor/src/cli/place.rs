//! Which queue a command is about: `--config FILE`, `--db FILE`, or the file in the current folder.

use std::path::{Path, PathBuf};

use clap::Args;

use super::exit::CliError;
use crate::config::{Config, FILE_DEFAULT, Report};

#[derive(Args, Debug, Default)]
pub struct Place {
    /// The configuration file; without it and --db, supervisor.toml in the current folder
    #[arg(long, value_name = "FILE", global = true)]
    config: Option<PathBuf>,
    /// A database alone, with the built-in pool of plain commands; needs no configuration file
    #[arg(long, value_name = "FILE", global = true)]
    db: Option<PathBuf>,
}

impl Place {
    pub fn is_named(&self) -> bool {
        self.config.is_some() || self.db.is_some()
    }

    /// # Errors
    /// Both are given; the file is not usable.
    pub fn load(&self) -> Result<Config, CliError> {
        let (config, db) = self.names()?;
        Ok(Config::load(config, db)?)
    }

    /// The same for a supervisor, with what a person should know beside it.
    ///
    /// # Errors
    /// Those of [`Place::load`]; this host lacks a program or a right.
    pub fn load_to_run(&self) -> Result<(Config, Report), CliError> {
        let (config, db) = self.names()?;
        Ok(Config::load_to_run(config, db)?)
    }

    /// The file that is read, if any is.
    pub fn file(&self) -> Option<&Path> {
        match (&self.config, &self.db) {
            (Some(file), _) => Some(file),
            (None, Some(_)) => None,
            (None, None) => Some(Path::new(FILE_DEFAULT)),
        }
    }

    fn names(&self) -> Result<(Option<&Path>, Option<&Path>), CliError> {
        // Not left to the parser, which misses one before and one after the subcommand.
        if self.config.is_some() && self.db.is_some() {
            return Err(CliError::usage(
                "--config and --db are both given",
                "give one: a configuration names its database",
            ));
        }
        Ok((self.config.as_deref(), self.db.as_deref()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_queue_has_one_place() {
        let both = Place { config: Some("a.toml".into()), db: Some("q.db".into()) };
        assert_eq!(both.load().unwrap_err().exit, crate::cli::exit::Exit::Usage);
    }
}

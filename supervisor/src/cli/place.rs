//! Which queue a command is about: `--config FILE`, `--db FILE`, or the file in the current folder.

use std::path::PathBuf;

use clap::Args;

use super::exit::CliError;
use crate::config::Config;

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
        // Not left to the parser, which misses one before and one after the subcommand.
        if self.config.is_some() && self.db.is_some() {
            return Err(CliError::usage(
                "--config and --db are both given",
                "give one: a configuration names its database",
            ));
        }
        Ok(Config::load(self.config.as_deref(), self.db.as_deref())?)
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

//! `init`: a configuration to begin with, in which everything is explained.

use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use clap::Args as ClapArgs;
use tempfile::NamedTempFile;

use super::exit::{CliError, Exit};
use super::output::note;
use crate::config::FILE_DEFAULT;

const TEXT: &str = include_str!("init.toml");

#[derive(ClapArgs, Debug)]
pub struct Args {
    /// Where to write it; made when it is not there
    #[arg(value_name = "DIR", default_value = ".")]
    folder: PathBuf,
}

pub fn run(args: &Args) -> Result<Exit, CliError> {
    let file = write(&args.folder)?;
    // In another folder, the file has to be named.
    let config = if args.folder == Path::new(".") { String::new() } else { format!(" --config {}", file.display()) };
    note(&format!(
        "{} is written: one plain command works, everything else is explained in it. Next:\n  \
         supervisor{config} check\n  supervisor{config} run &\n  supervisor{config} enqueue digest path=/etc/hostname --wait",
        file.display()
    ));
    Ok(Exit::Done)
}

fn write(folder: &Path) -> Result<PathBuf, CliError> {
    let file = if folder == Path::new(".") { FILE_DEFAULT.into() } else { folder.join(FILE_DEFAULT) };
    let failed = |error: std::io::Error| {
        let (message, hint) = match error.kind() {
            ErrorKind::AlreadyExists if file.exists() => {
                (format!("{} is there already, and is not overwritten", file.display()), "name another folder")
            }
            ErrorKind::StorageFull => (format!("cannot write {}: the disk is full", file.display()), "free some space"),
            kind => (format!("cannot write {}: {kind}", file.display()), "name a folder that you may write to"),
        };
        CliError::new(Exit::Refused, "no_file", message, hint)
    };
    std::fs::create_dir_all(folder).map_err(failed)?;
    // Whole or not at all, and for this user alone.
    let mut draft = NamedTempFile::new_in(folder).map_err(failed)?;
    draft.write_all(TEXT.as_bytes()).map_err(failed)?;
    draft.persist_noclobber(&file).map_err(|refused| failed(refused.error))?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use queue_core::policy::Limits;

    use super::*;
    use crate::config::{Config, key_names};

    /// Every setting in force: those in comments begin with `#` and no blank.
    fn with_everything() -> String {
        let line = |line: &str| line.strip_prefix('#').filter(|rest| !rest.starts_with([' ', '#'])).map(str::to_owned);
        TEXT.lines().map(|text| line(text).unwrap_or_else(|| text.to_owned()) + "\n").collect()
    }

    #[test]
    fn what_is_written_can_be_used_and_is_not_overwritten() {
        let outer = tempfile::tempdir().unwrap();
        let folder = outer.path().join("new/app");
        let file = write(&folder).unwrap();
        let (config, warnings) = Config::load_to_run(Some(&file), None).unwrap();
        assert_eq!(warnings.problems(), []);
        assert_eq!((config.db, config.kinds["digest"].limits), (folder.join("queue.db"), Limits::default()));
        let error = write(&folder).unwrap_err();
        assert_eq!(
            (error.exit, error.body.message.ends_with("is there already, and is not overwritten")),
            (Exit::Refused, true)
        );
        std::fs::write(outer.path().join("file"), "").unwrap();
        assert!(write(&outer.path().join("file")).unwrap_err().body.message.starts_with("cannot write "));
    }

    #[test]
    fn every_key_is_explained_and_every_default_is_true() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(FILE_DEFAULT);
        std::fs::write(&file, with_everything()).unwrap();
        let config = Config::load(Some(&file), None).unwrap();
        let plain = Config::load(None, Some(&folder.path().join("queue.db"))).unwrap();
        assert_eq!((config.db, config.kinds["digest"].limits.backoff), (plain.db, Limits::default().backoff));
        let digest = config.kinds["digest"].limits;
        assert_eq!(Limits { timeout_ms: None, ..digest }, Limits::default());
        assert_eq!(config.pools.len(), 2);
        for key in key_names() {
            let words = || TEXT.split(|c: char| !c.is_ascii_lowercase() && c != '_');
            assert!(words().any(|word| word == key), "{key} is not explained");
        }
    }
}

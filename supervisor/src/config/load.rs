//! Finds the configuration and makes its paths absolute. What its values mean is decided in `resolve`.

use std::io;
use std::path::{Path, PathBuf};

use super::error::{ConfigError, ConfigErrorKind};
use super::raw::Raw;
use super::resolve::resolve;
use super::resolved::Config;

/// The file in the current folder that is read when nothing is named.
pub const FILE_DEFAULT: &str = "supervisor.toml";
/// The database of a file that names none.
const DB_DEFAULT: &str = "queue.db";

impl Config {
    /// Reads `config`; without it takes `db` with the built-in pool alone; without both reads `./supervisor.toml`.
    ///
    /// # Errors
    /// Every kind of [`ConfigErrorKind`]; all problems of a file at once.
    pub fn load(config: Option<&Path>, db: Option<&Path>) -> Result<Config, ConfigError> {
        let here = |error| ConfigError { kind: ConfigErrorKind::Unreadable(error), file: PathBuf::from(".") };
        let (file, raw, start) = match (config, db) {
            (Some(file), _) => (file, read(file)?, folder_of(file)?),
            (None, Some(db)) => {
                let raw = Raw { db: Some(db.to_owned()), ..Raw::default() };
                (db, raw, std::env::current_dir().map_err(here)?)
            }
            (None, None) => {
                let file = Path::new(FILE_DEFAULT);
                if !file.exists() {
                    return Err(ConfigError { kind: ConfigErrorKind::Nothing, file: file.to_owned() });
                }
                (file, read(file)?, folder_of(file)?)
            }
        };
        let path = start.join(raw.db.as_deref().unwrap_or(Path::new(DB_DEFAULT)));
        let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get());
        let problems = |problems| ConfigError { kind: ConfigErrorKind::Problems(problems), file: file.to_owned() };
        match real_path(&path) {
            Ok(db) => resolve(raw, db, start, cores).map_err(problems),
            Err(error) => Err(problems(vec![format!("db: {} cannot be used: {error}", path.display())])),
        }
    }
}

fn read(file: &Path) -> Result<Raw, ConfigError> {
    let failed = |kind| ConfigError { kind, file: file.to_owned() };
    let text = std::fs::read_to_string(file).map_err(|error| failed(ConfigErrorKind::Unreadable(error)))?;
    toml::from_str(&text).map_err(|error| failed(ConfigErrorKind::Syntax(error.to_string())))
}

fn folder_of(file: &Path) -> Result<PathBuf, ConfigError> {
    let absolute = std::path::absolute(file)
        .map_err(|error| ConfigError { kind: ConfigErrorKind::Unreadable(error), file: file.to_owned() })?;
    Ok(absolute.parent().map_or_else(|| PathBuf::from("/"), Path::to_owned))
}

/// One database has one path, whatever links lead to it: its lock and its socket are named after it.
fn real_path(db: &Path) -> io::Result<PathBuf> {
    match db.canonicalize() {
        Err(error) if error.kind() == io::ErrorKind::NotFound && !db.is_symlink() => {}
        known => return known,
    }
    let name = db.file_name().ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "it names no file"))?;
    Ok(db.parent().unwrap_or(Path::new("/")).canonicalize()?.join(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_start_at_the_file_and_links_are_resolved() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        std::fs::create_dir(root.join("etc")).unwrap();
        let file = root.join("etc/my.toml");
        for (text, db) in [("", "etc/queue.db"), ("db = '../a.db'", "a.db"), ("db = 'b.db'", "etc/b.db")] {
            std::fs::write(&file, text).unwrap();
            let config = Config::load(Some(&file), None).unwrap();
            assert_eq!((config.db, config.folder), (root.join(db), root.join("etc")), "{text}");
        }
        std::fs::write(root.join("real.db"), "").unwrap();
        std::os::unix::fs::symlink(root.join("real.db"), root.join("link.db")).unwrap();
        assert_eq!(Config::load(None, Some(&root.join("link.db"))).unwrap().db, root.join("real.db"));
        std::os::unix::fs::symlink(root.join("gone.db"), root.join("dangling.db")).unwrap();
        for wrong in ["dangling.db", "no/such.db"] {
            let error = Config::load(None, Some(&root.join(wrong))).unwrap_err().to_string();
            assert!(error.contains("cannot be used"), "{error}");
        }
    }

    #[test]
    fn what_cannot_be_read_says_where_and_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("s.toml");
        assert!(matches!(Config::load(Some(&file), None).unwrap_err().kind, ConfigErrorKind::Unreadable(_)));
        let table = [
            ("db = ", "line 1, column"),
            ("[pools.a]\nstock = true\nworker = 2", "unknown field `worker`, expected one of `command`"),
            ("[pools.a]\nscale = {}", "line 2, column 1"),
            ("schedules = {}", "unknown field `schedules`"),
            ("[kinds.a]\nbackoff = { factor = 2 }", "expected one of `base`, `cap`, `jitter`"),
            ("[kinds.a]\ntimeout = 2", "expected a string"),
        ];
        for (text, part) in table {
            std::fs::write(&file, text).unwrap();
            let error = Config::load(Some(&file), None).unwrap_err();
            assert!(matches!(error.kind, ConfigErrorKind::Syntax(_)), "{text}");
            assert!(error.to_string().contains(part), "{text}: {error}");
        }
    }
}

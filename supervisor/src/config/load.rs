//! Finds the configuration, makes its paths absolute, and puts together all that is wrong with it. What its values mean is
//! decided in `resolve`.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::document::Document;
use super::error::{ConfigError, ConfigErrorKind};
use super::host::{Survey, survey};
use super::problem::{Problem, Report};
use super::raw::Raw;
use super::resolve::resolve;
use super::resolved::Config;

/// The file in the current folder that is read when nothing is named.
pub const FILE_DEFAULT: &str = "supervisor.toml";
/// The database of a file that names none.
const DB_DEFAULT: &str = "queue.db";
/// A larger file is no configuration.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

impl Config {
    /// Reads `config`; without it takes `db` with the built-in pool alone; without both reads `./supervisor.toml`.
    ///
    /// # Errors
    /// Every kind of [`ConfigErrorKind`]; all problems of a file at once.
    pub fn load(config: Option<&Path>, db: Option<&Path>) -> Result<Config, ConfigError> {
        Ok(load(config, db, |_| Survey::default())?.0)
    }

    /// The same for a supervisor, which also needs its programs and the right to write. Gives what a person should know
    /// beside it.
    ///
    /// # Errors
    /// Those of [`Config::load`], with what this host lacks.
    pub fn load_to_run(config: Option<&Path>, db: Option<&Path>) -> Result<(Config, Report), ConfigError> {
        load(config, db, survey)
    }
}

fn load(
    config: Option<&Path>,
    db: Option<&Path>,
    look: impl FnOnce(&Config) -> Survey,
) -> Result<(Config, Report), ConfigError> {
    let Source { file, text, folder, document: Document { raw, marks } } = Source::open(config, db)?;
    let path = folder.join(raw.db.as_deref().unwrap_or(Path::new(DB_DEFAULT)));
    let (db, no_place) = match real_path(&path) {
        Ok(db) => (db, None),
        Err(error) => (path.clone(), Some(Problem::new("db", no_place(&path, &error)))),
    };
    let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get());
    let (config, resolved) = resolve(raw, db, folder, cores);
    let found = look(&config);
    let problems = marks.all_with(no_place.into_iter().chain(resolved).chain(found.problems));
    if problems.is_empty() {
        return Ok((config, Report::new(&file, &text, marks.all_with(found.warnings))));
    }
    let report = Report::new(&file, &text, problems);
    Err(ConfigError { kind: ConfigErrorKind::Unusable(report), file })
}

/// What a configuration is read from.
struct Source {
    /// As it was named: a configuration, or a database alone.
    file: PathBuf,
    text: String,
    /// Where its paths start.
    folder: PathBuf,
    document: Document,
}

impl Source {
    fn open(config: Option<&Path>, db: Option<&Path>) -> Result<Source, ConfigError> {
        let file = match (config, db) {
            (Some(file), _) => file,
            (None, Some(db)) => return Source::of_database(db),
            (None, None) => Path::new(FILE_DEFAULT),
        };
        let failed = |kind| ConfigError { kind, file: file.to_owned() };
        if config.is_none() && !file.exists() {
            return Err(failed(ConfigErrorKind::Nothing));
        }
        let unreadable = |error| failed(ConfigErrorKind::Unreadable(error));
        let (folder, text) = (folder_of(file).map_err(unreadable)?, read(file).map_err(unreadable)?);
        match Document::read(&text) {
            Ok(document) => Ok(Source { file: file.to_owned(), text, folder, document }),
            Err(problems) => Err(failed(ConfigErrorKind::Unusable(Report::new(file, &text, problems)))),
        }
    }

    /// What a file with nothing but this database would be.
    fn of_database(db: &Path) -> Result<Source, ConfigError> {
        let here = |error| ConfigError { kind: ConfigErrorKind::Unreadable(error), file: PathBuf::from(".") };
        let folder = std::env::current_dir().map_err(here)?;
        let raw = Raw { db: Some(db.to_owned()), ..Raw::default() };
        let document = Document { raw, ..Document::default() };
        Ok(Source { file: db.to_owned(), text: String::new(), folder, document })
    }
}

fn read(file: &Path) -> io::Result<String> {
    let mut text = String::new();
    let size_bytes = File::open(file)?.take(FILE_BYTES_MAX + 1).read_to_string(&mut text)? as u64;
    if size_bytes > FILE_BYTES_MAX {
        return Err(io::Error::other(format!("it has over {FILE_BYTES_MAX} bytes and is no configuration")));
    }
    Ok(text)
}

fn folder_of(file: &Path) -> io::Result<PathBuf> {
    Ok(std::path::absolute(file)?.parent().map_or_else(|| PathBuf::from("/"), Path::to_owned))
}

fn no_place(db: &Path, error: &io::Error) -> String {
    match db.parent().filter(|folder| !folder.exists()) {
        Some(folder) => format!("there is no folder {0}; make it with mkdir -p {0}, or name another", folder.display()),
        None if db.is_symlink() => format!("{} is a link that leads nowhere; remove it", db.display()),
        None => format!("{} cannot be used: {error}; name another", db.display()),
    }
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
        let error = || Config::load(Some(&file), None).unwrap_err();
        assert!(matches!(error().kind, ConfigErrorKind::Unreadable(_)));
        std::fs::write(&file, [0xff]).unwrap();
        assert!(error().to_string().contains("UTF-8"), "{}", error());
        std::fs::write(&file, vec![b'#'; FILE_BYTES_MAX as usize + 1]).unwrap();
        assert!(error().to_string().contains("is no configuration"), "{}", error());
        std::fs::write(&file, "db = 'no/such.db'\n[pools.a]\nstock = true\nworkers = 0").unwrap();
        let ConfigErrorKind::Unusable(report) = error().kind else { panic!("{}", error()) };
        let sentences: Vec<_> = report.problems().iter().map(Problem::to_string).collect();
        let root = folder.path().display();
        let no_folder = format!("db: there is no folder {root}/no; make it with mkdir -p {root}/no, or name another");
        assert_eq!((sentences.len(), &sentences[0]), (2, &no_folder));
    }

    #[test]
    fn only_a_supervisor_needs_its_programs() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("s.toml");
        std::fs::write(&file, "[pools.a]\ncommand = ['./a']\nenv = ['NOT_SET_5be7']\n[kinds.k]\nrun = ['./{{k}}']")
            .unwrap();
        assert!(Config::load(Some(&file), None).is_ok());
        let ConfigErrorKind::Unusable(report) = Config::load_to_run(Some(&file), None).unwrap_err().kind else {
            panic!("it was read before")
        };
        let keys: Vec<&str> = report.problems().iter().map(|problem| problem.key.as_str()).collect();
        assert_eq!(keys, ["pools.a.command", "kinds.k.run"]);
        for program in ["a", "{k}"] {
            std::fs::copy("/bin/true", folder.path().join(program)).unwrap();
        }
        let (_, warnings) = Config::load_to_run(Some(&file), None).unwrap();
        let warnings: Vec<_> = warnings.problems().iter().map(|problem| problem.key.as_str()).collect();
        assert_eq!(warnings, ["pools.a.env"]);
    }
}

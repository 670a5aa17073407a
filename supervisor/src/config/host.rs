//! Whether this host has what a configuration names: its programs, its variables, the right to write its database.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use ipc_contract::CommandTemplate;
use nix::unistd::{AccessFlags, eaccess};

use super::agree::doubts;
use super::pool::Program;
use super::prepare::Prepared;
use super::problem::Problem;
use super::resolved::Config;

/// Where the system looks when there is no PATH.
pub(crate) const PATH_DEFAULT: &str = "/bin:/usr/bin";

/// Of PATH, what is shown.
const PATH_CHARS_MAX: usize = 80;

/// What was found: `problems` stand in the way of a supervisor, `warnings` perhaps in the way of its tasks.
#[derive(Default)]
pub(super) struct Survey {
    pub(super) problems: Vec<Problem>,
    pub(super) warnings: Vec<Problem>,
}

/// Looks at this host as a supervisor of this configuration would find it.
pub(super) fn survey(config: &Config) -> Survey {
    let path = std::env::var_os("PATH").unwrap_or_else(|| PATH_DEFAULT.into());
    let mut survey = Survey::default();
    let mut look = |key: String, program: &str| {
        let found = find(program, &config.folder, &path);
        survey.problems.extend(found.err().map(|sentence| Problem::new(key, sentence)));
    };
    for pool in &config.pools {
        if let Program::Command(argv) = &pool.program
            && let Some(program) = argv.first().filter(|program| !program.is_empty())
        {
            look(format!("pools.{}.command", pool.name), program);
        }
    }
    for (name, kind) in &config.kinds {
        if let Some(program) = kind.run.as_ref().and_then(program_of) {
            look(format!("kinds.{name}.run"), &program);
        }
    }
    survey.warnings.extend(doubts(config));
    survey.problems.extend(database(&config.db).err().map(|sentence| Problem::new("db", sentence)));
    for pool in &config.pools {
        survey.problems.extend(Prepared::of(pool, &config.host).err().into_iter().flatten());
        for variable in
            pool.process.env.iter().filter(|name| !name.contains(['=', '\0']) && std::env::var_os(name).is_none())
        {
            let sentence = format!("{variable} is not set here, so these workers do not get it; set it, or drop it");
            survey.warnings.push(Problem::new(format!("pools.{}.env", pool.name), sentence));
        }
    }
    survey
}

/// A program has no placeholders, so that its template is its name with braces doubled.
fn program_of(run: &CommandTemplate) -> Option<String> {
    Some(run.tokens().first()?.replace("{{", "{").replace("}}", "}"))
}

/// Finds a program as the system will when a worker starts in `folder`.
fn find(program: &str, folder: &Path, path: &OsStr) -> Result<(), String> {
    if program.contains('/') {
        let file = folder.join(program);
        return match (file.is_file(), is_executable(&file)) {
            (true, true) => Ok(()),
            (true, false) => Err(format!("{0} may not be executed; run chmod +x {0}", file.display())),
            (false, _) if file.is_dir() => Err(format!("{} is a folder; name a program in it", file.display())),
            (false, _) => Err(format!(
                "there is no {}; correct the path, which starts at the folder of the configuration",
                file.display()
            )),
        };
    }
    let files = Vec::from_iter(std::env::split_paths(path).map(|place| folder.join(place).join(program)));
    if files.iter().any(|file| file.is_file() && is_executable(file)) {
        return Ok(());
    }
    if let Some(file) = files.iter().find(|file| file.is_file()) {
        return Err(format!("{0} may not be executed; run chmod +x {0}", file.display()));
    }
    let way_out = match program {
        "python3" => "install Python 3 (Debian and Ubuntu: apt install python3), or name another program",
        "python" => "say python3, which most systems have, or install it",
        _ => "install it, or give its path",
    };
    let path = path.to_string_lossy();
    let shown: String = path.chars().take(PATH_CHARS_MAX).collect();
    let cut = if shown.len() < path.len() { "..." } else { "" };
    Err(format!("there is no {program} on PATH ({shown}{cut}); {way_out}"))
}

fn is_executable(file: &Path) -> bool {
    eaccess(file, AccessFlags::X_OK).is_ok()
}

/// Beside a database stand its lock, its log and its socket.
fn database(db: &Path) -> Result<(), String> {
    let folder = db.parent().map_or_else(|| PathBuf::from("/"), Path::to_owned);
    if !folder.is_dir() {
        // Told when its path was resolved.
        return Ok(());
    }
    let may = |path: &Path, flags| eaccess(path, flags).map_err(|error| error.desc());
    may(&folder, AccessFlags::W_OK | AccessFlags::X_OK)
        .map_err(|why| format!("cannot write to the folder {}: {why}; use another folder", folder.display()))?;
    if db.is_dir() {
        return Err(format!("{} is a folder; name a file in it", db.display()));
    }
    if db.exists() {
        may(db, AccessFlags::R_OK | AccessFlags::W_OK)
            .map_err(|why| format!("cannot write to {}: {why}; change its owner or its rights", db.display()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs::{Permissions, set_permissions, write};
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_program_is_found_as_the_system_finds_it_or_a_sentence_says_why_not() {
        let outer = tempfile::tempdir().unwrap();
        let at = |name: &str| outer.path().join(name);
        for folder in ["bin", "more", "etc"] {
            std::fs::create_dir(at(folder)).unwrap();
        }
        for (name, mode) in [("bin/tool", 0o700), ("bin/text", 0o600), ("more/text2", 0o600), ("etc/here", 0o700)] {
            write(at(name), "").unwrap();
            set_permissions(at(name), Permissions::from_mode(mode)).unwrap();
        }
        let path = std::env::join_paths([at("bin"), at("more")]).unwrap();
        let told = |program: &str| find(program, &at("etc"), &path).err().unwrap_or_default();
        let table = [
            ("tool", ""),
            ("./here", ""),
            ("../bin/tool", ""),
            ("here", "there is no here on PATH ("),
            ("text", "bin/text may not be executed; run chmod +x /"),
            ("../bin/text", "bin/text may not be executed; run chmod +x /"),
            ("text2", "more/text2 may not be executed"),
            ("./gone", "etc/./gone; correct the path, which starts at the folder of the configuration"),
            ("../bin", "is a folder; name a program in it"),
            ("python3", "install Python 3 (Debian and Ubuntu: apt install python3), or name another program"),
            ("python", "say python3"),
        ];
        for (program, part) in table {
            let told = told(program);
            assert!(told.contains(part) && told.is_empty() == part.is_empty(), "{program}: {told}");
        }
        let empty_place = std::env::join_paths([Path::new("")]).unwrap();
        assert_eq!(find("here", &at("etc"), &empty_place), Ok(()), "an empty place is the worker's folder");
    }

    #[test]
    fn a_database_needs_a_file_and_its_folder() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        assert_eq!(database(&at("q.db")), Ok(()));
        assert!(!at("q.db").exists(), "looking makes nothing");
        write(at("q.db"), "").unwrap();
        assert_eq!(database(&at("q.db")), Ok(()));
        std::fs::create_dir(at("d.db")).unwrap();
        assert!(database(&at("d.db")).unwrap_err().contains("is a folder"));
        for (name, mode, part) in
            [("q.db", 0o400, "q.db: Permission denied"), ("", 0o500, "cannot write to the folder")]
        {
            set_permissions(at(name), Permissions::from_mode(mode)).unwrap();
            let told = database(&at("q.db")).err().unwrap_or_default();
            assert_eq!(told.contains(part), !nix::unistd::geteuid().is_root(), "root may do all: {told}");
        }
    }
}

//! Whether this host has a Python that runs the Python part, and in a sentence why not.

use std::io;
use std::process::{Command, Stdio};

use crate::config::{Config, Program};
use crate::text::printable;

/// As the pool of the Python worker names it.
pub(super) const PROGRAM: &str = "python3";
/// The pool of the Python worker.
const POOL: &str = "python";
/// Major and minor version: no older one runs the package.
const OLDEST: (u32, u32) = (3, 10);
/// Prints major and minor version. To run something proves more than to ask for the version.
const QUESTION: &str = "import sys; print('%d.%d' % sys.version_info[:2])";
const WAY_OUT: &str =
    "install Python 3.10 or newer (Debian and Ubuntu: apt install python3), then start the demo again";

/// Asks `python3` itself.
///
/// # Errors
/// Why there is none that will do, and what to do about it.
pub(super) fn look() -> Result<(), String> {
    let asked = Command::new(PROGRAM).args(["-c", QUESTION]).stdin(Stdio::null()).output();
    let found = match asked {
        Ok(said) if said.status.success() => judge(&said.stdout),
        Ok(said) => {
            let why = String::from_utf8_lossy(&said.stderr);
            let why = why.lines().last().unwrap_or("it does not say why");
            Err(format!("{PROGRAM} does not run: {}", printable(why.as_bytes())))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(format!("there is no {PROGRAM} on PATH")),
        Err(error) => Err(format!("{PROGRAM} cannot be started: {error}")),
    };
    found.map_err(|why| format!("{why}; {WAY_OUT}"))
}

fn judge(said: &[u8]) -> Result<(), String> {
    let said = printable(said.trim_ascii());
    let number = |part: &str| part.parse::<u32>().ok();
    let version = said.split_once('.').and_then(|(major, minor)| Some((number(major)?, number(minor)?)));
    match version {
        Some(version) if version >= OLDEST => Ok(()),
        Some(_) => Err(format!("{PROGRAM} is Python {said}")),
        None => Err(format!("{PROGRAM} does not tell its version")),
    }
}

/// Takes out the pools that need Python when there is none. An error is why there is no Python part.
pub(super) fn settle(config: &mut Config, found: Result<(), String>) -> Result<(), String> {
    let needs_python = |program: &Program| match program {
        Program::Command(argv) => argv.first().is_some_and(|program| program == PROGRAM),
        Program::Stock => false,
    };
    if found.is_err() {
        config.pools.retain(|pool| !needs_python(&pool.program));
    }
    found?;
    match config.pool(POOL) {
        Some(_) => Ok(()),
        None => Err(format!("the configuration that is kept has no pool {POOL}; move it away to have a new one made")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_version_that_runs_the_package_will_do() {
        let table = [
            ("3.10\n", ""),
            ("3.13\n", ""),
            ("4.0", ""),
            ("3.9\n", "python3 is Python 3.9"),
            ("3.8", "python3 is Python 3.8"),
            ("2.99", "python3 is Python 2.99"),
            ("", "python3 does not tell its version"),
            ("3", "python3 does not tell its version"),
            ("3.x", "python3 does not tell its version"),
        ];
        for (said, expected) in table {
            assert_eq!(judge(said.as_bytes()).err().unwrap_or_default(), expected, "{said:?}");
        }
    }

    #[test]
    fn without_python_its_pool_is_taken_out() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("s.toml");
        let config = |pool: &str| {
            std::fs::write(&file, pool).unwrap();
            Config::load(Some(&file), None).unwrap()
        };
        let gone = || Err("gone".to_owned());
        let table = [
            ("[pools.python]\ncommand = ['python3', 'w.py']", Ok(()), Ok(()), true),
            ("[pools.python]\ncommand = ['python3', 'w.py']", gone(), gone(), false),
            ("[pools.python]\ncommand = ['./mine']", gone(), gone(), true),
            ("", gone(), gone(), false),
        ];
        for (text, found, settled, is_there) in table {
            let mut config = config(text);
            assert_eq!(settle(&mut config, found.clone()), settled, "{text} {found:?}");
            assert_eq!(config.pool(POOL).is_some(), is_there, "{text} {found:?}");
            assert!(config.pool("commands").is_some());
        }
        assert!(settle(&mut config(""), Ok(())).unwrap_err().contains("has no pool python"));
    }
}

//! Programs as the shell of the user finds them: the one of the plain commands, and this one.

use std::path::{Path, PathBuf};

use nix::unistd::{AccessFlags, access};

use crate::cli::exit::{CliError, Exit};

/// The program of the plain commands.
pub(super) const DIGEST_PROGRAM: &str = "sha256sum";
/// This program, where it is installed.
const OWN_NAME: &str = "supervisor";

/// # Errors
/// There is no program for the plain commands, with the way out.
pub(super) fn check() -> Result<(), CliError> {
    if on_path(DIGEST_PROGRAM).is_some() {
        return Ok(());
    }
    let message = format!("there is no {DIGEST_PROGRAM} in PATH, which the demo runs for every file");
    Err(CliError::new(Exit::Unexpected, "no_program", message, "install it: on most systems it is part of coreutils"))
}

/// What to type in the current folder to start this program: its name when that leads to it, else its path.
pub(super) fn own() -> String {
    let Ok(file) = std::env::current_exe() else { return OWN_NAME.to_owned() };
    if on_path(OWN_NAME).and_then(|found| found.canonicalize().ok()).is_some_and(|found| found == file) {
        return OWN_NAME.to_owned();
    }
    short(&file, std::env::current_dir().ok().as_deref())
}

fn on_path(program: &str) -> Option<PathBuf> {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&folders)
        .map(|folder| folder.join(program))
        .find(|file| access(file, AccessFlags::X_OK).is_ok())
}

/// Relative to the current folder when it is below; still a path, which no shell looks up.
fn short(file: &Path, here: Option<&Path>) -> String {
    let below = here.and_then(|here| file.strip_prefix(here).ok()).unwrap_or(file);
    let name = below.display().to_string();
    if name.contains('/') { name } else { format!("./{name}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_as_short_as_it_can_be() {
        let table = [
            ("/a/b/supervisor", Some("/a"), "b/supervisor"),
            ("/a/supervisor", Some("/a"), "./supervisor"),
            ("/a/b/supervisor", Some("/a/c"), "/a/b/supervisor"),
            ("/a/supervisor", None, "/a/supervisor"),
        ];
        for (file, here, expected) in table {
            assert_eq!(short(Path::new(file), here.map(Path::new)), expected);
        }
    }
}

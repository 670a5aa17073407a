//! Becoming another program. A file that the kernel cannot run is an error here: `execvp` of the C library hands such a file to
//! the shell, which would carry out the bytes of a program of another machine as if they were commands.

use std::convert::Infallible;
use std::ffi::{CString, OsStr};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::unistd::execv;

use crate::config::PATH_DEFAULT;

/// This process becomes the program; `argv` begins with the name that it goes by.
///
/// # Errors
/// Why not, with the way out.
pub fn become_program(program: &OsStr, argv: &[&OsStr]) -> Result<Infallible, String> {
    let text =
        |text: &OsStr| CString::new(text.as_bytes()).map_err(|_| "there is a zero byte in the command".to_owned());
    let argv = argv.iter().map(|arg| text(arg)).collect::<Result<Vec<_>, _>>()?;
    let path = std::env::var_os("PATH").unwrap_or_else(|| PATH_DEFAULT.into());
    let mut told = io::Error::from(Errno::ENOENT).to_string();
    for file in files(program, &path) {
        let Err(error) = execv(&text(file.as_os_str())?, &argv);
        let hint = hint_of(error, &file);
        match error {
            Errno::ENOENT | Errno::ENOTDIR if hint.is_empty() => continue,
            _ => told = format!("{}{hint}", io::Error::from(error)),
        }
        // Another folder of PATH may have one that is ours to run.
        if error != Errno::EACCES {
            break;
        }
    }
    Err(told)
}

/// Where a program may be, in the order in which the system looks.
fn files(program: &OsStr, path: &OsStr) -> Vec<PathBuf> {
    match program.as_bytes().contains(&b'/') {
        true => vec![program.into()],
        false => std::env::split_paths(path).map(|folder| folder.join(program)).collect(),
    }
}

/// What the words of the system leave unsaid.
fn hint_of(error: Errno, file: &Path) -> &'static str {
    match error {
        Errno::ENOEXEC => {
            ": it is a program of another machine, or a script without a line `#!` that names its interpreter"
        }
        Errno::ENOENT if file.exists() => ": it is there, but the interpreter that it names is not",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    /// The header of an ELF file for IBM's S/390.
    const FOREIGN: &[u8] = b"\x7fELF\x02\x02\x01\0\0\0\0\0\0\0\0\0\0\x02\0\x16\0\0\0\x01";

    #[test]
    fn what_cannot_be_run_is_an_error_with_the_way_out() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for (name, text, mode) in [
            ("foreign", FOREIGN, 0o700),
            ("bare", b"touch carried-out\n", 0o700),
            ("script", b"#!/no/such/interpreter\n", 0o700),
            ("plain", b"#!/bin/sh\n", 0o600),
        ] {
            fs::write(at(name), text).unwrap();
            fs::set_permissions(at(name), fs::Permissions::from_mode(mode)).unwrap();
        }
        let table = [
            ("foreign", "Exec format error (os error 8): it is a program of another machine"),
            ("bare", "without a line `#!`"),
            ("script", "(os error 2): it is there, but the interpreter that it names is not"),
            ("plain", "Permission denied (os error 13)"),
            ("gone", "No such file or directory (os error 2)"),
        ];
        for (name, part) in table {
            let Err(told) = become_program(at(name).as_os_str(), &[OsStr::new(name)]);
            assert!(told.contains(part), "{name}: {told}");
        }
        let Err(told) = become_program(OsStr::new("a\0b"), &[OsStr::new("a\0b")]);
        assert!(told.contains("zero byte"), "{told}");
        let Err(told) = become_program(OsStr::new("no-such-program-5be7"), &[]);
        assert_eq!(told, "No such file or directory (os error 2)");
    }

    #[test]
    fn a_name_is_looked_for_on_the_path_and_a_path_is_not() {
        let found = |program: &str| files(OsStr::new(program), OsStr::new("/a:/b"));
        assert_eq!(found("x"), [PathBuf::from("/a/x"), PathBuf::from("/b/x")]);
        assert_eq!(found("./x"), [PathBuf::from("./x")]);
    }
}

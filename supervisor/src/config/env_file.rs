//! The file of further variables of a pool: from its text to names and values. One `NAME=value` on each line; nothing in it is
//! expanded.

use std::fmt;
use std::fs::OpenOptions;
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// A larger file holds something else.
pub const FILE_BYTES_MAX: u64 = 1024 * 1024;
/// Variables that the supervisor sets itself begin so.
const OWN_PREFIX: &str = "MUTIRAO_";
/// Each worker has a temporary folder of its own.
const TMPDIR: &str = "TMPDIR";

/// Why the variables of a file cannot be had.
#[derive(Debug)]
pub enum EnvFileError {
    Io(io::Error),
    /// The line, from 1, and what is wrong there.
    Line(usize, String),
}

/// Its parts, to be put behind the name of the file.
impl fmt::Display for EnvFileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            EnvFileError::Io(error) => write!(f, " cannot be read: {error}; check the path and its rights"),
            EnvFileError::Line(line, what) => write!(f, ":{line}: {what}"),
        }
    }
}

/// Reads and parses a file.
///
/// # Errors
/// It cannot be read, or a line of it; a sentence with the name of the file.
pub fn load(file: &Path) -> Result<Vec<(String, String)>, String> {
    let told = |error: EnvFileError| format!("{}{error}", file.display());
    let utf8 = |bytes| String::from_utf8(bytes).map_err(|_| io::Error::other("it is not UTF-8"));
    let text = read_bounded(file).and_then(utf8).map_err(|error| told(EnvFileError::Io(error)))?;
    parse(&text).map_err(told)
}

/// Reads a file that a configuration names. What is no plain file, such as a pipe, is not waited for.
///
/// # Errors
/// Those of the system; it is no file, or too large.
pub fn read_bounded(file: &Path) -> io::Result<Vec<u8>> {
    let opened = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(file)?;
    if !opened.metadata()?.is_file() {
        return Err(io::Error::other("it is no plain file"));
    }
    let mut bytes = Vec::new();
    let size_bytes = opened.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes)? as u64;
    if size_bytes > FILE_BYTES_MAX {
        return Err(io::Error::other(format!("it has over {FILE_BYTES_MAX} bytes")));
    }
    Ok(bytes)
}

/// # Errors
/// The first line that is wrong.
fn parse(text: &str) -> Result<Vec<(String, String)>, EnvFileError> {
    let mut variables = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let variable = variable(line).map_err(|what| EnvFileError::Line(index + 1, what))?;
        variables.push(variable);
    }
    Ok(variables)
}

/// The value of a line is not told: it may be a secret.
fn variable(line: &str) -> Result<(String, String), String> {
    let line = line.strip_prefix("export ").map_or(line, str::trim_start);
    let (name, value) = line.split_once('=').ok_or("there is no = in it; write NAME=value")?;
    let name = name.trim_end();
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if name.is_empty() || !name.chars().all(is_name) || name.starts_with(|c: char| c.is_ascii_digit()) {
        return Err(format!("{name:?} is not the name of a variable; use letters, digits and _"));
    }
    if name == TMPDIR || name.starts_with(OWN_PREFIX) {
        return Err(format!("{name} is set for each worker by the supervisor; drop it"));
    }
    let value = value.trim_start();
    let value = match value.chars().next() {
        Some(quote @ ('"' | '\'')) => {
            let inner = value[1..].strip_suffix(quote).filter(|inner| !inner.contains(quote));
            inner.ok_or(format!("the value of {name} does not end with the quote {quote} that it begins with"))?
        }
        _ => value,
    };
    if value.contains('\0') {
        return Err(format!("the value of {name} has a zero byte, which no variable can hold"));
    }
    Ok((name.to_owned(), value.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_variables_or_nothing() {
        let text = "# a comment\n\n A=1\r\nexport B = two words \nC='# no comment'\nD=\"it's\"\nE=\nF=a=b#c\nA=again";
        let variables = parse(text).unwrap();
        let expected = [
            ("A", "1"),
            ("B", "two words"),
            ("C", "# no comment"),
            ("D", "it's"),
            ("E", ""),
            ("F", "a=b#c"),
            ("A", "again"),
        ];
        assert_eq!(variables, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line_and_without_its_value() {
        let table = [
            ("A=1\nhunter2", ":2: there is no ="),
            ("=hunter2", ":1: \"\" is not the name"),
            ("A-B=hunter2", "\"A-B\" is not the name"),
            ("1A=hunter2", "\"1A\" is not the name"),
            ("MUTIRAO_TAG=hunter2", "MUTIRAO_TAG is set for each worker"),
            ("TMPDIR=hunter2", "TMPDIR is set for each worker"),
            ("A=\"hunter2", "does not end with the quote \""),
            ("A='", "does not end with the quote '"),
            ("A='hunter'2'", "does not end with the quote '"),
            ("A=hunter2\0", "has a zero byte"),
        ];
        for (text, part) in table {
            let told = parse(text).unwrap_err().to_string();
            assert!(told.contains(part) && !told.contains("hunter2"), "{text:?}: {told}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_told_with_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::write(at("good"), "A=1").unwrap();
        std::fs::write(at("latin"), b"A=\xe9").unwrap();
        std::fs::write(at("long"), vec![b'#'; FILE_BYTES_MAX as usize + 1]).unwrap();
        nix::unistd::mkfifo(&at("pipe"), nix::sys::stat::Mode::S_IRWXU).unwrap();
        assert_eq!(load(&at("good")).unwrap(), [("A".to_owned(), "1".to_owned())]);
        let table = [
            ("gone", "No such file"),
            ("latin", "not UTF-8"),
            ("long", "over 1048576 bytes"),
            ("pipe", "no plain file"),
        ];
        for (name, part) in table {
            let told = load(&at(name)).unwrap_err();
            assert!(told.starts_with(&at(name).display().to_string()) && told.contains(part), "{told}");
        }
    }
}

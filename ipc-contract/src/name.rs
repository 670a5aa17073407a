//! How names are spelled, and which one was probably meant. What a name points to is not known here.

use crate::error::{ContractError, ErrorKind};
use crate::limits::{KEY_BYTES, NAME_BYTES, UNIQUE_NAME_BYTES};

/// Edits between a wrong name and the one that is suggested for it.
const NEAREST_EDITS_MAX: usize = 2;

/// Checks the name of a kind, queue, pool or priority: `[a-z0-9][a-z0-9_.-]{0,63}`. `field` is whose name it is.
///
/// # Errors
/// `Name`, or `Limit` when it is too long.
pub fn check_name(field: &str, name: &str) -> Result<(), ContractError> {
    NAME_BYTES.check(name.len())?;
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let spelled = match name.as_bytes() {
        [] => false,
        [first, rest @ ..] => is_plain(*first) && rest.iter().all(|&byte| is_plain(byte) || b"_.-".contains(&byte)),
    };
    if spelled {
        return Ok(());
    }
    let detail = format!("{field} {name:?} is no name; use a-z, 0-9, and after the first place also _ . -");
    Err(ContractError::new(ErrorKind::Name(field.to_owned()), detail))
}

/// Checks the unique name of a task: 1 to 512 bytes of text in one line, without control characters.
///
/// # Errors
/// `Name`, or `Limit` when it is too long.
pub fn check_unique_name(name: &str) -> Result<(), ContractError> {
    UNIQUE_NAME_BYTES.check(name.len())?;
    check_line("name", name)
}

/// Checks the key of a task: 1 to 512 bytes of text in one line, without control characters.
///
/// # Errors
/// `Name`, or `Limit` when it is too long.
pub fn check_key(key: &str) -> Result<(), ContractError> {
    KEY_BYTES.check(key.len())?;
    check_line("key", key)
}

fn check_line(what: &str, text: &str) -> Result<(), ContractError> {
    let is_unprintable = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    if !text.is_empty() && !text.contains(is_unprintable) {
        return Ok(());
    }
    let detail = format!("{what} {text:?} must be one line of printable text; leave it out when the task needs none");
    Err(ContractError::new(ErrorKind::Name(what.to_owned()), detail))
}

/// The known name that `wanted` was probably meant to be. Of equally near ones, the first.
pub fn nearest<'a>(wanted: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|name| (strsim::damerau_levenshtein(wanted, name), name))
        .filter(|(edits, name)| *edits <= NEAREST_EDITS_MAX && *edits < name.len())
        .min_by_key(|(edits, _)| *edits)
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_plain() {
        let long = "a".repeat(65);
        let table = [
            ("resize", true),
            ("0", true),
            ("a_b.c-d9", true),
            (&long[..64], true),
            (&long, false),
            ("", false),
            ("_a", false),
            ("-a", false),
            ("Resize", false),
            ("a b", false),
            ("a/b", false),
            ("maçã", false),
            ("a\0", false),
        ];
        for (name, legal) in table {
            assert_eq!(check_name("kind", name).is_ok(), legal, "{name:?}");
        }
    }

    #[test]
    fn unique_names_are_one_printable_line() {
        let long = "é".repeat(257);
        let table = [
            ("digest:/home/ana/café com leite.txt", true),
            (&long[..512], true),
            (&long, false),
            ("", false),
            ("two\nlines", false),
            ("bell\u{7}", false),
            ("c1\u{9b}", false),
            ("line\u{2028}separator", false),
        ];
        for (name, legal) in table {
            assert_eq!(check_unique_name(name).is_ok(), legal, "{name:?}");
        }
    }

    #[test]
    fn suggests_the_nearest_and_only_a_near_one() {
        let known = ["kind", "queue", "args", "priority"];
        assert_eq!(nearest("qeue", known), Some("queue"));
        assert_eq!(nearest("priorty", known), Some("priority"));
        assert_eq!(nearest("arg", known), Some("args"));
        assert_eq!(nearest("retries", known), None);
        assert_eq!(nearest("x", ["ab"]), None);
    }
}

//! Rule: no Rust file is too long. (The length of functions is clippy's, in `clippy.toml`.)

use super::finding::Finding;

/// A ratchet, not an aim: files aim at 50-200 lines.
const FILE_LINES_MAX: usize = 500;

pub(super) fn check(path: &str, text: &str) -> Option<Finding> {
    let lines = text.lines().count();
    let message = || format!("{lines} lines, at most {FILE_LINES_MAX}; split it where it has two subjects");
    (lines > FILE_LINES_MAX).then(|| Finding::in_file(path, message()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_is_exact() {
        assert_eq!(check("a.rs", &"\n".repeat(FILE_LINES_MAX)), None);
        assert!(check("a.rs", &"\n".repeat(FILE_LINES_MAX + 1)).is_some());
    }
}

//! Rule: the first line of each Rust file says what lives there.

use super::finding::Finding;

pub(super) fn check(path: &str, text: &str) -> Option<Finding> {
    let first = text.lines().next().unwrap_or_default();
    let says_something = first.strip_prefix("//!").is_some_and(|words| !words.trim().is_empty());
    let message = "must start with `//!` and a sentence that says what lives in the file, and what may not";
    (!says_something).then(|| Finding::at(path, 1, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_sentence_in_the_first_line_counts() {
        assert_eq!(check("a.rs", "//! The frames.\nuse x;"), None);
        for text in ["", "//!", "//! \nuse x;", "use x;\n//! Late.", "// The frames.", "/// The frames.", "\n//! Late."]
        {
            assert!(check("a.rs", text).is_some(), "{text:?}");
        }
    }
}

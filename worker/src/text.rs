//! Cutting texts to a size, for everything of unknown length that goes into a frame.

/// The longest beginning of `text` that has at most `max_bytes` bytes and ends between characters.
pub(crate) fn clip(text: &str, max_bytes: usize) -> &str {
    let end = (0..=max_bytes.min(text.len())).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0);
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn never_splits_a_character() {
        for (text, max_bytes, expected) in [
            ("", 0, ""),
            ("abc", 3, "abc"),
            ("abc", 2, "ab"),
            ("aé", 2, "a"),
            ("aé", 3, "aé"),
            ("aé", 9, "aé"),
            ("é", 0, ""),
        ] {
            assert_eq!(clip(text, max_bytes), expected);
        }
    }
}

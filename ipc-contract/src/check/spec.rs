//! The headings of SPEC.md, so that a failure names the section whose rule was broken. Pure.

const SPEC: &str = include_str!("../../SPEC.md");

/// The title of the section with this number, such as `Order` of `4.3`.
pub fn section_title(number: &str) -> Option<&'static str> {
    SPEC.lines().find_map(|line| {
        let (found, title) = line.strip_prefix('#')?.trim_start_matches('#').trim_start().split_once(' ')?;
        (found.trim_end_matches('.') == number).then_some(title)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_are_found_by_their_numbers() {
        assert_eq!(section_title("1"), Some("The channel"));
        assert_eq!(section_title("4.3"), Some("Order"));
        assert_eq!(section_title("4.3."), None);
        assert_eq!(section_title("99"), None);
    }
}

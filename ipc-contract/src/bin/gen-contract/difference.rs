//! What differs between a generated file and the one on disk, in lines for people. Reads no files.

use std::fmt::Write;
use std::path::Path;

/// Differing lines shown of one file, of each side.
const LINES_MAX: usize = 6;
/// Files shown in full.
const FILES_MAX: usize = 20;
/// Characters shown of a line.
const LINE_CHARS_MAX: usize = 160;

/// How a file differs from what the code prints; nothing when it does not.
pub(crate) fn of(path: &Path, expected: Option<&str>, present: Option<&str>) -> Option<String> {
    let path = path.display();
    match (expected, present) {
        (Some(expected), Some(present)) if expected == present => None,
        (Some(expected), Some(present)) => Some(format!("{path}\n{}", lines(expected, present))),
        (Some(_), None) => Some(format!("{path}\n  is missing\n")),
        (None, _) => Some(format!("{path}\n  is not among what the code prints\n")),
    }
}

/// All differences as one text.
pub(crate) fn report(differences: &[String]) -> Option<String> {
    if differences.is_empty() {
        return None;
    }
    let mut report = format!("{} files are not as the code prints them:\n", differences.len());
    differences.iter().take(FILES_MAX).for_each(|difference| report.push_str(difference));
    if differences.len() > FILES_MAX {
        let _ = writeln!(report, "and {} more", differences.len() - FILES_MAX);
    }
    report.push_str("run gen-contract and look at the difference");
    Some(report)
}

/// The part between the lines that both begin and both end with.
fn lines(expected: &str, present: &str) -> String {
    let expected: Vec<_> = expected.lines().collect();
    let present: Vec<_> = present.lines().collect();
    let same = |pair: &(&&str, &&str)| pair.0 == pair.1;
    let before = expected.iter().zip(&present).take_while(same).count();
    let (expected, present) = (&expected[before..], &present[before..]);
    let after = expected.iter().rev().zip(present.iter().rev()).take_while(same).count();
    let (expected, present) = (&expected[..expected.len() - after], &present[..present.len() - after]);
    let mut text = format!("  from line {} on\n", before + 1);
    if expected.is_empty() && present.is_empty() {
        text.push_str("  only the ends of lines differ\n");
    }
    side(&mut text, "expected", expected);
    side(&mut text, "present ", present);
    text
}

fn side(text: &mut String, name: &str, lines: &[&str]) {
    for line in lines.iter().take(LINES_MAX) {
        let _ = writeln!(text, "  {name} | {}", line.chars().take(LINE_CHARS_MAX).collect::<String>());
    }
    if lines.len() > LINES_MAX {
        let _ = writeln!(text, "  {name} | ... and {} lines more", lines.len() - LINES_MAX);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_names_the_file_and_shows_both_sides() {
        let path = Path::new("spec/v1/a.json");
        let table = [
            (Some("a\nb\nc\n"), Some("a\nx\nc\n"), "  from line 2 on\n  expected | b\n  present  | x\n"),
            (Some("a\nb\n"), Some("a\n"), "  from line 2 on\n  expected | b\n"),
            (Some("a\n"), Some("a"), "  from line 2 on\n  only the ends of lines differ\n"),
            (Some("a"), None, "  is missing\n"),
            (None, Some("a"), "  is not among what the code prints\n"),
        ];
        for (expected, present, text) in table {
            assert_eq!(of(path, expected, present), Some(format!("spec/v1/a.json\n{text}")));
        }
        assert_eq!(of(path, Some("a"), Some("a")), None);
    }

    #[test]
    fn a_long_difference_is_cut() {
        let long = "x\n".repeat(LINES_MAX + 2);
        let text = of(Path::new("a"), Some(&long), Some("")).unwrap_or_default();
        assert!(text.ends_with("  expected | ... and 2 lines more\n"), "{text}");
        let many = report(&vec![text; FILES_MAX + 3]).unwrap_or_default();
        assert!(many.starts_with("23 files are not") && many.contains("\nand 3 more\nrun gen-contract"), "{many}");
        assert_eq!(report(&[]), None);
    }
}

//! All cases, in the order in which they are played and printed.

use super::{beat, error, frame, hello, init, limit, note, pure, quit, stop, talk, task, vector};
use crate::check::case::Case;

/// Every case, area after area.
pub fn all() -> Vec<Case> {
    [
        hello::cases(),
        init::cases(),
        frame::cases(),
        vector::cases(),
        pure::cases(),
        task::cases(),
        note::cases(),
        beat::cases(),
        stop::cases(),
        error::cases(),
        limit::cases(),
        quit::cases(),
        talk::cases(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::check::section_title;

    /// Cases of version 1 that are written by hand; vectors and transcripts add more.
    const CASES_MIN: usize = 90;

    const AREAS: [&str; 12] =
        ["HELLO", "INIT", "FRAME", "PURE", "TASK", "NOTE", "BEAT", "STOP", "ERROR", "LIMIT", "QUIT", "TALK"];

    #[test]
    fn each_case_is_named_and_tied_to_a_section() {
        let cases = all();
        for case in &cases {
            let (area, name) = case.name.split_once('/').unwrap();
            assert!(AREAS.contains(&area), "{}", case.name);
            assert!(
                name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-/_".contains(&byte))
            );
            assert!(section_title(&case.section).is_some(), "{}: no section {}", case.name, case.section);
            assert!(!case.rule.is_empty() && !case.rule.ends_with('.'), "{}", case.name);
        }
        let names: BTreeSet<_> = cases.iter().map(|case| &case.name).collect();
        assert_eq!(names.len(), cases.len());
        let areas: BTreeSet<_> = names.iter().filter_map(|name| name.split('/').next()).collect();
        assert_eq!(areas, BTreeSet::from(AREAS));
    }

    #[test]
    fn there_are_as_many_as_promised() {
        let by_hand = all().iter().filter(|case| !case.name.starts_with("FRAME/vector/")).count();
        assert!(by_hand >= CASES_MIN, "{by_hand}");
    }
}

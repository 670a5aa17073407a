//! Which cases are played, and which are expected to fail. Pure.

use std::collections::BTreeSet;

use super::Channel;
use crate::name::nearest;

/// The places of the selected names, in order; all when there are no patterns. A pattern is a name, or the beginning of
/// names up to a `/` or `-`: `TASK`, `NOTE/spend-waits`, `NOTE/spend-`.
///
/// # Errors
/// A sentence about the first pattern that selects nothing.
pub fn select(patterns: &[String], names: &[&str]) -> Result<Vec<usize>, String> {
    if patterns.is_empty() {
        return Ok((0..names.len()).collect());
    }
    let mut places = BTreeSet::new();
    for pattern in patterns {
        let selected = selected(pattern, names);
        if selected.is_empty() {
            return Err(format!("no case is named {pattern:?}; {}", hint(pattern, names)));
        }
        places.extend(selected);
    }
    Ok(places.into_iter().collect())
}

/// A whole name is that case alone, also where others begin with it.
fn selected(pattern: &str, names: &[&str]) -> Vec<usize> {
    if let Some(place) = names.iter().position(|name| *name == pattern) {
        return vec![place];
    }
    let stem = pattern.trim_end_matches(['/', '-']);
    let begins =
        |name: &str| name.strip_prefix(stem).is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '-']));
    (0..names.len()).filter(|&place| begins(names[place])).collect()
}

fn hint(wrong: &str, names: &[&str]) -> String {
    let areas: BTreeSet<&str> = names.iter().filter_map(|name| name.split('/').next()).collect();
    match nearest(wrong, names.iter().copied().chain(areas.iter().copied())) {
        Some(near) => format!("did you mean {near}?"),
        None => format!("the areas are {}", areas.into_iter().collect::<Vec<_>>().join(", ")),
    }
}

/// The cases that a file expects to fail.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExpectedFailures {
    /// Name, and the channel when it is about one only.
    lines: Vec<(String, Option<Channel>)>,
}

impl ExpectedFailures {
    /// Reads `NAME` or `NAME@CHANNEL` lines. What follows a `#` is a comment.
    ///
    /// # Errors
    /// A sentence with the number of the first line that names no case.
    pub fn parse(text: &str, names: &[&str]) -> Result<Self, String> {
        let mut lines = Vec::new();
        for (number, line) in (1..).zip(text.lines()) {
            let words = line.split('#').next().unwrap_or_default().trim();
            if words.is_empty() {
                continue;
            }
            let (name, channel) = match words.split_once('@') {
                None => (words, None),
                Some((name, channel)) => {
                    let known = Channel::ALL.iter().find(|known| known.name() == channel);
                    let known = known.ok_or_else(|| format!("line {number}: no channel is named {channel:?}"))?;
                    (name, Some(*known))
                }
            };
            if !names.contains(&name) {
                return Err(format!("line {number}: no case is named {name:?}; {}", hint(name, names)));
            }
            lines.push((name.to_owned(), channel));
        }
        Ok(Self { lines })
    }

    pub fn has(&self, name: &str, channel: Channel) -> bool {
        self.lines.iter().any(|(listed, only)| listed == name && only.is_none_or(|only| only == channel))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [&str; 5] = ["NOTE/progress", "NOTE/spend", "NOTE/spend-waits", "NOTE/spending", "TASK/echo"];

    fn selected(patterns: &[&str]) -> Result<Vec<usize>, String> {
        select(&patterns.iter().map(|pattern| (*pattern).to_owned()).collect::<Vec<_>>(), &NAMES)
    }

    #[test]
    fn a_pattern_selects_a_part_of_the_tree() {
        let table: [(&[&str], &[usize]); 7] = [
            (&[], &[0, 1, 2, 3, 4]),
            (&["NOTE"], &[0, 1, 2, 3]),
            (&["NOTE/"], &[0, 1, 2, 3]),
            (&["NOTE/spend"], &[1]),
            (&["NOTE/spend-"], &[1, 2]),
            (&["TASK/echo", "NOTE/spend-waits"], &[2, 4]),
            (&["TASK", "TASK/echo"], &[4]),
        ];
        for (patterns, places) in table {
            assert_eq!(selected(patterns).unwrap(), places, "{patterns:?}");
        }
    }

    #[test]
    fn what_selects_nothing_is_told_with_what_is_near() {
        assert_eq!(selected(&["TASK/ehco"]).unwrap_err(), "no case is named \"TASK/ehco\"; did you mean TASK/echo?");
        assert_eq!(selected(&["NOTE", "X"]).unwrap_err(), "no case is named \"X\"; the areas are NOTE, TASK");
    }

    #[test]
    fn expected_failures_are_lines_with_comments() {
        let text = "# known\nTASK/echo@fd3\n\nNOTE/spend   # later\n";
        let expected = ExpectedFailures::parse(text, &NAMES).unwrap();
        assert!(expected.has("TASK/echo", Channel::Fd3) && !expected.has("TASK/echo", Channel::Stdio));
        assert!(expected.has("NOTE/spend", Channel::Stdio) && expected.has("NOTE/spend", Channel::Fd3));
        assert!(!expected.has("NOTE/progress", Channel::Stdio));
        for (bad, error) in [
            ("TASK/echo\nTASK/ech", "line 2: no case is named \"TASK/ech\"; did you mean TASK/echo?"),
            ("TASK/echo@tcp", "line 1: no channel is named \"tcp\""),
            ("TASK", "line 1: no case is named \"TASK\"; did you mean TASK?"),
        ] {
            assert_eq!(ExpectedFailures::parse(bad, &NAMES).unwrap_err(), error);
        }
    }
}

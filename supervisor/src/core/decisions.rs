//! What was decided about a pool, each with its reason in a sentence: for people. Bounded.

use std::collections::VecDeque;

/// Of one pool; the oldest go first.
pub const DECISIONS_MAX: usize = 100;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// By the monotonic clock, in microseconds.
    pub at: i64,
    /// How many workers there were to be before and after it; the same when it is about something else.
    pub from: u32,
    pub to: u32,
    pub why: String,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decisions(VecDeque<Decision>);

impl Decisions {
    /// One that says again what the last one said is not kept.
    pub fn add(&mut self, decision: Decision) {
        let says = |decision: &Decision| (decision.from, decision.to, decision.why.clone());
        if decision.from == decision.to && self.0.back().is_some_and(|last| says(last) == says(&decision)) {
            return;
        }
        if self.0.len() == DECISIONS_MAX {
            self.0.pop_front();
        }
        self.0.push_back(decision);
    }

    /// The oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &Decision> {
        self.0.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_hundred_are_kept_and_the_same_is_not_said_twice() {
        let mut decisions = Decisions::default();
        let add = |decisions: &mut Decisions, at, to| {
            decisions.add(Decision { at, from: 1, to, why: "so".into() });
        };
        for at in 0..DECISIONS_MAX as i64 + 7 {
            add(&mut decisions, at, 2);
        }
        assert_eq!((decisions.iter().count(), decisions.iter().next().map(|first| first.at)), (DECISIONS_MAX, Some(7)));
        add(&mut decisions, 1_000, 1);
        add(&mut decisions, 1_001, 1);
        assert_eq!(decisions.iter().last().map(|last| last.at), Some(1_000));
    }
}

//! A lane: the tasks of one key of a queue. It decides which of them stand in `ready`, where claims are made, and which wait
//! for that. Pure: it says what is to be written, and writes nothing.
//!
//! So a claim is the head of `ready`, whatever the policy: a key at its limit has nothing there, a paused one neither, and
//! in a fair queue what stands there bears the number of its turn.

use std::collections::BTreeMap;

use crate::hold::{Gate, Hold};
use crate::policy::{Order, QueuePolicy};
use crate::task::TaskId;

/// Tasks of one key in `ready`, at most; the next ones follow within the same turn of the queue.
pub const ADMITTED_MAX: usize = 64;
/// A turn of a key of weight 1 in a fair queue; one of weight `w` is so much shorter.
pub const TURN: i64 = 1 << 20;

/// A task as lanes order it: by its own rank, then by age.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    pub rank: i64,
    pub id: TaskId,
}

/// What is to be written. `turn` is the rank in `ready`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Into the lane, from outside.
    Wait(Entry),
    /// Into `ready`, from outside.
    Enter(Entry, i64),
    /// From the lane into `ready`.
    Admit(Entry, i64),
    /// From `ready` back into the lane.
    Return(Entry, i64),
    /// Within `ready`, from one turn to another.
    Move(Entry, i64, i64),
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lane {
    pub running: u64,
    /// Tasks in the lane itself.
    pub waiting: u64,
    /// Those in `ready`, with their turns.
    pub admitted: BTreeMap<Entry, i64>,
    pub gate: Gate,
    /// Of a fair queue: the earliest turn of the next one admitted.
    pub next_turn: i64,
}

impl Lane {
    /// Why no further task of the key may start; `None` when one may.
    pub fn hold(&self, policy: &QueuePolicy, key: &str) -> Option<Hold> {
        if !self.gate.is_open() {
            return Some(Hold::KeyClosed(self.gate));
        }
        let limit = limit(policy, key)?;
        (self.running >= limit).then_some(Hold::KeyLimit { running: self.running, limit })
    }

    /// Further tasks of the key that may run now.
    pub fn free(&self, policy: &QueuePolicy, key: &str) -> u64 {
        if self.hold(policy, key).is_some() {
            return 0;
        }
        limit(policy, key).map_or(u64::MAX, |limit| limit.saturating_sub(self.running))
    }

    /// Tasks that may stand in `ready` now.
    fn depth(&self, policy: &QueuePolicy, key: &str) -> usize {
        let most = match policy.order {
            Order::Rank => ADMITTED_MAX,
            Order::Fair => usize::try_from(policy.weight(key)).unwrap_or(ADMITTED_MAX).min(ADMITTED_MAX),
        };
        usize::try_from(self.free(policy, key)).unwrap_or(most).min(most)
    }

    /// A task of the key becomes available. `now_turn` is the turn that was claimed last in the queue.
    pub fn arrive(&mut self, entry: Entry, policy: &QueuePolicy, key: &str, now_turn: i64) -> Vec<Step> {
        let depth = self.depth(policy, key);
        if self.admitted.len() < depth && self.waiting == 0 {
            let turn = self.turn(entry, policy, key, now_turn);
            return self.seat(&[(entry, turn)], policy.order, Step::Enter);
        }
        match self.admitted.last_key_value().map(|(worst, turn)| (*worst, *turn)) {
            // A better one takes the place of the worst.
            Some((worst, turn)) if entry < worst && self.admitted.len() >= depth => {
                self.admitted.remove(&worst);
                self.waiting += 1;
                let place = if policy.order == Order::Rank { entry.rank } else { turn };
                let mut steps = vec![Step::Return(worst, turn)];
                steps.extend(self.seat(&[(entry, place)], policy.order, Step::Enter));
                steps
            }
            _ => {
                self.waiting += 1;
                vec![Step::Wait(entry)]
            }
        }
    }

    /// Gives tasks their places in `ready`. In a fair queue the turns are the key's, the best task having the first.
    fn seat(&mut self, seats: &[(Entry, i64)], order: Order, step: fn(Entry, i64) -> Step) -> Vec<Step> {
        if order == Order::Rank {
            self.admitted.extend(seats.iter().copied());
            return seats.iter().map(|(entry, turn)| step(*entry, *turn)).collect();
        }
        let was = self.admitted.clone();
        self.admitted.extend(seats.iter().copied());
        let mut turns: Vec<i64> = self.admitted.values().copied().collect();
        turns.sort_unstable();
        self.admitted.values_mut().zip(turns).for_each(|(place, turn)| *place = turn);
        let steps = self.admitted.iter().filter_map(|(entry, turn)| match was.get(entry) {
            None => Some(step(*entry, *turn)),
            Some(before) => (before != turn).then_some(Step::Move(*entry, *before, *turn)),
        });
        steps.collect()
    }

    fn turn(&mut self, entry: Entry, policy: &QueuePolicy, key: &str, now_turn: i64) -> i64 {
        match policy.order {
            Order::Rank => entry.rank,
            Order::Fair => {
                let turn = self.next_turn.max(now_turn);
                self.next_turn = turn + TURN / i64::from(policy.weight(key));
                turn
            }
        }
    }

    /// How many of those that wait are to be admitted now.
    pub fn wants(&self, policy: &QueuePolicy, key: &str) -> u64 {
        let room = self.depth(policy, key).saturating_sub(self.admitted.len()) as u64;
        room.min(self.waiting)
    }

    /// More stand in `ready` than may.
    pub fn is_over(&self, policy: &QueuePolicy, key: &str) -> bool {
        self.admitted.len() > self.depth(policy, key)
    }

    /// Admits the best of those that wait, as many as [`Lane::wants`] said.
    pub fn admit(&mut self, best: &[Entry], policy: &QueuePolicy, key: &str, now_turn: i64) -> Vec<Step> {
        self.waiting -= best.len() as u64;
        let seats: Vec<_> = best.iter().map(|entry| (*entry, self.turn(*entry, policy, key, now_turn))).collect();
        self.seat(&seats, policy.order, Step::Admit)
    }

    /// Sends back what may not stand in `ready` any more: all behind a closed gate, the worst of what is over the limit.
    pub fn retreat(&mut self, policy: &QueuePolicy, key: &str) -> Vec<Step> {
        let depth = self.depth(policy, key);
        let mut steps = Vec::new();
        while self.admitted.len() > depth {
            let Some((entry, turn)) = self.admitted.pop_last() else { break };
            self.waiting += 1;
            // It has not had this turn.
            self.next_turn = self.next_turn.min(turn);
            steps.push(Step::Return(entry, turn));
        }
        steps
    }

    /// One of those in `ready` was claimed.
    pub fn claimed(&mut self, entry: Entry) {
        self.admitted.remove(&entry);
        self.running += 1;
    }

    /// Takes away one that is available and will not be claimed. Gives its turn in `ready`; `None` when it was in the lane.
    pub fn leave(&mut self, entry: Entry) -> Option<i64> {
        let turn = self.admitted.remove(&entry);
        if turn.is_none() {
            self.waiting = self.waiting.saturating_sub(1);
        }
        turn
    }

    /// Nothing is known of the key that must be kept, except its next turn.
    pub fn is_empty(&self) -> bool {
        self.running == 0 && self.waiting == 0 && self.admitted.is_empty() && self.gate.is_open()
    }
}

/// Tasks without a key share a lane only to take turns: a limit per key is not theirs.
fn limit(policy: &QueuePolicy, key: &str) -> Option<u64> {
    policy.limit_per_key.filter(|_| !key.is_empty()).map(u64::from)
}

#[cfg(test)]
#[path = "lane_tests.rs"]
mod tests;

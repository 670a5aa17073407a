//! What one run says of itself, put together into few notes: progress at most ten times a second, one note that spends at
//! a time. Pure: time is an argument.

use std::collections::{BTreeMap, VecDeque};

use ipc_contract::limits::{SPEND, UNITS};
use ipc_contract::name::check_name;
use ipc_contract::{Note, RunRef};

use crate::error::{ErrorKind, WorkerError};
use crate::text::clip;

/// Notes without spend are this far apart; what is said in between is replaced by what is said later.
pub(crate) const PROGRESS_INTERVAL_MS: u64 = 100;

/// One message of a note; the rest is cut off.
const MESSAGE_MAX_BYTES: usize = 1024;

/// Notes that spend and wait for their turn. More than one only when a run spends more than 16 units at once.
const UNSENT_MAX_NOTES: usize = 64;

/// Units that wait to be stored, in all.
pub(crate) const UNSENT_MAX_UNITS: usize = UNSENT_MAX_NOTES * UNITS.max as usize;

/// How far a run is, as it was said last.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Progress {
    pub done: Option<f64>,
    pub total: Option<f64>,
    pub message: Option<String>,
}

/// The notes of one run: what was said and not sent, and what was sent and not acknowledged.
pub(crate) struct Notes {
    run: RunRef,
    progress: Progress,
    is_fresh: bool,
    progress_at_ms: Option<u64>,
    unsent: VecDeque<BTreeMap<String, u64>>,
    sent_seq: u64,
    acked_seq: u64,
}

impl Notes {
    pub(crate) fn new(run: RunRef) -> Self {
        Self {
            run,
            progress: Progress::default(),
            is_fresh: false,
            progress_at_ms: None,
            unsent: VecDeque::new(),
            sent_seq: 0,
            acked_seq: 0,
        }
    }

    /// Replaces what was said before, but keeps the message when there is no new one.
    pub(crate) fn progress(&mut self, done: f64, total: Option<f64>, message: Option<&str>) {
        (self.progress.done, self.progress.total) = (Some(done), total);
        self.is_fresh = true;
        message.into_iter().for_each(|message| self.say(message));
    }

    /// Replaces the message alone.
    pub(crate) fn say(&mut self, message: &str) {
        self.progress.message = Some(clip(message, MESSAGE_MAX_BYTES).to_owned());
        self.is_fresh = true;
    }

    /// Adds up what is spent, and gives the number of the note that will tell it. The arguments were checked.
    pub(crate) fn spend(&mut self, unit: &str, amount: u64) -> Result<u64, WorkerError> {
        if amount > 0 {
            if !self.unsent.back().is_some_and(|last| has_room(last, unit, amount)) {
                if self.unsent.len() == UNSENT_MAX_NOTES {
                    return Err(ErrorKind::TooMuchUnstored.into());
                }
                self.unsent.push_back(BTreeMap::new());
            }
            if let Some(last) = self.unsent.back_mut() {
                *last.entry(unit.to_owned()).or_default() += amount;
            }
        }
        Ok(self.sent_seq + self.unsent.len() as u64)
    }

    /// The session has checked that this is the one that waits.
    pub(crate) fn acked(&mut self, seq: u64) {
        self.acked_seq = seq;
    }

    pub(crate) fn acked_seq(&self) -> u64 {
        self.acked_seq
    }

    /// True when all that was spent is acknowledged.
    pub(crate) fn is_settled(&self) -> bool {
        self.unsent.is_empty() && self.acked_seq == self.sent_seq
    }

    /// When there is something to send: now, later, or not before something else happens.
    pub(crate) fn due_at_ms(&self, now_ms: u64) -> Option<u64> {
        if self.may_spend() {
            return Some(now_ms);
        }
        let at_ms = self.progress_at_ms.map_or(0, |at_ms| at_ms + PROGRESS_INTERVAL_MS);
        self.is_fresh.then_some(at_ms.max(now_ms))
    }

    /// The note that is to be sent now.
    pub(crate) fn take(&mut self, now_ms: u64) -> Option<Note> {
        (self.due_at_ms(now_ms)? == now_ms).then(|| self.note(now_ms))
    }

    /// The progress that was not told yet, however soon after the last: the run is about to be answered.
    pub(crate) fn take_last(&mut self, now_ms: u64) -> Option<Note> {
        self.is_fresh.then(|| self.note(now_ms))
    }

    fn may_spend(&self) -> bool {
        !self.unsent.is_empty() && self.acked_seq == self.sent_seq
    }

    fn note(&mut self, now_ms: u64) -> Note {
        let mut note = Note { task: self.run.task, epoch: self.run.epoch, ..Note::default() };
        if self.is_fresh {
            let Progress { done, total, message } = self.progress.clone();
            note = Note { done, total, message, ..note };
            (self.is_fresh, self.progress_at_ms) = (false, Some(now_ms));
        }
        if self.may_spend() {
            note.spend = self.unsent.pop_front().unwrap_or_default();
            self.sent_seq += 1;
            note.seq = self.sent_seq;
        }
        note
    }
}

/// Checks a unit and an amount of it, 0 or more.
pub(crate) fn check_spend(unit: &str, amount: u64) -> Result<(), WorkerError> {
    check_name("unit", unit).and_then(|()| SPEND.check(amount.max(1))).map_err(|error| ErrorKind::Spend(error).into())
}

fn has_room(spend: &BTreeMap<String, u64>, unit: &str, amount: u64) -> bool {
    let spent = spend.get(unit);
    (spent.is_some() || spend.len() < UNITS.max as usize) && SPEND.check(spent.unwrap_or(&0) + amount).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notes() -> Notes {
        Notes::new(RunRef { task: 1, epoch: 1 })
    }

    fn spent(units: &[(&str, u64)]) -> BTreeMap<String, u64> {
        units.iter().map(|(unit, amount)| ((*unit).to_owned(), *amount)).collect()
    }

    #[test]
    fn the_last_word_of_an_interval_is_told_at_its_end() {
        let mut notes = notes();
        assert_eq!((notes.due_at_ms(5), notes.take(5)), (None, None));
        notes.progress(1.0, Some(4.0), Some("one"));
        let first = notes.take(5).unwrap();
        assert_eq!((first.done, first.total, first.message.as_deref()), (Some(1.0), Some(4.0), Some("one")));
        notes.progress(2.0, Some(4.0), None);
        notes.progress(3.0, Some(4.0), None);
        assert_eq!((notes.due_at_ms(6), notes.take(104)), (Some(105), None));
        let next = notes.take(105).unwrap();
        assert_eq!((next.done, next.message.as_deref(), next.seq), (Some(3.0), Some("one"), 0), "the message stays");
        assert_eq!(notes.take(300), None);
        notes.say("done");
        assert_eq!(notes.take_last(301).unwrap().message.as_deref(), Some("done"));
        assert_eq!(notes.take_last(302), None);
    }

    #[test]
    fn one_note_that_spends_is_on_its_way_and_the_rest_is_added_up() {
        let mut notes = notes();
        assert!(notes.is_settled());
        assert_eq!(notes.spend("tokens", 5).unwrap(), 1);
        let first = notes.take(0).unwrap();
        assert_eq!((first.seq, first.spend), (1, spent(&[("tokens", 5)])));
        assert_eq!((notes.spend("tokens", 1).unwrap(), notes.spend("usd", 2).unwrap()), (2, 2));
        assert_eq!(notes.spend("tokens", 3).unwrap(), 2);
        assert_eq!((notes.take(1), notes.due_at_ms(1), notes.is_settled()), (None, None, false));
        notes.acked(1);
        let second = notes.take(1).unwrap();
        assert_eq!((second.seq, second.spend), (2, spent(&[("tokens", 4), ("usd", 2)])));
        assert!(!notes.is_settled());
        notes.acked(2);
        assert!(notes.is_settled());
        assert_eq!(notes.spend("tokens", 0).unwrap(), 2, "nothing is stored already");
    }

    #[test]
    fn a_note_that_spends_takes_the_progress_along() {
        let mut notes = notes();
        notes.progress(1.0, None, None);
        notes.take(0).unwrap();
        notes.progress(2.0, None, None);
        notes.spend("tokens", 1).unwrap();
        let note = notes.take(1).unwrap();
        assert_eq!((note.done, note.seq), (Some(2.0), 1));
        assert_eq!(notes.due_at_ms(1), None);
    }

    #[test]
    fn what_waits_is_bounded_in_units_and_amounts() {
        let mut notes = notes();
        let most = 1 << 53;
        assert_eq!((notes.spend("a", most).unwrap(), notes.spend("a", 1).unwrap()), (1, 2), "over what one note may");
        let mut notes = self::notes();
        for number in 0..UNSENT_MAX_UNITS as u64 {
            assert_eq!(notes.spend(&format!("unit{number}"), 1).unwrap(), 1 + number / UNITS.max);
        }
        assert!(notes.spend("one-more", 1).unwrap_err().to_string().contains("1024 units"));
        notes.spend("unit1023", 1).unwrap();
    }

    #[test]
    fn units_and_amounts_are_checked() {
        for (unit, amount, good) in
            [("tokens", 0, true), ("tokens", 1 << 53, true), ("tokens", (1 << 53) + 1, false), ("My Unit", 1, false)]
        {
            assert_eq!(check_spend(unit, amount).is_ok(), good, "{amount} {unit}");
        }
    }

    #[test]
    fn a_message_is_cut_between_characters() {
        let mut notes = notes();
        notes.say(&"é".repeat(1_000));
        assert_eq!(notes.take(0).unwrap().message.unwrap().len(), 1_024);
    }
}

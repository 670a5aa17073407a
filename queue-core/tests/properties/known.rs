//! What is known of one task from what was said.

use std::collections::BTreeMap;

use queue_core::op::Claimed;
use queue_core::policy::{MAX_ATTEMPTS_DEFAULT, MAX_CRASHES_DEFAULT};
use queue_core::state::{FailReason, TaskState};
use queue_core::store::TaskView;
use queue_core::task::{LogParts, Note, Progress};

/// Of every task.
pub(crate) const USD_BUDGET: i64 = 500;

#[derive(Debug, Default)]
pub(crate) struct Known {
    /// Of the last run that was claimed.
    pub(crate) epoch: i64,
    pub(crate) live: bool,
    pub(crate) cancelled: bool,
    /// The last run before its budgets were made new.
    since: i64,
    /// How often it became final, how often it was retried, and the last that was said of an end.
    finishes: u32,
    retries: u32,
    end: Option<(TaskState, Option<FailReason>)>,
    /// The whole task as it was after the turn in which it became final.
    pub(crate) ended: Option<TaskView>,
    progress: Option<(i64, Progress)>,
    spent: BTreeMap<String, i64>,
    /// Of `usd`, for which every task has a budget, since it was tried again.
    usd: i64,
    /// By run and part.
    pub(crate) log: BTreeMap<(i64, i64), Vec<u8>>,
}

impl Known {
    /// One retry for each end but the last.
    pub(crate) fn is_final(&self) -> bool {
        self.finishes > self.retries
    }

    pub(crate) fn claimed(&mut self, claimed: &Claimed) {
        assert!(!self.live, "two live runs of one task: {claimed:?}");
        assert!(!self.cancelled && self.ended.is_none(), "it must never run again: {claimed:?}");
        assert_eq!(claimed.run.epoch, self.epoch + 1, "epochs only grow");
        assert!(i64::from(claimed.attempt) <= claimed.run.epoch - self.since, "attempts count anew: {claimed:?}");
        (self.epoch, self.live) = (claimed.run.epoch, true);
    }

    pub(crate) fn retried(&mut self) {
        assert!(!self.live, "only what is final is tried again");
        (self.ended, self.cancelled, self.since, self.usd) = (None, false, self.epoch, 0);
        self.retries += 1;
    }

    pub(crate) fn finished(&mut self, state: TaskState, reason: Option<FailReason>) {
        self.finishes += 1;
        self.end = Some((state, reason));
    }

    /// Gives whether it has spent too much now.
    pub(crate) fn noted(&mut self, epoch: i64, note: &Note) -> bool {
        if let Some(progress) = &note.progress {
            self.progress = Some((epoch, progress.clone()));
        }
        for (unit, amount) in &note.spend {
            *self.spent.entry(unit.clone()).or_insert(0) += amount;
            self.usd += if unit == "usd" { *amount } else { 0 };
        }
        note.spend.contains_key("usd") && self.usd > USD_BUDGET
    }

    pub(crate) fn printed(&mut self, epoch: i64, log: &LogParts) {
        self.log.retain(|(of_run, part), _| *of_run != epoch || !log.dropped.contains(part));
        self.log.extend(log.parts.iter().map(|(part, bytes)| ((epoch, *part), bytes.clone())));
    }

    /// Holds the task as it stands after a turn against all that was said of it.
    pub(crate) fn check(&mut self, view: &TaskView) {
        assert_eq!(view.state.is_final(), self.is_final(), "{view:?}");
        assert_eq!(view.state == TaskState::Running, self.live, "{view:?}");
        assert_eq!(view.progress.as_ref().map(|said| (said.epoch, said.progress.clone())), self.progress);
        assert!(view.spent.iter().map(|(unit, amount)| (unit, amount)).eq(&self.spent), "{view:?} {:?}", self.spent);
        assert!(view.budget.iter().all(|budget| budget.spent == self.usd), "{view:?} {}", self.usd);
        match &self.ended {
            Some(ended) => assert_eq!(view, ended, "final is final"),
            None if self.is_final() => {
                assert_eq!(Some((view.state, view.reason)), self.end);
                self.check_end(view);
                self.ended = Some(view.clone());
            }
            None => {}
        }
    }

    fn check_end(&self, view: &TaskView) {
        let max_attempts = view.overrides.max_attempts.unwrap_or(MAX_ATTEMPTS_DEFAULT);
        let max_crashes = view.overrides.max_crashes.unwrap_or(MAX_CRASHES_DEFAULT);
        let (attempts, crashes) = (view.tally.attempts, view.tally.crashes);
        match (view.state, view.reason) {
            (TaskState::Failed, Some(FailReason::Attempts)) => assert_eq!(attempts, max_attempts, "{view:?}"),
            (TaskState::Failed, Some(FailReason::Crashes)) => assert_eq!(crashes, max_crashes, "{view:?}"),
            (TaskState::Completed, _) => assert!(attempts < max_attempts && crashes < max_crashes, "{view:?}"),
            _ => assert!(attempts <= max_attempts && crashes <= max_crashes, "{view:?}"),
        }
        if self.cancelled {
            assert!(matches!(view.state, TaskState::Cancelled | TaskState::Completed), "{view:?}");
        }
    }
}

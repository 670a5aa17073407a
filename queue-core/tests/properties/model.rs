//! What was said of each task, and what may therefore be said next. Knows no rows and no policy.

use std::collections::BTreeMap;

use queue_core::op::{Claimed, Notice, Op, Reply, RunKey};
use queue_core::policy::{MAX_ATTEMPTS_DEFAULT, MAX_CRASHES_DEFAULT};
use queue_core::state::{FailReason, TaskState};
use queue_core::store::TaskView;
use queue_core::task::{PoolId, TaskId};

#[derive(Debug, Default)]
pub(crate) struct Known {
    /// Of the last run that was claimed.
    pub(crate) epoch: i64,
    pub(crate) live: bool,
    pub(crate) cancelled: bool,
    /// The whole task as it was when it became final.
    pub(crate) ended: Option<TaskView>,
}

#[derive(Debug, Default)]
pub(crate) struct Model {
    pub(crate) tasks: BTreeMap<TaskId, Known>,
    pub(crate) credits: BTreeMap<PoolId, i64>,
    pub(crate) workers: i64,
}

impl Model {
    pub(crate) fn live(&self) -> Vec<RunKey> {
        let live = self.tasks.iter().filter(|(_, known)| known.live);
        live.map(|(task, known)| RunKey { task: *task, epoch: known.epoch }).collect()
    }

    fn task(&mut self, id: TaskId) -> &mut Known {
        self.tasks.get_mut(&id).unwrap_or_else(|| panic!("task {id} was never answered"))
    }

    /// Holds a reply against what was known when its op was applied.
    pub(crate) fn replied(&mut self, op: &Op, reply: &Reply) {
        match (op, reply) {
            (Op::Enqueue(_), Reply::Enqueued { id, existing: false }) => {
                let last = self.tasks.keys().last().map_or(0, |last| last.0);
                assert_eq!(id.0, last + 1, "ids count up");
                self.tasks.insert(*id, Known::default());
            }
            (Op::Enqueue(new), Reply::Enqueued { id, existing: true } | Reply::NameTaken { id }) => {
                assert!(new.name.is_some());
                self.task(*id);
            }
            (Op::Cancel(id), Reply::NoSuchTask) => assert!(!self.tasks.contains_key(id)),
            (Op::Cancel(id), Reply::Stopping) => {
                let known = self.task(*id);
                assert!(known.live, "only what runs is stopped");
                known.cancelled = true;
            }
            (Op::Cancel(id), Reply::Cancelled) => {
                let known = self.task(*id);
                assert!(!known.live && known.ended.is_none(), "only what waits is cancelled at once");
                known.cancelled = true;
            }
            (Op::Cancel(id), Reply::AlreadyFinal(_)) => assert!(!self.task(*id).live),
            (Op::Finish { run, .. }, Reply::Applied) => {
                let known = self.task(run.task);
                assert!(known.live && known.epoch == run.epoch, "{run:?} was not live");
                known.live = false;
            }
            (Op::Finish { run, .. }, Reply::Stale) => {
                let known = self.tasks.get(&run.task);
                assert!(!known.is_some_and(|known| known.live && known.epoch == run.epoch), "{run:?} was live");
            }
            (Op::WorkerUp(_) | Op::WorkerGone(_), Reply::Applied) => {}
            other => panic!("{other:?}"),
        }
        if let Op::Finish { refill: Some(pool), .. } = op {
            *self.credits.entry(*pool).or_insert(0) += 1;
        }
    }

    /// `view` is the task as it stands after the turn.
    pub(crate) fn noticed(&mut self, notice: &Notice, view: impl FnOnce(TaskId) -> TaskView) {
        match notice {
            Notice::Claimed(claimed) => self.claimed(claimed),
            Notice::Finished { id, state, reason } => {
                let view = view(*id);
                assert_eq!((view.state, view.reason), (*state, *reason));
                self.ended(*id, view);
            }
            Notice::Returned { id, state, .. } => {
                assert!(matches!(state, TaskState::Available | TaskState::Retryable));
                assert!(self.task(*id).ended.is_none());
            }
            Notice::StopWanted(run) => assert_eq!(self.task(run.task).epoch, run.epoch),
        }
    }

    fn claimed(&mut self, claimed: &Claimed) {
        let known = self.task(claimed.run.task);
        assert!(!known.live, "two live runs of one task: {claimed:?}");
        assert!(!known.cancelled && known.ended.is_none(), "it must never run again: {claimed:?}");
        assert_eq!(claimed.run.epoch, known.epoch + 1, "epochs only grow");
        (known.epoch, known.live) = (claimed.run.epoch, true);
        let credits = self.credits.entry(claimed.pool).or_insert(0);
        assert!(*credits > 0, "claimed without credit: {claimed:?}");
        *credits -= 1;
    }

    pub(crate) fn ended(&mut self, id: TaskId, view: TaskView) {
        let max_attempts = view.overrides.max_attempts.unwrap_or(MAX_ATTEMPTS_DEFAULT);
        let max_crashes = view.overrides.max_crashes.unwrap_or(MAX_CRASHES_DEFAULT);
        let (attempts, crashes) = (view.tally.attempts, view.tally.crashes);
        match (view.state, view.reason) {
            (TaskState::Failed, Some(FailReason::Attempts)) => assert_eq!(attempts, max_attempts, "{view:?}"),
            (TaskState::Failed, Some(FailReason::Crashes)) => assert_eq!(crashes, max_crashes, "{view:?}"),
            (TaskState::Completed, _) => assert!(attempts < max_attempts && crashes < max_crashes, "{view:?}"),
            _ => assert!(attempts <= max_attempts && crashes <= max_crashes, "{view:?}"),
        }
        let known = self.task(id);
        assert!(!known.live && known.ended.is_none(), "final twice: {view:?}");
        if known.cancelled {
            assert!(matches!(view.state, TaskState::Cancelled | TaskState::Completed), "{view:?}");
        }
        known.ended = Some(view);
    }
}

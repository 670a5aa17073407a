//! The world's own account of every task, kept from what was committed, by rules written a second time. What the queue
//! says is held against it: names, epochs, budgets, finals.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry::{Occupied, Vacant};

use queue_core::op::{Notice, Op, Reply, RunKey};
use queue_core::state::{FailReason, TaskState};
use queue_core::store::TaskView;
use queue_core::task::{Ending, NewTask, Outcome, RetryWish, Tally, TaskId};
use queue_core::tick::Turn;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Stand {
    Waiting,
    Running,
    Final(TaskState, Option<FailReason>),
}

#[derive(Debug)]
struct Entry {
    /// Its queue and key.
    place: (String, Option<String>),
    max_attempts: u32,
    max_crashes: u32,
    stand: Stand,
    tally: Tally,
    cancelling: bool,
}

#[derive(Default)]
pub(crate) struct Ledger {
    tasks: BTreeMap<TaskId, Entry>,
    /// Each with the first task that bore it.
    names: BTreeMap<String, (TaskId, NewTask)>,
    /// Finals of the turn being read, to be held against its notices.
    finals: Vec<(TaskId, TaskState, Option<FailReason>)>,
}

impl Ledger {
    pub(crate) fn ids(&self) -> Vec<TaskId> {
        self.tasks.keys().copied().collect()
    }

    pub(crate) fn all_final(&self) -> bool {
        self.tasks.values().all(|entry| matches!(entry.stand, Stand::Final(..)))
    }

    pub(crate) fn running(&self) -> Vec<RunKey> {
        let live = self.tasks.iter().filter(|(_, entry)| entry.stand == Stand::Running);
        live.map(|(id, entry)| RunKey { task: *id, epoch: entry.tally.epoch }).collect()
    }

    /// Queues and keys of what runs.
    pub(crate) fn running_places(&self) -> impl Iterator<Item = &(String, Option<String>)> {
        self.tasks.values().filter(|entry| entry.stand == Stand::Running).map(|entry| &entry.place)
    }

    pub(crate) fn place(&self, id: TaskId) -> &(String, Option<String>) {
        &self.tasks[&id].place
    }

    pub(crate) fn is_live(&self, run: RunKey) -> bool {
        self.tasks.get(&run.task).is_some_and(|at| at.stand == Stand::Running && at.tally.epoch == run.epoch)
    }

    /// Reads a committed turn.
    pub(crate) fn committed(&mut self, ops: &[Op], turn: &Turn) {
        assert_eq!(ops.len(), turn.replies.len(), "each op has one reply");
        for (op, reply) in ops.iter().zip(&turn.replies) {
            self.applied(op, reply);
        }
        for notice in &turn.notices {
            if let Notice::Claimed(claimed) = notice {
                self.claimed(claimed.run, claimed.attempt);
            }
        }
        let told: Vec<_> = turn.notices.iter().filter_map(finished).collect();
        assert_eq!(told, std::mem::take(&mut self.finals), "what is final was told, and nothing else");
    }

    fn applied(&mut self, op: &Op, reply: &Reply) {
        match (op, reply) {
            (Op::Enqueue(new), Reply::Enqueued { id, existing }) => self.enqueued(new, *id, *existing),
            (Op::Enqueue(new), Reply::NameTaken { id: Some(id), index: 0 }) => self.is_borne(new, *id, false),
            (Op::EnqueueAll(list), Reply::EnqueuedAll(ids)) => {
                assert_eq!(list.len(), ids.len(), "each of a list has its answer");
                list.iter().zip(ids).for_each(|(new, (id, existing))| self.enqueued(new, *id, *existing));
            }
            (Op::EnqueueAll(list), Reply::NameTaken { id: Some(id), index }) => {
                self.is_borne(&list[*index], *id, false);
            }
            (Op::EnqueueAll(list), Reply::NameTaken { id: None, index }) => {
                let same = |new: &&NewTask| new.name == list[*index].name;
                let first = list.iter().find(same).unwrap();
                assert!(!is_same(first, &list[*index]), "{list:?}");
            }
            (Op::Cancel(id), reply) => self.cancel(*id, reply),
            (Op::Retry(id), reply) => self.retry(*id, reply),
            (Op::Reprioritise { id, .. }, reply) => self.reprioritise(*id, reply),
            // See `waits`.
            (Op::Pause { .. } | Op::Resume { .. }, Reply::Gate(_)) => {}
            (Op::Note { run, .. } | Op::Log { run, .. }, Reply::Applied) => {
                assert!(self.is_live(*run), "{run:?} is not live, and what it said was kept");
            }
            (Op::Finish { run, ending, .. }, Reply::Applied) => self.finish(*run, ending),
            (Op::Finish { run, .. } | Op::Note { run, .. } | Op::Log { run, .. }, Reply::Stale) => {
                assert!(!self.is_live(*run), "{run:?} is live and called stale")
            }
            (Op::WorkerUp(_) | Op::WorkerGone(_) | Op::Offer { .. }, Reply::Applied) => {}
            _ => panic!("{op:?} cannot be answered by {reply:?}"),
        }
    }

    fn enqueued(&mut self, new: &NewTask, id: TaskId, existing: bool) {
        if existing {
            return self.is_borne(new, id, true);
        }
        assert!(self.tasks.insert(id, Entry::of(new)).is_none(), "id {id} was used before");
        if let Some(name) = &new.name {
            let before = self.names.insert(name.clone(), (id, new.clone()));
            assert_eq!(before, None, "the name {name} is one task for ever");
        }
    }

    /// The name of `new` is that of a task, which is the same one or is not.
    fn is_borne(&self, new: &NewTask, id: TaskId, same: bool) {
        let (bearer, first) = &self.names[new.name.as_ref().unwrap()];
        assert_eq!((*bearer, is_same(first, new)), (id, same), "{new:?}, whose name is that of {first:?}");
    }

    fn cancel(&mut self, id: TaskId, reply: &Reply) {
        let entry = self.tasks.get_mut(&id).unwrap();
        let expected = match entry.stand {
            Stand::Waiting => {
                entry.stand = Stand::Final(TaskState::Cancelled, None);
                self.finals.push((id, TaskState::Cancelled, None));
                Reply::Cancelled
            }
            Stand::Running => {
                entry.cancelling = true;
                Reply::Stopping
            }
            Stand::Final(state, _) => Reply::AlreadyFinal(state),
        };
        assert_eq!(*reply, expected, "cancel of {id}");
    }

    fn retry(&mut self, id: TaskId, reply: &Reply) {
        let entry = self.tasks.get_mut(&id).unwrap();
        let is_so = match entry.stand {
            Stand::Waiting => matches!(reply, Reply::NotFinal(state) if *state != TaskState::Running),
            Stand::Running => *reply == Reply::NotFinal(TaskState::Running),
            Stand::Final(..) => *reply == Reply::Retried,
        };
        assert!(is_so, "retry of {id}, which is {:?}: {reply:?}", entry.stand);
        if *reply == Reply::Retried {
            (entry.stand, entry.cancelling) = (Stand::Waiting, false);
            entry.tally = Tally { epoch: entry.tally.epoch, ..Tally::default() };
        }
    }

    fn reprioritise(&self, id: TaskId, reply: &Reply) {
        let is_so = match self.tasks[&id].stand {
            Stand::Waiting => *reply == Reply::Applied,
            Stand::Running => *reply == Reply::NotWaiting(TaskState::Running),
            Stand::Final(state, _) => *reply == Reply::NotWaiting(state),
        };
        assert!(is_so, "a new priority of {id}, which is {:?}: {reply:?}", self.tasks[&id].stand);
    }

    fn claimed(&mut self, run: RunKey, attempt: u32) {
        let entry = self.tasks.get_mut(&run.task).unwrap();
        assert_eq!(entry.stand, Stand::Waiting, "{run:?} was claimed");
        entry.stand = Stand::Running;
        entry.tally.epoch += 1;
        assert_eq!((run.epoch, attempt), (entry.tally.epoch, entry.tally.runs + 1), "epoch and attempt of {run:?}");
    }

    /// The end of a run, charged by the rules of the design, with what it brought along.
    pub(crate) fn finish(&mut self, run: RunKey, ending: &Ending) {
        assert!(self.is_live(run), "{run:?} is not live, and its end was applied");
        let follow_ups = self.followed(&ending.follow_ups);
        let entry = self.tasks.get_mut(&run.task).unwrap();
        entry.stand = match follow_ups {
            Some(_) => entry.after(ending.outcome, ending.retry),
            None => entry.after(Outcome::Error, RetryWish::Never),
        };
        self.tasks.extend(follow_ups.unwrap_or_default());
        let entry = &self.tasks[&run.task];
        if let Stand::Final(state, reason) = entry.stand {
            self.finals.push((run.task, state, reason));
        }
    }

    /// The tasks that a result brings, with the ids that they must have; `None` when one has the name of another task, and then
    /// none of them is borne.
    fn followed(&mut self, list: &[NewTask]) -> Option<BTreeMap<TaskId, Entry>> {
        let last = self.tasks.keys().last().map_or(0, |last| last.0);
        let (mut names, mut fresh) = (self.names.clone(), BTreeMap::new());
        for new in list {
            let id = TaskId(last + 1 + fresh.len() as i64);
            match new.name.as_ref().map(|name| names.entry(name.clone())) {
                Some(Occupied(bearer)) if is_same(&bearer.get().1, new) => continue,
                Some(Occupied(_)) => return None,
                Some(Vacant(name)) => drop(name.insert((id, new.clone()))),
                None => {}
            }
            fresh.insert(id, Entry::of(new));
        }
        self.names = names;
        Some(fresh)
    }

    /// All that runs was lost with a former life. Its turns are not seen, so neither are its notices.
    pub(crate) fn recovered(&mut self) {
        for run in self.running() {
            self.finish(run, &Ending::bare(Outcome::Lost, ""));
        }
        self.finals.clear();
    }

    /// Holds a row against this account.
    pub(crate) fn check(&self, view: &TaskView) {
        let id = view.id;
        let entry = &self.tasks[&id];
        let stand = match view.state {
            state if state.is_final() => Stand::Final(state, view.reason),
            TaskState::Running => Stand::Running,
            _ => Stand::Waiting,
        };
        assert_eq!((stand, view.cancelling), (entry.stand, entry.cancelling && stand == Stand::Running), "task {id}");
        let spent = |tally: Tally| (tally.epoch, tally.runs, tally.attempts, tally.crashes, tally.lost);
        assert_eq!(spent(view.tally), spent(entry.tally), "what task {id} has spent");
        assert_eq!(!view.result.is_empty(), view.state == TaskState::Completed, "the result of task {id}");
    }
}

/// Whether a name may stand for both.
fn is_same(one: &NewTask, other: &NewTask) -> bool {
    (&one.kind, &one.args) == (&other.kind, &other.args)
}

fn finished(notice: &Notice) -> Option<(TaskId, TaskState, Option<FailReason>)> {
    match notice {
        Notice::Finished { id, state, reason } => Some((*id, *state, *reason)),
        _ => None,
    }
}

impl Entry {
    fn of(new: &NewTask) -> Entry {
        let (max_attempts, max_crashes) = (new.overrides.max_attempts.unwrap(), new.overrides.max_crashes.unwrap());
        let place = (new.queue.clone(), new.key.clone());
        Entry { place, max_attempts, max_crashes, stand: Stand::Waiting, tally: Tally::default(), cancelling: false }
    }

    fn after(&mut self, outcome: Outcome, wish: RetryWish) -> Stand {
        let tally = &mut self.tally;
        if outcome != Outcome::Recalled {
            tally.runs += 1;
            tally.lost = if outcome == Outcome::Lost { tally.lost + 1 } else { 0 };
        }
        let failed = |reason| Stand::Final(TaskState::Failed, Some(reason));
        let charged_run = matches!(outcome, Outcome::Error | Outcome::Timeout);
        let fifth_lost = outcome == Outcome::Lost && tally.lost.is_multiple_of(5);
        let crash = matches!(outcome, Outcome::Oom | Outcome::Signal | Outcome::Exit | Outcome::Protocol) || fifth_lost;
        tally.attempts += u32::from(charged_run);
        tally.crashes += u32::from(crash);
        if outcome == Outcome::Ok {
            Stand::Final(TaskState::Completed, None)
        } else if self.cancelling || outcome == Outcome::Cancelled {
            Stand::Final(TaskState::Cancelled, None)
        } else if charged_run && wish == RetryWish::Never {
            failed(FailReason::Rejected)
        } else if charged_run && tally.attempts >= self.max_attempts {
            failed(FailReason::Attempts)
        } else if crash && tally.crashes >= self.max_crashes {
            failed(FailReason::Crashes)
        } else {
            Stand::Waiting
        }
    }
}

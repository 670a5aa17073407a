//! What was said of each task, and what may therefore be said next. Knows no rows and no policy.

use std::collections::BTreeMap;

use queue_core::op::{Claimed, Notice, Op, Reply, RunKey};
use queue_core::store::TaskView;
use queue_core::task::{NewTask, PoolId, TaskId};

use crate::known::Known;

#[derive(Debug, Default)]
pub(crate) struct Model {
    pub(crate) tasks: BTreeMap<TaskId, Known>,
    pub(crate) credits: BTreeMap<PoolId, i64>,
    pub(crate) workers: i64,
    /// Each with the first task that bore it.
    names: BTreeMap<String, (TaskId, NewTask)>,
    /// What is to be told of notes and logs in this turn, in this order.
    pub(crate) owed: Vec<Notice>,
}

impl Model {
    pub(crate) fn live(&self) -> Vec<RunKey> {
        let live = self.tasks.iter().filter(|(_, known)| known.live);
        live.map(|(task, known)| RunKey { task: *task, epoch: known.epoch }).collect()
    }

    fn task(&mut self, id: TaskId) -> &mut Known {
        self.tasks.get_mut(&id).unwrap_or_else(|| panic!("task {id} was never answered"))
    }

    /// The task of a run that must be live.
    fn running(&mut self, run: RunKey) -> &mut Known {
        let known = self.task(run.task);
        assert!(known.live && known.epoch == run.epoch, "{run:?} was not live");
        known
    }

    /// Holds a reply against what was known when its op was applied.
    pub(crate) fn replied(&mut self, op: &Op, reply: &Reply) {
        match (op, reply) {
            (Op::Enqueue(new), Reply::Enqueued { id, existing }) => self.enqueued(new, *id, *existing),
            (Op::EnqueueAll(list), Reply::EnqueuedAll(ids)) => {
                assert_eq!(list.len(), ids.len());
                list.iter().zip(ids).for_each(|(new, (id, existing))| self.enqueued(new, *id, *existing));
            }
            (Op::Enqueue(new), Reply::NameTaken { id: Some(id), index: 0 }) => self.enqueued(new, *id, true),
            (Op::EnqueueAll(list), Reply::NameTaken { id, index }) => {
                assert!(list[*index].name.is_some());
                id.iter().for_each(|id| self.enqueued(&list[*index], *id, true));
            }
            (Op::Cancel(id) | Op::Retry(id), Reply::NoSuchTask) => assert!(!self.tasks.contains_key(id)),
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
            (Op::Retry(id), Reply::Retried) => self.task(*id).retried(),
            (Op::Retry(id), Reply::NotFinal(_)) => assert!(self.task(*id).ended.is_none()),
            (Op::Finish { run, ending, .. }, Reply::Applied) => {
                self.running(*run).live = false;
                self.followed(&ending.follow_ups);
            }
            (Op::Note { run, note }, Reply::Applied) => {
                if self.running(*run).noted(run.epoch, note) {
                    self.owed.push(Notice::Overspent { run: *run, unit: "usd".to_owned() });
                }
                self.owed.extend(note.seq.map(|seq| Notice::Noted { run: *run, seq }));
            }
            (Op::Log { run, log }, Reply::Applied) => {
                self.running(*run).printed(run.epoch, log);
                self.owed.push(Notice::Logged(*run));
            }
            (Op::Finish { run, .. } | Op::Note { run, .. } | Op::Log { run, .. }, Reply::Stale) => {
                let known = self.tasks.get(&run.task);
                assert!(!known.is_some_and(|known| known.live && known.epoch == run.epoch), "{run:?} was live");
            }
            (Op::Reprioritise { id, .. }, Reply::NoSuchTask) => assert!(!self.tasks.contains_key(id)),
            (Op::Reprioritise { id, .. }, Reply::NotWaiting(state)) => {
                assert_eq!(self.task(*id).live, !state.is_final());
            }
            (Op::Reprioritise { id, .. }, Reply::Applied) => {
                let known = self.task(*id);
                assert!(!known.live && known.ended.is_none());
            }
            (Op::WorkerUp(_) | Op::WorkerGone(_), Reply::Applied) => {}
            (Op::Pause { .. }, Reply::Gate(gate)) => assert!(!gate.is_open()),
            (Op::Resume { .. }, Reply::Gate(gate)) => assert!(gate.is_open()),
            other => panic!("{other:?}"),
        }
        if let Op::Finish { refill: Some(pool), .. } = op {
            *self.credits.entry(*pool).or_insert(0) += 1;
        }
    }

    /// The follow-ups of a result come to be, all of them, or none when the name of one is that of another task.
    fn followed(&mut self, list: &[NewTask]) {
        let (names, tasks) = (self.names.clone(), self.tasks.len());
        for new in list {
            let bearer = new.name.as_ref().and_then(|name| self.names.get(name));
            if bearer.is_some_and(|(_, first)| (&first.kind, &first.args) != (&new.kind, &new.args)) {
                self.names = names;
                while self.tasks.len() > tasks {
                    self.tasks.pop_last();
                }
                return;
            }
            match bearer.map(|(id, _)| *id) {
                Some(id) => self.enqueued(new, id, true),
                None => self.enqueued(new, TaskId(self.last_id() + 1), false),
            }
        }
    }

    fn last_id(&self) -> i64 {
        self.tasks.keys().last().map_or(0, |last| last.0)
    }

    fn enqueued(&mut self, new: &NewTask, id: TaskId, existing: bool) {
        if existing {
            assert!(new.name.is_some());
            self.task(id);
        } else {
            assert_eq!(id.0, self.last_id() + 1, "ids count up");
            self.tasks.insert(id, Known::default());
            self.names.extend(new.name.clone().map(|name| (name, (id, new.clone()))));
        }
    }

    pub(crate) fn noticed(&mut self, notice: &Notice) {
        match notice {
            Notice::Claimed(claimed) => self.claimed(claimed),
            Notice::Finished { id, state, reason } => self.task(*id).finished(*state, *reason),
            Notice::Returned { id, state, .. } => {
                assert!(!state.is_final());
                assert!(self.task(*id).ended.is_none());
            }
            Notice::StopWanted(run) => assert_eq!(self.task(run.task).epoch, run.epoch),
            Notice::Noted { .. } | Notice::Overspent { .. } | Notice::Logged(_) => {
                assert!(!self.owed.is_empty(), "told of what was not said: {notice:?}");
                assert_eq!(self.owed.remove(0), *notice);
            }
        }
    }

    fn claimed(&mut self, claimed: &Claimed) {
        self.task(claimed.run.task).claimed(claimed);
        let credits = self.credits.entry(claimed.pool).or_insert(0);
        assert!(*credits > 0, "claimed without credit: {claimed:?}");
        *credits -= 1;
    }

    /// A run that the death of its supervisor ended, of which no notice says anything.
    pub(crate) fn lost(&mut self, id: TaskId, view: &TaskView) {
        let known = self.task(id);
        known.live = false;
        if view.state.is_final() {
            known.finished(view.state, view.reason);
        }
    }
}

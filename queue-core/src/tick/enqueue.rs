//! Applies what brings tasks in: one, or all of a list or none. A list is an op of its own, or comes with a result.

use std::collections::BTreeMap;

use super::Turning;
use super::line::InLine;
use crate::op::Reply;
use crate::policy::Limits;
use crate::state::{Event, Move, Standing, TaskState};
use crate::store::StoreError;
use crate::task::{NewTask, TaskId};

/// What a name says of a task to be.
enum Named {
    /// Nobody has it, or it has none.
    New,
    /// It is this very task.
    Same(TaskId),
    /// It is another task.
    Other(TaskId),
}

/// The first of a list whose name is that of another task: of the one with this id, or of one in the same list.
pub(super) struct Taken {
    pub(super) index: usize,
    pub(super) id: Option<TaskId>,
}

impl Turning<'_> {
    pub(super) fn enqueue_one(&mut self, new: &NewTask) -> Result<Reply, StoreError> {
        match self.named(new)? {
            Named::New => Ok(Reply::Enqueued { id: self.add(new)?, existing: false }),
            Named::Same(id) => Ok(Reply::Enqueued { id, existing: true }),
            Named::Other(id) => Ok(Reply::NameTaken { id: Some(id), index: 0 }),
        }
    }

    pub(super) fn enqueue_all(&mut self, list: &[NewTask]) -> Result<Reply, StoreError> {
        Ok(match self.taken(list)? {
            Some(Taken { index, id }) => Reply::NameTaken { id, index },
            None => Reply::EnqueuedAll(self.add_all(list)?),
        })
    }

    /// Looks through a list whole before anything of it is written, so that a refusal leaves nothing behind.
    pub(super) fn taken(&mut self, list: &[NewTask]) -> Result<Option<Taken>, StoreError> {
        let mut first: BTreeMap<&str, &NewTask> = BTreeMap::new();
        for (index, new) in list.iter().enumerate() {
            if let Named::Other(id) = self.named(new)? {
                return Ok(Some(Taken { index, id: Some(id) }));
            }
            let Some(name) = &new.name else { continue };
            let before = first.entry(name).or_insert(new);
            if !is_same(before, new) {
                return Ok(Some(Taken { index, id: None }));
            }
        }
        Ok(None)
    }

    /// Of a list in which no name is [`taken`](Self::taken). Each with its id, and whether it was there before.
    pub(super) fn add_all(&mut self, list: &[NewTask]) -> Result<Vec<(TaskId, bool)>, StoreError> {
        let mut ids = Vec::with_capacity(list.len());
        for new in list {
            ids.push(match self.named(new)? {
                Named::Same(id) | Named::Other(id) => (id, true),
                Named::New => (self.add(new)?, false),
            });
        }
        Ok(ids)
    }

    fn named(&mut self, new: &NewTask) -> Result<Named, StoreError> {
        let Some(name) = &new.name else { return Ok(Named::New) };
        Ok(match self.store.find_name(name)? {
            None => Named::New,
            Some((id, kind, args)) if kind == new.kind && args == new.args => Named::Same(id),
            Some((id, ..)) => Named::Other(id),
        })
    }

    fn add(&mut self, new: &NewTask) -> Result<TaskId, StoreError> {
        let from = Standing { state: None, cancelling: false, tally: Default::default() };
        let (to, _) = self.decide(from, Event::Enqueued { delay_us: new.delay_us }, &Limits::default())?;
        let id = TaskId(self.over.next_task);
        self.over.next_task += 1;
        let since_us = self.clock_us;
        self.store.insert_task(id, new, since_us, self.now.wall_us)?;
        if let Some(name) = &new.name {
            self.store.put_name(name, id)?;
        }
        if let Move::Later(state, delay_us) = to {
            self.store.put_later(id, self.now.wall_us.saturating_add(delay_us), state)?;
            self.moved(None, state);
        } else {
            let (queue, key, priority) = (new.queue.as_str(), new.key.as_deref(), new.priority);
            self.stand_in_line(InLine { id, queue, key, priority, since_us })?;
            self.moved(None, TaskState::Available);
        }
        Ok(id)
    }
}

/// Whether a name may stand for both.
fn is_same(one: &NewTask, other: &NewTask) -> bool {
    one.kind == other.kind && one.args == other.args
}

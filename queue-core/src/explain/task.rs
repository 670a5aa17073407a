//! Why one task waits.

use super::before::{self, Before};
use super::holds::{self, Held};
use crate::book::{Book, LaneKey};
use crate::hold::Hold;
use crate::lane::Entry;
use crate::state::TaskState;
use crate::store::{LinePlace, Phase, Store, StoreError};
use crate::task::{Now, TaskId};

#[derive(Clone, Debug, PartialEq)]
pub struct TaskWait {
    pub id: TaskId,
    pub state: TaskState,
    pub queue: String,
    pub key: Option<String>,
    /// In the order in which it meets them; without any it is about to start, or waits for those before it.
    pub holds: Vec<Held>,
    pub before: Before,
    /// Runs of its queue that end in a second, of late.
    pub pace_per_s: Option<f64>,
}

impl TaskWait {
    /// It starts no earlier than this, in microseconds since 1970; `None` when that depends on what nobody knows.
    pub fn earliest_us(&self) -> Option<i64> {
        let ends: Option<Vec<i64>> = self.holds.iter().map(|held| held.by.until_us()).collect();
        ends?.into_iter().max()
    }

    /// About how long it waits as its queue goes now, in seconds. Only where all that it waits for is those before it.
    pub fn about_s(&self) -> Option<f64> {
        let goes_on = |held: &Held| matches!(held.by, Hold::QueueLimit { .. } | Hold::Pools(_));
        let pace = self.pace_per_s.filter(|_| self.holds.iter().all(goes_on) && !self.before.is_least)?;
        Some((self.before.count + 1) as f64 / pace)
    }
}

/// `None` when the task waits for nothing: there is none, it runs, or it is final.
pub fn explain_task(store: &mut Store, book: &Book, id: TaskId, now: Now) -> Result<Option<TaskWait>, StoreError> {
    match store.phase(id)? {
        Some(Phase::Available(place)) => available(store, book, id, place, now).map(Some),
        Some(Phase::Later { .. }) => later(store, book, id),
        Some(Phase::Running | Phase::Final { .. }) | None => Ok(None),
    }
}

fn available(store: &mut Store, book: &Book, id: TaskId, place: LinePlace, now: Now) -> Result<TaskWait, StoreError> {
    let LinePlace { queue, key, priority, since_us } = place;
    let policy = book.policies.queue(&queue);
    let entry = Entry { rank: priority.rank(since_us, policy.aging_step_us), id };
    let lane: Option<LaneKey> = policy.lane_of(key.as_deref()).map(|lane| (queue.clone(), lane.to_owned()));
    let of_key = lane.as_ref().map(|lane| holds::of_key(store, book, lane)).transpose()?.flatten();
    let before = match (&lane, &of_key) {
        (Some(lane), Some(_)) => before::of_key(store, book, lane, entry)?,
        _ => before::of_queue(store, book, &queue, lane.as_ref(), entry)?,
    };
    // The next one that starts, whoever that is, is the one for whom the meters must open.
    let cost = match store.head_costs(&queue, 1)?.pop() {
        Some(of_first) => of_first,
        None => store.cost(id)?,
    };
    let mut held = Vec::from_iter(of_key);
    held.extend(holds::of_queue(store, book, &queue)?);
    held.extend(holds::of_meters(book, &queue, &cost, now));
    held.extend(holds::of_pools(book, &queue));
    let pace_per_s = book.pace(&queue, now);
    Ok(TaskWait { id, state: TaskState::Available, queue, key, holds: held, before, pace_per_s })
}

/// Before its time only that counts, and what will still be closed then.
fn later(store: &mut Store, book: &Book, id: TaskId) -> Result<Option<TaskWait>, StoreError> {
    let Some(view) = store.summary(id)? else { return Ok(None) };
    let due_at_us = view.due_at_us.unwrap_or_default();
    let mut held = vec![Held::by(Hold::Due(view.state, due_at_us))];
    if let Some(key) = &view.key {
        held.extend(holds::of_key(store, book, &(view.queue.clone(), key.clone()))?);
    }
    held.extend(holds::of_queue(store, book, &view.queue)?);
    held.extend(holds::of_pools(book, &view.queue));
    held.retain(|held| match &held.by {
        Hold::KeyClosed(gate) | Hold::QueueClosed(gate) => gate.opens_at_us().is_none_or(|at_us| at_us > due_at_us),
        Hold::Due(..) | Hold::NoPool => true,
        Hold::KeyLimit { .. } | Hold::QueueLimit { .. } | Hold::Meter(_) | Hold::Pools(_) => false,
    });
    let (state, queue, key) = (view.state, view.queue, view.key);
    Ok(Some(TaskWait { id, state, queue, key, holds: held, before: Before::default(), pace_per_s: None }))
}

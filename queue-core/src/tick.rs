//! One turn of the queue: what is asked is applied, what is due fires, what can run is claimed, in one transaction. Nothing
//! is answered and no notice is given before the commit. All policy is in `state` and `plan`; all SQL is in `store`.

mod apply;
mod ask;
mod claim;
mod enqueue;
mod finish;
mod gate;
mod line;
mod say;

use std::collections::BTreeMap;

use crate::backlog::{Backlog, look};
use crate::book::{Book, Counts, Running};
use crate::op::{Demand, Notice, Op, Reply, RunKey};
use crate::overlay::Overlay;
use crate::plan::CLAIMS_MAX;
use crate::policy::Limits;
use crate::state::{Event, Move, Standing, TaskState, transition};
use crate::store::{Due, Store, StoreError, StoreErrorKind};
use crate::task::{Now, Tally};
pub use gate::CLOSED_BY_RUN_US_MAX;
use line::InLine;

/// Scheduled and retryable tasks that become available in one tick, at most.
pub const DUE_MAX: u64 = 512;

/// Gates that open in one tick, at most.
pub const GATES_MAX: u64 = 512;

/// A source of uniformly drawn words.
pub type Rng<'a> = &'a mut dyn FnMut() -> u64;

/// What a turn made true.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Turn {
    /// One for each op, in the same order.
    pub replies: Vec<Reply>,
    pub notices: Vec<Notice>,
    /// When the next waiting task is due, a gate opens, or a meter lets more through, in microseconds since 1970.
    pub next_due: Option<i64>,
    /// A limit of this turn was reached: there is more to do at once.
    pub more: bool,
    /// Tasks by state, after the turn.
    pub counts: Counts,
    /// Tasks that are available, by queue, after a turn that leaves no task running; else empty, since a busy turn must not
    /// become slower with the number of queues.
    pub available: BTreeMap<String, u64>,
    /// What waits for the pools of which that is asked, where it is news.
    pub backlogs: Vec<Backlog>,
    /// What waits has changed and was looked at just before: another turn is wanted after so many microseconds.
    pub look_again_us: Option<i64>,
}

impl Turn {
    /// When another turn is wanted, in microseconds since 1970, if nothing comes in before.
    pub fn next_turn(&self, now: Now) -> Option<i64> {
        let look_at = self.look_again_us.map(|us| now.wall_us.saturating_add(us));
        [self.next_due, look_at].into_iter().flatten().min()
    }
}

/// Runs one turn. On an error nothing has changed, neither rows nor book, and nothing may be answered; except that
/// after [`StoreErrorKind::Io`] at the commit it is unknown, and the process must start anew from the file.
pub fn tick(
    store: &mut Store,
    book: &mut Book,
    ops: &[Op],
    demand: &[Demand],
    now: Now,
    rng: Rng<'_>,
) -> Result<Turn, StoreError> {
    run(store, book, ops, Some(demand), now, rng)
}

/// As [`tick`], for the ops alone: nothing fires and nothing is claimed.
pub fn apply(store: &mut Store, book: &mut Book, ops: &[Op], now: Now, rng: Rng<'_>) -> Result<Vec<Reply>, StoreError> {
    Ok(run(store, book, ops, None, now, rng)?.replies)
}

/// Without `demand`, the queue itself does nothing in this turn.
fn run(
    store: &mut Store,
    book: &mut Book,
    ops: &[Op],
    demand: Option<&[Demand]>,
    now: Now,
    rng: Rng<'_>,
) -> Result<Turn, StoreError> {
    let mut done = Turning::start(store, book, now, rng)?.turn(ops, demand, Apply::Together);
    if let Err(first) = &done
        && !ops.is_empty()
        && !matches!(first.kind, StoreErrorKind::Busy | StoreErrorKind::Io)
    {
        // One of the ops must be the culprit. A savepoint for each costs a third of the rate, so only now.
        store.abandon(Some(first));
        done = Turning::start(store, book, now, rng)?.turn(ops, demand, Apply::OneByOne);
    }
    let (mut turn, overlay) = match done {
        Ok(done) => done,
        Err(error) => {
            store.abandon(Some(&error));
            return Err(error);
        }
    };
    let changed = overlay.dirty || demand.is_some_and(|demand| !demand.is_empty());
    if overlay.dirty {
        if let Err(error) = store.commit() {
            store.abandon(Some(&error));
            return Err(error);
        }
    } else {
        store.abandon(None);
    }
    book.fold(overlay, now);
    if demand.is_some() {
        let (backlogs, again_us) = look(store, book, now, changed);
        (turn.backlogs, turn.look_again_us) = (backlogs, again_us);
    }
    turn.counts = book.rows().counts;
    if turn.counts.get(TaskState::Running) == 0 {
        turn.available = book.available();
    }
    Ok(turn)
}

/// Puts a slice of the tasks in line that a new order has taken out of it, and lets lanes fit what their limits and weights
/// are now. Gives how many were moved: at 0 all is in order.
pub(crate) fn line_up(store: &mut Store, book: &mut Book, now: Now, rng: Rng<'_>) -> Result<usize, StoreError> {
    let done = Turning::start(store, book, now, rng)?.line_up();
    let committed = done.and_then(|done| store.commit().map(|()| done));
    match committed {
        Ok((moved, overlay)) => {
            book.fold(overlay, now);
            Ok(moved)
        }
        Err(error) => {
            store.abandon(Some(&error));
            Err(error)
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Apply {
    Together,
    /// Each op under a savepoint, so that one that errs is refused alone.
    OneByOne,
}

/// A turn under way: rows are changed in an open transaction, the book not at all.
struct Turning<'a> {
    store: &'a mut Store,
    book: &'a Book,
    over: Overlay,
    notices: Vec<Notice>,
    now: Now,
    clock_us: i64,
    /// By the clock of meters: when one lets through what it has held back in this turn.
    opens_at_us: Option<i64>,
    rng: Rng<'a>,
}

impl<'a> Turning<'a> {
    fn start(store: &'a mut Store, book: &'a Book, now: Now, rng: Rng<'a>) -> Result<Turning<'a>, StoreError> {
        store.begin()?;
        let (over, clock_us) = (Overlay::over(book), book.clock_us(now));
        Ok(Turning { store, book, over, notices: Vec::new(), now, clock_us, opens_at_us: None, rng })
    }

    fn turn(mut self, ops: &[Op], demand: Option<&[Demand]>, how: Apply) -> Result<(Turn, Overlay), StoreError> {
        let mut replies = Vec::with_capacity(ops.len());
        for op in ops {
            replies.push(match how {
                Apply::Together => self.apply(op)?,
                Apply::OneByOne => self.apply_alone(op)?,
            });
        }
        let mut more = false;
        if let Some(demand) = demand {
            for change in demand {
                self.over.refill(change.pool, change.credits);
            }
            more = self.fire_due()? == DUE_MAX;
            more |= self.fire_gates()? == GATES_MAX;
            more |= self.claim()? == CLAIMS_MAX;
        }
        self.settle_lanes()?;
        let next_due = self.next_due()?;
        self.save_meters()?;
        if self.over.dirty {
            self.store.save_counters(self.over.next_task, self.over.next_worker, self.clock_us)?;
        }
        Ok((Turn { replies, notices: self.notices, next_due, more, ..Turn::default() }, self.over))
    }

    fn apply_alone(&mut self, op: &Op) -> Result<Reply, StoreError> {
        let (before, said) = (self.over.clone(), self.notices.len());
        self.store.savepoint()?;
        match self.apply(op) {
            Ok(reply) => {
                self.store.release()?;
                Ok(reply)
            }
            Err(error) if matches!(error.kind, StoreErrorKind::Io | StoreErrorKind::Full) => Err(error),
            Err(error) => {
                // On some errors SQLite has undone the whole turn by itself; the first error is the one to tell.
                if self.store.undo().is_err() {
                    return Err(error);
                }
                self.over = before;
                self.notices.truncate(said);
                Ok(Reply::Refused(error))
            }
        }
    }

    /// Asks `transition`. What it calls illegal cannot come from outside: rows and program disagree.
    fn decide(&mut self, from: Standing, event: Event, limits: &Limits) -> Result<(Move, Tally), StoreError> {
        let random = (self.rng)();
        transition(from, event, limits, random)
            .map_err(|illegal| StoreError { kind: StoreErrorKind::Invariant, detail: illegal.to_string() })
    }

    fn fire_due(&mut self) -> Result<u64, StoreError> {
        let due = self.store.due(self.now.wall_us, DUE_MAX)?;
        for task in &due {
            let from = Standing { state: Some(task.state), cancelling: false, tally: task.tally };
            let (to, tally) = self.decide(from, Event::Due, &Limits::default())?;
            debug_assert_eq!(to, Move::Available);
            let since_us = self.clock_us;
            self.store.take_later(task.id)?;
            self.store.put_tally(task.id, tally, since_us)?;
            let Due { id, ref queue, ref key, priority, .. } = *task;
            self.stand_in_line(InLine { id, queue, key: key.as_deref(), priority, since_us })?;
            self.moved(Some(task.state), TaskState::Available);
        }
        Ok(due.len() as u64)
    }

    fn next_due(&mut self) -> Result<Option<i64>, StoreError> {
        let due = self.store.next_due()?;
        let opens = self.opens_at_us.map(|at_us| self.book.meter_wall_us(at_us, self.now));
        Ok([due, self.next_opening(), opens].into_iter().flatten().min())
    }

    /// The run, unless it ended or its task runs under another epoch by now.
    fn live(&self, run: RunKey) -> Option<&Running> {
        self.over.running(self.book, run.task).filter(|running| running.tally.epoch == run.epoch)
    }

    /// Notes that a task went from one state to another.
    fn moved(&mut self, from: Option<TaskState>, to: TaskState) {
        if let Some(from) = from {
            self.over.counts.add(from, -1);
        }
        self.over.counts.add(to, 1);
        self.over.dirty = true;
    }
}

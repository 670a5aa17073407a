//! The in-memory mirror of what the tick needs to know without asking the rows: counters, credits, the next ids, and per
//! running task what `transition` needs. No SQL. Rebuilt from rows at start, checked against them by `doctor`.
//!
//! A turn works on an [`Overlay`] and folds it in after the commit, so that a turn that is rolled back never was.

mod under;

use std::collections::{BTreeMap, BTreeSet};

use crate::backlog::Looked;
use crate::hold::{Gate, Hold};
use crate::lane::Lane;
use crate::meter::{Meter, Rate};
use crate::overlay::Overlay;
use crate::pace::Pace;
use crate::plan::Turns;
use crate::policy::{Limits, Order, Policies, QueuePolicy};
use crate::priority::TaskPriority;
use crate::state::TaskState;
use crate::task::{Now, PoolId, Tally, TaskId};

/// A leased task.
#[derive(Clone, Debug, PartialEq)]
pub struct Running {
    pub queue: String,
    /// The key of its lane, if it has one.
    pub lane: Option<String>,
    pub priority: TaskPriority,
    /// When it became available, by the queue clock.
    pub since_us: i64,
    pub tally: Tally,
    pub limits: Limits,
    /// How long it was available before the claim, by the queue clock.
    pub wait_us: i64,
    pub claimed_at_us: i64,
    /// A durable stop: it was cancelled and its processes are on their way out.
    pub cancelling: bool,
}

/// Tasks by state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts([i64; TaskState::ALL.len()]);

impl Counts {
    pub fn get(&self, state: TaskState) -> i64 {
        self.0[state as usize]
    }

    /// Tasks that are not final.
    pub fn unfinished(&self) -> i64 {
        TaskState::ALL.into_iter().filter(|state| !state.is_final()).map(|state| self.get(state)).sum()
    }

    pub fn add(&mut self, state: TaskState, change: i64) {
        self.0[state as usize] += change;
    }
}

/// How many tasks stand where, without a look at the rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Census {
    pub counts: Counts,
    /// Queues that have a task available or running, or that are closed.
    pub queues: BTreeMap<String, QueueCensus>,
    /// Finishes that came too late, since the start.
    pub stale: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueueCensus {
    pub available: u64,
    pub running: u64,
    pub gate: Gate,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Book {
    pub policies: Policies,
    /// Changed only by folding in an overlay.
    rows: Mirror,
    /// The reading of the queue clock, and of the monotonic clock, at the last fold.
    clock_us: i64,
    clock_read_at_us: i64,
    /// The meter clock when the book was made, and the monotonic clock then.
    meters_began_us: (i64, i64),
    /// How fast queues go, in this life: for people.
    paces: BTreeMap<String, Pace>,
    /// What pools were told of what waits for them.
    pub(crate) looked: Looked,
}

/// A queue, and the key of a lane of it.
pub type LaneKey = (String, String);

/// What is known of a queue beside the number of its claimable tasks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QueueLine {
    pub running: u64,
    /// Tasks in its lanes.
    pub waiting: u64,
    pub gate: Gate,
    /// Of a fair queue: the turn that was claimed last.
    pub turn: i64,
    /// In the order of the rates in its policy.
    pub meters: Vec<Meter>,
}

impl QueueLine {
    /// Why nothing more of the queue may start, meters aside; `None` when something may.
    pub fn hold(&self, policy: &QueuePolicy) -> Option<Hold> {
        if !self.gate.is_open() {
            return Some(Hold::QueueClosed(self.gate));
        }
        let limit = u64::from(policy.limit?);
        (self.running >= limit).then_some(Hold::QueueLimit { running: self.running, limit })
    }

    /// The meter that holds a task of this cost back for longest, by its place, and when it lets it through, by the clock of
    /// meters. They must be settled.
    pub fn metered(&self, rates: &[Rate], cost: &BTreeMap<String, u32>) -> Option<(usize, i64)> {
        let of = |rate: &Rate| rate.cost_of(cost);
        let closed = self.meters.iter().zip(rates).enumerate().filter(|(_, (meter, rate))| !meter.lets(rate, of(rate)));
        closed.map(|(place, (meter, rate))| (place, meter.opens_at_us(rate, of(rate)))).max_by_key(|(_, at_us)| *at_us)
    }

    /// Lets time pass for all meters, by their clock.
    pub fn settle_meters(&mut self, rates: &[Rate], clock_us: i64) {
        self.meters.resize_with(rates.len(), Meter::default);
        for (meter, rate) in self.meters.iter_mut().zip(rates) {
            meter.settle(rate, clock_us);
        }
    }
}

/// What mirrors rows, and what a turn may change.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Mirror {
    pub next_task: i64,
    pub next_worker: i64,
    pub counts: Counts,
    /// Claimable tasks by queue; queues without any are absent.
    pub ready: BTreeMap<String, u64>,
    /// Queues of which something is known.
    pub queues: BTreeMap<String, QueueLine>,
    /// Keys of which something is known.
    pub lanes: BTreeMap<LaneKey, Lane>,
    /// When closed gates open by themselves; the key of a queue's own is empty.
    pub openings: BTreeSet<(i64, LaneKey)>,
    /// Lanes that are empty and kept only until their queue has come to their next turn.
    pub spent_lanes: BTreeSet<(String, i64, String)>,
    pub running: BTreeMap<TaskId, Running>,
    pub credits: BTreeMap<PoolId, i64>,
    pub turns: BTreeMap<PoolId, Turns>,
    /// Finishes that came too late, since the start.
    pub stale: u64,
}

impl Book {
    /// `meters_us` is the newest time that a meter has seen: their clock follows the wall, and never goes back.
    pub fn new(policies: Policies, rows: Mirror, clock_us: i64, meters_us: i64, now: Now) -> Book {
        let meters_began_us = (meters_us.max(now.wall_us), now.mono_us);
        let (paces, looked) = (BTreeMap::new(), Looked::default());
        Book { policies, rows, clock_us, clock_read_at_us: now.mono_us, meters_began_us, paces, looked }
    }

    pub fn rows(&self) -> &Mirror {
        &self.rows
    }

    /// How many tasks stand where.
    pub fn census(&self) -> Census {
        let mut queues: BTreeMap<String, QueueCensus> = BTreeMap::new();
        for (queue, count) in &self.rows.ready {
            queues.entry(queue.clone()).or_default().available = *count;
        }
        for (queue, line) in
            self.rows.queues.iter().filter(|(_, line)| line.running + line.waiting > 0 || !line.gate.is_open())
        {
            let census = queues.entry(queue.clone()).or_default();
            census.available += line.waiting;
            census.running = line.running;
            census.gate = line.gate;
        }
        Census { counts: self.rows.counts, queues, stale: self.rows.stale }
    }

    /// The queue clock: time that a supervisor was up, so that a step of the wall clock reorders nothing.
    pub fn clock_us(&self, now: Now) -> i64 {
        self.clock_us + (now.mono_us - self.clock_read_at_us).max(0)
    }

    /// The clock of meters: the wall's when the book was made, then the monotonic one's. So a rate holds while the wall clock
    /// steps, and a night switched off counts as time.
    pub fn meters_us(&self, now: Now) -> i64 {
        let (began_us, mono_us) = self.meters_began_us;
        began_us + (now.mono_us - mono_us).max(0)
    }

    /// The wall's reading when the clock of meters comes to `at_us`, now or later.
    pub fn meter_wall_us(&self, at_us: i64, now: Now) -> i64 {
        now.wall_us.saturating_add(at_us.saturating_sub(self.meters_us(now)).max(0))
    }

    /// How many runs of a queue end in a second, of late; `None` while that is not known.
    pub fn pace(&self, queue: &str, now: Now) -> Option<f64> {
        self.paces.get(queue)?.per_s(now.mono_us)
    }

    /// Tasks that may be claimed or wait in lanes, by queue; queues without any are absent.
    pub fn available(&self) -> BTreeMap<String, u64> {
        let mut available = self.rows.ready.clone();
        for (queue, line) in self.rows.queues.iter().filter(|(_, line)| line.waiting > 0) {
            *available.entry(queue.clone()).or_insert(0) += line.waiting;
        }
        available
    }

    pub(crate) fn fold(&mut self, overlay: Overlay, now: Now) {
        self.clock_us = self.clock_us(now);
        self.clock_read_at_us = self.clock_read_at_us.max(now.mono_us);
        let rows = &mut self.rows;
        rows.next_task = overlay.next_task;
        rows.next_worker = overlay.next_worker;
        rows.stale += overlay.stale;
        for state in TaskState::ALL {
            rows.counts.add(state, overlay.counts.get(state));
        }
        for (queue, change) in overlay.ready {
            let count = rows.ready.get(&queue).copied().unwrap_or(0).checked_add_signed(change);
            match count.expect("more tasks left a queue than were in it") {
                0 => drop(rows.ready.remove(&queue)),
                count => drop(rows.ready.insert(queue, count)),
            }
        }
        for (queue, line) in overlay.queues {
            let was_idle = rows.queues.get(&queue).is_none_or(|was| was.running == 0);
            if !was_idle || line.running > 0 {
                let ended = overlay.ended.get(&queue).copied().unwrap_or(0);
                let pace = self.paces.entry(queue.clone()).or_insert_with(|| Pace::begin(now.mono_us));
                pace.note(ended, was_idle, now.mono_us);
            }
            rows.put_queue(queue, line);
        }
        let mut fair: Vec<String> = Vec::new();
        for (key, lane) in overlay.lanes {
            if self.policies.queue(&key.0).order == Order::Fair && fair.last() != Some(&key.0) {
                fair.push(key.0.clone());
            }
            rows.put_lane(&self.policies, key, lane);
        }
        for queue in fair {
            rows.forget_spent_lanes(&queue);
        }
        for (id, running) in overlay.running {
            match running {
                Some(running) => drop(rows.running.insert(id, running)),
                None => drop(rows.running.remove(&id)),
            }
        }
        for (pool, change) in overlay.credits {
            *rows.credits.entry(pool).or_insert(0) += change;
        }
        rows.turns.extend(overlay.turns);
    }
}

impl Mirror {
    pub(crate) fn put_queue(&mut self, queue: String, line: QueueLine) {
        let was = self.queues.get(&queue).map_or(Gate::Open, |was| was.gate);
        self.gate_changed(was, line.gate, &(queue.clone(), String::new()));
        if line == QueueLine::default() {
            self.queues.remove(&queue);
        } else {
            self.queues.insert(queue, line);
        }
    }

    pub(crate) fn put_lane(&mut self, policies: &Policies, key: LaneKey, lane: Lane) {
        let was = self.lanes.get(&key);
        let (gate, turn) = was.map_or((Gate::Open, lane.next_turn), |was| (was.gate, was.next_turn));
        self.gate_changed(gate, lane.gate, &key);
        self.spent_lanes.remove(&(key.0.clone(), turn, key.1.clone()));
        if !lane.is_empty() {
            self.lanes.insert(key, lane);
        } else if policies.queue(&key.0).order == Order::Fair && lane.next_turn > self.turn(&key.0) {
            self.spent_lanes.insert((key.0.clone(), lane.next_turn, key.1.clone()));
            self.lanes.insert(key, lane);
        } else {
            self.lanes.remove(&key);
        }
    }

    /// Of a queue that has come to other turns, or has nothing left that waits for one.
    fn forget_spent_lanes(&mut self, queue: &str) {
        let has_line = self.ready.contains_key(queue) || self.queues.get(queue).is_some_and(|line| line.waiting > 0);
        let until = if has_line { self.turn(queue) } else { i64::MAX };
        while let Some(first) = self.spent_lanes.range((queue.to_owned(), i64::MIN, String::new())..).next().cloned() {
            if first.0 != queue || first.1 > until {
                break;
            }
            self.spent_lanes.remove(&first);
            self.lanes.remove(&(first.0, first.2));
        }
    }

    fn turn(&self, queue: &str) -> i64 {
        self.queues.get(queue).map_or(0, |line| line.turn)
    }

    fn gate_changed(&mut self, was: Gate, is: Gate, key: &LaneKey) {
        if let Gate::ClosedUntil(until) = was {
            self.openings.remove(&(until, key.clone()));
        }
        if let Gate::ClosedUntil(until) = is {
            self.openings.insert((until, key.clone()));
        }
    }
}

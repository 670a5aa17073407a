//! Where available tasks stand: in `ready`, or in the lane of their key until it may have one more there. What a lane decides
//! is written down here.

use super::Turning;
use crate::book::LaneKey;
use crate::lane::{Entry, Lane, Step};
use crate::overlay::Overlay;
use crate::priority::TaskPriority;
use crate::store::{LinePlace, Phase, SLICE, StoreError, StoreErrorKind};
use crate::task::TaskId;

/// A task that is available, with all that its place depends on.
#[derive(Clone, Copy, Debug)]
pub(super) struct InLine<'a> {
    pub(super) id: TaskId,
    pub(super) queue: &'a str,
    pub(super) key: Option<&'a str>,
    pub(super) priority: TaskPriority,
    /// By the queue clock.
    pub(super) since_us: i64,
}

impl InLine<'_> {
    fn entry(&self, aging_step_us: i64) -> Entry {
        Entry { rank: self.priority.rank(self.since_us, aging_step_us), id: self.id }
    }
}

impl Turning<'_> {
    /// The task becomes available.
    pub(super) fn stand_in_line(&mut self, task: InLine<'_>) -> Result<(), StoreError> {
        let policy = self.book.policies.queue(task.queue);
        let entry = task.entry(policy.aging_step_us);
        self.over.dirty = true;
        let Some(lane) = policy.lane_of(task.key) else {
            self.store.put_ready(task.queue, entry.rank, entry.id, None)?;
            self.over.add_ready(task.queue, 1);
            return Ok(());
        };
        let turn = self.turn_of(task.queue);
        let key = (task.queue.to_owned(), lane.to_owned());
        let steps = self.over.lane_mut(self.book, &key).arrive(entry, policy, lane, turn);
        self.take_steps(&key, &steps)
    }

    /// The task is taken out of the line without being claimed.
    pub(super) fn leave_line(&mut self, task: InLine<'_>) -> Result<(), StoreError> {
        let policy = self.book.policies.queue(task.queue);
        let entry = task.entry(policy.aging_step_us);
        self.over.dirty = true;
        let Some(lane) = policy.lane_of(task.key) else {
            self.store.take_ready(task.queue, entry.rank, entry.id)?;
            self.over.add_ready(task.queue, -1);
            return Ok(());
        };
        let key = (task.queue.to_owned(), lane.to_owned());
        match self.over.lane_mut(self.book, &key).leave(entry) {
            Some(turn) => {
                self.store.take_ready(task.queue, turn, entry.id)?;
                self.over.add_ready(task.queue, -1);
            }
            None => {
                self.store.take_lane(&key, entry)?;
                self.over.queue_mut(self.book, task.queue).waiting -= 1;
            }
        }
        self.over.unsettled.insert(key);
        Ok(())
    }

    /// A run of the queue, and of the lane if it has one, has ended.
    pub(super) fn run_ended(&mut self, queue: &str, lane: Option<&str>) {
        self.over.queue_mut(self.book, queue).running -= 1;
        match self.over.ended.get_mut(queue) {
            Some(ended) => *ended += 1,
            None => drop(self.over.ended.insert(queue.to_owned(), 1)),
        }
        if let Some(lane) = lane {
            let key = (queue.to_owned(), lane.to_owned());
            self.over.lane_mut(self.book, &key).running -= 1;
            self.over.unsettled.insert(key);
        }
    }

    /// Lets every lane that has changed admit what it may, and send back what it may not.
    pub(super) fn settle_lanes(&mut self) -> Result<(), StoreError> {
        while let Some(key) = self.over.unsettled.pop_first() {
            let policy = self.book.policies.queue(&key.0);
            let turn = self.turn_of(&key.0);
            let lane = self.over.lane_mut(self.book, &key);
            let back = lane.retreat(policy, &key.1);
            let wants = lane.wants(policy, &key.1);
            self.take_steps(&key, &back)?;
            if wants > 0 {
                let best = self.store.lane_head(&key, wants)?;
                let steps = self.over.lane_mut(self.book, &key).admit(&best, policy, &key.1, turn);
                self.take_steps(&key, &steps)?;
            }
        }
        Ok(())
    }

    pub(super) fn line_up(mut self) -> Result<(usize, Overlay), StoreError> {
        let between = self.store.relay(SLICE)?;
        for id in &between {
            let Some(Phase::Available(place)) = self.store.phase(*id)? else {
                let detail = format!("task {id} is between two lines and not available");
                return Err(StoreError { kind: StoreErrorKind::Invariant, detail });
            };
            self.store.take_relay(*id)?;
            let LinePlace { queue, key, priority, since_us } = place;
            self.stand_in_line(InLine { id: *id, queue: &queue, key: key.as_deref(), priority, since_us })?;
        }
        let needs = |(key, lane): &(&LaneKey, &Lane)| {
            let policy = self.book.policies.queue(&key.0);
            lane.wants(policy, &key.1) > 0 || lane.is_over(policy, &key.1)
        };
        let lanes = self.book.rows().lanes.iter().filter(needs).take(SLICE as usize);
        let lanes: Vec<LaneKey> = lanes.map(|(key, _)| key.clone()).collect();
        let moved = between.len() + lanes.len();
        self.over.unsettled.extend(lanes);
        self.settle_lanes()?;
        Ok((moved, self.over))
    }

    fn turn_of(&self, queue: &str) -> i64 {
        self.over.queue(self.book, queue).map_or(0, |line| line.turn)
    }

    fn take_steps(&mut self, key: &LaneKey, steps: &[Step]) -> Result<(), StoreError> {
        let queue = key.0.as_str();
        let (mut ready, mut waiting) = (0, 0);
        for step in steps {
            match *step {
                Step::Wait(entry) => {
                    self.store.put_lane(key, entry)?;
                    waiting += 1;
                }
                Step::Enter(entry, turn) => {
                    self.store.put_ready(queue, turn, entry.id, Some(&key.1))?;
                    ready += 1;
                }
                Step::Admit(entry, turn) => {
                    self.store.take_lane(key, entry)?;
                    self.store.put_ready(queue, turn, entry.id, Some(&key.1))?;
                    (ready, waiting) = (ready + 1, waiting - 1);
                }
                Step::Return(entry, turn) => {
                    self.store.take_ready(queue, turn, entry.id)?;
                    self.store.put_lane(key, entry)?;
                    (ready, waiting) = (ready - 1, waiting + 1);
                }
                Step::Move(entry, from, to) => {
                    self.store.take_ready(queue, from, entry.id)?;
                    self.store.put_ready(queue, to, entry.id, Some(&key.1))?;
                }
            }
        }
        if ready != 0 {
            self.over.add_ready(queue, ready);
        }
        if waiting != 0 {
            let line = self.over.queue_mut(self.book, queue);
            line.waiting = line.waiting.saturating_add_signed(waiting);
        }
        if !steps.is_empty() {
            self.over.dirty = true;
        }
        Ok(())
    }
}

//! What a handler is given: facts about its run, the wish that it stop, and ways to tell how it goes. It decides nothing.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use ipc_contract::{Level, Run, RunRef, StopReason, TaskSpec};

use crate::error::WorkerError;
use crate::follow_ups::FollowUps;
use crate::notes::check_spend;
use crate::running::Stored;
use crate::stop::StopSign;
use crate::sync::lock;
use crate::text::clip;

/// One line of the log; the rest is cut off.
pub(crate) const LOG_MAX_BYTES: usize = 16 * 1024;

/// Where what a run tells goes. Nothing happens once the run is answered.
pub(crate) trait Outlet: Send + Sync {
    fn progress(&self, done: f64, total: Option<f64>, message: Option<&str>);
    fn note(&self, message: &str);
    fn spend(&self, unit: &str, amount: u64) -> Result<Stored, WorkerError>;
    fn log(&self, level: Level, message: &str);
    fn retire(&self);
}

/// One run of one task, as its handler sees it. A clone is the same run, for another thread or future.
#[derive(Clone)]
pub struct Context(Arc<Inner>);

struct Inner {
    run: RunRef,
    kind: String,
    attempt: u32,
    effect_key: String,
    deadline: Option<Instant>,
    stop: Arc<StopSign>,
    follow_ups: Mutex<FollowUps>,
    outlet: Box<dyn Outlet>,
}

impl Context {
    pub(crate) fn new(run: &Run, started: Instant, stop: Arc<StopSign>, outlet: Box<dyn Outlet>) -> Self {
        Self(Arc::new(Inner {
            run: RunRef { task: run.task, epoch: run.epoch },
            kind: run.kind.clone(),
            attempt: run.attempt,
            effect_key: run.effect_key.clone(),
            deadline: run.time_left_ms.and_then(|ms| started.checked_add(Duration::from_millis(ms))),
            stop,
            follow_ups: Mutex::default(),
            outlet,
        }))
    }

    /// The task's number.
    pub fn task(&self) -> u64 {
        self.0.run.task
    }

    /// Counts the leases of the task: what a service outside needs to refuse a run that was replaced.
    pub fn epoch(&self) -> u64 {
        self.0.run.epoch
    }

    /// 1 in the first run.
    pub fn attempt(&self) -> u32 {
        self.0.attempt
    }

    /// The same in all runs of a task: send it along with effects outside, so that they happen once.
    pub fn effect_key(&self) -> &str {
        &self.0.effect_key
    }

    /// The kind that the run was enqueued as.
    pub fn kind(&self) -> &str {
        &self.0.kind
    }

    /// Time until the run is stopped; `None` means no limit.
    pub fn time_left(&self) -> Option<Duration> {
        self.0.deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()))
    }

    /// Why the run shall stop, once it shall: save what is needed and return, the process is killed soon after.
    pub fn stop_reason(&self) -> Option<StopReason> {
        self.0.stop.get().map(|order| order.reason)
    }

    /// Sleeps for `at_most`, or until the run shall stop, and says why. For sync handlers.
    pub fn wait_stop(&self, at_most: Duration) -> Option<StopReason> {
        self.0.stop.wait(at_most).map(|order| order.reason)
    }

    /// Waits until the run shall stop, and says why. To be raced with the work of an async handler.
    #[cfg(feature = "tokio")]
    pub async fn stopped(&self) -> StopReason {
        self.0.stop.value().await.reason
    }

    /// How far the run is, in units of its own, such as 3 of 10. The last word of each 100 ms is sent, and always the last
    /// one before the answer. Without `message` the former one stays; it is cut off at 1 KiB.
    pub fn progress(&self, done: f64, total: Option<f64>, message: Option<&str>) {
        self.0.outlet.progress(done, total, message);
    }

    /// What the run is doing, in one line of at most 1 KiB. Numbers of `progress` stay as they are.
    pub fn note(&self, message: &str) {
        self.0.outlet.note(message);
    }

    /// Adds `amount` (0 to 2^53) of `unit` (a name such as `tokens`) to what the task has cost. The run is not answered before
    /// all that it spent is stored.
    ///
    /// # Errors
    /// `Spend` for another unit or amount, `TooMuchUnstored` when over 1,024 units wait to be stored.
    pub fn spend(&self, unit: &str, amount: u64) -> Result<Receipt, WorkerError> {
        check_spend(unit, amount)?;
        self.0.outlet.spend(unit, amount).map(Receipt)
    }

    /// A task that comes to be together with the result of this run, or not at all: it is dropped when the run fails. At most
    /// 1,000 for a run, with args of 1 MiB in all by default. A run whose follow-ups cannot be taken fails for good.
    pub fn enqueue(&self, task: TaskSpec) {
        lock(&self.0.follow_ups).add(task);
    }

    /// Writes one line to the log of the run, cut off at 16 KiB.
    pub fn log(&self, level: Level, text: &str) {
        self.0.outlet.log(level, clip(text, LOG_MAX_BYTES));
    }

    /// Lets the worker leave once what it runs is answered, as one that has become too large may wish to. Another is started
    /// in its place.
    pub fn retire(&self) {
        self.0.outlet.retire();
    }

    pub(crate) fn run(&self) -> RunRef {
        self.0.run
    }

    pub(crate) fn take_follow_ups(&self) -> FollowUps {
        std::mem::take(&mut lock(&self.0.follow_ups))
    }

    /// The sign itself, for code that waits on several things at once.
    pub(crate) fn stop_sign(&self) -> &StopSign {
        &self.0.stop
    }
}

/// Proof that what was spent is stored, once it is. Wait for it before the next step that costs, or do not wait at all.
pub struct Receipt(Stored);

impl Receipt {
    /// Waits at most so long. True when it is on the disk; false when time ran out, or nobody is left to store it.
    pub fn wait(&self, at_most: Duration) -> bool {
        self.0.wait(at_most).unwrap_or(false)
    }

    /// Waits in an async handler. True when it is on the disk; false when nobody is left to store it.
    #[cfg(feature = "tokio")]
    pub async fn stored(&self) -> bool {
        self.0.value().await
    }
}

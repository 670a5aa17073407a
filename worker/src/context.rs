//! What a handler is given: facts about its run, the wish that it stop, and a log. It decides nothing about the run.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use ipc_contract::{FromWorker, Level, Log, Run, RunRef, StopReason};

use crate::post::Post;
use crate::sync::lock;
use crate::text::clip;

/// One line of `Context::log`; the rest is cut off.
const LOG_MAX_BYTES: usize = 16 * 1024;

/// One run of one task, as its handler sees it.
pub struct Context {
    run: RunRef,
    kind: String,
    attempt: u32,
    effect_key: String,
    deadline: Option<Instant>,
    stop: Arc<StopSign>,
    post: Arc<Post>,
}

impl Context {
    pub(crate) fn new(run: &Run, started: Instant, stop: Arc<StopSign>, post: Arc<Post>) -> Self {
        Self {
            run: RunRef { task: run.task, epoch: run.epoch },
            kind: run.kind.clone(),
            attempt: run.attempt,
            effect_key: run.effect_key.clone(),
            deadline: run.time_left_ms.and_then(|ms| started.checked_add(Duration::from_millis(ms))),
            stop,
            post,
        }
    }

    /// The task's number.
    pub fn task(&self) -> u64 {
        self.run.task
    }

    /// Counts the leases of the task: what a service outside needs to refuse a run that was replaced.
    pub fn epoch(&self) -> u64 {
        self.run.epoch
    }

    /// 1 in the first run.
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    /// The same in all runs of a task: send it along with effects outside, so that they happen once.
    pub fn effect_key(&self) -> &str {
        &self.effect_key
    }

    /// The kind that the run was enqueued as.
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// Time until the run is stopped; `None` means no limit.
    pub fn time_left(&self) -> Option<Duration> {
        self.deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()))
    }

    /// Why the run shall stop, once it shall: save what is needed and return, the process is killed soon after.
    pub fn stop_reason(&self) -> Option<StopReason> {
        self.stop.order().map(|order| order.reason)
    }

    /// Sleeps for `at_most`, or until the run shall stop, and says why.
    pub fn wait_stop(&self, at_most: Duration) -> Option<StopReason> {
        self.stop.wait(at_most).map(|order| order.reason)
    }

    /// Writes one line to the log of the run, cut off at 16 KiB.
    pub fn log(&self, level: Level, text: &str) {
        let message = clip(text, LOG_MAX_BYTES).to_owned();
        self.post.send(FromWorker::Log(Log { run: Some(self.run), level, message }));
    }

    /// The sign itself, for code that waits on several things at once.
    pub(crate) fn stop_sign(&self) -> &StopSign {
        &self.stop
    }
}

/// The order to stop one run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StopOrder {
    pub(crate) reason: StopReason,
    /// Time until the worker is killed.
    pub(crate) grace: Duration,
}

type Listener = Box<dyn FnOnce() + Send>;

/// Where the order to stop arrives. Only the first one counts: a later one cannot take back what was begun.
#[derive(Default)]
pub(crate) struct StopSign {
    state: Mutex<(Option<StopOrder>, Option<Listener>)>,
    raised: Condvar,
}

impl StopSign {
    pub(crate) fn raise(&self, order: StopOrder) {
        let mut state = lock(&self.state);
        if state.0.is_some() {
            return;
        }
        state.0 = Some(order);
        let listener = state.1.take();
        drop(state);
        self.raised.notify_all();
        if let Some(listener) = listener {
            listener();
        }
    }

    pub(crate) fn order(&self) -> Option<StopOrder> {
        lock(&self.state).0
    }

    /// Calls `listener` once the order is there, from the thread that brings it; at once when it already is.
    pub(crate) fn listen(&self, listener: Listener) {
        let mut state = lock(&self.state);
        if state.0.is_none() {
            state.1 = Some(listener);
            return;
        }
        drop(state);
        listener();
    }

    fn wait(&self, at_most: Duration) -> Option<StopOrder> {
        let state = lock(&self.state);
        let (state, _) = self
            .raised
            .wait_timeout_while(state, at_most, |state| state.0.is_none())
            .unwrap_or_else(PoisonError::into_inner);
        state.0
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    fn order(reason: StopReason) -> StopOrder {
        StopOrder { reason, grace: Duration::from_secs(1) }
    }

    #[test]
    fn only_the_first_order_counts() {
        let sign = StopSign::default();
        assert_eq!(sign.order(), None);
        sign.raise(order(StopReason::Cancel));
        sign.raise(order(StopReason::Timeout));
        assert_eq!(sign.order(), Some(order(StopReason::Cancel)));
        assert_eq!(sign.wait(Duration::MAX), Some(order(StopReason::Cancel)));
    }

    #[test]
    fn a_listener_is_called_once_whether_it_came_before_or_after_the_order() {
        let calls = Arc::new(AtomicUsize::new(0));
        let listener = || -> Listener {
            let calls = Arc::clone(&calls);
            Box::new(move || {
                calls.fetch_add(1, Ordering::SeqCst);
            })
        };
        let sign = StopSign::default();
        sign.listen(listener());
        assert_eq!(calls.load(Ordering::SeqCst), 0);
        sign.raise(order(StopReason::Cancel));
        sign.raise(order(StopReason::Cancel));
        assert_eq!(calls.load(Ordering::SeqCst), 1);
        sign.listen(listener());
        assert_eq!(calls.load(Ordering::SeqCst), 2);
    }
}

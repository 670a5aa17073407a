//! What the threads of the worker share: the conversation, the runs, and the bell that tells of a change.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use ipc_contract::{Features, FromWorker, Run, RunRef, Session, StopReason, ToWorker};

use crate::channel::Writer;
use crate::wrong::Wrong;

pub(crate) struct Desk {
    pub(crate) wrong: Wrong,
    pub(crate) writer: Writer,
    state: Mutex<State>,
    bell: Condvar,
}

#[derive(Default)]
pub(crate) struct State {
    pub(crate) session: Session,
    pub(crate) features: Features,
    pub(crate) beat_ms: u64,
    /// The answer to `hello`: the version, or why it was refused.
    pub(crate) greeting: Option<Result<u16, String>>,
    pub(crate) waiting: VecDeque<Run>,
    pub(crate) live: BTreeMap<u64, Live>,
    pub(crate) draining: bool,
    pub(crate) said_bye: bool,
}

/// A run that is not answered.
#[derive(Default)]
pub(crate) struct Live {
    pub(crate) epoch: u64,
    pub(crate) has_started: bool,
    pub(crate) stop: Option<StopReason>,
    pub(crate) numbered: u64,
    pub(crate) acknowledged: u64,
}

impl Desk {
    pub(crate) fn new(wrong: Wrong, writer: Writer) -> Self {
        Self { wrong, writer, state: Mutex::default(), bell: Condvar::new() }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the state and tells everybody.
    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let out = change(&mut self.lock());
        self.bell.notify_all();
        out
    }

    /// Waits until `ready` gives something, or for so long.
    pub(crate) fn wait<T>(&self, time: Option<Duration>, mut ready: impl FnMut(&mut State) -> Option<T>) -> Option<T> {
        let deadline = time.map(|time| Instant::now() + time);
        let mut state = self.lock();
        loop {
            if let Some(out) = ready(&mut state) {
                return Some(out);
            }
            state = match deadline.map(|deadline| deadline.saturating_duration_since(Instant::now())) {
                None => self.bell.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(left) if left.is_zero() => return None,
                Some(left) => self.bell.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0,
            };
        }
    }

    /// Says it, whether it is legal or not.
    pub(crate) fn say(&self, message: &FromWorker) {
        // What is noted down first is written first: nothing follows `bye`. Whoever reads needs only the state.
        let mut turn = self.writer.hold();
        let mut state = self.lock();
        if state.said_bye {
            return;
        }
        let _ = state.session.sees(message);
        state.said_bye = matches!(message, FromWorker::Bye(_));
        drop(state);
        turn.write(&self.writer.frame(message));
    }

    /// Takes what the supervisor says. An error ends the worker.
    pub(crate) fn hear(&self, message: ToWorker) -> Result<(), String> {
        let wrong = self.wrong;
        self.change(|state| {
            if let Err(violation) = state.session.sees(&message)
                && !wrong.is("takes-what-is-not-legal")
            {
                return Err(violation.to_string());
            }
            match message {
                ToWorker::Welcome(welcome) => {
                    state.features = Features::named(&welcome.features);
                    state.beat_ms = welcome.beat_ms;
                    state.greeting = Some(Ok(welcome.protocol));
                }
                ToWorker::Reject(reject) => state.greeting = Some(Err(reject.reason)),
                ToWorker::Run(run) => {
                    state.live.insert(run.task, Live { epoch: run.epoch, ..Live::default() });
                    state.waiting.push_back(run);
                }
                ToWorker::Stop(stop) => match stop.run {
                    _ if stop.reason == StopReason::Unknown && wrong.is("dies-of-unknown-reasons") => {
                        return Err("no such reason".to_owned());
                    }
                    None if !wrong.is("ignores-stop") => state.draining = true,
                    None => {}
                    Some(run) => return state.stop(run, stop.reason, wrong),
                },
                ToWorker::Ack(ack) => {
                    if let Some(live) = state.live.get_mut(&ack.task) {
                        live.acknowledged = ack.seq;
                    }
                }
            }
            Ok(())
        })
    }
}

impl State {
    fn stop(&mut self, run: RunRef, reason: StopReason, wrong: Wrong) -> Result<(), String> {
        match self.live.get_mut(&run.task) {
            Some(live) if live.epoch != run.epoch && !wrong.is("stops-any-run-of-a-task") => {}
            // One that has not started is given back as soon as its turn comes.
            Some(live) if reason == StopReason::Recall && live.has_started && !wrong.is("recall-stops-what-runs") => {}
            Some(_) if wrong.is("ignores-stop-of-a-run") => {}
            // What was said first stays, so that it does not depend on luck which of two is seen.
            Some(live) => drop(live.stop.get_or_insert(reason)),
            None if wrong.is("dies-of-late-stops") => return Err("no such run".to_owned()),
            None => {}
        }
        Ok(())
    }
}

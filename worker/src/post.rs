//! The one way out, and the one place where the threads of a worker meet: the desk under its lock, the writer under another.
//! The reading thread takes only the desk's lock, so it never waits for a supervisor that does not read.

use std::io::Write;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use ipc_contract::frame;
use ipc_contract::{FromWorker, RunRef};

use crate::desk::{Desk, Next};
use crate::ended::Ended;
use crate::running::Running;
use crate::sync::lock;

pub(crate) struct Post {
    shared: Mutex<Shared>,
    /// Rung for the executing threads.
    work: Condvar,
    /// Rung for the second thread that writes, and only when it would look too late: it would cost each run a wake-up.
    side: Condvar,
    /// Rung for the thread that waits for the welcome and the end.
    milestone: Condvar,
    /// Taken before the desk, never after it. Whoever holds it decides what is written next, so the order of decisions is the
    /// order on the wire, and no frame splits another.
    writer: Mutex<Box<dyn Write + Send>>,
    started: Instant,
}

struct Shared {
    desk: Desk,
    /// When the second thread that writes looks again by itself.
    side_looks_at_ms: u64,
}

impl Post {
    pub(crate) fn new(writer: impl Write + Send + 'static, started: Instant) -> Self {
        Self {
            shared: Mutex::new(Shared { desk: Desk::new(), side_looks_at_ms: 0 }),
            work: Condvar::new(),
            side: Condvar::new(),
            milestone: Condvar::new(),
            writer: Mutex::new(Box::new(writer)),
            started,
        }
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Changes what is known, at this time, and wakes whom it may concern.
    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut Desk, u64) -> T) -> T {
        let mut shared = lock(&self.shared);
        let now_ms = self.now_ms();
        let outcome = change(&mut shared.desk, now_ms);
        self.ring_side(&shared, now_ms);
        if shared.desk.concerns_all() {
            self.work.notify_all();
        } else {
            self.work.notify_one();
        }
        if shared.desk.is_welcomed() || shared.desk.over().is_some() {
            self.milestone.notify_all();
        }
        outcome
    }

    fn ring_side(&self, shared: &Shared, now_ms: u64) {
        let due_at_ms = shared.desk.aside_due_at_ms(now_ms);
        if shared.desk.over().is_some() || due_at_ms.is_some_and(|at_ms| at_ms < shared.side_looks_at_ms) {
            self.side.notify_one();
        }
    }

    /// Writes a message; when this returns it has left the process. False when nobody is left to read it. A failure is kept by
    /// the desk and ends the worker.
    pub(crate) fn send(&self, message: FromWorker) -> bool {
        self.say(|_, _| Some(message))
    }

    /// Writes what `choose` finds under the writer's lock; false when there is nothing, or nobody to read it.
    pub(crate) fn say(&self, choose: impl FnOnce(&mut Desk, u64) -> Option<FromWorker>) -> bool {
        let mut writer = lock(&self.writer);
        let mut shared = lock(&self.shared);
        let now_ms = self.now_ms();
        let Some(message) = choose(&mut shared.desk, now_ms) else { return false };
        let allowed = shared.desk.may_send(&message);
        drop(shared);
        let sent = match allowed {
            Ok(true) => write_frame(writer.as_mut(), &message),
            Ok(false) => return false,
            Err(violation) => Err(Ended::Protocol(violation)),
        };
        match sent {
            Ok(()) => true,
            Err(ended) => {
                self.change(|desk, _| desk.end(ended));
                false
            }
        }
    }

    /// Changes what a run says of itself and sends the note that is due; `None` when nobody would hear it.
    pub(crate) fn tell<T>(&self, run: RunRef, tell: impl FnOnce(&mut Running) -> T) -> Option<T> {
        let mut shared = lock(&self.shared);
        let now_ms = self.now_ms();
        let told = tell(shared.desk.speaking(run)?);
        if shared.desk.note_due_at_ms(now_ms) == Some(now_ms) {
            drop(shared);
            self.say(|desk, _| desk.take_note(now_ms));
        } else {
            self.ring_side(&shared, now_ms);
        }
        Some(told)
    }

    /// Waits until there is something to do for an executing thread.
    pub(crate) fn next(&self) -> Next {
        let mut shared = lock(&self.shared);
        loop {
            let now_ms = self.now_ms();
            if let Some(next) = shared.desk.next(now_ms) {
                return next;
            }
            shared = wait(&self.work, shared);
        }
    }

    /// Says the last word, unless a run has come in between, and wakes who waits for the end.
    pub(crate) fn leave(&self) {
        if self.say(|desk, _| desk.take_bye()) {
            self.change(|_, _| ());
        }
    }

    /// Waits for the answer to the greeting: true when the worker is accepted.
    pub(crate) fn welcomed(&self) -> bool {
        let mut shared = lock(&self.shared);
        while !shared.desk.is_welcomed() && shared.desk.over().is_none() {
            shared = wait(&self.milestone, shared);
        }
        shared.desk.over().is_none()
    }

    /// Waits for the end.
    pub(crate) fn ended(&self) -> Ended {
        let mut shared = lock(&self.shared);
        loop {
            if let Some(ended) = shared.desk.over() {
                return ended.clone();
            }
            shared = wait(&self.milestone, shared);
        }
    }

    /// The second thread that writes: beats, and what must not wait for a busy handler. Returns at the end.
    pub(crate) fn attend(&self) {
        loop {
            while self.say(Desk::take_aside) {}
            let mut shared = lock(&self.shared);
            if shared.desk.over().is_some() {
                return;
            }
            let now_ms = self.now_ms();
            let looks_at_ms = shared.desk.aside_due_at_ms(now_ms).unwrap_or(u64::MAX);
            if looks_at_ms <= now_ms {
                continue;
            }
            shared.side_looks_at_ms = looks_at_ms;
            let pause = Duration::from_millis(looks_at_ms - now_ms);
            let (mut shared, _) = self.side.wait_timeout(shared, pause).unwrap_or_else(PoisonError::into_inner);
            shared.side_looks_at_ms = 0;
        }
    }
}

fn wait<'s>(bell: &Condvar, shared: MutexGuard<'s, Shared>) -> MutexGuard<'s, Shared> {
    bell.wait(shared).unwrap_or_else(PoisonError::into_inner)
}

fn write_frame(writer: &mut dyn Write, message: &FromWorker) -> Result<(), Ended> {
    let frame = frame::encode(message).map_err(|error| Ended::Protocol(error.to_string()))?;
    writer
        .write_all(&frame)
        .and_then(|()| writer.flush())
        .map_err(|error| Ended::Io(format!("cannot write to the supervisor: {error}")))
}

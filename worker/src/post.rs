//! The one way out, and the one place where the threads of a worker meet: the desk under its lock, the writer under another.
//! The reading thread takes only the desk's lock, so it never waits for a supervisor that does not read.

use std::io::Write;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use ipc_contract::frame;
use ipc_contract::{Beat, FromWorker};

use crate::desk::{Desk, Ended, Next};
use crate::sync::lock;

pub(crate) struct Post {
    desk: Mutex<Desk>,
    /// Rung for the executing thread.
    work: Condvar,
    /// Rung for the second thread that writes, and only when it has something to do: it would cost each run a wake-up.
    side: Condvar,
    /// Taken before the desk, never after it. Whoever holds it decides what is written next, so the order of decisions is the
    /// order on the wire, and no frame splits another.
    writer: Mutex<Box<dyn Write + Send>>,
}

impl Post {
    pub(crate) fn new(writer: impl Write + Send + 'static) -> Self {
        let (work, side) = (Condvar::new(), Condvar::new());
        Self { desk: Mutex::new(Desk::new()), work, side, writer: Mutex::new(Box::new(writer)) }
    }

    /// Changes what is known, and wakes whom it may concern.
    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut Desk) -> T) -> T {
        let mut desk = lock(&self.desk);
        let outcome = change(&mut desk);
        let concerns_side = desk.has_back() || desk.is_closed();
        drop(desk);
        self.work.notify_one();
        if concerns_side {
            self.side.notify_one();
        }
        outcome
    }

    /// Writes a message; when this returns it has left the process. A failure is kept by the desk and ends the worker.
    pub(crate) fn send(&self, message: FromWorker) {
        self.send_chosen(|_| Some(message));
    }

    /// Writes what `choose` finds under the writer's lock; false when it finds nothing.
    fn send_chosen(&self, choose: impl FnOnce(&mut Desk) -> Option<FromWorker>) -> bool {
        let mut writer = lock(&self.writer);
        let mut desk = lock(&self.desk);
        let Some(message) = choose(&mut desk) else { return false };
        let allowed = desk.may_send(&message);
        drop(desk);
        let sent = match allowed {
            Ok(true) => write_frame(writer.as_mut(), &message),
            Ok(false) => Ok(()),
            Err(violation) => Err(Ended::Protocol(violation)),
        };
        if let Err(ended) = sent {
            self.change(|desk| desk.end(ended));
        }
        true
    }

    /// Waits until there is something to do for the executing thread.
    pub(crate) fn next(&self) -> Next {
        let mut desk = lock(&self.desk);
        loop {
            if let Some(next) = desk.next() {
                return next;
            }
            desk = self.work.wait(desk).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// The second thread that writes: beats, and what is given back while a handler is busy. Returns once the desk is closed.
    pub(crate) fn attend(&self, beat_interval: Duration) {
        let mut last_beat = Instant::now();
        loop {
            let until_beat = beat_interval.saturating_sub(last_beat.elapsed());
            let desk = lock(&self.desk);
            let (desk, _) = self
                .side
                .wait_timeout_while(desk, until_beat, |desk| !desk.has_back() && !desk.is_closed())
                .unwrap_or_else(PoisonError::into_inner);
            let (beats, closed) = (desk.beats(), desk.is_closed());
            drop(desk);
            if closed {
                return;
            }
            while self.send_chosen(Desk::take_back) {}
            if last_beat.elapsed() >= beat_interval {
                last_beat = Instant::now();
                if beats {
                    self.send(FromWorker::Beat(Beat {}));
                }
            }
        }
    }
}

fn write_frame(writer: &mut dyn Write, message: &FromWorker) -> Result<(), Ended> {
    let frame = frame::encode(message).map_err(|error| Ended::Protocol(error.to_string()))?;
    writer
        .write_all(&frame)
        .and_then(|()| writer.flush())
        .map_err(|error| Ended::Io(format!("cannot write to the supervisor: {error}")))
}

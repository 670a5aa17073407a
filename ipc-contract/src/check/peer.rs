//! A worker as a case plays with it: what is sent, how, and when its pipes close. What is heard of it is in `hear`, what is said
//! in one line in `calls`.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::link::Link;
use super::pattern::shortened;
use super::proc::{Below, Child, below};
use super::{Failure, Verdict};
use crate::frame::encode;
use crate::kind::Message;
use crate::message::ToWorker;
use crate::session::Session;

/// Nothing tells of a new process, or of a byte that was read: it is looked for again and again.
const LOOK_AGAIN: Duration = Duration::from_millis(1);
/// A child process that has not become another program in this part of the longest wait stays what it is.
const FORK_SHARE: u32 = 10;

/// A worker process, and the conversation with it. The process is killed when this is dropped.
pub struct Peer {
    pub(super) link: Link,
    pub(super) session: Session,
    pub(super) timeout: Duration,
    /// The number of the last task.
    pub(super) last_task: u64,
    /// On stderr when the last bytes went out: what comes later may be about them.
    pub(super) stderr_bytes_before: u64,
}

impl Peer {
    pub(super) fn new(link: Link, timeout: Duration) -> Self {
        Self { link, session: Session::new(), timeout, last_task: 0, stderr_bytes_before: 0 }
    }

    /// The conversation so far.
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// Sends a message.
    ///
    /// # Errors
    /// When it is not legal here: then the worker did not do what it should have done before.
    pub fn send(&mut self, message: &ToWorker) -> Verdict {
        self.send_as(message, &encoded(message)?)
    }

    /// Sends a message in a form of one's own: these bytes, length included, mean `message`.
    ///
    /// # Errors
    /// As those of [`send`](Self::send).
    pub fn send_as(&mut self, message: &ToWorker, frame: &[u8]) -> Verdict {
        // What has come already came before this.
        self.link.take();
        self.session.sees(message).map_err(|violation| {
            Failure::new(
                format!("a conversation in which {} may be sent", message.kind().name()),
                violation.to_string(),
            )
        })?;
        self.link.note("to_worker", shown(message));
        if let ToWorker::Run(run) = message {
            self.link.tape().borrow_mut().kinds.insert(run.kind.clone());
        }
        self.stderr_bytes_before = self.link.tape().borrow().stderr.total_bytes();
        self.link.push(frame)
    }

    /// Sends bytes that need not be legal. The session does not know of them.
    ///
    /// # Errors
    /// When far too much waits to be read by the worker.
    pub fn send_raw(&mut self, bytes: &[u8]) -> Verdict {
        let head: String = bytes.iter().take(64).map(|byte| format!("{byte:02x}")).collect();
        self.link.note("to_worker_raw", json!({ "bytes": bytes.len(), "head": head }));
        self.stderr_bytes_before = self.link.tape().borrow().stderr.total_bytes();
        self.link.push(bytes)
    }

    /// Waits until all that was sent is in the pipe to the worker.
    ///
    /// # Errors
    /// When it does not read on.
    pub fn flush(&mut self) -> Verdict {
        let mut unsent_bytes = self.link.unsent_bytes();
        let mut deadline = Instant::now() + self.timeout;
        while unsent_bytes > 0 {
            let left = deadline.saturating_duration_since(Instant::now());
            let seen = format!("none of {unsent_bytes} bytes read within {:?}", self.timeout);
            Failure::unless(!left.is_zero(), "a worker that reads while it does something else", seen)?;
            self.link.turn(left)?;
            if self.link.unsent_bytes() < unsent_bytes {
                deadline = Instant::now() + self.timeout;
            }
            unsent_bytes = self.link.unsent_bytes();
        }
        Ok(())
    }

    /// Waits until the worker has read all that was sent, so that what follows is another piece.
    ///
    /// # Errors
    /// When it does not read on.
    pub(super) fn drain(&mut self) -> Verdict {
        self.flush()?;
        let deadline = Instant::now() + self.timeout;
        while self.link.process().unread_bytes() > 0 && self.link.exit().is_none() {
            let left = deadline.saturating_duration_since(Instant::now());
            Failure::unless(
                !left.is_zero(),
                "a worker that reads",
                format!("bytes not read within {:?}", self.timeout),
            )?;
            self.link.turn(left.min(LOOK_AGAIN))?;
        }
        Ok(())
    }

    /// Stops reading what the worker sends, or goes on with it.
    pub fn set_reads(&mut self, reads: bool) {
        self.link.note(if reads { "reads_again" } else { "stops_reading" }, Value::Null);
        self.link.set_reads(reads);
    }

    /// Lets so much time go by, and hears nothing.
    ///
    /// # Errors
    /// When the system cannot wait.
    pub fn pause(&mut self, time_ms: u64) -> Verdict {
        let end = Instant::now() + Duration::from_millis(time_ms);
        loop {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            self.link.turn(left)?;
        }
    }

    /// Waits until a process below the worker runs a program of its own, while nobody reads stderr. One that has only
    /// been forked is taken when it stays so.
    ///
    /// # Errors
    /// When there is none in time.
    pub(super) fn child(&mut self, known: &BTreeSet<i32>) -> Verdict<Child> {
        let pid = self.link.process().pid();
        let own = Below::new(pid).command().unwrap_or_default();
        let deadline = Instant::now() + self.timeout;
        let mut forked_at = None;
        loop {
            let new: Vec<_> = below(pid).into_iter().filter(|child| !known.contains(child)).map(Below::new).collect();
            let is_program =
                |child: &&Below| child.command().is_ok_and(|command| !command.is_empty() && command != own);
            if let Some(program) = new.iter().find(is_program) {
                return Ok(Child { process: program.clone(), is_program: true });
            }
            let now = Instant::now();
            if let Some(forked) = new.into_iter().next()
                && now - *forked_at.get_or_insert(now) > self.timeout / FORK_SHARE
            {
                return Ok(Child { process: forked, is_program: false });
            }
            let left = deadline.saturating_duration_since(now);
            Failure::unless(!left.is_zero(), "a child process that prints", format!("none within {:?}", self.timeout))?;
            self.link.turn(left.min(LOOK_AGAIN))?;
        }
    }

    /// Sends the worker SIGTERM.
    ///
    /// # Errors
    /// When it is gone.
    pub fn terminate(&mut self) -> Verdict {
        self.link.note("sigterm", Value::Null);
        let sent = self.link.process().terminate();
        sent.map_err(|error| Failure::new("a process that can be told to terminate", error.to_string()))
    }

    /// Ends the worker's input.
    pub fn close_input(&mut self) {
        self.link.note("closes_input", Value::Null);
        self.link.process().close_input();
    }

    /// Ends the worker's output.
    pub fn close_output(&mut self) {
        self.link.note("closes_output", Value::Null);
        self.link.process().close_output();
    }
}

/// The frame of a message.
///
/// # Errors
/// When it is too long for one.
pub(super) fn encoded<M: Message>(message: &M) -> Verdict<Vec<u8>> {
    encode(message).map_err(|error| Failure::new("a frame that can be written", error.to_string()))
}

pub(super) fn shown(message: &impl serde::Serialize) -> Value {
    shortened(json!(message))
}

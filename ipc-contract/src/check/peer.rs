//! A worker as a case sees it: messages go out, messages are expected, and every one of them must be legal.
//! What is said in one line is in `calls`.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::link::{Incoming, Link};
use super::pattern::{fits, shortened};
use super::proc::{Below, Child, below};
use super::process::Exit;
use super::{Failure, Verdict};
use crate::frame::{decode, encode};
use crate::kind::Message;
use crate::message::{FromWorker, RunRef, ToWorker};
use crate::session::Session;

/// Nothing tells of a new process, or of a byte that was read: it is looked for again and again.
const LOOK_AGAIN: Duration = Duration::from_millis(1);
/// A child process that has not become another program in this part of the longest wait stays what it is.
const FORK_SHARE: u32 = 10;

/// The end of a worker that a case wants to see.
#[derive(Clone, Copy, Debug)]
pub enum Exits {
    /// With this code.
    Code(i32),
    /// By this signal.
    Signal(i32),
    /// With a code that is not 0, or by a signal.
    Badly,
    /// As after an error of the supervisor: with a code other than 0 and 78, and words on stderr.
    Refusing,
    /// In whatever way.
    Anyhow,
}

/// What happened next.
enum Event {
    Message(FromWorker),
    /// No more messages; how the process ended, if it has.
    Ended(Option<Exit>),
    Silence,
}

/// A worker process, and the conversation with it. The process is killed when this is dropped.
pub struct Peer {
    pub(super) link: Link,
    session: Session,
    timeout: Duration,
    /// The number of the last task.
    pub(super) last_task: u64,
    /// On stderr when the last bytes went out: what comes later may be about them.
    stderr_bytes_before: u64,
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

    /// Waits for a message that fits. `beat`, `log` and `booting` are passed over when they are not what is waited for.
    ///
    /// # Errors
    /// Another message, an illegal one, the end, or nothing in time.
    pub fn expect(&mut self, pattern: &Value) -> Verdict<FromWorker> {
        self.expect_among(pattern, |_| ())
    }

    /// As [`expect`](Self::expect), and shows what is passed over.
    ///
    /// # Errors
    /// Those of [`expect`](Self::expect).
    pub fn expect_among(&mut self, pattern: &Value, passed: impl FnMut(&FromWorker)) -> Verdict<FromWorker> {
        self.wait_for(std::slice::from_ref(pattern), is_unasked, passed).map(|(_, message)| message)
    }

    /// Waits for one of these messages; gives the place of the first pattern that fits, and the message.
    ///
    /// # Errors
    /// Those of [`expect`](Self::expect).
    pub fn expect_any(&mut self, patterns: &[Value]) -> Verdict<(usize, FromWorker)> {
        self.wait_for(patterns, is_unasked, |_| ())
    }

    /// Waits for a message that fits, and passes over nothing.
    ///
    /// # Errors
    /// Those of [`expect`](Self::expect).
    pub fn expect_next(&mut self, pattern: &Value) -> Verdict<FromWorker> {
        self.wait_for(std::slice::from_ref(pattern), |_| false, |_| ()).map(|(_, message)| message)
    }

    fn wait_for(
        &mut self,
        patterns: &[Value],
        is_passed: impl Fn(&FromWorker) -> bool,
        mut passed: impl FnMut(&FromWorker),
    ) -> Verdict<(usize, FromWorker)> {
        let deadline = Instant::now() + self.timeout;
        loop {
            let seen = match self.next(deadline)? {
                Event::Message(message) => {
                    let value = json!(message);
                    if let Some(place) = patterns.iter().position(|pattern| fits(pattern, &value)) {
                        return Ok((place, message));
                    }
                    if is_passed(&message) {
                        passed(&message);
                        continue;
                    }
                    shown(&message).to_string()
                }
                Event::Ended(Some(exit)) => format!("the end of the channel, {exit}"),
                Event::Ended(None) => "the end of the channel; the process lives".to_owned(),
                Event::Silence => format!("nothing within {:?}", self.timeout),
            };
            let wanted: Vec<_> = patterns.iter().map(|pattern| shortened(pattern.clone()).to_string()).collect();
            return Err(Failure::new(wanted.join(" or "), seen));
        }
    }

    /// Waits so long and gives what was said meanwhile: for what must *not* be said, where nothing else proves it.
    ///
    /// # Errors
    /// An illegal message.
    pub fn listen(&mut self, time_ms: u64) -> Verdict<Vec<FromWorker>> {
        let deadline = Instant::now() + Duration::from_millis(time_ms);
        let mut heard = Vec::new();
        loop {
            match self.next(deadline)? {
                Event::Message(message) => heard.push(message),
                Event::Ended(_) | Event::Silence => return Ok(heard),
            }
        }
    }

    /// Waits for the end of the process. What it says until then must be legal and nobody's answer.
    ///
    /// # Errors
    /// Another end, none in time, or a message.
    pub fn exits(&mut self, wanted: Exits) -> Verdict {
        let deadline = Instant::now() + self.timeout;
        let expected = match wanted {
            Exits::Code(code) => format!("exit code {code}"),
            Exits::Signal(signal) => format!("death by signal {signal}"),
            Exits::Badly => "an exit code that is not 0".to_owned(),
            Exits::Refusing => "the error on stderr, and an exit code that is not 0 and not 78".to_owned(),
            Exits::Anyhow => "the end of the process".to_owned(),
        };
        loop {
            let seen = match self.next(deadline)? {
                Event::Message(message) if is_unasked(&message) => continue,
                Event::Message(message) => shown(&message).to_string(),
                Event::Silence | Event::Ended(None) => format!("a process that lives after {:?}", self.timeout),
                Event::Ended(Some(exit)) => {
                    self.link.note("exit", json!(exit.to_string()));
                    let said = self.link.tape().borrow().stderr.total_bytes() > self.stderr_bytes_before;
                    let fitting = match wanted {
                        Exits::Code(code) => exit == Exit::Code(code),
                        Exits::Signal(signal) => exit == Exit::Signal(signal),
                        Exits::Badly => exit != Exit::Code(0),
                        Exits::Refusing => said && exit != Exit::Code(0) && exit != Exit::Code(78),
                        Exits::Anyhow => true,
                    };
                    if fitting {
                        return Ok(());
                    }
                    if said { exit.to_string() } else { format!("{exit}, nothing on stderr") }
                }
            };
            return Err(Failure::new(expected, seen));
        }
    }

    /// Waits until stderr has what is asked for.
    ///
    /// # Errors
    /// When it has not in time.
    pub(super) fn log_has(&mut self, expected: &str, has: impl Fn(&super::log::Log) -> bool) -> Verdict {
        let deadline = Instant::now() + self.timeout;
        loop {
            // Asked first: what a process wrote before its end is there by then, and taken before the verdict.
            let had_ended = self.link.exit().is_some();
            self.link.take();
            if has(&self.link.tape().borrow().stderr) {
                return Ok(());
            }
            let left = deadline.saturating_duration_since(Instant::now());
            let may_come = !left.is_zero() && !had_ended;
            Failure::unless(may_come, format!("{expected} on stderr"), "stderr without it")?;
            self.link.turn(left)?;
        }
    }

    fn next(&mut self, deadline: Instant) -> Verdict<Event> {
        loop {
            if let Some(incoming) = self.link.next() {
                return self.receive(incoming).map(Event::Message);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if self.link.has_ended() {
                // Asked before the last read: what was written before the end is taken with it.
                let exit = self.link.exit();
                self.link.take();
                if let Some(incoming) = self.link.next() {
                    return self.receive(incoming).map(Event::Message);
                }
                if exit.is_some() || left.is_zero() {
                    return Ok(Event::Ended(exit));
                }
            }
            if left.is_zero() {
                return Ok(Event::Silence);
            }
            self.link.turn(left)?;
        }
    }

    fn receive(&mut self, incoming: Incoming) -> Verdict<FromWorker> {
        let payload = match incoming {
            Incoming::Frame(payload) => payload,
            Incoming::Broken(failure) => return Err(failure),
        };
        let message: FromWorker = decode(&payload).map_err(|error| {
            self.link.note("from_worker_illegal", json!(error.to_string()));
            Failure::new("a frame that says a message of a worker (SPEC 2.1, 3)", error.to_string())
        })?;
        let seen = shown(&message);
        self.link.note("from_worker", seen.clone());
        self.check(&message).map_err(|(expected, why)| Failure::new(expected, format!("{seen}: {why}")))?;
        Ok(message)
    }

    /// What every message of a worker must keep to.
    fn check(&mut self, message: &FromWorker) -> Result<(), (&'static str, String)> {
        let about = match message {
            FromWorker::Log(log) => log.run,
            FromWorker::Note(note) => Some(RunRef { task: note.task, epoch: note.epoch }),
            FromWorker::Save(save) => Some(RunRef { task: save.task, epoch: save.epoch }),
            _ => None,
        };
        if about.is_some_and(|run| self.session.in_flight().all(|other| other != run)) {
            return Err((
                "what is said about a run before its answer (SPEC 4.4)",
                "this run is not in flight".to_owned(),
            ));
        }
        self.session
            .sees(message)
            .map_err(|violation| ("a message that is legal here (SPEC 4.8)", violation.to_string()))?;
        match message {
            FromWorker::Hello(hello) => hello.validate(),
            FromWorker::Note(note) => note.validate(),
            FromWorker::Save(save) => save.validate(),
            FromWorker::Park(park) => park.validate(),
            _ => Ok(()),
        }
        .map_err(|error| ("values within their limits (SPEC 3, 7)", error.to_string()))
    }
}

/// The frame of a message.
///
/// # Errors
/// When it is too long for one.
pub(super) fn encoded<M: Message>(message: &M) -> Verdict<Vec<u8>> {
    encode(message).map_err(|error| Failure::new("a frame that can be written", error.to_string()))
}

/// What any worker may say at any time.
fn is_unasked(message: &FromWorker) -> bool {
    matches!(message, FromWorker::Beat(_) | FromWorker::Log(_) | FromWorker::Booting(_))
}

pub(super) fn shown(message: &impl serde::Serialize) -> Value {
    shortened(json!(message))
}

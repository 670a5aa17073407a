//! What a case hears of a worker: it waits for messages, for silence, for the end. Every message must be legal where it comes.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::link::Incoming;
use super::pattern::{fits, shortened};
use super::peer::{Peer, shown};
use super::process::Exit;
use super::{Failure, Verdict};
use crate::frame::decode;
use crate::message::{FromWorker, RunRef};

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
impl Peer {
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

/// What any worker may say at any time.
fn is_unasked(message: &FromWorker) -> bool {
    matches!(message, FromWorker::Beat(_) | FromWorker::Log(_) | FromWorker::Booting(_))
}

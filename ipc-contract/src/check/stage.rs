//! Where a case is played: starts the worker as often as the case asks, and keeps the tapes.

use std::cell::RefCell;
use std::ffi::OsString;
use std::io;
use std::rc::Rc;
use std::time::Duration;

use serde_json::json;

use super::link::Link;
use super::process::Process;
use super::tape::Tape;
use super::{Channel, Failure, Peer, Verdict};
use crate::feature::Feature;
use crate::message::{Hello, ToWorker, Welcome};

/// Variables of a worker under test; none of them is inherited from the environment of the checker.
pub const VARIABLES: &[&str] = &["SAMPLE_BOOTING", "SAMPLE_CONCURRENCY"];

/// One case of one worker on one channel.
pub struct Stage<'a> {
    command: &'a [OsString],
    channel: Channel,
    timeout: Duration,
    tapes: RefCell<Vec<Rc<RefCell<Tape>>>>,
    skipped: RefCell<Option<String>>,
}

impl<'a> Stage<'a> {
    /// `timeout`: the longest wait for any one thing.
    pub(super) fn new(command: &'a [OsString], channel: Channel, timeout: Duration) -> Self {
        Self { command, channel, timeout, tapes: RefCell::default(), skipped: RefCell::default() }
    }

    pub fn channel(&self) -> Channel {
        self.channel
    }

    /// Says that the worker, as was seen only now, cannot be tested for this.
    pub fn skip(&self, reason: &str) {
        self.skipped.replace(Some(reason.to_owned()));
    }

    pub(super) fn skipped(&self) -> Option<String> {
        self.skipped.borrow().clone()
    }

    /// Starts the worker.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(&self) -> Verdict<Peer> {
        self.start_with(&[])
    }

    /// Starts the worker with these variables set, or (`None`) not there.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start_with(&self, variables: &[(&str, Option<&str>)]) -> Verdict<Peer> {
        self.try_start(variables).map_err(|error| Failure::new("a program that can be started", error.to_string()))
    }

    pub(super) fn try_start(&self, variables: &[(&str, Option<&str>)]) -> io::Result<Peer> {
        let number = self.tapes.borrow().len() + 1;
        let cookie = format!("check-{number}");
        let mut environment: Vec<(String, Option<String>)> =
            VARIABLES.iter().map(|name| ((*name).to_owned(), None)).collect();
        environment.push(("MUTIRAO_CHANNEL".to_owned(), Some(self.channel.name().to_owned())));
        environment.push(("MUTIRAO_COOKIE".to_owned(), Some(cookie)));
        for (name, value) in variables {
            environment.push(((*name).to_owned(), value.map(str::to_owned)));
        }
        let tape = Rc::new(RefCell::new(Tape::default()));
        let shown: Vec<_> = self.command.iter().map(|word| word.to_string_lossy()).collect();
        tape.borrow_mut().note(Duration::ZERO, "start", json!({ "command": shown, "environment": environment }));
        self.tapes.borrow_mut().push(Rc::clone(&tape));
        let process = Process::start(self.command, self.channel, &environment)?;
        Ok(Peer::new(Link::new(process, tape), self.timeout))
    }

    /// Starts the worker and waits for its `hello`.
    ///
    /// # Errors
    /// When it says something else.
    pub fn greeted(&self) -> Verdict<(Peer, Hello)> {
        let mut peer = self.start()?;
        let hello = peer.hello()?;
        Ok((peer, hello))
    }

    /// Starts the worker, welcomes it with all features and waits for its `ready`.
    ///
    /// # Errors
    /// When it says something else.
    pub fn ready(&self) -> Verdict<Peer> {
        self.ready_with(&[], &welcome())
    }

    /// As [`ready`](Self::ready), with these variables and this welcome.
    ///
    /// # Errors
    /// When the worker says something else.
    pub fn ready_with(&self, variables: &[(&str, Option<&str>)], welcome: &Welcome) -> Verdict<Peer> {
        let mut peer = self.start_with(variables)?;
        peer.hello()?;
        peer.send(&ToWorker::Welcome(welcome.clone()))?;
        peer.expect(&json!({ "ready": {} }))?;
        Ok(peer)
    }

    /// The tapes of all processes of this case, in the order of their starts.
    pub(super) fn into_tapes(self) -> Vec<Tape> {
        let tapes = self.tapes.into_inner();
        tapes.into_iter().filter_map(|tape| Rc::try_unwrap(tape).ok()).map(RefCell::into_inner).collect()
    }
}

/// A welcome with every feature, and the usual beat.
pub fn welcome() -> Welcome {
    let features = Feature::ALL.iter().map(|feature| feature.name().to_owned()).collect();
    Welcome { worker: 1, features, ..Welcome::default() }
}

/// A welcome without features.
pub fn plain_welcome() -> Welcome {
    Welcome { worker: 1, ..Welcome::default() }
}

/// A welcome with every feature, and a beat every so many milliseconds.
pub fn welcome_with_beat(beat_ms: u64) -> Welcome {
    Welcome { beat_ms, ..welcome() }
}

//! Finds out what a worker has, before any case is played: the channel, its `hello`, the variables it heeds.

use std::borrow::Cow;
use std::ffi::OsString;
use std::io;
use std::time::Duration;

use serde_json::json;

use super::hear::Exits;
use super::{Channel, Stage, Verdict};
use crate::message::{FromWorker, Hello};

/// Handlers that every worker under test has.
pub(super) const KINDS: &[&str] =
    &["echo", "noop", "sleep", "stubborn", "fail", "raise", "print", "crash", "context", "blob"];

/// What a worker has, on one channel.
#[derive(Clone, Debug)]
pub struct Profile {
    pub channel: Channel,
    /// `None` when it does not say `hello`.
    pub hello: Option<Hello>,
    /// Those of section 9 that it heeds.
    pub variables: Vec<Cow<'static, str>>,
}

impl Profile {
    /// True for a handler of every worker under test that this one has not.
    pub(super) fn lacks(&self, kind: &str) -> bool {
        let offers = |hello: &Hello| hello.kinds.iter().any(|offered| offered == kind);
        KINDS.contains(&kind) && !self.hello.as_ref().is_some_and(offers)
    }
}

/// Whether a channel can be tested.
pub(super) enum Probed {
    Speaks(Profile),
    /// The worker does not know this channel, and says so.
    Refuses(String),
}

/// Runs of the sample that is asked for its concurrency.
const CONCURRENCY: u32 = 3;

/// Starts the worker twice.
///
/// # Errors
/// When the command cannot be started.
pub(super) fn probe(command: &[OsString], channel: Channel, timeout: Duration) -> io::Result<Probed> {
    let stage = Stage::new(command, channel, timeout);
    let mut peer = stage.try_start(&[])?;
    let said = peer.hello();
    if said.is_err() && peer.exits(Exits::Code(78)).is_ok() {
        drop(peer);
        let stderr = stage.into_tapes().iter().flat_map(|tape| tape.stderr.last_lines(1)).collect::<String>();
        return Ok(Probed::Refuses(stderr));
    }
    if said.is_err() && channel == Channel::Fd3 {
        // The shell that sets up the channel tells so that it could not become the worker.
        for (code, kind) in [(127, io::ErrorKind::NotFound), (126, io::ErrorKind::PermissionDenied)] {
            if peer.exits(Exits::Code(code)).is_ok() {
                return Err(kind.into());
            }
        }
    }
    let hello = said.ok();
    let variables = if hello.is_some() { variables(&stage).unwrap_or_default() } else { Vec::new() };
    Ok(Probed::Speaks(Profile { channel, hello, variables }))
}

fn variables(stage: &Stage<'_>) -> Verdict<Vec<Cow<'static, str>>> {
    let concurrency = CONCURRENCY.to_string();
    let mut peer = stage.start_with(&[("SAMPLE_BOOTING", Some("1")), ("SAMPLE_CONCURRENCY", Some(&concurrency))])?;
    let (place, first) = peer.expect_any(&[json!({ "booting": {} }), json!({ "hello": {} })])?;
    let hello = match first {
        FromWorker::Hello(hello) => hello,
        _ => peer.hello()?,
    };
    let known = [("SAMPLE_BOOTING", place == 0), ("SAMPLE_CONCURRENCY", hello.concurrency == CONCURRENCY)];
    Ok(known.into_iter().filter(|(_, is_known)| *is_known).map(|(name, _)| name.into()).collect())
}

//! The worker that a user writes: handlers put together, then run over the channel. How a run goes is not decided here.

use std::io::Write;
use std::process::ExitCode;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::context::Context;
use crate::desk::Ended;
use crate::error::{ErrorKind, WorkerError};
use crate::exit::{EXIT_CONFIG, EXIT_USAGE};
use crate::failure::Failure;
use crate::handler::{Handler, Handlers, typed};
use crate::runtime::{Identity, run};
use crate::stdio::Channel;

/// A worker process in the making. One per process, made before anything is printed.
pub struct Worker {
    channel: Result<Option<Channel>, WorkerError>,
    handlers: Result<Handlers, WorkerError>,
}

impl Worker {
    /// Under a supervisor this takes stdin and stdout for the contract: from here on reading stdin finds nothing, and what is
    /// printed becomes the log of the task.
    #[expect(
        clippy::new_without_default,
        reason = "it moves descriptors of the process, which a default value must not"
    )]
    pub fn new() -> Self {
        Self { channel: Channel::take(), handlers: Ok(Handlers::default()) }
    }

    /// Adds the handler of a kind. An illegal name or a second handler of one kind stops the worker at its start, loudly.
    pub fn task<A, R, E, F>(self, kind: &str, handler: F) -> Self
    where
        A: DeserializeOwned,
        R: Serialize,
        E: Into<Failure>,
        F: Fn(&Context, A) -> Result<R, E> + Send + Sync + 'static,
    {
        self.add(kind, typed(handler))
    }

    /// Adds a handler of undecoded args. Only the first error is kept.
    pub(crate) fn add(mut self, kind: &str, handler: Handler) -> Self {
        self.handlers = self.handlers.and_then(|mut handlers| {
            handlers.add(kind, handler)?;
            Ok(handlers)
        });
        self
    }

    /// The handlers alone, to play them over a reader and a writer of a test with `runtime::run`.
    ///
    /// Errors: an illegal name, or a kind with two handlers.
    pub fn into_handlers(self) -> Result<Handlers, WorkerError> {
        self.handlers
    }

    /// Runs tasks until the supervisor says stop. The code is for `main` to return.
    pub fn run(self) -> ExitCode {
        let (handlers, channel) = match (self.handlers, self.channel) {
            (Err(error), _) | (_, Err(error)) => return leave(EXIT_CONFIG, &error.to_string()),
            (Ok(handlers), _) if handlers.is_empty() => {
                return leave(EXIT_CONFIG, &WorkerError::from(ErrorKind::NoHandlers).to_string());
            }
            (Ok(handlers), Ok(None)) => return leave(EXIT_USAGE, &by_hand(&handlers)),
            (Ok(handlers), Ok(Some(channel))) => (handlers, channel),
        };
        let ended = run(channel.reader, channel.writer, &handlers, &Identity::new(channel.cookie));
        match &ended {
            Ended::Drained => ExitCode::SUCCESS,
            Ended::Rejected(reason) => {
                leave(ended.exit_code(), &format!("the supervisor refused this worker: {reason}"))
            }
            Ended::Protocol(text) => leave(ended.exit_code(), &format!("the supervisor broke the contract: {text}")),
            Ended::Io(text) => leave(ended.exit_code(), text),
        }
    }
}

fn by_hand(handlers: &Handlers) -> String {
    format!(
        "this is a task worker ({}) and does nothing by itself: a supervisor starts it and sends it tasks\n\
         kinds: {}\n\
         to use it, name it in supervisor.toml and enqueue a task of one of its kinds:\n\n    \
         [pools.example]\n    \
         command = {:?}",
        crate::SDK,
        handlers.kinds().join(", "),
        std::env::args_os().collect::<Vec<_>>(),
    )
}

/// Says why on stderr, which the supervisor keeps. A stderr that is gone must not turn the code into another.
pub(crate) fn leave(code: u8, text: &str) -> ExitCode {
    let _ = writeln!(std::io::stderr(), "{text}");
    ExitCode::from(code)
}

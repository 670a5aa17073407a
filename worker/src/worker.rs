//! The worker that a user writes: handlers put together, then run over the channel. How a run goes is not decided here.

use std::io::{Read, Write};
use std::process::ExitCode;

use ipc_contract::limits::CONCURRENCY;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::context::Context;
use crate::ended::Ended;
use crate::error::{ErrorKind, WorkerError};
use crate::exit::{EXIT_CONFIG, EXIT_USAGE};
use crate::failure::Failure;
use crate::handler::{Handler, Handlers, typed};
use crate::outlet::Start;
use crate::runtime::{Plan, Preparation, play};
use crate::stdio::Channel;

/// A worker process in the making. One per process, made before anything is printed.
pub struct Worker {
    channel: Result<Option<Channel>, WorkerError>,
    handlers: Handlers,
    preparations: Vec<Preparation>,
    concurrency: u32,
    /// The first mistake of whoever put it together.
    mistake: Option<WorkerError>,
}

impl Worker {
    /// Under a supervisor this takes the channel for the contract, which is mostly stdin and stdout: from here on reading stdin
    /// finds nothing, and what is printed becomes the log of the task.
    #[expect(
        clippy::new_without_default,
        reason = "it moves descriptors of the process, which a default value must not"
    )]
    pub fn new() -> Self {
        Self {
            channel: Channel::take(),
            handlers: Handlers::default(),
            preparations: Vec::new(),
            concurrency: 1,
            mistake: None,
        }
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

    /// Adds an async handler of a kind, which gets a context of its own. It runs on a runtime of tokio that the worker brings.
    #[cfg(feature = "tokio")]
    pub fn task_async<A, R, E, F, O>(self, kind: &str, handler: F) -> Self
    where
        A: DeserializeOwned,
        R: Serialize,
        E: Into<Failure>,
        F: Fn(Context, A) -> O + Send + Sync + 'static,
        O: Future<Output = Result<R, E>> + Send + 'static,
    {
        self.add(kind, crate::async_runs::typed(handler))
    }

    /// Adds a handler of any form.
    pub(crate) fn add(mut self, kind: &str, handler: Handler) -> Self {
        if let Err(error) = self.handlers.add(kind, handler) {
            self.mistake.get_or_insert(error);
        }
        self
    }

    /// Runs at once, 1 to 1,024; 1 by default. At more than 1, what is printed belongs to the worker and no longer to one task.
    pub fn concurrency(mut self, runs: u32) -> Self {
        if let Err(error) = CONCURRENCY.check(runs) {
            self.mistake.get_or_insert(ErrorKind::Concurrency(error).into());
        }
        self.concurrency = runs;
        self
    }

    /// Adds what is to be done when the supervisor has accepted this worker, and before its first run: on the main thread, in
    /// the order added. When it fails the worker ends with code 70, and may be started again.
    pub fn start<E: Into<Failure>>(
        mut self,
        prepare: impl FnOnce(&Start<'_>) -> Result<(), E> + Send + 'static,
    ) -> Self {
        self.preparations.push(Box::new(move |start| prepare(start).map_err(Into::into)));
        self
    }

    /// Says "still starting" at once, which gives the worker 10 s more (by default) until it must be ready. For what takes long
    /// before `run`; without a supervisor it does nothing.
    pub fn booting(&self) {
        if let Ok(Some(channel)) = &self.channel {
            channel.booting();
        }
    }

    /// The handlers, unless the worker was put together wrongly.
    pub(crate) fn handlers(&self) -> Result<&Handlers, &WorkerError> {
        self.mistake.as_ref().map_or(Ok(&self.handlers), Err)
    }

    fn plan(self, cookie: String) -> Result<Plan, WorkerError> {
        let Self { handlers, preparations, concurrency, .. } = self;
        match self.mistake {
            Some(mistake) => Err(mistake),
            None if handlers.is_empty() => Err(ErrorKind::NoHandlers.into()),
            None => Ok(Plan { handlers, preparations, concurrency, cookie }),
        }
    }

    /// Plays the whole worker over any reader and writer, such as the two ends of a `UnixStream::pair()`, to its end.
    ///
    /// # Errors
    /// No handlers, an illegal name, a kind with two handlers, a concurrency out of range.
    pub fn play<R, W>(self, reader: R, writer: W, cookie: &str) -> Result<Ended, WorkerError>
    where
        R: Read + Send + 'static,
        W: Write + Send + 'static,
    {
        Ok(play(reader, writer, self.plan(cookie.to_owned())?))
    }

    /// Runs tasks until the supervisor says stop. The code is for `main` to return, at once: a handler may still be running
    /// when the supervisor is gone.
    pub fn run(mut self) -> ExitCode {
        let channel = std::mem::replace(&mut self.channel, Ok(None));
        let (channel, plan) = match (channel, self.plan(String::new())) {
            (Err(error), _) | (_, Err(error)) => return leave(EXIT_CONFIG, &error.to_string()),
            (Ok(None), Ok(plan)) => return leave(EXIT_USAGE, &by_hand(&plan.handlers)),
            (Ok(Some(channel)), Ok(plan)) => (channel, plan),
        };
        let ended = play(channel.reader, channel.writer, Plan { cookie: channel.cookie, ..plan });
        match ended.sentence() {
            Some(sentence) => leave(ended.exit_code(), &sentence),
            None => ExitCode::from(ended.exit_code()),
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

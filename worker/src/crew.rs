//! The threads that execute runs, and what they do with each: start its handler, take its end to the desk.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use ipc_contract::{Feature, Run, RunRef};

use crate::answer::{HANDLER, caught, conclude, unknown_kind, word};
use crate::context::Context;
use crate::desk::Next;
use crate::failure::Failure;
use crate::handler::{Handler, Handlers, Output};
use crate::outlet::RunOutlet;
use crate::post::Post;
use crate::stop::StopSign;

/// As much as a main thread has; the system gives only what is used.
const STACK_BYTES: usize = 8 * 1024 * 1024;

/// Nothing is ever sent: the channel ends with the last of those who could.
type Presence = SyncSender<Infallible>;

/// What every executing thread has.
#[derive(Clone)]
struct Hand {
    post: Arc<Post>,
    handlers: Arc<Handlers>,
    #[cfg(feature = "tokio")]
    runtime: Option<tokio::runtime::Handle>,
    _presence: Presence,
}

/// The executing threads.
pub(crate) struct Crew {
    absence: Receiver<Infallible>,
    #[cfg(feature = "tokio")]
    runtime: Option<tokio::runtime::Runtime>,
}

impl Crew {
    /// As many threads as runs can be executing at once. Async handlers need none of them for longer than it takes to start.
    pub(crate) fn start(post: &Arc<Post>, handlers: Handlers, concurrency: u32) -> io::Result<Self> {
        let (presence, absence) = sync_channel(0);
        let (sync, async_) = handlers.count();
        #[cfg(feature = "tokio")]
        let runtime = (async_ > 0).then(|| crate::async_runs::runtime(concurrency)).transpose()?;
        let hand = Hand {
            post: Arc::clone(post),
            handlers: Arc::new(handlers),
            #[cfg(feature = "tokio")]
            runtime: runtime.as_ref().map(|runtime| runtime.handle().clone()),
            _presence: presence,
        };
        for number in 0..if sync > 0 { concurrency } else { async_.min(1) as u32 } {
            let hand = hand.clone();
            thread::Builder::new()
                .name(format!("mutirao-run-{number}"))
                .stack_size(STACK_BYTES)
                .spawn(move || hand.serve())?;
        }
        Ok(Self {
            absence,
            #[cfg(feature = "tokio")]
            runtime,
        })
    }

    /// Waits until every handler has ended and every thread has left, at most so long.
    pub(crate) fn leave(self, at_most: Option<Duration>) {
        let left = match at_most {
            Some(at_most) => self.absence.recv_timeout(at_most),
            None => self.absence.recv().map_err(|_| RecvTimeoutError::Disconnected),
        };
        debug_assert!(left.is_err(), "nothing can be sent");
        #[cfg(feature = "tokio")]
        if let Some(runtime) = self.runtime {
            runtime.shutdown_background();
        }
    }
}

impl Hand {
    fn serve(self) {
        loop {
            match self.post.next() {
                Next::Say(messages) => messages.into_iter().for_each(|message| {
                    self.post.send(message);
                }),
                Next::Run(run, stop) => self.start(&run, stop),
                Next::Leave => self.post.leave(),
                Next::Over => return,
            }
        }
    }

    fn start(&self, run: &Run, stop: Arc<StopSign>) {
        let outlet = RunOutlet { post: Arc::clone(&self.post), run: RunRef { task: run.task, epoch: run.epoch } };
        let context = Context::new(run, Instant::now(), stop, Box::new(outlet));
        match self.handlers.get(&run.kind) {
            Some(Handler::Sync(handler)) => {
                let outcome = caught(HANDLER, || handler(&context, &run.args)).flatten();
                self.finish(&context, outcome);
            }
            #[cfg(feature = "tokio")]
            Some(Handler::Async(handler)) => {
                let work = handler(context.clone(), &run.args);
                let hand = self.clone();
                let finish = async move { hand.finish(&context, work.await) };
                if let Some(runtime) = &self.runtime {
                    runtime.spawn(finish);
                }
            }
            None => self.finish(&context, Err(unknown_kind(&run.kind, &self.handlers))),
        }
    }

    fn finish(&self, context: &Context, outcome: Result<Output, Failure>) {
        let follow_ups = context.take_follow_ups();
        self.post.change(|desk, _| {
            let conclusion = conclude(outcome, follow_ups, desk.has(Feature::Enqueue));
            desk.finished(context.run(), word(context.run(), conclusion));
        });
    }
}

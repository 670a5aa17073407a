//! What one run, or the worker itself before its first run, tells on its way to the supervisor.

use std::io::{self, Write};
use std::sync::Arc;

use ipc_contract::{Booting, FromWorker, Level, Log, RunRef};

use crate::context::{LOG_MAX_BYTES, Outlet};
use crate::error::WorkerError;
use crate::post::Post;
use crate::promise::Promise;
use crate::running::Stored;
use crate::text::clip;

pub(crate) struct RunOutlet {
    pub(crate) post: Arc<Post>,
    pub(crate) run: RunRef,
}

impl Outlet for RunOutlet {
    fn progress(&self, done: f64, total: Option<f64>, message: Option<&str>) {
        self.post.tell(self.run, |running| running.notes.progress(done, total, message));
    }

    fn note(&self, message: &str) {
        self.post.tell(self.run, |running| running.notes.say(message));
    }

    fn spend(&self, unit: &str, amount: u64) -> Result<Stored, WorkerError> {
        self.post
            .tell(self.run, |running| running.spend(unit, amount))
            .unwrap_or_else(|| Ok(Arc::new(Promise::kept(false))))
    }

    fn log(&self, level: Level, message: &str) {
        log(&self.post, Some(self.run), level, message);
    }

    fn retire(&self) {
        self.post.change(|desk, _| desk.drain());
    }
}

/// What may be said between the welcome and the first run.
pub struct Start<'w>(pub(crate) &'w Post);

impl Start<'_> {
    /// Says "still starting", which gives the worker 10 s more (by default) until it must be ready.
    pub fn booting(&self) {
        self.0.send(FromWorker::Booting(Booting {}));
    }

    /// Writes one line to the log of the worker, cut off at 16 KiB.
    pub fn log(&self, level: Level, text: &str) {
        log(self.0, None, level, clip(text, LOG_MAX_BYTES));
    }
}

/// A line that nobody takes goes to stderr, which is kept all the same.
fn log(post: &Post, run: Option<RunRef>, level: Level, message: &str) {
    if !post.send(FromWorker::Log(Log { run, level, message: message.to_owned() })) {
        let _ = writeln!(io::stderr(), "{message}");
    }
}

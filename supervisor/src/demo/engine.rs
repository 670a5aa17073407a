//! A supervisor on a thread of this process, the same that `supervisor run` is.

use std::sync::mpsc::sync_channel;
use std::thread::{Builder, JoinHandle};

use tokio::sync::{mpsc, oneshot};

use crate::cli::exit::{CliError, Exit};
use crate::config::Config;
use crate::shell::{self, Life, RunError, RunOptions};

pub(super) struct Engine {
    stop: mpsc::Sender<()>,
    thread: JoinHandle<Result<Life, RunError>>,
    ended: oneshot::Receiver<()>,
}

impl Engine {
    /// Returns once the door is open: what a former life left is in order, and nothing new is claimed yet.
    ///
    /// # Errors
    /// Those of the supervisor, such as a database that another one holds.
    pub(super) fn start(config: Config) -> Result<Engine, CliError> {
        let (stop, wishes) = shell::stops();
        let stops = (stop.clone(), wishes);
        let (opened, open) = sync_channel(1);
        let (ending, ended) = oneshot::channel();
        let thread = Builder::new().name("supervisor".into()).spawn(move || {
            // Dropped with the thread, however it ends.
            let _ending: oneshot::Sender<()> = ending;
            shell::run(config, RunOptions::default(), stops, |_| {
                // Somebody waits for it, and takes it at once.
                let _ = opened.send(());
            })
        })?;
        let engine = Engine { stop, thread, ended };
        match open.recv() {
            Ok(()) => Ok(engine),
            // It has ended before, and says why.
            Err(_) => Err(engine.stop().err().unwrap_or_else(stopped)),
        }
    }

    /// Resolves when it has ended by itself, or by a signal.
    pub(super) async fn ended(&mut self) {
        let _ = (&mut self.ended).await;
    }

    /// Stops it gracefully and waits until the database is closed.
    ///
    /// # Errors
    /// Those that it ended with.
    pub(super) fn stop(self) -> Result<(), CliError> {
        // Ended already, or asked before: either way it is on its way out.
        let _ = self.stop.try_send(());
        match self.thread.join() {
            Ok(ended) => ended.map(|_| ()).map_err(CliError::from),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    }
}

/// It was told to stop from outside.
pub(super) fn stopped() -> CliError {
    let hint = "start it again; with --keep DIR and the same --path it goes on where it was";
    CliError::new(Exit::Unexpected, "stopped", "stopped before everything was done", hint)
}

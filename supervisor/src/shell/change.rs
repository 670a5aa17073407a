//! How another configuration comes into force: first the queue takes its policies, step by step, and no turn runs meanwhile; then,
//! between two turns, everything else does. So queue and machine never disagree about pools while anything is claimed.

use std::sync::Arc;

use queue_core::policy::Policies;
use queue_core::reconfigure::Progress;
use queue_core::store::{StoreError, StoreErrorKind};
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::event_loop::{EventLoop, RETRY_AFTER};
use super::launch::Recipe;
use super::unavailable::Unavailable;
use super::writer::Job;
use crate::config::Config;
use crate::core::Event;

/// Everything that is new, made ready where it may take its time.
pub struct Change {
    pub config: Config,
    pub recipes: Vec<Recipe>,
}

pub type Caller = oneshot::Sender<Result<(), Unavailable>>;

/// The one that is under way.
#[derive(Default)]
pub struct Changing {
    wanted: Option<(Change, Arc<Policies>, Caller)>,
    is_out: bool,
}

impl Changing {
    /// One comes after the other: whoever wants one waits for its answer.
    pub fn want(&mut self, change: Change, caller: Caller) {
        let policies = Arc::new(change.config.policies());
        self.wanted = Some((change, policies, caller));
    }

    pub fn is_under_way(&self) -> bool {
        self.wanted.is_some()
    }

    /// Whether the writer is at a step.
    pub fn is_out(&self) -> bool {
        self.is_out
    }
}

impl EventLoop {
    /// The next step for the writer, if there is one to be made now.
    pub(super) fn next_step(&mut self) -> Option<Job> {
        let is_held_back = self.turn_at.is_some_and(|at| at > Instant::now());
        let (_, policies, _) = self.changing.wanted.as_ref().filter(|_| !is_held_back)?;
        self.changing.is_out = true;
        Some(Job::Reconfigure(policies.clone(), self.clock.now()))
    }

    pub(super) fn stepped(&mut self, step: Result<Progress, StoreError>) -> Result<(), StoreError> {
        self.changing.is_out = false;
        match step {
            Ok(progress) => {
                self.in_trouble = false;
                if progress == Progress::Done {
                    self.change();
                }
                Ok(())
            }
            Err(error) if matches!(error.kind, StoreErrorKind::Busy | StoreErrorKind::Full) => {
                self.trouble(&error);
                let waiting = self.pending.take(self.clock.now());
                self.pending.put_back(waiting, &error);
                self.turn_at = Some(Instant::now() + RETRY_AFTER);
                Ok(())
            }
            // As after a turn.
            Err(error) => {
                self.pending.give_up(&Unavailable::Failed(error.to_string()));
                Err(error)
            }
        }
    }

    fn change(&mut self) {
        let Some((Change { config, recipes }, _, caller)) = self.changing.wanted.take() else { return };
        self.recipes = recipes;
        self.handle.shared().set_config(config.clone());
        self.happened(Event::Reload(Box::new(config)));
        // What was held back may start now.
        self.turn_at = Some(Instant::now());
        // Who has hung up does not need it.
        let _ = caller.send(Ok(()));
    }
}

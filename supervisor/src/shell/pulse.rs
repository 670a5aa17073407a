//! Whether the supervisor lives, and whether it is ready: asked of the event loop and of the writer thread, both of which must
//! have answered since. Asked through a channel of its own, which no work can block.

use std::time::Duration;

use queue_core::state::TaskState;
use queue_core::task::PoolId;
use tokio::sync::oneshot;

use super::event_loop::EventLoop;
use super::handle::Handle;

/// Questions at once.
pub const PULSES_MAX: usize = 64;
/// Without an answer for so long, loop or writer hang.
pub const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// How the supervisor is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Condition {
    /// Why not everything that it should do is done now; nothing when it is ready.
    pub reasons: Vec<String>,
    pub is_stopping: bool,
    pub workers: usize,
    pub running: i64,
    pub available: i64,
}

pub type Pulse = oneshot::Sender<Condition>;

/// Those that wait for the next answer of the writer.
#[derive(Default)]
pub struct Pulses {
    waiting: Vec<Pulse>,
    /// The writer was asked for nothing but an answer.
    is_out: bool,
}

impl Pulses {
    pub fn has_room(&self) -> bool {
        self.waiting.len() < PULSES_MAX
    }

    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    pub fn is_out(&self) -> bool {
        self.is_out
    }

    pub fn asked(&mut self) {
        self.is_out = true;
    }

    pub fn push(&mut self, pulse: Pulse) {
        self.waiting.push(pulse);
    }
}

impl Handle {
    /// `None` when it hangs, or has ended.
    pub async fn condition(&self) -> Option<Condition> {
        let (pulse, answer) = oneshot::channel();
        let asked = async {
            self.shared().pulses.send(pulse).await.ok()?;
            answer.await.ok()
        };
        tokio::time::timeout(ANSWER_WITHIN, asked).await.ok().flatten()
    }
}

impl EventLoop {
    /// The writer has answered, whatever it was.
    pub(super) fn beat(&mut self) {
        if self.pulses.is_empty() {
            return;
        }
        let condition = self.condition();
        for pulse in std::mem::take(&mut self.pulses).waiting {
            // Who has hung up does not need it.
            let _ = pulse.send(condition.clone());
        }
    }

    fn condition(&self) -> Condition {
        let mut reasons = Vec::new();
        if self.stopping {
            reasons.push("the supervisor is stopping".to_owned());
        }
        if self.in_trouble {
            reasons.push("the database cannot be written now".to_owned());
        }
        let config = self.handle.config();
        let broken = |(index, pool): (usize, &crate::config::Pool)| {
            let why = self.machine.broken_by(PoolId(index))?;
            Some(format!("pool {} is broken: its worker {why}", pool.name))
        };
        reasons.extend(config.pools.iter().enumerate().filter_map(broken));
        Condition {
            reasons,
            is_stopping: self.stopping,
            workers: self.machine.slots().len(),
            running: self.left.counts.get(TaskState::Running),
            available: self.left.counts.get(TaskState::Available),
        }
    }
}

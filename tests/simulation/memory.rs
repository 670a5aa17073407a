//! What the processes of a world have in memory: at rest, what runs leave behind, what a run takes beside; who samples it, and
//! who ends those that have more than they may.

use queue_core::task::WorkerId;
use supervisor::core::{Event, Exit, MemoryCap, Sample};

use crate::pools::Habits;
use crate::rng::Rng;
use crate::world::{Happening, World};

#[derive(Clone, Copy, Debug)]
pub(crate) struct Memory {
    limit_bytes: Option<u64>,
    at_rest_bytes: u64,
    leaked_bytes: u64,
    /// What its run takes.
    run_bytes: u64,
    /// The system killed it for it.
    pub(crate) oom: bool,
}

impl Memory {
    pub(crate) fn new(habits: Habits, limit_bytes: Option<u64>) -> Memory {
        let at_rest_bytes = habits.at_rest_bytes;
        Memory { limit_bytes, at_rest_bytes, leaked_bytes: 0, run_bytes: 0, oom: false }
    }

    pub(crate) fn run_begins(&mut self, habits: Habits, rng: &mut Rng) {
        self.leaked_bytes += habits.leak_bytes;
        if rng.percent(habits.hogs_percent) {
            self.run_bytes = self.limit_bytes.unwrap_or(0);
        }
    }

    pub(crate) fn run_ends(&mut self) {
        self.run_bytes = 0;
    }

    fn rss_bytes(self) -> u64 {
        self.at_rest_bytes + self.leaked_bytes + self.run_bytes
    }

    fn is_too_much(self) -> bool {
        self.limit_bytes.is_some_and(|limit| self.rss_bytes() > limit)
    }
}

impl World {
    /// A run takes what it needs: where the system keeps the limit, it may be the end of the worker.
    pub(crate) fn swells(&mut self, worker: WorkerId) {
        let Some(process) = self.processes.get_mut(&worker).filter(|process| process.dead.is_none()) else { return };
        if self.pools.host.memory_cap == MemoryCap::Hard && process.memory.is_too_much() {
            process.memory.oom = true;
            self.truth.fat(worker);
            self.dies(worker, Exit::Signal(9));
        }
    }

    pub(crate) fn samples(&mut self) {
        let Some(every_us) = self.pools.sampled_every_us else { return };
        self.after(every_us, Happening::Samples);
        let living = self.processes.iter().filter(|(_, process)| process.dead.is_none());
        let mut samples = Vec::new();
        for (worker, process) in living {
            if process.memory.is_too_much() {
                self.truth.fat(*worker);
            }
            samples.push(Sample { worker: *worker, rss_bytes: process.memory.rss_bytes() });
        }
        if !samples.is_empty() && self.life.is_some() {
            self.tell_machine(Event::Sampled(samples));
        }
    }
}

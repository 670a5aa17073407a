//! The death of a worker: what it ran is handed in, what it used is noted, and whether it is replaced is for the pool's health.

use ipc_contract::message::StopReason;
use ipc_contract::session::State;
use queue_core::op::Op;
use queue_core::task::{Ending, Outcome};

use super::command::{Command, Report};
use super::ending::{how, last_words, never_read, of_death, stamped};
use super::event::{Exit, WorkerExit};
use super::health::{Death, PoolState};
use super::machine::{Machine, Shutdown};
use super::slot::{Phase, Run, Slot};

impl Machine {
    /// A worker and all that it left is dead: what it ran is handed in, in this same turn, and it is replaced.
    pub(super) fn gone(&mut self, gone: &WorkerExit, now: i64) {
        let Some(mut slot) = self.slots.remove(&gone.worker) else { return };
        self.timers.clear_worker(gone.worker);
        let with_run = slot.run().is_some();
        match std::mem::replace(&mut slot.phase, Phase::Leaving) {
            Phase::Working(run) => {
                let unread = || (slot.session.state() == State::Closed).then(never_read);
                let ending = of_death(gone, run.verdict.clone().or_else(unread));
                self.ended_by_death(gone, &slot, run, ending, now);
            }
            Phase::Cleaning(run, ending) => {
                let ending = Ending { output: gone.output.clone(), ..ending };
                self.ended_by_death(gone, &slot, run, ending, now);
            }
            Phase::Ready => self.demand(slot.pool, -1),
            Phase::Starting | Phase::Quiet | Phase::Leaving => {}
        }
        if slot.pid.is_some() {
            self.out.push(Command::Submit(Op::WorkerGone(gone.worker)));
        }
        let how = match &slot.spawn_error {
            Some(error) => format!("could not be started: {error}"),
            // Nobody else tells why: there is no task whose log would have it.
            None if !slot.greeted => how(&gone.exit) + &last_words(&gone.output),
            None => how(&gone.exit),
        };
        let (worker, pool, pid) = (gone.worker, slot.pool, slot.pid);
        let told = if slot.why.is_empty() { how.clone() } else { format!("{how}; it {}", slot.why) };
        self.out.push(Command::Report(Report::WorkerGone { worker, pool, pid, how: told }));
        let code = if let Exit::Code(code) = gone.exit { Some(code) } else { None };
        let death = Death { before_hello: !slot.greeted, with_run, lived_us: now - slot.started_at, code };
        self.replace(&slot, gone.oom, death, &how, now);
        self.fill_short(now);
        if self.shutdown != Shutdown::No && self.slots.is_empty() {
            self.out.push(Command::Finished);
        }
    }

    fn ended_by_death(&mut self, gone: &WorkerExit, slot: &Slot, run: Run, ending: Ending, now: i64) {
        let run_us = now - run.started_at;
        if ending.outcome != Outcome::Recalled {
            self.pools[slot.pool.0].load.ran(&run.kind, run_us, peak(&run, gone));
        }
        self.hand_in(gone.worker, run, stamped(ending, gone.worker, slot.pid, run_us), None);
    }

    fn replace(&mut self, slot: &Slot, oom: bool, death: Death, how: &str, now: i64) {
        if self.shutdown != Shutdown::No {
            return;
        }
        // A death that we brought about, or that its task did by what it had in memory, says nothing about its program.
        let is_ours = slot.leaving.is_some_and(|reason| reason != StopReason::Unknown);
        if (is_ours || oom) && !slot.broken {
            return self.fill(slot.pool, now);
        }
        let pool = &mut self.pools[slot.pool.0];
        let opened = pool.health.died(death, pool.spec.workers.max, now, self.random);
        if pool.health.state().is_broken() {
            pool.broken_by = how.to_owned();
        }
        if opened {
            let then = match pool.health.state() {
                PoolState::Stopped => {
                    format!(
                        "it asked not to be started again: mend it, then `supervisor pool recycle {}`",
                        pool.spec.name
                    )
                }
                _ => "it is tried again once a minute".to_owned(),
            };
            let text = format!("pool {} is broken: its worker {how}; {then}", pool.spec.name);
            pool.note(format!("is broken: its worker {how}; {then}"), now);
            self.alert("pool_broken", text);
        }
        self.fill(slot.pool, now);
    }
}

/// The most that a worker was seen to have in memory during a run.
fn peak(run: &Run, gone: &WorkerExit) -> u64 {
    let at_the_end = gone.peak_rss_bytes.and_then(|bytes| u64::try_from(bytes).ok()).unwrap_or(0);
    run.peak_rss_bytes.max(at_the_end)
}

//! What a worker says, and what follows. Every frame is shown to the session first: what is not legal there is a breach.

use ipc_contract::feature::{Feature, Features};
use ipc_contract::message::{Done, Fail, FromWorker, Hello, PROTOCOL, Reject, ToWorker, Welcome};
use queue_core::op::Op;
use queue_core::task::{Ending, Outcome, PoolId, WorkerId};

use super::command::{Command, Report};
use super::ending::{of_done, of_fail, stamped};
use super::machine::{Machine, UNRESPONSIVE_US};
use super::slot::{Phase, Run};
use super::stop::Ladder;
use super::timers::Timer;
use crate::config::route;

/// From `reject` to SIGKILL: time to print the reason and leave.
const REJECT_GRACE_US: i64 = 5_000_000;
/// From `bye` to SIGKILL: a process that has said good-bye has nothing more to do.
const BYE_GRACE_US: i64 = 5_000_000;
/// The optional abilities that this supervisor has.
const FEATURES: [Feature; 3] = [Feature::Beat, Feature::Note, Feature::Enqueue];

impl Machine {
    pub(super) fn frame(&mut self, worker: WorkerId, message: FromWorker, now: i64) {
        let Some(slot) = self.slots.get_mut(&worker).filter(|slot| !slot.broken) else { return };
        if let Err(violation) = slot.session.sees(&message) {
            return self.broken(worker, &violation.to_string(), now);
        }
        match message {
            FromWorker::Hello(hello) => self.hello(worker, &hello, now),
            FromWorker::Booting(_) => {
                if slot.leaving.is_none() {
                    self.timers.set(Timer::Boot(worker), now + self.pools[slot.pool.0].spec.boot_timeout_us);
                }
            }
            FromWorker::Ready(_) => self.ready(worker, now),
            FromWorker::Beat(_) => self.beat(worker, now),
            FromWorker::Log(log) => self.log(worker, log, now),
            FromWorker::Note(note) => self.note(worker, note, now),
            FromWorker::Done(done) => self.done(worker, done, now),
            FromWorker::Fail(fail) => self.fail(worker, fail, now),
            FromWorker::Back(_) => self.back(worker, now),
            FromWorker::Save(_) | FromWorker::Park(_) => {
                unreachable!("the session refuses what needs a feature that this supervisor does not name")
            }
            FromWorker::Bye(bye) => {
                slot.spawn_error = bye.spawn_error;
                self.leaves(worker, now);
            }
        }
    }

    fn hello(&mut self, worker: WorkerId, hello: &Hello, now: i64) {
        let Some(slot) = self.slots.get_mut(&worker) else { return };
        let pool = &mut self.pools[slot.pool.0];
        slot.greeted = true;
        pool.health.greeted();
        let missing: Vec<&str> = pool.lacks(&hello.kinds).collect();
        let invalid = hello.validate().err();
        let reason = if hello.cookie != slot.cookie {
            Some("its cookie is not the one in its environment (MUTIRAO_COOKIE): let the SDK send it".to_owned())
        } else if !(hello.protocol_min..=hello.protocol_max).contains(&PROTOCOL) {
            let (min, max) = (hello.protocol_min, hello.protocol_max);
            Some(format!("it speaks protocol {min} to {max} and this supervisor {PROTOCOL}: use a matching SDK"))
        } else if let Some(error) = invalid {
            Some(error.to_string())
        } else if !missing.is_empty() {
            let (kinds, pool) = (missing.join(", "), &pool.spec.name);
            Some(format!(
                "it has no handler for {kinds}, which the configuration routes to pool {pool}: add one, or route it elsewhere"
            ))
        } else {
            None
        };
        let id = slot.pool;
        if let Some(reason) = reason {
            let text = format!("a worker of pool {} was rejected: {reason}", pool.spec.name);
            self.send(worker, ToWorker::Reject(Reject { reason }));
            self.alert("worker_rejected", text);
            return self.set_ladder(worker, Ladder::new(now, REJECT_GRACE_US));
        }
        slot.beats = Features::named(&hello.features).has(Feature::Beat);
        if self.offers.said(&pool.spec.name, &hello.kinds) {
            let (pool, kinds) = (pool.spec.name.clone(), hello.kinds.clone());
            self.out.push(Command::Submit(Op::Offer { pool, kinds }));
        }
        if let Some(pid) = slot.pid {
            let sdk = hello.sdk.clone();
            self.out.push(Command::Report(Report::WorkerReady { worker, pool: id, pid, sdk }));
        }
        let features = FEATURES.map(|feature| feature.name().to_owned()).to_vec();
        let number = worker.0.unsigned_abs();
        self.send(worker, ToWorker::Welcome(Welcome { worker: number, features, ..Welcome::default() }));
        self.fill(id, now);
    }

    fn ready(&mut self, worker: WorkerId, now: i64) {
        let Some(slot) = self.slots.get_mut(&worker) else { return };
        self.timers.clear(Timer::Boot(worker));
        if slot.beats {
            self.timers.set(Timer::Beat(worker), now + UNRESPONSIVE_US);
        }
        slot.idle_since = now;
        let (pool, boot_us) = (slot.pool, now - slot.started_at);
        self.pools[pool.0].load.boot_s.add(boot_us as f64 / 1e6);
        if slot.leaving.is_some() {
            return self.send_off(worker, now);
        }
        if self.pools[pool.0].is_quiet {
            slot.phase = Phase::Quiet;
        } else {
            slot.phase = Phase::Ready;
            self.demand(pool, 1);
        }
        self.look_after(worker, now);
        self.fill(pool, now);
    }

    fn beat(&mut self, worker: WorkerId, now: i64) {
        let Some(slot) = self.slots.get_mut(&worker).filter(|slot| slot.beats) else { return };
        slot.unresponsive = false;
        self.timers.set(Timer::Beat(worker), now + UNRESPONSIVE_US);
    }

    pub(super) fn unresponsive(&mut self, worker: WorkerId) {
        let Some(slot) = self.slots.get_mut(&worker) else { return };
        slot.unresponsive = true;
        let doing = slot.run().map_or(String::new(), |run| format!(", running task {}", run.key.task));
        let text = format!("worker {worker}{doing} has not given a sign of life for 30 s; it is not killed for that");
        self.alert("unresponsive", text);
    }

    fn done(&mut self, worker: WorkerId, done: Done, now: i64) {
        let Some((run, pid)) = self.take_run(worker, now) else { return };
        let ending = of_done(done, |spec| route(&self.config, &self.offers, spec));
        let ending = stamped(ending, worker, pid, now - run.started_at);
        if ending.outcome != Outcome::Ok {
            return self.clean(worker, run, ending);
        }
        let refill = self.next_turn(worker, true, now);
        self.hand_in(worker, run, ending, refill);
        self.after_run(worker, now);
    }

    fn fail(&mut self, worker: WorkerId, fail: Fail, now: i64) {
        let Some((run, pid)) = self.take_run(worker, now) else { return };
        let ending = stamped(of_fail(fail, run.verdict.clone()), worker, pid, now - run.started_at);
        self.clean(worker, run, ending);
    }

    /// The run that the worker has answered, and the worker's process.
    fn take_run(&mut self, worker: WorkerId, now: i64) -> Option<(Run, Option<i32>)> {
        let slot = self.slots.get_mut(&worker)?;
        let Phase::Working(run) = std::mem::replace(&mut slot.phase, Phase::Leaving) else { return None };
        self.pools[slot.pool.0].load.ran(&run.kind, now - run.started_at, run.peak_rss_bytes);
        Some((run, slot.pid))
    }

    /// The end is committed only when what the run left below the worker is dead, so that a retry never overlaps it.
    fn clean(&mut self, worker: WorkerId, run: Run, ending: Ending) {
        let Some(slot) = self.slots.get_mut(&worker) else { return };
        slot.phase = Phase::Cleaning(run, ending);
        self.timers.clear_run(worker);
        self.end_run_ladder(worker);
        self.out.push(Command::Clean(worker));
    }

    pub(super) fn cleaned(&mut self, worker: WorkerId, output: Vec<u8>, now: i64) {
        let Some(slot) = self.slots.get_mut(&worker) else { return };
        if !matches!(slot.phase, Phase::Cleaning(..)) {
            return;
        }
        let Phase::Cleaning(run, ending) = std::mem::replace(&mut slot.phase, Phase::Leaving) else { return };
        let refill = self.next_turn(worker, true, now);
        self.hand_in(worker, run, Ending { output, ..ending }, refill);
        self.after_run(worker, now);
    }

    /// It was told to leave and had not begun.
    fn back(&mut self, worker: WorkerId, now: i64) {
        let Some(slot) = self.slots.get_mut(&worker) else { return };
        let Phase::Working(run) = std::mem::replace(&mut slot.phase, Phase::Leaving) else { return };
        let pid = slot.pid;
        if run.verdict.is_none() && self.slots.get(&worker).is_some_and(|slot| slot.leaving.is_none()) {
            // Nobody asked for it, so the worker is stopping by itself: it could give back for ever what it gets.
            self.leaves(worker, now);
        }
        let detail = "given back by its worker before it began";
        let ending = match run.verdict.clone() {
            Some(verdict) => Ending::bare(verdict.outcome, verdict.detail),
            None => Ending::bare(Outcome::Recalled, detail),
        };
        let refill = self.next_turn(worker, false, now);
        let ending = stamped(ending, worker, pid, now - run.started_at);
        self.hand_in(worker, run, ending, refill);
        self.after_run(worker, now);
    }

    /// A run is over: the worker is free for the next, unless it is to leave. Says which pool may claim for it.
    fn next_turn(&mut self, worker: WorkerId, answered: bool, now: i64) -> Option<PoolId> {
        self.timers.clear_run(worker);
        self.end_run_ladder(worker);
        let slot = self.slots.get_mut(&worker)?;
        slot.idle_since = now;
        let pool = slot.pool;
        if answered {
            slot.tasks += 1;
            self.pools[pool.0].health.answered();
        }
        let stays = slot.leaving.is_none() && !slot.broken && !self.is_to_leave(worker, now);
        let slot = self.slots.get_mut(&worker).filter(|_| stays)?;
        if self.pools[pool.0].is_quiet {
            slot.phase = Phase::Quiet;
            return None;
        }
        slot.phase = Phase::Ready;
        Some(pool)
    }

    /// Its end is handed in: who is to leave goes, and who is to be replaced is.
    fn after_run(&mut self, worker: WorkerId, now: i64) {
        let Some(slot) = self.slots.get(&worker).filter(|slot| !slot.broken) else { return };
        let (pool, is_replaced) = (slot.pool, slot.leaving.is_some() || slot.outdated.is_some());
        if slot.leaving.is_some() {
            self.send_off(worker, now);
        }
        if is_replaced {
            self.fill(pool, now);
        }
    }

    /// It says good-bye: no more work for it. What it still has is handed in when its process is gone.
    fn leaves(&mut self, worker: WorkerId, now: i64) {
        let Some(slot) = self.slots.get_mut(&worker) else { return };
        slot.leaving.get_or_insert(ipc_contract::message::StopReason::Unknown);
        // A run that it has not read by now cannot take too long.
        self.timers.clear(Timer::Run(worker));
        match slot.phase {
            Phase::Ready => {
                slot.phase = Phase::Leaving;
                let pool = slot.pool;
                self.demand(pool, -1);
            }
            Phase::Quiet => slot.phase = Phase::Leaving,
            Phase::Starting | Phase::Working(_) | Phase::Cleaning(..) | Phase::Leaving => {}
        }
        self.set_ladder(worker, Ladder::new(now, BYE_GRACE_US));
    }
}

//! The process machine: `handle(event, now, random) -> commands`. Synchronous and closed; see `frames` for what workers
//! say and `stopping` for how they are made to leave.

use std::collections::BTreeMap;

use ipc_contract::message::{Run as RunMessage, StopReason, ToWorker};
use ipc_contract::payload::Payload;
use ipc_contract::session::State;
use queue_core::op::{Claimed, Demand, Notice, Op, WorkerRow};
use queue_core::task::{Ending, Note, Outcome, PoolId, WorkerId};

use super::command::{Command, Report};
use super::ending::{how, last_words, never_read, of_death, stamped};
use super::event::{Event, Exit, WorkerExit};
use super::health::{Circuit, Death};
use super::host::HostFacts;
use super::pool::{Pool, PoolSpec};
use super::slot::{Phase, Run, Slot};
use super::timers::{Timer, Timers};
use crate::config::{BOOT_TIMEOUT_US, Config, Offers};

/// Without a beat for so long, a worker that promised beats is called unresponsive. It is not killed for it.
pub const UNRESPONSIVE_US: i64 = 30_000_000;
/// How often the log of a run is kept.
pub const LOG_EVERY_US: i64 = 5_000_000;
/// From "stop this run" to SIGKILL.
pub const CANCEL_GRACE_US: i64 = 10_000_000;
/// From SIGTERM of the supervisor to SIGKILL of its workers, unless it is told otherwise.
pub const SHUTDOWN_GRACE_US: i64 = 20_000_000;

#[derive(Clone, Debug)]
pub struct Machine {
    /// By which follow-ups are routed, with what the pools offer.
    pub(super) config: Config,
    pub(super) offers: Offers,
    pub(super) pools: Vec<Pool>,
    pub(super) slots: BTreeMap<WorkerId, Slot>,
    pub(super) timers: Timers,
    #[expect(dead_code, reason = "admission comes next")]
    pub(super) host: HostFacts,
    pub(super) shutdown: Shutdown,
    pub(super) shutdown_grace_us: i64,
    next_worker: i64,
    /// Of the database, to make a task's effect key unique beyond it.
    uid: String,
    pub(super) out: Vec<Command>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Shutdown {
    No,
    Graceful,
    AtOnce,
}

impl Machine {
    /// `offers` is what the workers of former lives could run, `next_worker` the first number that no worker of this database
    /// has had.
    pub fn new(config: Config, offers: Offers, next_worker: i64, uid: String, shutdown_grace_us: i64) -> Machine {
        Machine {
            pools: PoolSpec::all(&config).into_iter().map(Pool::new).collect(),
            config,
            offers,
            slots: BTreeMap::new(),
            timers: Timers::default(),
            host: HostFacts::default(),
            shutdown: Shutdown::No,
            shutdown_grace_us,
            next_worker,
            uid,
            out: Vec::new(),
        }
    }

    /// The same, on a host of which something is known.
    pub fn on(self, host: HostFacts) -> Machine {
        Machine { host, ..self }
    }

    /// Decides what follows from `event`. `now` is monotonic microseconds, `random` any uniformly drawn word.
    #[must_use]
    pub fn handle(&mut self, event: Event, now: i64, random: u64) -> Vec<Command> {
        match event {
            Event::Start => self.fill_all(now),
            Event::Spawned(row) => self.spawned(row, now),
            Event::Frame(worker, message) => self.frame(worker, message, now),
            Event::Broken(worker, why) => self.broken(worker, &why, now),
            Event::Cleaned(worker, output) => self.cleaned(worker, output),
            Event::Gone(exit) => self.gone(&exit, now, random),
            Event::Notice(Notice::Claimed(claimed)) => self.claimed(claimed, now),
            Event::Notice(Notice::StopWanted(run)) => self.cancel(run, now),
            Event::Notice(Notice::Overspent { run, unit }) => self.overspent(run, &unit, now),
            Event::Notice(Notice::Noted { run, seq }) => self.noted(run, seq),
            Event::Notice(Notice::Finished { .. } | Notice::Returned { .. } | Notice::Logged(_)) => {}
            Event::Sampled(_) | Event::Reload(_) => {}
            Event::Follow(task) => self.follow(task, now),
            Event::Shutdown => self.shut_down(now),
            Event::Tick => {}
        }
        while let Some(timer) = self.timers.pop_due(now) {
            self.expired(timer, now);
        }
        std::mem::take(&mut self.out)
    }

    /// When [`Event::Tick`] is wanted at the latest.
    pub fn next_deadline(&self) -> Option<i64> {
        self.timers.next()
    }

    pub fn slots(&self) -> &BTreeMap<WorkerId, Slot> {
        &self.slots
    }

    fn expired(&mut self, timer: Timer, now: i64) {
        match timer {
            Timer::Boot(worker) => self.broken(worker, "it said neither `ready` nor `booting` in time (10 s)", now),
            Timer::Run(worker) => self.timed_out(worker, now),
            Timer::Ladder(worker) => self.climb(worker, now),
            Timer::Beat(worker) => self.unresponsive(worker),
            Timer::Log(worker) => self.keep_log(worker, now),
            Timer::Note(worker) => self.keep_progress(worker, now),
            Timer::Refill(pool) => self.fill(pool, now),
        }
    }

    pub(super) fn fill_all(&mut self, now: i64) {
        for pool in 0..self.pools.len() {
            self.fill(PoolId(pool), now);
        }
    }

    /// Starts the workers that a pool lacks, or waits for the moment from which it may.
    pub(super) fn fill(&mut self, id: PoolId, now: i64) {
        let pool = &self.pools[id.0];
        if self.shutdown != Shutdown::No {
            return;
        }
        let there = self.slots.values().filter(|slot| slot.pool == id);
        let (there, greeted) =
            there.fold((0, 0), |(all, greeted), slot| (all + 1, greeted + usize::from(slot.greeted)));
        let wanted = pool.wanted(greeted);
        if there >= wanted {
            return;
        }
        if pool.start_at > now {
            self.timers.set(Timer::Refill(id), pool.start_at);
            return;
        }
        for _ in there..wanted {
            let worker = WorkerId(self.next_worker);
            self.next_worker += 1;
            self.slots.insert(worker, Slot::new(id, now));
            self.timers.set(Timer::Boot(worker), now + BOOT_TIMEOUT_US);
            self.out.push(Command::Spawn { worker, pool: id });
        }
    }

    fn spawned(&mut self, row: WorkerRow, now: i64) {
        let Some(slot) = self.slots.get_mut(&row.id) else { return };
        slot.pid = Some(row.pid);
        slot.cookie = row.tag.clone();
        let (worker, unwanted) = (row.id, slot.leaving.is_some() || slot.broken);
        // In the queue's line before any claim that this worker could get.
        self.out.push(Command::Submit(Op::WorkerUp(row)));
        if unwanted {
            self.kill(worker, now);
        }
    }

    /// A task was claimed for a pool: a worker that has a credit out gets it.
    fn claimed(&mut self, claimed: Claimed, now: i64) {
        let free = |(_, slot): &(&WorkerId, &mut Slot)| slot.pool == claimed.pool && slot.phase == Phase::Ready;
        let Some((&worker, slot)) = self.slots.iter_mut().find(free) else {
            let ending = Ending::bare(Outcome::Recalled, "its worker ended before the run began");
            return self.out.push(Command::Submit(Op::Finish { run: claimed.run, ending, refill: Some(claimed.pool) }));
        };
        let run = Run::new(claimed.run, now, claimed.timeout_ms);
        slot.phase = Phase::Working(run);
        if let Some(ms) = claimed.timeout_ms {
            self.timers.set(Timer::Run(worker), now.saturating_add(ms.saturating_mul(1000)));
        }
        let message = ToWorker::Run(RunMessage {
            task: claimed.run.task.0.unsigned_abs(),
            epoch: claimed.run.epoch.unsigned_abs(),
            kind: claimed.kind,
            args: Payload(claimed.args),
            attempt: claimed.attempt,
            effect_key: format!("{}-{}", self.uid, claimed.run.task),
            time_left_ms: claimed.timeout_ms.map(i64::unsigned_abs),
            ..RunMessage::default()
        });
        self.out.push(Command::BeginOutput(worker));
        self.timers.set(Timer::Log(worker), now + LOG_EVERY_US);
        self.send(worker, message);
    }

    /// Sends what the session allows; anything else is a defect of this machine.
    pub(super) fn send(&mut self, worker: WorkerId, message: ToWorker) {
        let Some(slot) = self.slots.get_mut(&worker) else { return };
        if let Err(violation) = slot.session.sees(&message) {
            panic!("the supervisor broke its own contract: {violation}");
        }
        self.out.push(Command::Send(worker, message));
    }

    /// A worker and all that it left is dead: what it ran is handed in, in this same turn, and it is replaced.
    fn gone(&mut self, gone: &WorkerExit, now: i64, random: u64) {
        let Some(mut slot) = self.slots.remove(&gone.worker) else { return };
        self.timers.clear_worker(gone.worker);
        let with_run = slot.run().is_some();
        match std::mem::replace(&mut slot.phase, Phase::Leaving) {
            Phase::Working(run) => {
                let run_us = now - run.started_at;
                let unread = || (slot.session.state() == State::Closed).then(never_read);
                let ending = of_death(gone, run.verdict.clone().or_else(unread));
                self.hand_in(gone.worker, run, stamped(ending, gone.worker, slot.pid, run_us), None);
            }
            Phase::Cleaning(run, ending) => {
                let ending = Ending { output: gone.output.clone(), ..ending };
                let run_us = now - run.started_at;
                self.hand_in(gone.worker, run, stamped(ending, gone.worker, slot.pid, run_us), None);
            }
            Phase::Ready => self.demand(slot.pool, -1),
            Phase::Starting | Phase::Leaving => {}
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
        self.out.push(Command::Report(Report::WorkerGone { worker, pool, pid, how: how.clone() }));
        let code = if let Exit::Code(code) = gone.exit { Some(code) } else { None };
        let death = Death { before_hello: !slot.greeted, with_run, lived_us: now - slot.started_at, code };
        self.replace(&slot, death, &how, now, random);
        if self.shutdown != Shutdown::No && self.slots.is_empty() {
            self.out.push(Command::Finished);
        }
    }

    fn replace(&mut self, slot: &Slot, death: Death, how: &str, now: i64, random: u64) {
        if self.shutdown != Shutdown::No {
            return;
        }
        // A death that we brought about, for what it ran, says nothing about its program.
        if slot.leaving == Some(StopReason::Recycling) && !slot.broken {
            return self.fill(slot.pool, now);
        }
        let pool = &mut self.pools[slot.pool.0];
        let verdict = pool.health.died(death, pool.spec.workers, now, random);
        pool.start_at = verdict.restart_at.unwrap_or(i64::MAX);
        if pool.health.circuit() != Circuit::Closed {
            pool.broken_by = how.to_owned();
        }
        if verdict.opened {
            let then = match pool.health.circuit() {
                Circuit::Stopped => "it asked not to be started again: mend it, then start the supervisor anew",
                _ => "it is tried again once a minute",
            };
            let text = format!("pool {} is broken: its worker {how}; {then}", pool.spec.name);
            self.alert("pool_broken", text);
        }
        self.fill(slot.pool, now);
    }

    /// A run is over: what it said and printed goes before its end.
    pub(super) fn hand_in(&mut self, worker: WorkerId, run: Run, ending: Ending, refill: Option<PoolId>) {
        let Run { key, progress, .. } = run;
        if progress.is_some() {
            self.out.push(Command::Submit(Op::Note { run: key, note: Note { progress, ..Note::default() } }));
        }
        self.out.push(Command::KeepLog { worker, run: key, is_last: true });
        self.out.push(Command::Submit(Op::Finish { run: key, ending, refill }));
    }

    pub(super) fn demand(&mut self, pool: PoolId, credits: i64) {
        self.out.push(Command::Demand(Demand { pool, credits }));
    }

    pub(super) fn alert(&mut self, name: &'static str, text: String) {
        self.out.push(Command::Report(Report::Alert { name, text }));
    }
}

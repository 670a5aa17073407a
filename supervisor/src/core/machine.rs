//! The process machine: `handle(event, now, random) -> commands`. Synchronous and closed; see `frames` for what workers
//! say and `stopping` for how they are made to leave.

use std::collections::BTreeMap;

use ipc_contract::message::{Run as RunMessage, ToWorker};
use ipc_contract::payload::Payload;
use queue_core::op::{Claimed, Demand, Notice, Op, WorkerRow};
use queue_core::task::{Ending, Note, Outcome, PoolId, WorkerId};

use super::command::{Command, Report};
use super::event::Event;
use super::host::HostFacts;
use super::pool::{Pool, PoolSpec};
use super::slot::{Phase, Run, Slot};
use super::timers::{Timer, Timers};
use crate::config::{Config, Offers};

/// Without a beat for so long, a worker that promised beats is called unresponsive. It is not killed for it.
pub const UNRESPONSIVE_US: i64 = 30_000_000;
/// A run without a timeout that takes so long is told of.
pub const LONG_RUN_US: i64 = 3_600_000_000;
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
    pub(super) host: HostFacts,
    pub(super) shutdown: Shutdown,
    pub(super) shutdown_grace_us: i64,
    pub(super) next_worker: i64,
    /// The word of this event.
    pub(super) random: u64,
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
            random: 0,
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
        self.random = random;
        match event {
            Event::Start => self.start_pools(now),
            Event::Spawned(row) => self.spawned(row, now),
            Event::Frame(worker, message) => self.frame(worker, message, now),
            Event::Broken(worker, why) => self.broken(worker, &why, now),
            Event::Cleaned(worker, output) => self.cleaned(worker, output, now),
            Event::Gone(exit) => self.gone(&exit, now),
            Event::Backlog(backlog) => self.told_backlog(backlog, now),
            Event::Order(order) => self.order(order, now),
            Event::Notice(Notice::Claimed(claimed)) => self.claimed(claimed, now),
            Event::Notice(Notice::StopWanted(run)) => self.cancel(run, now),
            Event::Notice(Notice::Overspent { run, unit }) => self.overspent(run, &unit, now),
            Event::Notice(Notice::Noted { run, seq }) => self.noted(run, seq),
            Event::Notice(Notice::Finished { .. } | Notice::Returned { .. } | Notice::Logged(_)) => {}
            Event::Sampled(samples) => self.sampled(&samples, now),
            Event::Reload(config) => self.reload(*config, now),
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
            Timer::Boot(worker) => self.never_ready(worker, now),
            Timer::Run(worker) => self.timed_out(worker, now),
            Timer::Ladder(worker) => self.climb(worker, now),
            Timer::Beat(worker) => self.unresponsive(worker),
            Timer::Log(worker) => self.keep_log(worker, now),
            Timer::Note(worker) => self.keep_progress(worker, now),
            Timer::Progress(worker) => self.stands_still(worker, now),
            Timer::Long(worker) => self.takes_long(worker),
            Timer::Wear(worker) => self.look_after(worker, now),
            Timer::Refill(pool) => self.fill(pool, now),
            Timer::Scale(pool) => self.rescale(pool, now),
            Timer::Memory(pool) => self.memory_overdue(pool, now),
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
        let run = Run::new(claimed.run, claimed.kind.clone(), now, claimed.timeout_ms);
        slot.phase = Phase::Working(run);
        self.pools[claimed.pool.0].load.claimed();
        self.timers.clear(Timer::Wear(worker));
        match claimed.timeout_ms {
            Some(ms) => self.timers.set(Timer::Run(worker), now.saturating_add(ms.saturating_mul(1000))),
            None => self.timers.set(Timer::Long(worker), now + LONG_RUN_US),
        }
        self.await_progress(worker, now);
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

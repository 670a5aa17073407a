//! The event loop: reduces everything that comes in to the machine's events, executes its commands, and keeps one batch
//! at the writer. It waits for all of them and for none alone; it decides nothing.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use ipc_contract::frame::encode;
use ipc_contract::message::ToWorker;
use queue_core::op::{Notice, Op, RunKey};
use queue_core::state::{FailReason, TaskState};
use queue_core::store::{StoreError, StoreErrorKind};
use queue_core::task::{Now, WorkerId};
use queue_core::tick::Turn;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use super::change::Changing;
use super::clock::{Clock, READ_EVERY_US};
use super::examine::Examination;
use super::handle::{Handle, Pools, Request, lock};
use super::inquiry::{Inquiry, Scene};
use super::launch::Recipe;
use super::notify::ServiceManager;
use super::pending::Pending;
use super::pulse::{Pulse, Pulses};
use super::sample::{Pace, Sampler, Watched};
use super::spawner::{Request as Ask, Spawner, Told};
use super::stats;
use super::unavailable::Unavailable;
use super::worker_io::{Inbox, Incoming, Link};
use super::writer::{Answer, Job, Writer};
use crate::core::{Command, Event, Exit, Left, Machine, Outlook, Report, WorkerExit};
use crate::observe;

/// Inputs of one kind taken up before the writer gets its next batch.
const BURST_MAX: usize = 256;
/// Until a turn is tried again that the database could not take.
pub const RETRY_AFTER: Duration = Duration::from_millis(500);
/// The wall clock may step, so a due time is looked at again this often.
const DUE_LOOK_US: i64 = 1_000_000;

/// Everything that can wake the loop, beside time and signals.
pub struct Inputs {
    pub events: mpsc::Receiver<Incoming>,
    pub told: mpsc::Receiver<Told>,
    pub answers: mpsc::Receiver<Answer>,
    pub requests: mpsc::Receiver<Request>,
    /// Whether it lives. Taken up whatever waits.
    pub pulses: mpsc::Receiver<Pulse>,
    /// One for each wish that the supervisor stop; the second means at once.
    pub stops: mpsc::Receiver<()>,
}

/// What came of a life that ended in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Life {
    /// Tasks that have failed in it.
    pub failed: u64,
    /// Tasks that are not final at its end.
    pub unfinished: u64,
    /// Why it ended by itself although there are such.
    pub stuck: Option<String>,
}

/// Whether the writer is at questions. A turn that is wanted comes next after some, so that who keeps asking stops nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Inquiring {
    #[default]
    No,
    Now,
    JustDone,
}

pub struct EventLoop {
    pub machine: Machine,
    pub links: BTreeMap<WorkerId, Link>,
    pub inbox: Inbox,
    pub spawner: Spawner,
    pub sampler: Sampler,
    pub writer: Writer,
    pub handle: Handle,
    pub pending: Pending,
    pub recipes: Vec<Recipe>,
    pub uid: String,
    pub clock: Clock,
    pub random: fastrand::Rng,
    pub examination: Examination,
    /// Questions for the writer.
    pub inquiries: Vec<Inquiry>,
    pub inquiring: Inquiring,
    /// The configuration that is to come into force.
    pub changing: Changing,
    pub pulses: Pulses,
    pub manager: Arc<ServiceManager>,
    /// When the queue wants a turn of its own accord, in microseconds since 1970.
    pub next_due: Option<i64>,
    /// A limit was reached in the last turn, or it must be tried again at this moment.
    pub turn_at: Option<Instant>,
    /// The last turn could not be written.
    pub in_trouble: bool,
    pub stopping: bool,
    /// To end by itself once every task is final, or none can be run any more.
    pub until_empty: bool,
    /// What the last turn has left.
    pub left: Left,
    /// Tasks that have failed in this life.
    pub failed: u64,
    /// Why it ends by itself although tasks are left.
    pub stuck: Option<String>,
    pub finished: bool,
}

impl EventLoop {
    /// Runs until every worker is gone and everything is handed in; what came of it.
    pub async fn run(mut self, mut inputs: Inputs) -> Result<Life, StoreError> {
        self.happened(Event::Start);
        loop {
            self.end_by_itself();
            self.dispatch();
            if self.finished && self.pending.is_empty() && self.writer_is_free() {
                self.writer.close();
                let unfinished = self.left.counts.unfinished().unsigned_abs();
                return Ok(Life { failed: self.failed, unfinished, stuck: self.stuck });
            }
            let wake = self.wake_at();
            tokio::select! {
                biased;
                answer = inputs.answers.recv() => self.answered(answer.ok_or_else(|| thread_gone("writer"))?)?,
                Some(()) = inputs.stops.recv() => self.stop(),
                told = inputs.told.recv() => self.told(told.ok_or_else(|| thread_gone("spawner"))?),
                Some(pulse) = inputs.pulses.recv(), if self.pulses.has_room() => self.pulses.push(pulse),
                Some(incoming) = inputs.events.recv() => self.happened(incoming.event),
                Some(request) = inputs.requests.recv(), if self.pending.has_room() => self.requested(request),
                () = sleep_until(wake) => self.happened(Event::Tick),
            }
            // What has come together is committed together.
            for _ in 0..BURST_MAX {
                let Ok(incoming) = inputs.events.try_recv() else { break };
                self.happened(incoming.event);
            }
            for _ in 0..BURST_MAX {
                if !self.pending.has_room() {
                    break;
                }
                let Ok(request) = inputs.requests.try_recv() else { break };
                self.requested(request);
            }
        }
    }

    /// Gives the writer its next job when it has none.
    fn dispatch(&mut self) {
        if !self.writer_is_free() {
            return;
        }
        if let Some(step) = self.next_step() {
            return self.writer.ask(step);
        }
        let now = self.clock.now();
        let wants_turn = !self.changing.is_under_way() && self.wants_turn(now);
        let turn_first = wants_turn && std::mem::take(&mut self.inquiring) == Inquiring::JustDone;
        let is_settled = !self.changing.is_under_way();
        if !self.inquiries.is_empty() && !turn_first && is_settled {
            self.inquiring = Inquiring::Now;
            let pools = stats::pools(&self.handle.config(), &self.machine);
            let scene = Scene { now, up_us: self.clock.mono_us(), pools };
            return self.writer.ask(Job::Inquire(std::mem::take(&mut self.inquiries), scene));
        }
        if self.examination.is_wanted() && !turn_first && is_settled {
            self.examination.begin(&self.machine, &self.pending, self.links.keys().copied().collect());
            self.spawner.ask(Ask::Census);
            return self.writer.ask(Job::Examine);
        }
        if wants_turn {
            self.turn_at = None;
            let batch = self.pending.take(now);
            return self.writer.ask(Job::Turn(batch));
        }
        if !self.pulses.is_empty() {
            self.writer.ask(Job::Pulse);
            self.pulses.asked();
        }
    }

    fn wants_turn(&self, now: Now) -> bool {
        let is_held_back = self.turn_at.is_some_and(|at| at > Instant::now());
        let is_due = self.next_due.is_some_and(|at| at <= now.wall_us);
        !is_held_back && (!self.pending.is_empty() || is_due || self.turn_at.is_some())
    }

    fn writer_is_free(&self) -> bool {
        let is_asked = self.examination.is_out() || self.inquiring == Inquiring::Now;
        self.pending.is_idle() && !is_asked && !self.changing.is_out() && !self.pulses.is_out()
    }

    /// The earliest of what the machine, the queue, a turn that is held back and the clock wait for.
    fn wake_at(&self) -> Instant {
        let machine = self.machine.next_deadline().map(|at| self.clock.instant(at));
        let writer_free = self.writer_is_free();
        let now = self.clock.now();
        // A turn that is held back looks at what is due as well.
        let due = self.next_due.filter(|_| writer_free && self.turn_at.is_none());
        let wait_us = |at: i64| at.saturating_sub(now.wall_us).clamp(0, DUE_LOOK_US);
        let due = due.map(|at| self.clock.instant(now.mono_us + wait_us(at)));
        let held_back = self.turn_at.filter(|_| writer_free);
        let read_clock = self.clock.instant(now.mono_us + READ_EVERY_US);
        [machine, due, held_back].into_iter().flatten().fold(read_clock, Instant::min)
    }

    pub(super) fn happened(&mut self, event: Event) {
        let gone = if let Event::Gone(gone) = &event { Some(gone.worker) } else { None };
        let about = about(&event);
        let random = self.random.u64(..);
        let commands = self.machine.handle(event, self.clock.mono_us(), random);
        for command in commands {
            self.execute(command);
        }
        about.into_iter().for_each(|worker| self.measure(worker));
        // Not before: the last words of its run are in there.
        gone.map(|worker| self.links.remove(&worker));
    }

    fn execute(&mut self, command: Command) {
        match command {
            Command::Spawn { worker, pool } => {
                let launch = self.recipes[pool.0].launch(worker, &self.uid, self.random.u64(..));
                self.spawner.ask(Ask::Spawn(Box::new(launch)));
            }
            Command::Send(worker, message) => {
                self.send(worker, &message);
                self.measure(worker);
            }
            Command::BeginOutput(worker) => {
                if let Some(link) = self.links.get(&worker) {
                    link.begin_output();
                }
            }
            Command::AddLine(worker, level, text) => {
                if let Some(link) = self.links.get(&worker) {
                    link.add_line(level, &text);
                }
            }
            Command::KeepLog { worker, run, is_last } => self.keep_log(worker, run, is_last),
            Command::Signal(worker, signal) => self.spawner.ask(Ask::Signal(worker, signal)),
            Command::Clean(worker) => self.spawner.ask(Ask::Clean(worker)),
            Command::Submit(op) => {
                if let Op::Offer { pool, kinds } = &op {
                    lock(&self.handle.shared().offers).said(pool, kinds);
                }
                self.pending.push(op);
            }
            Command::Demand(demand) => self.pending.demand(demand),
            Command::Report(report) => observe::report(&report, &self.handle.config()),
            Command::Finished => self.finished = true,
        }
    }

    /// How a worker is measured follows from what it does now.
    fn measure(&self, worker: WorkerId) {
        let watched = self.machine.slots().get(&worker).and_then(|slot| {
            let config = self.handle.config();
            let pool = config.pools.get(slot.pool.0)?;
            let is_limited = pool.limits.memory_bytes.or(pool.recycle.memory_bytes).is_some();
            let pace = if is_limited && slot.run().is_some() { Pace::Fast } else { Pace::Slow };
            Some(Watched { pid: slot.pid?, pace })
        });
        self.sampler.watch(worker, watched);
    }

    /// A log that is not at its end waits where it is bounded while the writer cannot take it.
    fn keep_log(&mut self, worker: WorkerId, run: RunKey, is_last: bool) {
        let Some(link) = self.links.get(&worker) else { return };
        if !is_last && (self.in_trouble || !self.pending.takes_logs()) {
            return;
        }
        if let Some(log) = link.take_log(is_last) {
            self.pending.push(Op::Log { run, log });
        }
    }

    fn send(&mut self, worker: WorkerId, message: &ToWorker) {
        let Some(link) = self.links.get(&worker) else { return };
        let sent = match encode(message) {
            Ok(frame) => link.send(frame).map_err(str::to_owned),
            Err(error) => Err(format!("nothing can be sent to it: {error}")),
        };
        if let Err(why) = sent {
            self.happened(Event::Broken(worker, why));
        }
    }

    fn told(&mut self, told: Told) {
        match told {
            Told::Spawned(row, pipes) => match Link::open(row.id, pipes, &self.inbox) {
                Ok(link) => {
                    self.links.insert(row.id, link);
                    self.examination.opened(row.id);
                    self.happened(Event::Spawned(row));
                }
                Err(error) => {
                    let (worker, why) = (row.id, format!("its pipes cannot be used: {error}"));
                    self.happened(Event::Spawned(row));
                    self.happened(Event::Broken(worker, why));
                }
            },
            Told::Cleaned(worker) => {
                let output = self.links.get(&worker).map(Link::take_output).unwrap_or_default();
                self.happened(Event::Cleaned(worker, output));
            }
            Told::Exited(exit) => self.exited(exit),
            Told::Census(census) => self.examination.census(census),
        }
    }

    /// With a channel, its reader reports the end once it has read out the pipe; without one there is nothing to read.
    fn exited(&mut self, exit: WorkerExit) {
        match self.links.get_mut(&exit.worker) {
            Some(link) if !matches!(exit.exit, Exit::NotStarted(_)) => link.exited(exit),
            _ => self.happened(Event::Gone(exit)),
        }
    }

    fn requested(&mut self, request: Request) {
        match request {
            Request::Submit(op, caller) if self.stopping && adds(&op) => {
                // Who has hung up does not need it.
                let _ = caller.send(Err(Unavailable::Stopping));
            }
            Request::Submit(op, caller) => self.pending.call(*op, caller),
            Request::Examine(caller) => self.examination.want(caller),
            Request::Inquire(inquiry) => self.inquiries.push(inquiry),
            Request::Change(_, caller) if self.stopping => drop(caller.send(Err(Unavailable::Stopping))),
            Request::Change(change, caller) => self.changing.want(*change, caller),
            Request::Follow(task) => self.happened(Event::Follow(task)),
            Request::Order(order, caller) => {
                let is_known = self.machine.knows(order);
                if is_known {
                    self.happened(Event::Order(order));
                }
                let _ = caller.send(Ok(is_known));
            }
            Request::Pools(caller) => {
                let now = self.clock.now();
                let (memory_budget_bytes, memory_reserved_bytes) = self.machine.memory();
                let pools = self.machine.views(now.mono_us);
                let _ = caller.send(Ok(Pools { now, memory_budget_bytes, memory_reserved_bytes, pools }));
            }
        }
    }

    fn stop(&mut self) {
        self.stopping = true;
        self.manager.stopping();
        self.happened(Event::Shutdown);
    }

    /// Looks only when nothing is on its way to the queue, which could change what is left.
    fn end_by_itself(&mut self) {
        let is_idle = self.pending.is_idle() && !self.changing.is_under_way();
        let is_settled = self.pending.is_empty() && is_idle && self.turn_at.is_none();
        if !self.until_empty || self.stopping || !is_settled {
            return;
        }
        let now = self.clock.now();
        let due_in_us = self.next_due.map(|at| at.saturating_sub(now.wall_us));
        match self.machine.outlook(&self.left, due_in_us) {
            Outlook::Open => return,
            Outlook::Done => {}
            Outlook::Stuck(why) => self.stuck = Some(why),
        }
        self.stop();
    }

    fn answered(&mut self, answer: Answer) -> Result<(), StoreError> {
        match answer {
            Answer::Turn(Ok(turn)) => {
                self.in_trouble = false;
                self.turned(turn)?;
            }
            Answer::Turn(Err((error, batch))) => match error.kind {
                StoreErrorKind::Busy | StoreErrorKind::Full => {
                    self.trouble(&error);
                    self.pending.put_back(batch, &error);
                    self.turn_at = Some(Instant::now() + RETRY_AFTER);
                    if self.finished && error.kind == StoreErrorKind::Full {
                        // Every worker is gone; what could not be written is put in order at the next start.
                        self.pending.give_up(&Unavailable::Full(error.to_string()));
                        return Err(error);
                    }
                }
                // What is on the disk is unknown, or not what we think: only a new start can tell.
                _ => {
                    self.pending.give_up(&Unavailable::Failed(error.to_string()));
                    return Err(error);
                }
            },
            Answer::Examined(found) => self.examination.examined(found),
            Answer::Inquired => self.inquiring = Inquiring::JustDone,
            Answer::Reconfigured(step) => self.stepped(step)?,
            Answer::Pulse => {}
        }
        self.beat();
        Ok(())
    }

    /// Told once, until a turn has gone well again.
    pub(super) fn trouble(&mut self, error: &StoreError) {
        if !std::mem::replace(&mut self.in_trouble, true) {
            let text = format!("the database cannot be written now: {error}");
            observe::report(&Report::Alert { name: "database", text }, &self.handle.config());
        }
    }

    fn turned(&mut self, turn: Turn) -> Result<(), StoreError> {
        self.next_due = turn.next_turn(self.clock.now());
        self.left = Left { counts: turn.counts, available: turn.available };
        if turn.more {
            self.turn_at = Some(Instant::now());
        }
        self.pending.settle(turn.replies)?;
        for notice in turn.notices {
            if let Notice::Logged(RunKey { task: id, .. }) | Notice::Returned { id, .. } = &notice {
                self.handle.shared().followers.wake(*id);
            }
            if let Notice::Finished { id, state, reason } = &notice {
                self.failed += u64::from(*state == TaskState::Failed);
                self.handle.shared().waiters.wake(*id);
                self.handle.shared().followers.wake(*id);
                if *reason == Some(FailReason::Crashes) {
                    let text = format!("task {id} is poison: it took down its last allowed worker; see `show {id}`");
                    observe::report(&Report::Alert { name: "poison", text }, &self.handle.config());
                }
            }
            self.happened(Event::Notice(notice));
        }
        // Behind the claims of the same turn: what they took does not wait any more.
        for backlog in turn.backlogs {
            self.happened(Event::Backlog(backlog));
        }
        Ok(())
    }
}

/// The worker whose state an event may change.
fn about(event: &Event) -> Option<WorkerId> {
    match event {
        Event::Spawned(row) => Some(row.id),
        Event::Gone(exit) => Some(exit.worker),
        Event::Frame(worker, _) | Event::Broken(worker, _) | Event::Cleaned(worker, _) => Some(*worker),
        _ => None,
    }
}

/// Whether it brings work in, which a supervisor on its way out would only leave to the next one.
fn adds(op: &Op) -> bool {
    matches!(op, Op::Enqueue(_) | Op::EnqueueAll(_) | Op::Retry(_))
}

/// A thread that has panicked said why on stderr. Nothing can go on without it; the next start puts the rows in order.
fn thread_gone(name: &str) -> StoreError {
    StoreError { kind: StoreErrorKind::Invariant, detail: format!("the {name} thread is gone") }
}

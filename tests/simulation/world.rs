//! One seed, one world: virtual time, what is about to happen, and everything that lives in it. What each happening does
//! stands in `shell`, `writer`, `life`; here they are put in order and the cheap invariants are checked after each.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use ipc_contract::message::ToWorker;
use queue_core::book::Book;
use queue_core::store::{Durability, Place, Store};
use queue_core::task::{Now, PoolId, WorkerId};
use supervisor::core::{Event, Machine, Signal};

use crate::enqueuers::Enqueuer;
use crate::ledger::Ledger;
use crate::model_worker::{Does, ModelWorker};
use crate::operator::Load;
use crate::pools::Pools;
use crate::rng::Rng;
use crate::sayings::Sayings;
use crate::staffing::Staffing;
use crate::truth::{Truth, key};
use crate::waits::Waits;
use crate::writer::Writer;

const ENQUEUERS: usize = 3;
/// Steps with faults: at least, and so many more by chance.
const CHAOS_STEPS: (i64, i64) = (300, 900);
/// Once faults have stopped, everything must be final after so long, ...
const PATIENCE_US: i64 = 1_800_000_000;
/// ... and all pools at rest after so much longer.
const REST_WITHIN_US: i64 = 300_000_000;
/// Steps without faults, whatever the time.
const CALM_STEPS_MAX: u64 = 100_000;
/// Rows and book are checked whole once in so many steps.
const CHECK_EACH_STEPS: u64 = 250;
/// Where the wall clock of a world begins.
const FIRST_WALL_US: i64 = 1_800_000_000_000_000;

/// A supervisor between its start and its end.
pub(crate) struct Life {
    pub(crate) machine: Machine,
    pub(crate) book: Book,
    pub(crate) writer: Writer,
    pub(crate) started_at: i64,
    /// No worker is left: it ends once the queue has been told everything.
    pub(crate) finished: bool,
}

/// Something that is about to happen.
pub(crate) enum Happening {
    Born(WorkerId, PoolId),
    Does(WorkerId, Does),
    Reads(WorkerId, ToWorker),
    Feels(WorkerId, Signal),
    Cleans(WorkerId),
    Reaped(WorkerId),
    Hears(Event),
    Commits,
    Answers,
    Asks(usize),
    Replays,
    WallSteps,
    LoadSteps,
    Operates,
    Samples,
    Crashes,
    ShutDown,
    Restarts,
}

pub(crate) struct World {
    pub(crate) rng: Rng,
    pub(crate) store: Store,
    pub(crate) now: i64,
    pub(crate) wall_offset: i64,
    /// The furthest that the wall clock was ahead.
    pub(crate) wall_offset_max: i64,
    pub(crate) life: Option<Life>,
    pub(crate) processes: BTreeMap<WorkerId, ModelWorker>,
    /// When the last thing sent to, or said by, a worker gets there: pipes keep their order.
    pub(crate) pipes: BTreeMap<(WorkerId, bool), i64>,
    pub(crate) ledger: Ledger,
    pub(crate) truth: Truth,
    pub(crate) sayings: Sayings,
    pub(crate) waits: Waits,
    pub(crate) pools: Pools,
    pub(crate) staffing: Staffing,
    pub(crate) load: Load,
    pub(crate) enqueuers: Vec<Enqueuer>,
    /// Ends of runs that were committed or lost, to be replayed.
    pub(crate) old_ends: Vec<queue_core::op::Op>,
    /// Of the workers that are started while there are faults, so many do not come to `ready`.
    pub(crate) boot_faults_percent: u64,
    /// Faults have stopped.
    pub(crate) calm: bool,
    pub(crate) trace: String,
    agenda: BTreeMap<(i64, u64), Happening>,
    agenda_number: u64,
    step: u64,
}

impl World {
    pub(crate) fn new(seed: u64) -> World {
        let mut rng = Rng::new(seed);
        let boot_faults_percent = *rng.pick(&[5, 30, 80]);
        let waits = Waits::new(&mut rng);
        let pools = Pools::new(&waits, &mut rng);
        let mut world = World {
            rng,
            store: Store::open(Place::Memory, Durability::Normal).unwrap(),
            now: 0,
            wall_offset: FIRST_WALL_US,
            wall_offset_max: FIRST_WALL_US,
            life: None,
            processes: BTreeMap::new(),
            pipes: BTreeMap::new(),
            ledger: Ledger::default(),
            truth: Truth::default(),
            sayings: Sayings::default(),
            waits,
            pools,
            staffing: Staffing::default(),
            load: Load::Steady,
            enqueuers: (0..ENQUEUERS).map(Enqueuer::new).collect(),
            old_ends: Vec::new(),
            boot_faults_percent,
            calm: false,
            trace: String::new(),
            agenda: BTreeMap::new(),
            agenda_number: 0,
            step: 0,
        };
        world.after(0, Happening::Restarts);
        world.after(1_000, Happening::Replays);
        world.after(1_000, Happening::WallSteps);
        world.after(1_000, Happening::LoadSteps);
        world.after(1_000, Happening::Operates);
        if let Some(every_us) = world.pools.sampled_every_us {
            world.after(every_us, Happening::Samples);
        }
        world
    }

    /// Faults first, then none; at the end all tasks are final, all pools at rest, and every check holds.
    pub(crate) fn run(&mut self) {
        let (least, more) = CHAOS_STEPS;
        for _ in 0..self.rng.between(least, least + more) {
            self.next();
        }
        self.calms_down();
        self.goes_on_until(PATIENCE_US, "final", World::is_done);
        self.goes_on_until(REST_WITHIN_US, "at rest", World::is_at_rest);
        self.check_whole();
    }

    fn goes_on_until(&mut self, within_us: i64, what: &str, comes_true: fn(&World) -> bool) {
        let until = self.now + within_us;
        for _ in 0..CALM_STEPS_MAX {
            if comes_true(self) {
                return;
            }
            if self.now > until {
                break;
            }
            self.next();
        }
        let views = self.life.as_ref().map(|life| life.machine.views(self.clocks().mono_us));
        let pools = views.iter().flatten().map(|view| format!("{view:?}")).collect::<Vec<_>>().join("\n");
        panic!(
            "faults have stopped, and after {within_us} us or {CALM_STEPS_MAX} steps not everything is {what}:\n{pools}"
        );
    }

    fn is_done(&self) -> bool {
        self.ledger.all_final() && self.enqueuers.iter().all(|enqueuer| enqueuer.open.is_none())
    }

    fn is_at_rest(&self) -> bool {
        let now = self.clocks().mono_us;
        self.life.as_ref().is_some_and(|life| self.staffing.is_at_rest(&life.machine, now))
    }

    pub(crate) fn after(&mut self, delay_us: i64, happening: Happening) {
        self.at(self.now + delay_us, happening);
    }

    pub(crate) fn at(&mut self, at: i64, happening: Happening) {
        self.agenda_number += 1;
        self.agenda.insert((at, self.agenda_number), happening);
    }

    /// Takes off the agenda what cannot happen any more.
    pub(crate) fn only(&mut self, can_happen: fn(&Happening) -> bool) {
        self.agenda.retain(|_, happening| can_happen(happening));
    }

    pub(crate) fn clocks(&self) -> Now {
        let mono_us = self.now - self.life.as_ref().map_or(self.now, |life| life.started_at);
        Now { wall_us: self.now + self.wall_offset, mono_us }
    }

    pub(crate) fn note(&mut self, line: std::fmt::Arguments<'_>) {
        writeln!(self.trace, "{:>5} {:>12} {line}", self.step, self.now).unwrap();
    }

    /// The next thing that happens: from the agenda, or because a time that the supervisor waits for has come.
    fn next(&mut self) {
        self.step += 1;
        let agenda = self.agenda.first_key_value().map(|((at, _), _)| *at);
        let deadline = self.life.as_ref().and_then(|life| Some(life.machine.next_deadline()? + life.started_at));
        let due = self.life.as_ref().and_then(|life| Some(life.writer.wakes_at()? - self.wall_offset));
        let first = [agenda, deadline, due].into_iter().flatten().min();
        let first = first.expect("something is going to happen").max(self.now);
        self.now = first;
        if agenda.is_some_and(|at| at <= first) {
            let (_, happening) = self.agenda.pop_first().unwrap();
            self.happens(happening);
        } else if deadline.is_some_and(|at| at <= first) {
            self.tell_machine(Event::Tick);
        } else {
            self.begin_batch(true);
        }
        self.check_runs();
        if self.step.is_multiple_of(CHECK_EACH_STEPS) {
            self.check_whole();
        }
    }

    fn happens(&mut self, happening: Happening) {
        match happening {
            Happening::Born(worker, pool) => self.born(worker, pool),
            Happening::Does(worker, does) => self.does(worker, does),
            Happening::Reads(worker, message) => self.reads(worker, &message),
            Happening::Feels(worker, signal) => self.feels(worker, signal),
            Happening::Cleans(worker) => self.cleans(worker),
            Happening::Reaped(worker) => self.reaped(worker),
            Happening::Hears(event) => self.tell_machine(event),
            Happening::Commits => self.commits(),
            Happening::Answers => self.answers(),
            Happening::Asks(number) => self.asks(number),
            Happening::Replays => self.replays(),
            Happening::WallSteps => self.wall_steps(),
            Happening::LoadSteps => self.load_steps(),
            Happening::Operates => self.operates(),
            Happening::Samples => self.samples(),
            Happening::Crashes => self.crashes("at some moment"),
            Happening::ShutDown => self.shut_down(),
            Happening::Restarts => self.restarts(),
        }
    }

    fn wall_steps(&mut self) {
        if self.calm {
            return;
        }
        let reach_us = *self.rng.pick(&[1_000_000, 60_000_000, 3_600_000_000]);
        let change = self.rng.between(-reach_us, reach_us);
        self.wall_offset += change;
        self.wall_offset_max = self.wall_offset_max.max(self.wall_offset);
        self.note(format_args!("the wall clock steps by {change} us"));
        let next = self.rng.between(1_000_000, 60_000_000);
        self.after(next, Happening::WallSteps);
    }

    /// No task runs twice at a time, and what runs is what the queue believes to run.
    fn check_runs(&self) {
        let mut live = BTreeMap::new();
        for (worker, process) in &self.processes {
            let Some(run) = process.live_run().map(key) else { continue };
            let other = live.insert(run.task, *worker);
            assert_eq!(other, None, "{run:?} runs in worker {worker} while the task still runs in another");
            assert!(self.ledger.is_live(run), "{run:?} was ended while worker {worker} still runs it");
        }
    }

    fn check_whole(&mut self) {
        assert_eq!(self.store.check_rows().unwrap(), []);
        if let Some(life) = &self.life {
            assert_eq!(self.store.check_book(&life.book).unwrap(), []);
        }
        for id in self.ledger.ids() {
            let view = self.store.task(id).unwrap().unwrap_or_else(|| panic!("task {id} was answered and is lost"));
            self.ledger.check(&view);
            self.sayings.check(&mut self.store, &view);
        }
    }
}

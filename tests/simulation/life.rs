//! How a supervisor starts, recovers, dies and ends; who enqueues while it lives; and how the faults stop.

use queue_core::book::Book;
use queue_core::op::{Op, RunKey};
use queue_core::recover::recover;
use queue_core::task::{Ending, Outcome};
use queue_core::tick::tick;
use supervisor::core::machine::SHUTDOWN_GRACE_US;
use supervisor::core::{Event, Machine};

use crate::enqueuers::Enqueuer;
use crate::model_worker::{Does, End};
use crate::operator::Load;
use crate::staffing::Staffing;
use crate::world::{Happening, Life, World};
use crate::writer::Writer;

const MS: i64 = 1_000;
const SECOND: i64 = 1_000 * MS;

impl Happening {
    fn is_of_the_world(&self) -> bool {
        matches!(
            self,
            Happening::Replays | Happening::WallSteps | Happening::LoadSteps | Happening::Operates | Happening::Samples
        )
    }

    /// Workers live on for a while without their supervisor.
    fn is_of_a_process(&self) -> bool {
        matches!(self, Happening::Does(..) | Happening::Reads(..) | Happening::Feels(..))
    }
}

impl World {
    /// A next supervisor: kills what the last one left, recovers, and only then starts its pools. It may die on the way.
    pub(crate) fn restarts(&mut self) {
        self.note(format_args!("a life begins"));
        self.only(Happening::is_of_the_world);
        self.processes.clear();
        self.pipes.clear();
        self.truth.begin_life();
        self.pools.begin_life();
        let now = queue_core::task::Now { mono_us: 0, ..self.clocks() };
        let mut book = self.store.book(self.pools.config.policies(), now).unwrap();
        let dies = !self.calm && self.rng.percent(25);
        if dies {
            self.recovers_in_part(&mut book);
            return self.after(SECOND, Happening::Restarts);
        }
        let rng = &mut self.rng;
        let recovered = recover(&mut self.store, &mut book, now, &mut || rng.word()).unwrap();
        assert_eq!(recovered.runs, self.ledger.running().len(), "every run of the former life is ended");
        assert_eq!(self.store.workers().unwrap(), []);
        self.ledger.recovered();
        self.waits.opens(now.wall_us);
        let (offers, next_worker) = (self.store.offers().unwrap().into_iter().collect(), book.rows().next_worker);
        let config = self.pools.config.clone();
        self.staffing = Staffing::new(&config, self.pools.host.memory_budget_bytes);
        let machine = Machine::new(config, offers, next_worker, "world".into(), SHUTDOWN_GRACE_US).on(self.pools.host);
        let writer = Writer::at_start(&book);
        self.life = Some(Life { machine, book, writer, started_at: self.now, finished: false });
        if !self.calm {
            let (crash, stop) = (self.rng.between(SECOND, 60 * SECOND), self.rng.between(SECOND, 40 * SECOND));
            self.after(crash, Happening::Crashes);
            self.after(stop, Happening::ShutDown);
        }
        for number in 0..self.enqueuers.len() {
            let pause_us = self.rng.between(MS, SECOND);
            self.after(pause_us, Happening::Asks(number));
        }
        self.tell_machine(Event::Start);
    }

    /// Recovery goes in bounded turns; this one dies after some of them.
    fn recovers_in_part(&mut self, book: &mut Book) {
        let lost = |run: RunKey| Op::Finish { run, ending: Ending::bare(Outcome::Lost, "lost"), refill: None };
        let mut ops: Vec<Op> = self.ledger.running().into_iter().map(lost).collect();
        ops.truncate(self.rng.below(ops.len() as u64 + 1) as usize);
        let now = queue_core::task::Now { mono_us: 0, ..self.clocks() };
        let rng = &mut self.rng;
        let turn = tick(&mut self.store, book, &ops, &[], now, &mut || rng.word()).unwrap();
        self.note(format_args!("dies in recovery, after {} runs", ops.len()));
        self.ledger.committed(&ops, &turn);
        self.waits.opens(now.wall_us);
    }

    /// The supervisor is no more. Its workers may live on until the next one kills them.
    pub(crate) fn crashes(&mut self, when: &str) {
        self.note(format_args!("the supervisor crashes {when}"));
        let Some(dead) = self.life.take() else { return };
        for end in dead.writer.lost_ends() {
            self.remember(end);
        }
        self.is_down();
    }

    fn is_down(&mut self) {
        self.only(|happening| happening.is_of_the_world() || happening.is_of_a_process());
        self.enqueuers.iter_mut().for_each(Enqueuer::unanswered);
        let pause_us = self.rng.between(MS, SECOND);
        self.after(pause_us, Happening::Restarts);
    }

    pub(crate) fn shut_down(&mut self) {
        self.truth.shutting_down = true;
        self.tell_machine(Event::Shutdown);
        if self.rng.percent(30) {
            let soon = self.rng.between(MS, 10 * SECOND);
            self.after(soon, Happening::Hears(Event::Shutdown));
        }
    }

    pub(crate) fn ends_gracefully(&mut self) {
        if let Some(life) = &mut self.life {
            life.finished = true;
            self.begin_batch(true);
        }
    }

    /// A graceful end leaves nothing running behind.
    pub(crate) fn is_over(&mut self) {
        self.note(format_args!("the supervisor has ended"));
        assert_eq!(self.ledger.running(), [], "a graceful end gives everything back");
        assert_eq!(self.store.workers().unwrap(), [], "and leaves no worker");
        self.life = None;
        self.is_down();
    }

    pub(crate) fn asks(&mut self, number: usize) {
        if self.life.as_ref().is_none_or(|life| life.finished) {
            return;
        }
        let op = match self.enqueuers[number].open.clone() {
            Some(op) => op,
            None if self.calm => return,
            None => self.enqueuers[number].asks(&mut self.rng),
        };
        self.submit(op, Some(number));
    }

    /// Faults stop: whatever hangs comes to its end, and from here on everyone behaves.
    pub(crate) fn calms_down(&mut self) {
        self.note(format_args!("faults stop"));
        (self.calm, self.load) = (true, Load::Steady);
        // What was to wait by a clock that was ahead would wait for too long.
        self.wall_offset = self.wall_offset_max;
        self.mends();
        self.only(|happening| !matches!(happening, Happening::Crashes | Happening::ShutDown));
        let hung: Vec<_> =
            self.processes.iter().filter_map(|(worker, process)| Some((*worker, process.run?))).collect();
        for (worker, run) in hung {
            self.after(SECOND, Happening::Does(worker, Does::End(run, End::Ok)));
        }
    }
}

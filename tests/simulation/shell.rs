//! The model of the shell and of the machine room: commands are executed after some time, processes act, die and are
//! reaped, and what they say reaches the real process machine in the order of their pipes.

use ipc_contract::message::{FromWorker, RunRef, ToWorker};
use queue_core::op::{Op, WorkerRow};
use queue_core::task::{Outcome, PoolId, WorkerId};
use supervisor::core::{Command, Event, Exit, Signal, WorkerExit};

use crate::follow_ups::is_legal;
use crate::memory::Memory;
use crate::model_worker::{Act, Does, ModelWorker};
use crate::rng::Rng;
use crate::sayings::UNIT;
use crate::truth::key;
use crate::world::{Happening, World};

const MS: i64 = 1_000;

impl World {
    pub(crate) fn tell_machine(&mut self, event: Event) {
        self.note(format_args!("{event:?}"));
        let (now, random) = (self.clocks().mono_us, self.rng.word());
        let Some(life) = &mut self.life else { return };
        let had = match &event {
            Event::Gone(gone) => life.machine.slots().get(&gone.worker).and_then(|slot| slot.run()).map(|run| run.key),
            _ => None,
        };
        self.staffing.hears(&event);
        let commands = life.machine.handle(event.clone(), now, random);
        commands.iter().for_each(|command| self.staffing.commanded(command));
        self.staffing.check(&life.machine, now);
        let finishes = |command: &Command, ok: bool, run| {
            matches!(command, Command::Submit(Op::Finish { run: ended, ending, .. })
                if *ended == run && (!ok || ending.outcome == Outcome::Ok))
        };
        if let Event::Frame(worker, FromWorker::Done(done)) = &event
            && self.processes.get(worker).is_some_and(|process| !process.broke)
        {
            let run = key(RunRef { task: done.task, epoch: done.epoch });
            let counts = |at: &Command| match done.enqueue.iter().all(is_legal) {
                true => finishes(at, true, run),
                // As a failure: what the run has left is killed first.
                false => *at == Command::Clean(*worker),
            };
            assert!(commands.iter().any(counts), "a `done` that was read counts: {commands:?}");
        }
        if let (Event::Gone(gone), Some(run)) = (&event, had) {
            let finish = commands.iter().position(|command| finishes(command, false, run));
            let down = commands.iter().position(|at| *at == Command::Submit(Op::WorkerGone(gone.worker)));
            assert!(finish.is_some() && finish < down, "{run:?} is handed in with its worker's death: {commands:?}");
        }
        if let Event::Gone(gone) = &event {
            self.processes.remove(&gone.worker);
        }
        for command in commands {
            self.execute(command);
        }
    }

    fn execute(&mut self, command: Command) {
        self.note(format_args!("    {command:?}"));
        let soon = self.rng.between(0, 4) * MS;
        match command {
            Command::Spawn { worker, .. } if !self.calm && self.rng.percent(5) => {
                let exit = Exit::NotStarted("no more processes".into());
                self.hears(worker, soon, Event::Gone(gone(worker, exit, false)));
            }
            Command::Spawn { worker, pool } => {
                let slow = if !self.calm && self.rng.percent(2) { 12_000 * MS } else { 0 };
                self.after(soon + slow, Happening::Born(worker, pool));
            }
            Command::Send(worker, message) => {
                let at = self.in_order(worker, true, soon);
                self.at(at, Happening::Reads(worker, message));
            }
            Command::Signal(worker, signal) => self.after(soon, Happening::Feels(worker, signal)),
            Command::Clean(worker) => {
                let slow = self.rng.between(0, 300) * MS;
                self.after(slow, Happening::Cleans(worker));
            }
            Command::Submit(op) => self.submit(op, None),
            Command::Demand(demand) => self.demand(demand),
            Command::KeepLog { run, .. } => {
                if let Some(log) = self.sayings.prints(run, &mut self.rng) {
                    self.submit(Op::Log { run, log }, None);
                }
            }
            Command::BeginOutput(_) | Command::AddLine(..) | Command::Report(_) => {}
            Command::Finished => {
                assert!(self.processes.is_empty(), "finished, and workers are left");
                self.ends_gracefully();
            }
        }
    }

    /// A moment after `delay_us`, and not before what went through the same pipe earlier.
    fn in_order(&mut self, worker: WorkerId, to_worker: bool, delay_us: i64) -> i64 {
        let last = self.pipes.entry((worker, to_worker)).or_insert(0);
        *last = (self.now + delay_us).max(*last);
        *last
    }

    fn hears(&mut self, worker: WorkerId, delay_us: i64, event: Event) {
        let at = self.in_order(worker, false, delay_us);
        self.at(at, Happening::Hears(event));
    }

    pub(crate) fn born(&mut self, worker: WorkerId, pool: PoolId) {
        let tag = format!("tag-{worker}");
        let (name, kind) = (self.pools.config.pools[pool.0].name.clone(), self.pools.kind(pool.0));
        let habits = self.pools.habits[&name];
        let memory = Memory::new(habits, self.staffing.memory_of(worker));
        let process = ModelWorker::new(kind, tag.clone(), habits, memory, &mut self.rng, self.calm);
        let faults_percent = match self.now < habits.mended_at {
            _ if self.calm => 0,
            true => 100,
            false => self.boot_faults_percent,
        };
        let acts = process.boot(&mut self.rng, faults_percent);
        self.processes.insert(worker, process);
        let (pid, boot_id) = (1_000 + worker.0 as i32, "boot".to_owned());
        let row = WorkerRow { id: worker, pool: name, pid, start_time: worker.0, boot_id, tag };
        self.hears(worker, 0, Event::Spawned(row));
        self.plan(worker, acts);
    }

    fn plan(&mut self, worker: WorkerId, acts: Vec<Act>) {
        for act in acts {
            self.after(act.after_us, Happening::Does(worker, act.does));
        }
    }

    /// A living process, or nothing: what it planned dies with it.
    fn living(&mut self, worker: WorkerId) -> Option<&mut ModelWorker> {
        self.processes.get_mut(&worker).filter(|process| process.dead.is_none())
    }

    pub(crate) fn does(&mut self, worker: WorkerId, does: Does) {
        let random = self.rng.word();
        let Some(process) = self.living(worker) else { return };
        match does {
            Does::Say(message) => self.says(worker, message),
            Does::Garble => {
                (process.unreadable, process.broke) = (true, true);
                self.truth.broke(worker);
                self.hears(worker, MS, Event::Broken(worker, "it printed".into()));
            }
            Does::Note(run) => {
                if process.run == Some(run) {
                    self.notes(worker, run, random);
                }
            }
            Does::Swell => self.swells(worker),
            Does::Leave(code) => self.dies(worker, Exit::Code(code)),
            Does::Die(signal) => self.dies(worker, Exit::Signal(signal)),
            Does::End(run, end) => {
                if process.run == Some(run) {
                    let mut rng = Rng::new(random);
                    let acts = process.ends(run, end, &mut rng);
                    self.plan(worker, acts);
                }
            }
        }
    }

    fn says(&mut self, worker: WorkerId, message: FromWorker) {
        let delay_us = self.rng.between(0, 3) * MS;
        let Some(process) = self.living(worker).filter(|process| !process.unreadable) else { return };
        let (legal_answer, broke) = (process.wrote(&message), process.broke);
        if matches!(message, FromWorker::Bye(_)) {
            self.truth.left(worker);
        }
        if broke {
            self.truth.broke(worker);
        } else if legal_answer && let Some(run) = message.answers() {
            self.truth.answered(key(run), &message);
        }
        self.hears(worker, delay_us, Event::Frame(worker, message));
    }

    fn notes(&mut self, worker: WorkerId, run: RunRef, random: u64) {
        let Some(process) = self.living(worker) else { return };
        let note = process.note(run, &mut Rng::new(random));
        if let Some(amount) = note.spend.get(UNIT).filter(|_| run.epoch == note.epoch) {
            self.sayings.spends(key(run), note.seq, *amount as i64);
        }
        self.says(worker, FromWorker::Note(note));
    }

    pub(crate) fn dies(&mut self, worker: WorkerId, exit: Exit) {
        self.note(format_args!("worker {worker} dies: {exit:?}"));
        let delay_us = self.rng.between(0, 30) * MS;
        let Some(process) = self.living(worker) else { return };
        process.dead = Some(exit.clone());
        self.truth.ended(worker, exit);
        self.after(delay_us, Happening::Reaped(worker));
    }

    pub(crate) fn reads(&mut self, worker: WorkerId, message: &ToWorker) {
        let calm = self.calm;
        let Some(process) = self.processes.get_mut(&worker).filter(|process| process.dead.is_none()) else { return };
        let acts = process.reads(message, &mut self.rng, calm);
        match message {
            ToWorker::Run(run) => self.truth.started(key(RunRef { task: run.task, epoch: run.epoch })),
            ToWorker::Ack(ack) => self.sayings.is_told(key(RunRef { task: ack.task, epoch: ack.epoch }), ack.seq),
            _ => {}
        }
        self.plan(worker, acts);
    }

    pub(crate) fn feels(&mut self, worker: WorkerId, signal: Signal) {
        let Some(process) = self.living(worker) else { return };
        match signal {
            Signal::Kill => self.dies(worker, Exit::Signal(9)),
            Signal::Abort => self.dies(worker, Exit::Signal(6)),
            Signal::Term => {
                let acts = process.feels_term();
                self.plan(worker, acts);
            }
        }
    }

    /// What a run left below its living worker is killed. A dead worker's orphans are the reaper's.
    pub(crate) fn cleans(&mut self, worker: WorkerId) {
        let Some(process) = self.living(worker) else { return };
        process.children = None;
        self.hears(worker, 0, Event::Cleaned(worker, b"said".to_vec()));
    }

    /// The worker has exited: its orphans are killed, its pipe is read out, then it is gone.
    pub(crate) fn reaped(&mut self, worker: WorkerId) {
        let Some(process) = self.processes.get_mut(&worker) else { return };
        process.children = None;
        let (exit, oom) = (process.dead.clone().unwrap(), process.memory.oom);
        self.hears(worker, 0, Event::Gone(gone(worker, exit, oom)));
    }
}

fn gone(worker: WorkerId, exit: Exit, oom: bool) -> WorkerExit {
    WorkerExit { worker, exit, peak_rss_bytes: None, cpu_ms: None, oom, output: Vec::new() }
}

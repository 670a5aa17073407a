//! A worker as the world has it: a process that behaves well or badly, by chance. It knows the contract, not the supervisor.

use std::collections::BTreeMap;

use ipc_contract::TaskSpec;
use ipc_contract::message::{
    Back, Beat, Booting, Bye, Done, Exit as ToldExit, Fail, FromWorker, Hello, Note, Ready, Retry, RunRef, Stop,
    ToWorker,
};
use ipc_contract::payload::Payload;
use supervisor::core::Exit;

use crate::follow_ups::follow_ups;
use crate::memory::Memory;
use crate::pools::Habits;
use crate::rng::Rng;
use crate::sayings::UNIT;

const MS: i64 = 1_000;
/// Notes of one run.
const NOTES_MAX: i64 = 4;
/// A program that starts slowly says so this often.
const BOOTING_EVERY_US: i64 = 8_000 * MS;

pub(crate) struct ModelWorker {
    kind: &'static str,
    tag: String,
    /// What it executes, from reading `run` to writing the answer.
    pub(crate) run: Option<RunRef>,
    /// Notes of this run that spent, and the last that was acknowledged: the next waits for it.
    noted: u64,
    acknowledged: u64,
    /// The run of which processes live below it, during and after the run.
    pub(crate) children: Option<RunRef>,
    pub(crate) dead: Option<Exit>,
    /// It wrote garbage: the reader has stopped.
    pub(crate) unreadable: bool,
    mood: Mood,
    habits: Habits,
    pub(crate) memory: Memory,
    leaving: bool,
    said_bye: bool,
    /// It wrote what the contract forbids, or good-bye: what it says then does not count.
    pub(crate) broke: bool,
}

struct Mood {
    obeys: bool,
    dies_on_term: bool,
    beats: bool,
    notes: bool,
    enqueues: bool,
}

/// Something that the process does, after some time.
pub(crate) struct Act {
    pub(crate) after_us: i64,
    pub(crate) does: Does,
}

#[derive(Clone, Debug)]
pub(crate) enum Does {
    Say(FromWorker),
    /// The handler says how far it is, or what it has spent, if it still runs.
    Note(RunRef),
    Garble,
    /// The handler takes the memory that it needs.
    Swell,
    Leave(i32),
    Die(i32),
    /// The handler comes to its end, if it still runs.
    End(RunRef, End),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum End {
    Ok,
    Fail(Retry),
    CommandSignal,
    CommandOom,
    Crash,
    Exit,
    Hang,
    Garble,
    Stale,
    Twice,
    OtherTask,
    Back,
    Bye,
    /// Done, and after that it leaves by itself.
    Retire,
}

/// How a handler ends while faults happen, by weight.
const ENDS: [(u64, End); 16] = [
    (46, End::Ok),
    (8, End::Fail(Retry::Default)),
    (4, End::Fail(Retry::AfterMs(700))),
    (3, End::Fail(Retry::Never)),
    (2, End::CommandSignal),
    (2, End::CommandOom),
    (9, End::Crash),
    (4, End::Exit),
    (6, End::Hang),
    (3, End::Garble),
    (3, End::Stale),
    (3, End::Twice),
    (3, End::OtherTask),
    (2, End::Back),
    (2, End::Bye),
    (4, End::Retire),
];

/// What a good `done` carries: it names its run, so that a result can be told to be its own.
pub(crate) fn result_of(run: RunRef) -> Vec<u8> {
    format!("{}/{}", run.task, run.epoch).into_bytes()
}

fn act(after_us: i64, does: Does) -> Act {
    Act { after_us, does }
}

fn say(after_us: i64, message: FromWorker) -> Act {
    act(after_us, Does::Say(message))
}

fn done(run: RunRef, enqueue: Vec<TaskSpec>) -> FromWorker {
    FromWorker::Done(Done {
        enqueue,
        task: run.task,
        epoch: run.epoch,
        result: Payload(result_of(run)),
        ..Done::default()
    })
}

fn fail(run: RunRef, retry: Retry, exit: Option<ToldExit>) -> FromWorker {
    FromWorker::Fail(Fail { task: run.task, epoch: run.epoch, error: "no".into(), retry, exit, ..Fail::default() })
}

impl ModelWorker {
    pub(crate) fn new(
        kind: &'static str,
        tag: String,
        habits: Habits,
        memory: Memory,
        rng: &mut Rng,
        calm: bool,
    ) -> ModelWorker {
        let (obeys, dies_on_term) = (calm || rng.percent(60), rng.percent(50));
        let mood =
            Mood { obeys, dies_on_term, beats: rng.percent(50), notes: rng.percent(80), enqueues: rng.percent(80) };
        ModelWorker {
            kind,
            tag,
            run: None,
            noted: 0,
            acknowledged: 0,
            children: None,
            dead: None,
            unreadable: false,
            mood,
            habits,
            memory,
            leaving: false,
            said_bye: false,
            broke: false,
        }
    }

    /// The run that lives on in this process or below it.
    pub(crate) fn live_run(&self) -> Option<RunRef> {
        self.run.filter(|_| self.dead.is_none()).or(self.children)
    }

    fn hello(&self) -> Hello {
        let Mood { beats, notes, enqueues, .. } = self.mood;
        let features = [("beat", beats), ("note", notes), ("enqueue", enqueues)];
        let features = features.into_iter().filter(|(_, has)| *has).map(|(name, _)| name.to_owned()).collect();
        let (cookie, kinds) = (self.tag.clone(), vec![self.kind.to_owned()]);
        Hello { protocol_min: 1, protocol_max: 1, cookie, sdk: "model".into(), kinds, concurrency: 1, features }
    }

    /// From exec to `hello`, or to whatever comes instead.
    pub(crate) fn boot(&self, rng: &mut Rng, faults_percent: u64) -> Vec<Act> {
        let soon = rng.between(self.habits.boot_us.0, self.habits.boot_us.1);
        let hello = self.hello();
        let booting = || FromWorker::Booting(Booting {});
        let greet = |hello| {
            let mut acts: Vec<Act> =
                (1..=soon / BOOTING_EVERY_US).map(|n| say(n * BOOTING_EVERY_US, booting())).collect();
            acts.push(say(soon, FromWorker::Hello(hello)));
            acts
        };
        let faulty = rng.percent(faults_percent);
        match if faulty { rng.between(1, 13) } else { 0 } {
            0 => greet(hello),
            1 => vec![
                say(8_000 * MS, booting()),
                say(15_000 * MS, booting()),
                say(20_000 * MS, FromWorker::Hello(hello)),
            ],
            2 => vec![],
            3 | 4 => vec![act(soon, Does::Leave(1))],
            5 => vec![act(soon, Does::Die(11))],
            6 => vec![act(soon, Does::Garble)],
            7 => {
                let bye = FromWorker::Bye(Bye { spawn_error: Some("no such program".into()) });
                vec![say(soon, bye), act(soon + MS, Does::Leave(127))]
            }
            8 => greet(Hello { cookie: "another".into(), ..hello }),
            9 => greet(Hello { concurrency: 0, ..hello }),
            10 => greet(Hello { kinds: vec![], ..hello }),
            11 => greet(Hello { protocol_min: 7, protocol_max: 9, ..hello }),
            12 => vec![act(soon, Does::Leave(78))],
            _ => vec![say(soon, FromWorker::Ready(Ready {}))],
        }
    }

    pub(crate) fn reads(&mut self, message: &ToWorker, rng: &mut Rng, calm: bool) -> Vec<Act> {
        let soon = rng.between(1, 50) * MS;
        match message {
            ToWorker::Welcome(_) => {
                let mut acts = vec![match if calm { 0 } else { rng.below(20) } {
                    18 => act(soon, Does::Leave(3)),
                    19 => say(12_000 * MS, FromWorker::Ready(Ready {})),
                    _ => say(soon, FromWorker::Ready(Ready {})),
                }];
                if self.mood.beats {
                    acts.extend((1..4).map(|n| say(n * 7_000 * MS, FromWorker::Beat(Beat {}))));
                }
                acts
            }
            ToWorker::Reject(_) if self.mood.obeys => vec![act(soon, Does::Leave(1))],
            ToWorker::Reject(_) => vec![],
            // It said good-bye before it read this, and reads on only because it still lives.
            ToWorker::Run(_) if self.said_bye => vec![],
            ToWorker::Run(run) => self.starts(RunRef { task: run.task, epoch: run.epoch }, rng, calm),
            ToWorker::Ack(ack) => {
                if self.run == Some(RunRef { task: ack.task, epoch: ack.epoch }) {
                    assert_eq!(
                        (ack.seq, self.acknowledged + 1),
                        (self.noted, self.noted),
                        "one note waits for its ack"
                    );
                    self.acknowledged = ack.seq;
                }
                vec![]
            }
            ToWorker::Stop(stop) => self.told_to_stop(stop, soon, rng),
        }
    }

    fn starts(&mut self, run: RunRef, rng: &mut Rng, calm: bool) -> Vec<Act> {
        (self.run, self.noted, self.acknowledged) = (Some(run), 0, 0);
        if !calm {
            self.memory.run_begins(self.habits, rng);
        }
        let end = if calm { End::Ok } else { rng.weighted(&ENDS) };
        self.children = Some(run).filter(|_| end != End::Back && rng.percent(30));
        let long = !calm && rng.percent(10);
        let after_us = if long { rng.between(1_000, 40_000) } else { rng.between(1, 900) } * MS;
        let notes = if self.mood.notes { rng.between(0, NOTES_MAX) } else { 0 };
        let mut acts: Vec<Act> = (0..notes).map(|_| act(rng.between(0, after_us), Does::Note(run))).collect();
        acts.push(act(after_us / 3, Does::Swell));
        acts.push(act(after_us, Does::End(run, end)));
        acts
    }

    /// What the handler says next of its run: what it spends only when the last was acknowledged. Some notes are those of a
    /// run before it.
    pub(crate) fn note(&mut self, run: RunRef, rng: &mut Rng) -> Note {
        let RunRef { task, epoch } = run;
        let spend = BTreeMap::from([(UNIT.to_owned(), rng.between(1, 1_000) as u64)]);
        if epoch > 1 && rng.percent(10) {
            return Note { task, epoch: epoch - 1, spend, seq: 1, ..Note::default() };
        }
        let done = rng.percent(50).then(|| rng.below(100) as f64);
        if self.noted > self.acknowledged || rng.percent(50) {
            return Note { task, epoch, done, ..Note::default() };
        }
        self.noted += 1;
        Note { task, epoch, done, spend, seq: self.noted, ..Note::default() }
    }

    fn told_to_stop(&mut self, stop: &Stop, soon: i64, rng: &mut Rng) -> Vec<Act> {
        self.leaving |= stop.run.is_none() && self.mood.obeys;
        let stops = |run: &RunRef| stop.run.is_none_or(|which| which == *run);
        match self.run.filter(stops) {
            Some(run) if self.mood.obeys => {
                let end = rng.weighted(&[(3, End::Fail(Retry::Default)), (2, End::Ok), (1, End::Back)]);
                vec![act(soon, Does::End(run, end))]
            }
            None if self.leaving => self.leaves(soon),
            _ => vec![],
        }
    }

    fn leaves(&self, after_us: i64) -> Vec<Act> {
        vec![say(after_us, FromWorker::Bye(Bye::default())), act(after_us + MS, Does::Leave(0))]
    }

    pub(crate) fn feels_term(&self) -> Vec<Act> {
        if self.mood.dies_on_term { vec![act(0, Does::Die(15))] } else { vec![] }
    }

    /// The handler ends. A `done` leaves its children to themselves; after all else they belong to the run.
    pub(crate) fn ends(&mut self, run: RunRef, end: End, rng: &mut Rng) -> Vec<Act> {
        let follow_ups = if self.mood.enqueues { follow_ups(rng) } else { Vec::new() };
        let done = |run: RunRef| done(run, follow_ups.clone());
        let stale = RunRef { epoch: run.epoch.wrapping_sub(1), ..run };
        let other = RunRef { task: run.task + 1, ..run };
        let told = |signal, oom| Some(ToldExit { signal, oom, ..ToldExit::default() });
        let mut acts = match end {
            End::Hang => return vec![],
            End::Ok => vec![say(0, done(run))],
            // A run may come in between.
            End::Retire => {
                let mut acts = vec![say(0, done(run))];
                acts.extend(self.leaves(rng.between(1, 20) * MS));
                acts
            }
            End::Twice => vec![say(0, done(run)), say(MS, done(run))],
            End::Fail(retry) => vec![say(0, fail(run, retry, None))],
            End::CommandSignal => vec![say(0, fail(run, Retry::Default, told(Some(6), false)))],
            End::CommandOom => vec![say(0, fail(run, Retry::Default, told(Some(9), true)))],
            End::Crash => vec![act(0, Does::Die(11))],
            End::Exit => vec![act(0, Does::Leave(0))],
            End::Garble => vec![act(0, Does::Garble), say(MS, done(run))],
            End::Stale => vec![say(0, done(stale)), say(MS, done(run))],
            End::OtherTask => vec![say(0, done(other)), say(MS, done(run))],
            End::Back => vec![say(0, FromWorker::Back(Back { task: run.task, epoch: run.epoch }))],
            End::Bye => vec![say(0, FromWorker::Bye(Bye::default())), act(5 * MS, Does::Leave(0))],
        };
        if self.leaving {
            acts.extend(self.leaves(2 * MS));
        }
        acts
    }

    /// Takes note of what it has just written; whether that was a legal answer to what it runs.
    pub(crate) fn wrote(&mut self, message: &FromWorker) -> bool {
        self.said_bye |= matches!(message, FromWorker::Bye(_));
        self.broke |= self.said_bye;
        let Some(answer) = message.answers() else { return false };
        self.broke |= self.run != Some(answer);
        if self.broke {
            return false;
        }
        self.run = None;
        self.memory.run_ends();
        if !matches!(message, FromWorker::Fail(_)) {
            self.children = self.children.filter(|run| *run != answer);
        }
        true
    }
}

//! The conversation a second time, as section 4 of SPEC.md tells it. Knows the messages, but nothing of `session`.

use ipc_contract::{Done, FromWorker, Kind, Run, ToWorker};

/// The columns of the table of SPEC.md 4.8.
const STATES: [&str; 6] = ["starting", "greeted", "welcomed", "ready", "draining", "closed"];

/// Its rows: the state that follows in each column.
const TABLE: &[(&str, [&str; 6])] = &[
    ("hello", ["greeted", "-", "-", "-", "-", "-"]),
    ("booting", ["starting", "-", "welcomed", "-", "draining", "-"]),
    ("ready", ["-", "-", "ready", "-", "draining", "-"]),
    ("beat", ["-", "-", "welcomed", "ready", "draining", "-"]),
    ("log", ["-", "-", "welcomed", "ready", "draining", "-"]),
    ("note", ["-", "-", "-", "ready", "draining", "-"]),
    ("save", ["-", "-", "-", "ready", "draining", "-"]),
    ("done", ["-", "-", "-", "ready", "draining", "-"]),
    ("fail", ["-", "-", "-", "ready", "draining", "-"]),
    ("park", ["-", "-", "-", "ready", "draining", "-"]),
    ("back", ["-", "-", "-", "ready", "draining", "-"]),
    ("bye", ["closed", "-", "closed", "closed", "closed", "-"]),
    ("welcome", ["-", "welcomed", "-", "-", "-", "-"]),
    ("reject", ["-", "closed", "-", "-", "-", "-"]),
    ("run", ["-", "-", "-", "ready", "-", "closed"]),
    ("stop", ["-", "-", "draining", "draining", "draining", "closed"]),
    ("ack", ["-", "-", "-", "ready", "draining", "closed"]),
];

/// Those that something needs.
const FEATURES: [&str; 5] = ["beat", "note", "enqueue", "save", "park"];

#[derive(Clone, Debug)]
pub enum Said {
    ByWorker(FromWorker),
    BySupervisor(ToWorker),
}

impl Said {
    pub fn kind(&self) -> Kind {
        match self {
            Self::ByWorker(message) => message.kind(),
            Self::BySupervisor(message) => message.kind(),
        }
    }
}

#[derive(Clone, Debug)]
struct Live {
    task: u64,
    epoch: u64,
    /// Every number that was said, and every one that was acknowledged.
    said: Vec<u64>,
    acked: Vec<u64>,
}

#[derive(Clone, Debug)]
pub struct Model {
    pub state: &'static str,
    concurrency: u32,
    has_said_ready: bool,
    /// Sets of features, a bit for each of `FEATURES`.
    offered: u8,
    agreed: u8,
    live: Vec<Live>,
}

impl Model {
    pub fn new() -> Self {
        Self { state: STATES[0], concurrency: 0, has_said_ready: false, offered: 0, agreed: 0, live: Vec::new() }
    }

    /// (task, epoch) of what is in flight, by task.
    pub fn in_flight(&self) -> Vec<(u64, u64)> {
        let mut runs: Vec<_> = self.live.iter().map(|live| (live.task, live.epoch)).collect();
        runs.sort_unstable();
        runs
    }

    /// May be negative only when the model is wrong.
    pub fn credits(&self) -> i64 {
        if self.state == "ready" { i64::from(self.concurrency) - self.live.len() as i64 } else { 0 }
    }

    /// True, and taken note of, when it is legal; false changes nothing.
    pub fn takes(&mut self, said: &Said) -> bool {
        let mut after = self.clone();
        let is_legal = after.apply(said).is_some();
        if is_legal {
            *self = after;
        }
        is_legal
    }

    /// `None` is a violation.
    fn apply(&mut self, said: &Said) -> Option<()> {
        let column = STATES.iter().position(|state| *state == self.state)?;
        let (_, row) = TABLE.iter().find(|(name, _)| *name == said.kind().name())?;
        let next = row[column];
        require(next != "-")?;
        if self.state == "closed" {
            return Some(());
        }
        require(set_of(&features_of(said)) & !self.agreed == 0)?;
        match said {
            Said::ByWorker(message) => self.worker_says(message)?,
            Said::BySupervisor(ToWorker::Stop(stop)) if stop.run.is_some() => return require(self.state != "welcomed"),
            Said::BySupervisor(message) => self.supervisor_says(message)?,
        }
        self.state = next;
        Some(())
    }

    fn worker_says(&mut self, message: &FromWorker) -> Option<()> {
        match message {
            FromWorker::Hello(hello) => {
                self.concurrency = hello.concurrency;
                self.offered = set_of(&hello.features);
            }
            FromWorker::Booting(_) => require(!self.has_said_ready)?,
            FromWorker::Ready(_) => {
                require(!self.has_said_ready)?;
                self.has_said_ready = true;
            }
            FromWorker::Note(note) if note.seq == 0 => {}
            FromWorker::Note(note) => self.number(note.task, note.epoch, note.seq)?,
            FromWorker::Save(save) => self.number(save.task, save.epoch, save.seq)?,
            FromWorker::Done(done) => self.answer(done.task, done.epoch)?,
            FromWorker::Fail(fail) => self.answer(fail.task, fail.epoch)?,
            FromWorker::Park(park) => self.answer(park.task, park.epoch)?,
            FromWorker::Back(back) => self.answer(back.task, back.epoch)?,
            FromWorker::Bye(bye) => require(bye.spawn_error.is_some() == (self.state == "starting"))?,
            FromWorker::Beat(_) | FromWorker::Log(_) => {}
        }
        Some(())
    }

    fn supervisor_says(&mut self, message: &ToWorker) -> Option<()> {
        match message {
            ToWorker::Welcome(welcome) => {
                self.agreed = self.offered & set_of(&welcome.features);
            }
            ToWorker::Run(run) => {
                require(self.credits() > 0 && self.live.iter().all(|live| live.task != run.task))?;
                self.live.push(Live { task: run.task, epoch: run.epoch, said: Vec::new(), acked: Vec::new() });
            }
            ToWorker::Ack(ack) => {
                if let Some(live) = self.find(ack.task, ack.epoch) {
                    require(live.said.contains(&ack.seq) && !live.acked.contains(&ack.seq))?;
                    live.acked.push(ack.seq);
                }
            }
            ToWorker::Reject(_) | ToWorker::Stop(_) => {}
        }
        Some(())
    }

    fn find(&mut self, task: u64, epoch: u64) -> Option<&mut Live> {
        self.live.iter_mut().find(|live| (live.task, live.epoch) == (task, epoch))
    }

    fn number(&mut self, task: u64, epoch: u64, seq: u64) -> Option<()> {
        let Some(live) = self.find(task, epoch) else { return Some(()) };
        require(live.said == live.acked && seq == live.said.len() as u64 + 1)?;
        live.said.push(seq);
        Some(())
    }

    fn answer(&mut self, task: u64, epoch: u64) -> Option<()> {
        let index = self.live.iter().position(|live| (live.task, live.epoch) == (task, epoch))?;
        self.live.remove(index);
        Some(())
    }
}

fn set_of(names: &[impl AsRef<str>]) -> u8 {
    let is_named = |feature: &str| names.iter().any(|name| name.as_ref() == feature);
    FEATURES.iter().enumerate().fold(0, |set, (bit, feature)| set | u8::from(is_named(feature)) << bit)
}

fn require(holds: bool) -> Option<()> {
    holds.then_some(())
}

fn features_of(said: &Said) -> Vec<&'static str> {
    let mut features = Vec::new();
    match said {
        Said::ByWorker(FromWorker::Beat(_)) => features.push("beat"),
        Said::ByWorker(FromWorker::Note(_)) => features.push("note"),
        Said::ByWorker(FromWorker::Save(_)) => features.push("save"),
        Said::ByWorker(FromWorker::Park(_)) => features.push("park"),
        Said::ByWorker(FromWorker::Done(Done { enqueue, .. })) if !enqueue.is_empty() => features.push("enqueue"),
        Said::BySupervisor(ToWorker::Run(Run { steps, checkpoint, facts, .. })) => {
            if !steps.is_empty() || !checkpoint.0.is_empty() {
                features.push("save");
            }
            if !facts.is_empty() {
                features.push("park");
            }
        }
        _ => {}
    }
    features
}

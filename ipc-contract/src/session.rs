//! One conversation between a supervisor and a worker: which message is legal when. One table for both ends; no bytes here.
//!
//! Both ends see the same messages, but not always in the same order: what one end sends crosses what the other sends.
//! The table allows each order that two correct ends can see, and says at each crossing why it is there.

use std::collections::BTreeMap;
use std::fmt;

use crate::feature::{Feature, Features};
use crate::kind::Kind;
use crate::message::{Ack, FromWorker, Run, RunRef, Stop, ToWorker};

/// How far a conversation has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum State {
    /// Nobody has said who it is.
    #[default]
    Starting,
    /// The worker has said `hello` and awaits the answer.
    Greeted,
    /// The worker is accepted and prepares itself.
    Welcomed,
    /// The worker takes runs.
    Ready,
    /// The worker was told to stop: it answers what it has and leaves.
    Draining,
    /// Nothing more will be said.
    Closed,
}

impl State {
    /// Every state, in the order of a life.
    pub const ALL: &[Self] =
        &[Self::Starting, Self::Greeted, Self::Welcomed, Self::Ready, Self::Draining, Self::Closed];

    /// The name in the contract.
    pub fn name(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Greeted => "greeted",
            Self::Welcomed => "welcomed",
            Self::Ready => "ready",
            Self::Draining => "draining",
            Self::Closed => "closed",
        }
    }
}

/// The state after a message of this kind, or `None` when it is illegal. `stop` here is the stop of the worker; that of
/// one run is legal from `ready` on and changes no state.
pub fn next(state: State, kind: Kind) -> Option<State> {
    use State::*;
    match (state, kind) {
        (Starting, Kind::Booting) => Some(Starting),
        (Starting, Kind::Hello) => Some(Greeted),
        // From the shim, which could not start the program.
        (Starting, Kind::Bye) => Some(Closed),

        // Both ends wait for this one answer and nothing crosses it: features are not agreed yet.
        (Greeted, Kind::Welcome) => Some(Welcomed),
        (Greeted, Kind::Reject) => Some(Closed),

        (Welcomed, Kind::Booting | Kind::Log | Kind::Beat) => Some(Welcomed),
        (Welcomed, Kind::Ready) => Some(Ready),
        (Welcomed | Ready | Draining, Kind::Stop) => Some(Draining),
        // A worker may leave whenever it has been accepted. What it still had is known from the runs in flight.
        (Welcomed | Ready | Draining, Kind::Bye) => Some(Closed),

        (Ready, Kind::Run) => Some(Ready),
        (Ready | Draining, Kind::Beat | Kind::Log | Kind::Note | Kind::Save | Kind::Ack) => Some(state),
        (Ready | Draining, Kind::Done | Kind::Fail | Kind::Park | Kind::Back) => Some(state),
        // Sent before the worker had read a `stop` that came while it was starting. No run follows: the stop came first.
        (Draining, Kind::Booting | Kind::Ready) => Some(Draining),

        // Sent before the supervisor had read the `bye`: the worker, if it still reads, ignores them.
        (Closed, Kind::Run | Kind::Stop | Kind::Ack) => Some(Closed),

        // Every other pair is a violation.
        (Starting | Greeted | Welcomed | Ready | Draining | Closed, _) => None,
    }
}

/// A message of either direction, borrowed.
#[derive(Clone, Copy, Debug)]
pub enum MessageRef<'m> {
    FromWorker(&'m FromWorker),
    ToWorker(&'m ToWorker),
}

impl MessageRef<'_> {
    /// What the message is, without its body.
    pub fn kind(self) -> Kind {
        match self {
            Self::FromWorker(message) => message.kind(),
            Self::ToWorker(message) => message.kind(),
        }
    }
}

impl<'m> From<&'m FromWorker> for MessageRef<'m> {
    fn from(message: &'m FromWorker) -> Self {
        Self::FromWorker(message)
    }
}

impl<'m> From<&'m ToWorker> for MessageRef<'m> {
    fn from(message: &'m ToWorker) -> Self {
        Self::ToWorker(message)
    }
}

/// What both sides must have named before this message is sent.
pub(crate) fn needs(message: MessageRef<'_>) -> impl Iterator<Item = Feature> {
    let of_fields = match message {
        MessageRef::FromWorker(FromWorker::Done(done)) => {
            [(!done.enqueue.is_empty()).then_some(Feature::Enqueue), None]
        }
        MessageRef::ToWorker(ToWorker::Run(run)) => [
            (!run.steps.is_empty() || !run.checkpoint.is_nothing()).then_some(Feature::Save),
            (!run.facts.is_empty()).then_some(Feature::Park),
        ],
        _ => [None, None],
    };
    message.kind().feature().into_iter().chain(of_fields.into_iter().flatten())
}

/// A message that the rules of the conversation do not allow. The session stays as it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    pub state: State,
    pub kind: Kind,
    /// What is wrong, in a lower-case sentence.
    pub sentence: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} while {}: {}", self.kind.name(), self.state.name(), self.sentence)
    }
}

impl std::error::Error for Violation {}

/// A conversation as one end sees it: show it every message, sent or received, in order.
///
/// Runs that are in flight when the worker leaves stay listed: what becomes of them is for the supervisor to decide.
#[derive(Clone, Debug, Default)]
pub struct Session {
    state: State,
    /// What `hello` offered and `ready` grants.
    concurrency: u32,
    is_ready: bool,
    /// What `hello` named, and from `welcome` on what both named.
    features: Features,
    /// Runs sent and not answered, by task. Never more than `concurrency`.
    in_flight: BTreeMap<u64, Flight>,
}

/// A run that is not answered.
#[derive(Clone, Copy, Debug, Default)]
struct Flight {
    epoch: u64,
    /// What was numbered, and how much of it is acknowledged: all, or all but the last.
    numbered: u64,
    acknowledged: u64,
}

impl Session {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn state(&self) -> State {
        self.state
    }

    /// Runs that were sent and not answered, by task.
    pub fn in_flight(&self) -> impl ExactSizeIterator<Item = RunRef> {
        self.in_flight.iter().map(|(&task, flight)| RunRef { task, epoch: flight.epoch })
    }

    /// Runs that may be sent now.
    pub fn credits(&self) -> u32 {
        if self.state != State::Ready {
            return 0;
        }
        let used = u32::try_from(self.in_flight.len()).unwrap_or(u32::MAX);
        self.concurrency.saturating_sub(used)
    }

    /// Takes note of the next message.
    ///
    /// # Errors
    /// A [`Violation`] when the message is illegal here; the conversation is over then.
    pub fn sees<'m>(&mut self, message: impl Into<MessageRef<'m>>) -> Result<(), Violation> {
        let message = message.into();
        let kind = message.kind();
        let state = self.state;
        let violation = |sentence: String| Violation { state, kind, sentence };
        let after =
            next(state, kind).ok_or_else(|| violation("not legal in this state of the conversation".to_owned()))?;
        // It crossed the `bye` or the `reject`, and is ignored whatever it says.
        if state == State::Closed {
            return Ok(());
        }
        if let Some(feature) = needs(message).find(|feature| !self.features.has(*feature)) {
            return Err(violation(format!(
                "it needs the feature `{}`, which both sides must have named",
                feature.name()
            )));
        }
        self.state = match message {
            MessageRef::FromWorker(message) => self.hears(message, after),
            MessageRef::ToWorker(message) => self.says(message, after),
        }
        .map_err(violation)?;
        Ok(())
    }

    /// What the table cannot know about a message of the worker.
    fn hears(&mut self, message: &FromWorker, after: State) -> Result<State, String> {
        if let Some(run) = message.answers() {
            self.settle(run)?;
        }
        match message {
            FromWorker::Hello(hello) => {
                self.concurrency = hello.concurrency;
                self.features = Features::named(&hello.features);
            }
            FromWorker::Booting(_) | FromWorker::Ready(_) if self.is_ready => {
                return Err("the worker has said `ready` before; it is said once, after any `booting`".to_owned());
            }
            FromWorker::Ready(_) => self.is_ready = true,
            FromWorker::Note(note) if note.seq > 0 => self.numbers(note.task, note.epoch, note.seq)?,
            FromWorker::Save(save) => self.numbers(save.task, save.epoch, save.seq)?,
            FromWorker::Bye(bye) if bye.spawn_error.is_some() != (self.state == State::Starting) => {
                return Err("`spawn_error` is what a `bye` before `hello` must have, and no other may".to_owned());
            }
            _ => {}
        }
        Ok(after)
    }

    /// What the table cannot know about a message of the supervisor.
    fn says(&mut self, message: &ToWorker, after: State) -> Result<State, String> {
        match message {
            ToWorker::Welcome(welcome) => self.features = self.features.and(Features::named(&welcome.features)),
            ToWorker::Run(run) => self.start(run)?,
            // The stop of a run that is not in flight crossed its answer, and there is nothing left to stop.
            ToWorker::Stop(Stop { run: Some(_), .. }) if self.state != State::Welcomed => return Ok(self.state),
            ToWorker::Stop(Stop { run: Some(_), .. }) => {
                return Err("no run has been sent yet that could be stopped".to_owned());
            }
            ToWorker::Ack(ack) => self.acknowledges(*ack)?,
            _ => {}
        }
        Ok(after)
    }

    fn start(&mut self, run: &Run) -> Result<(), String> {
        if let Some(flight) = self.in_flight.get(&run.task) {
            return Err(format!("task {} already runs here under epoch {}", run.task, flight.epoch));
        }
        if self.credits() == 0 {
            return Err(format!("all {} credits of the worker are in use", self.concurrency));
        }
        self.in_flight.insert(run.task, Flight { epoch: run.epoch, ..Flight::default() });
        Ok(())
    }

    fn flight(&mut self, task: u64, epoch: u64) -> Option<&mut Flight> {
        self.in_flight.get_mut(&task).filter(|flight| flight.epoch == epoch)
    }

    /// One at a time, so that what is not acknowledged yet is bounded. That of a run which has ended is ignored.
    fn numbers(&mut self, task: u64, epoch: u64, seq: u64) -> Result<(), String> {
        let Some(flight) = self.flight(task, epoch) else { return Ok(()) };
        if flight.numbered != flight.acknowledged {
            return Err(format!("number {} of the run is not acknowledged yet; wait for its ack", flight.numbered));
        }
        if seq != flight.numbered + 1 {
            return Err(format!("notes that spend and saves are numbered: {} comes next", flight.numbered + 1));
        }
        flight.numbered = seq;
        Ok(())
    }

    /// That of a run which has ended crossed its answer.
    fn acknowledges(&mut self, ack: Ack) -> Result<(), String> {
        let Some(flight) = self.flight(ack.task, ack.epoch) else { return Ok(()) };
        if ack.seq != flight.numbered || flight.acknowledged == flight.numbered {
            return Err(format!("nothing with the number {} waits for its ack", ack.seq));
        }
        flight.acknowledged = ack.seq;
        Ok(())
    }

    fn settle(&mut self, run: RunRef) -> Result<(), String> {
        if self.flight(run.task, run.epoch).is_none() {
            let RunRef { task, epoch } = run;
            return Err(format!(
                "task {task} under epoch {epoch} is not in flight; a run is answered once, by its worker"
            ));
        }
        self.in_flight.remove(&run.task);
        Ok(())
    }
}

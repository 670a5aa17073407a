//! What a worker knows of its conversation and does next: runs that wait, those that run, those to give back, the end.
//! Pure: no bytes, threads or clocks; `post` guards it and `runtime` acts on it.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use ipc_contract::limits::BEAT_MS;
use ipc_contract::{
    Ack, Back, Beat, Bye, Feature, Features, FromWorker, PROTOCOL, Ready, Run, RunRef, Session, State, Stop,
    StopReason, ToWorker, Welcome,
};

use crate::ended::Ended;
use crate::running::Running;
use crate::stop::{StopOrder, StopSign};

/// What this library can do beyond what every worker can.
pub(crate) const OFFERED: [Feature; 3] = [Feature::Beat, Feature::Note, Feature::Enqueue];

/// What an executing thread does next.
pub(crate) enum Next {
    /// Sends these, in this order.
    Say(Vec<FromWorker>),
    Run(Run, Arc<StopSign>),
    /// Says `bye`, if nothing has come in between.
    Leave,
    Over,
}

/// How far the worker itself has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Greeting,
    /// Prepares itself.
    Welcomed,
    /// May say `ready`.
    Prepared,
    Ready,
}

#[derive(Clone, Copy, Debug)]
struct Beats {
    every_ms: u64,
    next_at_ms: u64,
}

pub(crate) struct Desk {
    session: Session,
    phase: Phase,
    agreed: Features,
    beats: Option<Beats>,
    /// Not started, in the order of execution. Bounded: the session refuses a run without a credit.
    waiting: VecDeque<Run>,
    running: BTreeMap<RunRef, Running>,
    give_back: VecDeque<RunRef>,
    /// Takes no more runs, by its own wish or that of the supervisor.
    draining: bool,
    /// The supervisor has asked for the end.
    told: bool,
    over: Option<Ended>,
}

impl Desk {
    pub(crate) fn new() -> Self {
        Self {
            session: Session::new(),
            phase: Phase::Greeting,
            agreed: Features::default(),
            beats: None,
            waiting: VecDeque::new(),
            running: BTreeMap::new(),
            give_back: VecDeque::new(),
            draining: false,
            told: false,
            over: None,
        }
    }

    // What arrives.

    /// A message has arrived. A text that it broke the contract ends the conversation.
    pub(crate) fn received(&mut self, message: ToWorker, now_ms: u64) -> Result<(), String> {
        let was_closed = self.session.state() == State::Closed;
        self.session.sees(&message).map_err(|violation| violation.to_string())?;
        match message {
            // It crossed the `bye`.
            _ if was_closed => {}
            ToWorker::Welcome(welcome) => return self.welcome(&welcome, now_ms),
            ToWorker::Reject(reject) => self.end(Ended::Rejected(reject.reason)),
            // It crossed the wish of this worker to leave.
            ToWorker::Run(run) if self.draining => self.give_back.push_back(run_ref(&run)),
            ToWorker::Run(run) => self.waiting.push_back(run),
            ToWorker::Stop(Stop { run: None, .. }) => {
                self.told = true;
                self.drain();
            }
            ToWorker::Stop(Stop { run: Some(run), reason, grace_ms }) => {
                self.stop(run, StopOrder { reason, grace: Duration::from_millis(grace_ms) });
            }
            ToWorker::Ack(Ack { task, epoch, seq }) => {
                if let Some(running) = self.running.get_mut(&RunRef { task, epoch }) {
                    running.acked(seq);
                }
            }
        }
        Ok(())
    }

    fn welcome(&mut self, welcome: &Welcome, now_ms: u64) -> Result<(), String> {
        if welcome.protocol != PROTOCOL {
            let chosen = welcome.protocol;
            return Err(format!("the supervisor chose protocol {chosen}; this worker offered {PROTOCOL}"));
        }
        BEAT_MS.check(welcome.beat_ms).map_err(|error| error.to_string())?;
        self.agreed = Features::named(&OFFERED.map(Feature::name)).and(Features::named(&welcome.features));
        self.phase = Phase::Welcomed;
        let every_ms = welcome.beat_ms;
        self.beats = self.has(Feature::Beat).then_some(Beats { every_ms, next_at_ms: now_ms + every_ms });
        Ok(())
    }

    /// An unknown run is no error: the order crossed its answer.
    fn stop(&mut self, run: RunRef, order: StopOrder) {
        if let Some(running) = self.running.get(&run) {
            // What is recalled has started, and goes on.
            if order.reason != StopReason::Recall {
                running.sign.keep(order);
            }
        } else if let Some(at) = self.waiting.iter().position(|waiting| run_ref(waiting) == run) {
            self.waiting.remove(at);
            self.give_back.push_back(run);
        }
    }

    /// The channel has ended, between two frames. After a stop what runs may still be answered, though nothing is stored.
    pub(crate) fn channel_ended(&mut self) {
        if !self.told {
            return self.end(Ended::Abandoned);
        }
        self.agreed = Features::default();
        self.running.values_mut().for_each(Running::abandon);
    }

    // What the worker itself brings about.

    /// What was to be done before the first run is done.
    pub(crate) fn prepared(&mut self) {
        self.phase = Phase::Prepared;
    }

    /// Finish what runs, give back what waits, start nothing.
    pub(crate) fn drain(&mut self) {
        self.draining = true;
        self.give_back.extend(self.waiting.drain(..).map(|run| run_ref(&run)));
    }

    /// The conversation cannot go on. Nobody will read an answer, so what runs is asked to stop without grace.
    pub(crate) fn end(&mut self, ended: Ended) {
        self.waiting.clear();
        self.give_back.clear();
        self.over.get_or_insert(ended);
        for running in self.running.values_mut() {
            running.sign.keep(StopOrder { reason: StopReason::Unknown, grace: Duration::ZERO });
            running.abandon();
        }
    }

    /// A handler has ended; its answer waits until all that it spent is stored.
    pub(crate) fn finished(&mut self, run: RunRef, answer: FromWorker) {
        if let Some(running) = self.running.get_mut(&run) {
            running.answer = Some(answer);
        }
    }

    /// The run, while it may say something that will be heard.
    pub(crate) fn speaking(&mut self, run: RunRef) -> Option<&mut Running> {
        if !self.has(Feature::Note) || self.over.is_some() {
            return None;
        }
        self.running.get_mut(&run).filter(|running| running.answer.is_none())
    }

    // What is to be done.

    /// What an executing thread does next; `None` means that it waits.
    pub(crate) fn next(&mut self, now_ms: u64) -> Option<Next> {
        if self.over.is_some() {
            return Some(Next::Over);
        }
        if let Some(said) = self.take_back().map(|back| vec![back]).or_else(|| self.take_answer(now_ms)) {
            return Some(Next::Say(said));
        }
        if self.may_leave() {
            return Some(Next::Leave);
        }
        if self.phase == Phase::Prepared {
            self.phase = Phase::Ready;
            return Some(Next::Say(vec![FromWorker::Ready(Ready {})]));
        }
        let run = self.waiting.pop_front()?;
        let running = Running::new(run_ref(&run));
        let sign = Arc::clone(&running.sign);
        self.running.insert(run_ref(&run), running);
        Some(Next::Run(run, sign))
    }

    /// What must not wait for a busy handler: runs to give back, notes whose time has come, a beat.
    pub(crate) fn take_aside(&mut self, now_ms: u64) -> Option<FromWorker> {
        self.take_back().or_else(|| self.take_note(now_ms)).or_else(|| self.take_beat(now_ms))
    }

    /// When `take_aside` will find something.
    pub(crate) fn aside_due_at_ms(&self, now_ms: u64) -> Option<u64> {
        let back_at_ms = (!self.give_back.is_empty()).then_some(now_ms);
        let beat_at_ms = self.beats.map(|beats| beats.next_at_ms);
        [back_at_ms, self.note_due_at_ms(now_ms), beat_at_ms].into_iter().flatten().min()
    }

    /// The next note that is due.
    pub(crate) fn take_note(&mut self, now_ms: u64) -> Option<FromWorker> {
        if !self.has(Feature::Note) {
            return None;
        }
        self.running.values_mut().find_map(|running| running.notes.take(now_ms)).map(FromWorker::Note)
    }

    /// When `take_note` will find something.
    pub(crate) fn note_due_at_ms(&self, now_ms: u64) -> Option<u64> {
        if !self.has(Feature::Note) {
            return None;
        }
        self.running.values().filter_map(|running| running.notes.due_at_ms(now_ms)).min()
    }

    /// The last word, unless a run has come in between.
    pub(crate) fn take_bye(&mut self) -> Option<FromWorker> {
        self.may_leave().then(|| FromWorker::Bye(Bye::default()))
    }

    /// A message is about to leave: false when nobody is left to read it, a text when the contract forbids it.
    pub(crate) fn may_send(&mut self, message: &FromWorker) -> Result<bool, String> {
        if self.over.is_some() {
            return Ok(false);
        }
        self.session.sees(message).map_err(|violation| violation.to_string())?;
        if self.session.state() == State::Closed {
            self.end(Ended::Drained);
        }
        Ok(true)
    }

    pub(crate) fn has(&self, feature: Feature) -> bool {
        self.agreed.has(feature)
    }

    /// True once the supervisor has accepted this worker, until that is prepared.
    pub(crate) fn is_welcomed(&self) -> bool {
        self.phase == Phase::Welcomed
    }

    pub(crate) fn over(&self) -> Option<&Ended> {
        self.over.as_ref()
    }

    /// True when there may be something to do for more than one of the executing threads.
    pub(crate) fn concerns_all(&self) -> bool {
        self.draining || self.over.is_some()
    }

    fn take_back(&mut self) -> Option<FromWorker> {
        let RunRef { task, epoch } = self.give_back.pop_front()?;
        Some(FromWorker::Back(Back { task, epoch }))
    }

    /// The answer of a run that has nothing more to store, after its last word.
    fn take_answer(&mut self, now_ms: u64) -> Option<Vec<FromWorker>> {
        let may_note = self.has(Feature::Note);
        let is_settled = |running: &Running| running.notes.is_settled() || !may_note;
        let (&run, _) = self.running.iter().find(|(_, running)| running.answer.is_some() && is_settled(running))?;
        let mut running = self.running.remove(&run)?;
        let last = running.notes.take_last(now_ms).filter(|_| may_note).map(FromWorker::Note);
        Some(last.into_iter().chain(running.answer).collect())
    }

    fn take_beat(&mut self, now_ms: u64) -> Option<FromWorker> {
        let beats = self.beats.as_mut().filter(|beats| beats.next_at_ms <= now_ms)?;
        beats.next_at_ms = now_ms + beats.every_ms;
        Some(FromWorker::Beat(Beat {}))
    }

    /// True when every run that was read is answered.
    fn may_leave(&self) -> bool {
        let is_prepared = matches!(self.phase, Phase::Prepared | Phase::Ready);
        self.over.is_none() && self.draining && is_prepared && self.session.in_flight().len() == 0
    }
}

fn run_ref(run: &Run) -> RunRef {
    RunRef { task: run.task, epoch: run.epoch }
}

#[cfg(test)]
#[path = "desk_tests.rs"]
mod tests;

//! What a worker knows of its conversation and does next: runs that wait, the one that runs, those to give back, the end.
//! Pure: no bytes, threads or clocks; `post` guards it and `runtime` acts on it.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use ipc_contract::{Back, FromWorker, PROTOCOL, Run, RunRef, Session, Stop, StopReason, ToWorker};

use crate::context::{StopOrder, StopSign};
use crate::exit::{EXIT_CONFIG, EXIT_IO, EXIT_PROTOCOL};

/// The feature that both sides must name before beats are sent.
pub(crate) const BEAT: &str = "beat";

/// How a worker ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Asked to stop, or the supervisor closed the channel: what ran is finished, what waited was given back.
    Drained,
    /// Refused by the supervisor, in a sentence that the user can act on.
    Rejected(String),
    /// The conversation broke a rule of the contract.
    Protocol(String),
    /// The channel or a thread failed.
    Io(String),
}

impl Ended {
    /// The exit code of the process: 0, 78, 76 or 74.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Drained => 0,
            Self::Rejected(_) => EXIT_CONFIG,
            Self::Protocol(_) => EXIT_PROTOCOL,
            Self::Io(_) => EXIT_IO,
        }
    }
}

/// What the executing thread does next.
pub(crate) enum Next {
    Ready,
    Run(Run, Arc<StopSign>),
    Back(FromWorker),
    Over(Ended),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Greeting {
    Sent,
    Answered,
    Done,
}

pub(crate) struct Desk {
    session: Session,
    greeting: Greeting,
    beats: bool,
    /// Not started, in the order of execution. Bounded: the session refuses a run without a credit.
    waiting: VecDeque<Run>,
    running: Option<(RunRef, Arc<StopSign>)>,
    give_back: VecDeque<RunRef>,
    draining: bool,
    over: Option<Ended>,
}

impl Desk {
    pub(crate) fn new() -> Self {
        Self {
            session: Session::new(),
            greeting: Greeting::Sent,
            beats: false,
            waiting: VecDeque::new(),
            running: None,
            give_back: VecDeque::new(),
            draining: false,
            over: None,
        }
    }

    /// A message has arrived. A text that it broke the contract ends the conversation.
    pub(crate) fn received(&mut self, message: ToWorker) -> Result<(), String> {
        self.session.sees(&message).map_err(|violation| violation.to_string())?;
        match message {
            ToWorker::Welcome(welcome) if welcome.protocol != PROTOCOL => {
                return Err(format!(
                    "the supervisor chose protocol {}; this worker offered {PROTOCOL}",
                    welcome.protocol
                ));
            }
            ToWorker::Welcome(welcome) => {
                self.greeting = Greeting::Answered;
                self.beats = welcome.features.iter().any(|feature| feature == BEAT);
            }
            ToWorker::Reject(reject) => self.end(Ended::Rejected(reject.reason)),
            ToWorker::Run(run) => self.waiting.push_back(run),
            ToWorker::Stop(Stop { run: None, .. }) => self.drain(),
            ToWorker::Stop(Stop { run: Some(run), reason, grace_ms }) => {
                self.stop(run, StopOrder { reason, grace: Duration::from_millis(grace_ms) });
            }
        }
        Ok(())
    }

    /// A message is about to leave: false when nobody is left to read it, a text when the contract forbids it.
    pub(crate) fn may_send(&mut self, message: &FromWorker) -> Result<bool, String> {
        if self.over.is_some() {
            return Ok(false);
        }
        self.session.sees(message).map(|()| true).map_err(|violation| violation.to_string())
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
        if let Some((_, sign)) = &self.running {
            sign.raise(StopOrder { reason: StopReason::Unknown, grace: Duration::ZERO });
        }
    }

    /// What the executing thread, which runs nothing now, does next; `None` means that it waits.
    pub(crate) fn next(&mut self) -> Option<Next> {
        self.running = None;
        if let Some(ended) = &self.over {
            return Some(Next::Over(ended.clone()));
        }
        if let Some(back) = self.take_back() {
            return Some(Next::Back(back));
        }
        if self.draining {
            return Some(Next::Over(Ended::Drained));
        }
        if self.greeting == Greeting::Answered {
            self.greeting = Greeting::Done;
            return Some(Next::Ready);
        }
        let run = self.waiting.pop_front()?;
        let sign = Arc::new(StopSign::default());
        self.running = Some((run_ref(&run), Arc::clone(&sign)));
        Some(Next::Run(run, sign))
    }

    /// The next run to give back, as a message. It can be sent while another run is executing.
    pub(crate) fn take_back(&mut self) -> Option<FromWorker> {
        let RunRef { task, epoch } = self.give_back.pop_front()?;
        Some(FromWorker::Back(Back { task, epoch }))
    }

    pub(crate) fn has_back(&self) -> bool {
        !self.give_back.is_empty()
    }

    pub(crate) fn beats(&self) -> bool {
        self.beats
    }

    /// An unknown run is no error: the order crossed its answer.
    fn stop(&mut self, run: RunRef, order: StopOrder) {
        match &self.running {
            Some((running, sign)) if *running == run => sign.raise(order),
            _ => {
                if let Some(at) = self.waiting.iter().position(|waiting| run_ref(waiting) == run) {
                    self.waiting.remove(at);
                    self.give_back.push_back(run);
                }
            }
        }
    }
}

fn run_ref(run: &Run) -> RunRef {
    RunRef { task: run.task, epoch: run.epoch }
}

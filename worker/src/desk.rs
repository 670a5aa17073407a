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
    /// The executing thread has left: nothing more is to be said.
    closed: bool,
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
            closed: false,
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
            // Notes that spend are not sent by this library, and the session has refused the ack of anything else.
            ToWorker::Ack(_) => {}
            ToWorker::Stop(Stop { run: Some(run), reason, grace_ms }) => {
                self.stop(run, StopOrder { reason, grace: Duration::from_millis(grace_ms) });
            }
        }
        Ok(())
    }

    /// A message is about to leave: false when nobody is left to read it, a text when the contract forbids it.
    pub(crate) fn may_send(&mut self, message: &FromWorker) -> Result<bool, String> {
        if self.over.is_some() || self.closed {
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

    pub(crate) fn close(&mut self) {
        self.closed = true;
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed
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

#[cfg(test)]
mod tests {
    use ipc_contract::{Done, Hello, Ready, Reject, Welcome};

    use super::*;

    fn welcome(features: &[&str]) -> ToWorker {
        let features = features.iter().map(ToString::to_string).collect();
        ToWorker::Welcome(Welcome { protocol: PROTOCOL, worker: 1, features })
    }

    fn run(task: u64) -> ToWorker {
        ToWorker::Run(Run { task, epoch: 1, kind: "k".into(), ..Run::default() })
    }

    fn stop(task: Option<u64>) -> ToWorker {
        let run = task.map(|task| RunRef { task, epoch: 1 });
        ToWorker::Stop(Stop { run, reason: StopReason::Cancel, grace_ms: 100 })
    }

    fn sent(desk: &mut Desk, message: FromWorker) {
        assert_eq!(desk.may_send(&message), Ok(true));
    }

    /// A desk that has said `ready` and has room for three runs.
    fn ready() -> Desk {
        let mut desk = Desk::new();
        sent(&mut desk, FromWorker::Hello(Hello { concurrency: 3, ..Hello::default() }));
        assert!(desk.next().is_none(), "not before the welcome");
        desk.received(welcome(&[BEAT])).unwrap();
        assert_eq!(step(&mut desk), "ready");
        sent(&mut desk, FromWorker::Ready(Ready::default()));
        desk
    }

    fn step(desk: &mut Desk) -> String {
        match desk.next() {
            None => "wait".into(),
            Some(Next::Ready) => "ready".into(),
            Some(Next::Run(run, _)) => format!("run {}", run.task),
            Some(Next::Back(back)) => {
                let text = format!("back {}", back.answers().unwrap().task);
                sent(desk, back);
                text
            }
            Some(Next::Over(ended)) => format!("{ended:?}"),
        }
    }

    #[test]
    fn beats_need_both_sides() {
        for (features, beats) in [(&[][..], false), (&["park"], false), (&["park", BEAT], true)] {
            let mut desk = Desk::new();
            sent(&mut desk, FromWorker::Hello(Hello { concurrency: 1, ..Hello::default() }));
            desk.received(welcome(features)).unwrap();
            assert_eq!(desk.beats(), beats);
        }
    }

    #[test]
    fn each_order_of_the_supervisor_has_its_consequence() {
        let table: &[(&[ToWorker], &[&str])] = &[
            (&[run(2), run(1)], &["run 2"]),
            (&[run(1), run(2), stop(Some(1))], &["back 1", "run 2"]),
            (&[run(1), stop(Some(9))], &["run 1"]),
            (&[run(1), run(2), stop(None)], &["back 1", "back 2", "Drained", "Drained"]),
            (&[stop(None), stop(None)], &["Drained"]),
            (&[], &["wait"]),
        ];
        for (messages, steps) in table {
            let mut desk = ready();
            for message in *messages {
                desk.received(message.clone()).unwrap();
            }
            for expected in *steps {
                assert_eq!(step(&mut desk), *expected, "after {messages:?}");
            }
        }
    }

    #[test]
    fn only_the_run_that_is_named_is_stopped() {
        let mut desk = ready();
        desk.received(run(1)).unwrap();
        let Some(Next::Run(_, sign)) = desk.next() else { panic!("no run") };
        desk.received(run(2)).unwrap();
        desk.received(stop(Some(2))).unwrap();
        desk.received(stop(None)).unwrap();
        assert_eq!(sign.order(), None, "a stopping worker finishes what runs");
        desk.received(stop(Some(1))).unwrap();
        assert_eq!(sign.order(), Some(StopOrder { reason: StopReason::Cancel, grace: Duration::from_millis(100) }));
    }

    #[test]
    fn the_first_end_stops_what_runs_and_silences_the_rest() {
        let mut desk = ready();
        desk.received(run(1)).unwrap();
        let Some(Next::Run(_, sign)) = desk.next() else { panic!("no run") };
        assert!(desk.received(welcome(&[])).is_err());
        desk.end(Ended::Protocol("first".into()));
        desk.end(Ended::Io("second".into()));
        assert_eq!(sign.order().unwrap().reason, StopReason::Unknown);
        let done = FromWorker::Done(Done { task: 1, epoch: 1, ..Done::default() });
        assert_eq!(desk.may_send(&done), Ok(false));
        assert_eq!(step(&mut desk), "Protocol(\"first\")");
    }

    #[test]
    fn a_refusal_is_the_end() {
        let mut desk = Desk::new();
        sent(&mut desk, FromWorker::Hello(Hello { concurrency: 1, ..Hello::default() }));
        desk.received(ToWorker::Reject(Reject { reason: "no".into() })).unwrap();
        assert_eq!(step(&mut desk), "Rejected(\"no\")");
    }
}

//! What is another one in each play: numbers of tasks and runs, the cookie, the effect key. All else must be as written. Pure.

use std::collections::BTreeMap;

use ipc_contract::{FromWorker, Log, Run, RunRef, Stop, ToWorker};

/// What the names of the transcript stand for in this play.
#[derive(Default)]
pub(crate) struct Names {
    cookie: String,
    /// From a run of the transcript to the real one.
    runs: BTreeMap<RunRef, RunRef>,
    /// By the transcript's task.
    effect_keys: BTreeMap<u64, String>,
}

impl Names {
    pub(crate) fn new(cookie: String) -> Self {
        Self { cookie, ..Self::default() }
    }

    /// A message of the worker as it is said in this play.
    pub(crate) fn outgoing(&self, message: &FromWorker) -> FromWorker {
        let mut message = message.clone();
        match &mut message {
            FromWorker::Hello(hello) => hello.cookie.clone_from(&self.cookie),
            FromWorker::Log(Log { run: Some(run), .. }) => *run = self.real(*run),
            FromWorker::Note(note) => self.put(&mut note.task, &mut note.epoch),
            FromWorker::Save(save) => self.put(&mut save.task, &mut save.epoch),
            FromWorker::Done(done) => self.put(&mut done.task, &mut done.epoch),
            FromWorker::Fail(fail) => self.put(&mut fail.task, &mut fail.epoch),
            FromWorker::Park(park) => self.put(&mut park.task, &mut park.epoch),
            FromWorker::Back(back) => self.put(&mut back.task, &mut back.epoch),
            FromWorker::Booting(_)
            | FromWorker::Ready(_)
            | FromWorker::Beat(_)
            | FromWorker::Log(_)
            | FromWorker::Bye(_) => {}
        }
        message
    }

    /// A run that was never sent keeps its numbers: the transcript means one that nobody knows.
    fn real(&self, run: RunRef) -> RunRef {
        self.runs.get(&run).copied().unwrap_or(run)
    }

    fn put(&self, task: &mut u64, epoch: &mut u64) {
        RunRef { task: *task, epoch: *epoch } = self.real(RunRef { task: *task, epoch: *epoch });
    }

    /// Demands that the supervisor says what is written; a run that is new is noted.
    ///
    /// Errors: what is different, in a sentence.
    pub(crate) fn check(&mut self, expected: &ToWorker, seen: &ToWorker) -> Result<(), String> {
        let is_same = match (expected, seen) {
            (ToWorker::Welcome(expected), ToWorker::Welcome(seen)) => {
                expected.protocol == seen.protocol && expected.features.iter().all(|name| seen.features.contains(name))
            }
            // The sentence is for people.
            (ToWorker::Reject(_), ToWorker::Reject(seen)) => !seen.reason.is_empty(),
            (ToWorker::Run(expected), ToWorker::Run(seen)) => self.is_same_run(expected, seen),
            (ToWorker::Stop(expected), ToWorker::Stop(seen)) => {
                // The grace is a setting.
                let expected = Stop { run: expected.run.map(|run| self.real(run)), ..expected.clone() };
                Stop { grace_ms: expected.grace_ms, ..seen.clone() } == expected && seen.grace_ms > 0
            }
            (ToWorker::Ack(expected), ToWorker::Ack(seen)) => {
                let RunRef { task, epoch } = self.real(RunRef { task: expected.task, epoch: expected.epoch });
                (task, epoch, expected.seq) == (seen.task, seen.epoch, seen.seq)
            }
            _ => false,
        };
        let sentence = || format!("expected {}, heard {}", shown(expected), shown(seen));
        if is_same { Ok(()) } else { Err(sentence()) }
    }

    fn is_same_run(&mut self, expected: &Run, seen: &Run) -> bool {
        let named = RunRef { task: expected.task, epoch: expected.epoch };
        let real = RunRef { task: seen.task, epoch: seen.epoch };
        let key = self.effect_keys.entry(named.task).or_insert_with(|| seen.effect_key.clone());
        let is_new = !self.runs.values().any(|known| *known == real) && !self.runs.contains_key(&named);
        let is_its_task = self.runs.iter().all(|(name, known)| (name.task == named.task) == (known.task == real.task));
        let as_named =
            Run { task: expected.task, epoch: expected.epoch, effect_key: expected.effect_key.clone(), ..seen.clone() };
        let is_same = is_new && is_its_task && as_named == *expected && *key == seen.effect_key && !key.is_empty();
        self.runs.insert(named, real);
        is_same
    }
}

fn shown(message: &ToWorker) -> String {
    serde_json::to_string(message).unwrap_or_else(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use ipc_contract::{Ack, Done, Payload, StopReason, Welcome};

    use super::*;

    fn run(task: u64, epoch: u64, key: &str) -> ToWorker {
        ToWorker::Run(Run { task, epoch, attempt: 1, effect_key: key.to_owned(), ..Run::default() })
    }

    #[test]
    fn names_stand_for_what_was_heard() {
        let mut names = Names::new("tag".to_owned());
        names.check(&run(7, 1, "a:7"), &run(31, 4, "b:31")).unwrap();
        let done = |task, epoch| FromWorker::Done(Done { task, epoch, ..Done::default() });
        assert_eq!(names.outgoing(&done(7, 1)), done(31, 4));
        assert_eq!(names.outgoing(&done(8, 1)), done(8, 1));
        let ack = |task, epoch, seq| ToWorker::Ack(Ack { task, epoch, seq });
        names.check(&ack(7, 1, 1), &ack(31, 4, 1)).unwrap();
        assert!(names.check(&ack(7, 1, 1), &ack(31, 4, 2)).is_err());
        assert!(names.check(&ack(7, 1, 1), &ack(7, 1, 1)).is_err());
        let stop = |run, grace_ms| ToWorker::Stop(Stop { run, reason: StopReason::Cancel, grace_ms });
        let (named, real) = (RunRef { task: 7, epoch: 1 }, RunRef { task: 31, epoch: 4 });
        names.check(&stop(Some(named), 10), &stop(Some(real), 20)).unwrap();
        assert!(names.check(&stop(Some(named), 10), &stop(None, 20)).is_err());
        assert!(names.check(&stop(Some(named), 10), &stop(Some(named), 20)).is_err());
    }

    #[test]
    fn a_run_must_be_as_written_and_of_its_own_task() {
        let other = |change: fn(&mut Run)| {
            let mut run = Run { task: 31, epoch: 1, attempt: 1, effect_key: "b".to_owned(), ..Run::default() };
            change(&mut run);
            Names::default().check(&self::run(7, 1, "a"), &ToWorker::Run(run)).is_ok()
        };
        assert!(other(|_| {}));
        assert!(!other(|run| run.attempt = 2));
        assert!(!other(|run| run.args = Payload(vec![7])));
        assert!(!other(|run| run.effect_key.clear()));
        let mut names = Names::default();
        names.check(&run(7, 1, "a"), &run(31, 1, "b")).unwrap();
        assert!(names.check(&run(8, 1, "c"), &run(31, 2, "b")).is_err(), "another task under a known number");
        let mut names = Names::default();
        names.check(&run(7, 1, "a"), &run(31, 1, "b")).unwrap();
        assert!(names.check(&run(7, 2, "a"), &run(31, 2, "d")).is_err(), "the key of a task is the same in all runs");
        let greeting = |features: &[&str]| {
            let features = features.iter().map(|name| (*name).to_owned()).collect();
            ToWorker::Welcome(Welcome { features, ..Welcome::default() })
        };
        names.check(&greeting(&["beat"]), &greeting(&["note", "beat"])).unwrap();
        assert!(
            names.check(&greeting(&["beat"]), &greeting(&["note"])).unwrap_err().starts_with("expected {\"welcome\"")
        );
    }
}

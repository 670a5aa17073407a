//! The live half of `doctor`: the book against the rows, and processes and descriptors against the worker rows, all as of
//! one moment in which the writer is idle; leased tasks against what the workers have. Compares only; asks nobody itself.

use std::collections::BTreeSet;

use queue_core::op::{Op, RunKey};
use queue_core::store::{Finding, StoreError};
use queue_core::task::WorkerId;
use tokio::sync::oneshot;

use super::pending::Pending;
use super::unavailable::Unavailable;
use super::writer::Examined;
use crate::core::Machine;

/// Pipes to one worker that we hold: stdin, stdout, stderr.
const PIPES_PER_WORKER: usize = 3;

type Caller = oneshot::Sender<Result<Vec<Finding>, Unavailable>>;

/// What the spawner thread knows of our children.
#[derive(Clone, Debug, Default)]
pub struct Census {
    pub living: BTreeSet<WorkerId>,
    /// Dead workers whose orphans are still dying, or leftovers below a living one.
    pub hunting: bool,
    /// Children of ours that are no workers and were not there before us.
    pub strangers: Vec<i32>,
    /// Pipes that this process holds, while no worker is just being started.
    pub pipes: usize,
    /// Folders of workers that are dead, and whose removal is not under way.
    pub folders: Vec<String>,
}

#[derive(Default)]
pub struct Examination {
    /// Pipes that this process held before its first worker.
    base_pipes: usize,
    wanted: Vec<Caller>,
    out: Option<Out>,
}

/// An examination under way.
struct Out {
    callers: Vec<Caller>,
    /// Workers whose rows must be there, by what the machine knows and what the writer has been told.
    workers: BTreeSet<WorkerId>,
    /// Runs that some worker has, or whose end the writer has not been told yet.
    runs: BTreeSet<RunKey>,
    /// Workers to whom a channel was open at some moment since the beginning.
    linked: BTreeSet<WorkerId>,
    census: Option<Vec<Finding>>,
    rows: Option<Result<Vec<Finding>, StoreError>>,
}

impl Examination {
    pub fn new(base_pipes: usize) -> Examination {
        Examination { base_pipes, ..Examination::default() }
    }

    pub fn want(&mut self, caller: Caller) {
        self.wanted.push(caller);
    }

    pub fn is_wanted(&self) -> bool {
        !self.wanted.is_empty()
    }

    pub fn is_out(&self) -> bool {
        self.out.is_some()
    }

    /// A channel to a worker was opened.
    pub fn opened(&mut self, worker: WorkerId) {
        if let Some(out) = &mut self.out {
            out.linked.insert(worker);
        }
    }

    /// To be called while no batch is with the writer. `linked` are those to whom a channel is open.
    pub fn begin(&mut self, machine: &Machine, pending: &Pending, linked: BTreeSet<WorkerId>) {
        let there = machine.slots().iter().filter(|(_, slot)| slot.pid.is_some()).map(|(worker, _)| *worker);
        let mut workers: BTreeSet<WorkerId> = there.collect();
        let mut runs: BTreeSet<RunKey> =
            machine.slots().values().filter_map(|slot| slot.run()).map(|run| run.key).collect();
        // Backwards, to what was there before the first of them: a worker may have come and gone among them.
        for op in pending.own().iter().rev() {
            match op {
                Op::WorkerUp(row) => drop(workers.remove(&row.id)),
                Op::WorkerGone(worker) => drop(workers.insert(*worker)),
                Op::Finish { run, .. } => drop(runs.insert(*run)),
                Op::Enqueue(_)
                | Op::EnqueueAll(_)
                | Op::Cancel(_)
                | Op::Retry(_)
                | Op::Reprioritise { .. }
                | Op::Pause { .. }
                | Op::Resume { .. }
                | Op::Note { .. }
                | Op::Log { .. }
                | Op::Offer { .. } => {}
            }
        }
        let callers = std::mem::take(&mut self.wanted);
        self.out = Some(Out { callers, workers, runs, linked, census: None, rows: None });
    }

    pub fn census(&mut self, census: Census) {
        let Some(out) = &mut self.out else { return };
        let mut findings = Vec::new();
        let stranger = |pid: &i32| Finding {
            rule: "every child is a worker",
            detail: format!("process {pid} is a child of the supervisor and no worker"),
        };
        // Orphans that are dying are children, too, and are being seen to.
        findings.extend(census.strangers.iter().filter(|_| !census.hunting).map(stranger));
        findings.extend(census.folders.iter().map(|folder| Finding {
            rule: "every temporary folder is that of a worker",
            detail: format!("{folder} belongs to no living worker; remove it, or see why that cannot be done"),
        }));
        // When they were counted, some of the beginning may have been closed, and some of the living not yet opened.
        let needed = out.linked.union(&census.living).count();
        let (held, allowed) = (census.pipes, self.base_pipes + PIPES_PER_WORKER * needed);
        if held > allowed && !census.hunting {
            let detail = format!("{held} pipes are open where {needed} workers need no more than {allowed}");
            findings.push(Finding { rule: "no descriptor is leaked", detail });
        }
        out.census = Some(findings);
        self.conclude();
    }

    pub fn examined(&mut self, found: Result<Examined, StoreError>) {
        let Some(out) = &mut self.out else { return };
        out.rows = Some(found.map(|Examined { mut findings, workers, runs }| {
            let recorded: BTreeSet<WorkerId> = workers.iter().map(|row| row.id).collect();
            let worker = |worker: &WorkerId, what: &str| Finding {
                rule: "worker rows and processes agree",
                detail: format!("worker {worker} {what}"),
            };
            findings.extend(out.workers.difference(&recorded).map(|id| worker(id, "lives and has no row")));
            findings.extend(recorded.difference(&out.workers).map(|id| worker(id, "has a row and no process")));
            let leased: BTreeSet<RunKey> = runs.into_iter().collect();
            let run = |run: &RunKey, what: &str| Finding {
                rule: "every leased task is with a worker",
                detail: format!("run {} of task {} {what}", run.epoch, run.task),
            };
            findings.extend(out.runs.difference(&leased).map(|key| run(key, "is with a worker and not leased")));
            findings.extend(leased.difference(&out.runs).map(|key| run(key, "is leased and no worker has it")));
            findings
        }));
        self.conclude();
    }

    fn conclude(&mut self) {
        if !self.out.as_ref().is_some_and(|out| out.census.is_some() && out.rows.is_some()) {
            return;
        }
        let Some(Out { callers, census: Some(census), rows: Some(rows), .. }) = self.out.take() else { return };
        let found = rows.map_err(|error| Unavailable::Failed(error.to_string())).map(|rows| [census, rows].concat());
        for caller in callers {
            // Who has hung up does not need it.
            let _ = caller.send(found.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use queue_core::op::WorkerRow;
    use queue_core::task::TaskId;

    use crate::config::{Config, Offers};

    /// What an idle supervisor finds when the writer and the system say this.
    fn check(workers: Vec<WorkerRow>, runs: Vec<RunKey>, strangers: Vec<i32>, pending: Vec<Op>) -> Vec<&'static str> {
        let mut waiting = Pending::default();
        pending.into_iter().for_each(|op| waiting.push(op));
        let (caller, mut answer) = oneshot::channel();
        let mut examination = Examination::new(3);
        examination.want(caller);
        let machine = Machine::new(Config::default(), Offers::default(), 1, String::new(), 0);
        examination.begin(&machine, &waiting, BTreeSet::new());
        assert!(examination.is_out() && !examination.is_wanted());
        examination.census(Census { strangers, ..Census::default() });
        assert!(answer.try_recv().is_err(), "half an examination");
        examination.examined(Ok(Examined { findings: Vec::new(), workers, runs }));
        answer.try_recv().unwrap().unwrap().into_iter().map(|finding| finding.rule).collect()
    }

    /// Whether so many pipes are a leak, of which 3 were there before any worker, when these workers were linked at the
    /// beginning, were opened since, and live.
    fn is_leak(pipes: usize, linked: &[i64], opened: &[i64], living: &[i64]) -> bool {
        let ids = |ids: &[i64]| ids.iter().copied().map(WorkerId).collect::<BTreeSet<_>>();
        let (caller, mut answer) = oneshot::channel();
        let mut examination = Examination::new(3);
        examination.want(caller);
        let machine = Machine::new(Config::default(), Offers::default(), 1, String::new(), 0);
        examination.begin(&machine, &Pending::default(), ids(linked));
        ids(opened).into_iter().for_each(|worker| examination.opened(worker));
        examination.census(Census { pipes, living: ids(living), ..Census::default() });
        examination.examined(Ok(Examined { findings: Vec::new(), workers: vec![], runs: vec![] }));
        answer.try_recv().unwrap().unwrap().iter().any(|finding| finding.rule == "no descriptor is leaked")
    }

    #[test]
    fn pipes_are_counted_against_every_worker_that_may_have_had_some() {
        assert!(!is_leak(9, &[1, 2], &[], &[1, 2]));
        assert!(is_leak(10, &[1, 2], &[], &[1, 2]));
        assert!(
            !is_leak(12, &[1, 2], &[], &[2, 3]),
            "one is being replaced: the old one read out, the new one not opened"
        );
        assert!(is_leak(13, &[1, 2], &[3], &[2, 3]));
        assert!(!is_leak(12, &[1, 2], &[3], &[2]), "a new one has come and gone");
    }

    #[test]
    fn a_folder_of_nobody_is_found() {
        let (caller, mut answer) = oneshot::channel();
        let mut examination = Examination::new(3);
        examination.want(caller);
        let machine = Machine::new(Config::default(), Offers::default(), 1, String::new(), 0);
        examination.begin(&machine, &Pending::default(), BTreeSet::new());
        examination.census(Census { folders: vec!["/tmp/x/w1".to_owned()], ..Census::default() });
        examination.examined(Ok(Examined { findings: Vec::new(), workers: vec![], runs: vec![] }));
        let [finding] = &answer.try_recv().unwrap().unwrap()[..] else { panic!("one folder, one finding") };
        assert!(finding.rule.starts_with("every temporary folder") && finding.detail.starts_with("/tmp/x/w1 "));
    }

    #[test]
    fn what_only_one_side_knows_is_found() {
        let text = String::new;
        let (pool, boot_id, tag) = (text(), text(), text());
        let row = WorkerRow { id: WorkerId(4), pool, pid: 7, start_time: 1, boot_id, tag };
        let run = RunKey { task: TaskId(9), epoch: 2 };
        assert_eq!(check(vec![], vec![], vec![], vec![]), [""; 0]);
        assert_eq!(check(vec![row.clone()], vec![], vec![], vec![]), ["worker rows and processes agree"]);
        assert_eq!(check(vec![], vec![run], vec![], vec![]), ["every leased task is with a worker"]);
        assert_eq!(check(vec![], vec![], vec![77], vec![]), ["every child is a worker"]);
        let ending = queue_core::task::Ending::bare(queue_core::task::Outcome::Ok, "");
        let told = vec![Op::WorkerGone(WorkerId(4)), Op::Finish { run, ending, refill: None }];
        assert_eq!(check(vec![row.clone()], vec![run], vec![], told), [""; 0], "the writer is about to hear of both");
        let both = vec![Op::WorkerUp(row), Op::WorkerGone(WorkerId(4))];
        assert_eq!(check(vec![], vec![], vec![], both), [""; 0], "it came and went before the writer heard of it");
    }
}

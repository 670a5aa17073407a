//! The live half of `doctor`: the book against the rows, and processes and descriptors against the worker rows, all as of
//! one moment in which the writer is idle. Compares only; asks nobody itself.

use std::collections::BTreeSet;

use queue_core::op::{Op, WorkerRow};
use queue_core::store::{Finding, StoreError};
use queue_core::task::WorkerId;
use tokio::sync::oneshot;

use super::handle::Unavailable;
use super::pending::Pending;
use super::procfs;
use crate::core::Machine;

/// Pipes to one worker that we hold: stdin, stdout, stderr.
const PIPES_PER_WORKER: usize = 3;

type Caller = oneshot::Sender<Result<Vec<Finding>, Unavailable>>;

/// What the spawner thread knows of our children.
#[derive(Clone, Debug, Default)]
pub struct Census {
    pub living: usize,
    /// Dead workers whose orphans are still dying, or leftovers below a living one.
    pub hunting: bool,
    /// Children of ours that are no workers and were not there before us.
    pub strangers: Vec<i32>,
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
    expected: BTreeSet<WorkerId>,
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

    /// To be called while no batch is with the writer.
    pub fn begin(&mut self, machine: &Machine, pending: &Pending) {
        let there = machine.slots().iter().filter(|(_, slot)| slot.pid.is_some()).map(|(worker, _)| *worker);
        let mut expected: BTreeSet<WorkerId> = there.collect();
        for op in pending.ops() {
            match op {
                Op::WorkerUp(row) => drop(expected.remove(&row.id)),
                Op::WorkerGone(worker) => drop(expected.insert(*worker)),
                _ => {}
            }
        }
        let callers = std::mem::take(&mut self.wanted);
        self.out = Some(Out { callers, expected, census: None, rows: None });
    }

    pub fn census(&mut self, census: Census, links: usize) {
        let Some(out) = &mut self.out else { return };
        let mut findings = Vec::new();
        let stranger = |pid: &i32| Finding {
            rule: "every child is a worker",
            detail: format!("process {pid} is a child of the supervisor and no worker"),
        };
        // Orphans that are dying are children, too, and are being seen to.
        findings.extend(census.strangers.iter().filter(|_| !census.hunting).map(stranger));
        let (held, allowed) =
            (procfs::descriptors("pipe:"), self.base_pipes + PIPES_PER_WORKER * links.max(census.living));
        if held > allowed && !census.hunting {
            let detail = format!("{held} pipes are open where {links} workers need no more than {allowed}");
            findings.push(Finding { rule: "no descriptor is leaked", detail });
        }
        out.census = Some(findings);
        self.conclude();
    }

    pub fn examined(&mut self, found: Result<(Vec<Finding>, Vec<WorkerRow>), StoreError>) {
        let Some(out) = &mut self.out else { return };
        out.rows = Some(found.map(|(mut findings, rows)| {
            let recorded: BTreeSet<WorkerId> = rows.iter().map(|row| row.id).collect();
            let wrong = |worker: &WorkerId, what: &str| Finding {
                rule: "worker rows and processes agree",
                detail: format!("worker {worker} {what}"),
            };
            findings.extend(out.expected.difference(&recorded).map(|worker| wrong(worker, "lives and has no row")));
            findings.extend(recorded.difference(&out.expected).map(|worker| wrong(worker, "has a row and no process")));
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

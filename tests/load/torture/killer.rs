//! The killer: strikes as planned, starts the supervisor again after each of its deaths, and keeps count.

use std::time::{Duration, Instant};

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use super::mark::Process;
use super::plan::{Strike, Target};
use super::progress::Progress;
use crate::harness::{Line, Log, Sandbox, Supervisor};

/// What the killer did and saw, over all lives.
#[derive(Debug, Default)]
pub(super) struct Toll {
    pub(super) supervisor_kills: usize,
    pub(super) worker_kills: usize,
    /// Workers that ended while their supervisor lived.
    pub(super) workers_gone: usize,
    /// Runs that a new life found and put back in line.
    pub(super) requeued: i64,
    /// From the start of the process to the open door, with all that is recovered in between.
    pub(super) ready_after: Vec<Duration>,
}

pub(super) struct Killer<'a> {
    sandbox: &'a Sandbox,
    progress: &'a Progress,
    random: fastrand::Rng,
    toll: Toll,
}

impl<'a> Killer<'a> {
    pub(super) fn new(sandbox: &'a Sandbox, progress: &'a Progress, random: fastrand::Rng) -> Killer<'a> {
        Killer { sandbox, progress, random, toll: Toll::default() }
    }

    /// Carries out the plan; the supervisor that is up in the end, and what it took.
    pub(super) fn strike_all(mut self, plan: &[Strike]) -> (Supervisor, Toll) {
        let mut supervisor = self.await_ready(self.sandbox.spawn(&[]), Instant::now());
        self.toll.ready_after.clear();
        for strike in plan {
            if self.progress.wait(|facts| facts.progress() >= strike.at).is_over {
                break;
            }
            supervisor = match strike.target {
                Target::Worker => {
                    self.kill_worker();
                    supervisor
                }
                Target::Supervisor => self.kill_supervisor(supervisor),
                Target::SupervisorTwice => self.kill_supervisor_twice(supervisor),
            };
        }
        self.listen(supervisor.log());
        (supervisor, self.toll)
    }

    fn kill_supervisor(&mut self, supervisor: Supervisor) -> Supervisor {
        self.kill(supervisor);
        let start = Instant::now();
        let next = self.sandbox.spawn(&[]);
        self.await_ready(next, start)
    }

    fn kill_supervisor_twice(&mut self, supervisor: Supervisor) -> Supervisor {
        self.kill(supervisor);
        let next = self.sandbox.spawn(&[]);
        next.log().wait_for("recovered", |line| line.is("recovered"));
        self.kill_supervisor(next)
    }

    fn kill(&mut self, supervisor: Supervisor) {
        self.progress.change(|facts| facts.is_up = false);
        self.listen(supervisor.log());
        self.sandbox.kill9(supervisor);
        self.toll.supervisor_kills += 1;
        // Its workers died with it, and with them what they ran.
        self.progress.change(|facts| facts.running.clear());
    }

    fn await_ready(&mut self, supervisor: Supervisor, start: Instant) -> Supervisor {
        let supervisor = supervisor.await_ready();
        self.toll.ready_after.push(start.elapsed());
        self.progress.change(|facts| {
            facts.life += 1;
            facts.is_up = true;
        });
        supervisor
    }

    /// Kills a process in the middle of a run: the runner, or of a command perhaps the worker above it. A run that has
    /// ended meanwhile is passed over for the next one.
    fn kill_worker(&mut self) {
        let mut begun = 0;
        loop {
            let facts = self.progress.wait(|facts| facts.is_done() || facts.begun > begun && !facts.running.is_empty());
            begun = facts.begun;
            let Some(mark) = self.random.choice(facts.running.values()).copied() else { return };
            drop(facts);
            let victim = if self.random.bool() { mark.runner } else { mark.worker };
            let was_hit = kill(victim);
            self.progress.change(|facts| facts.running.retain(|runner, _| *runner != mark.runner));
            if was_hit {
                self.toll.worker_kills += 1;
                return;
            }
        }
    }

    /// Adds what a life has said.
    fn listen(&mut self, log: &Log) {
        let is_one = |line: &Line| line.is("worker gone") || line.is("recovered");
        for line in log.find(is_one) {
            self.toll.workers_gone += usize::from(line.is("worker gone"));
            self.toll.requeued += line.field("requeued").as_i64().unwrap_or(0);
        }
    }
}

/// False when it is gone already, or is another one by now.
fn kill(process: Process) -> bool {
    let Some(pid) = Pid::from_raw(process.pid) else { return false };
    let Ok(pidfd) = pidfd_open(pid, PidfdFlags::empty()) else { return false };
    let is_same = Process::find(process.pid.unsigned_abs()).is_ok_and(|found| found == process);
    is_same && pidfd_send_signal(&pidfd, Signal::KILL).is_ok()
}

//! A running supervisor: started in a sandbox, listened to, and made to end in each of the ways there are.

use std::process::{Child, Command, ExitStatus, Stdio};

use nix::sys::signal::Signal;

use super::log::Log;
use super::process::Watched;

/// Killed when it is dropped.
pub struct Supervisor {
    child: Child,
    process: Watched,
    log: Log,
}

impl Supervisor {
    /// Returns at once; see [`Supervisor::await_ready`].
    pub(super) fn spawn(mut command: Command) -> Supervisor {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the supervisor can be started");
        let process = Watched::new(child.id().cast_signed());
        let log = child.stderr.take().map(Log::read).unwrap_or_default();
        Supervisor { child, process, log }
    }

    /// Waits until its door is open.
    pub fn await_ready(self) -> Supervisor {
        self.log.wait_for("ready", |line| line.is("ready"));
        self
    }

    /// Waits until so many workers of a pool have greeted in all.
    pub fn await_greetings(&self, pool: &str, count: usize) {
        let mut from = 0;
        for _ in 0..count {
            let greeting = |line: &super::Line| line.is("worker greeted") && line.field("pool") == pool;
            from = self.log.wait_for_from(from, &format!("worker greeted (pool {pool})"), greeting).number + 1;
        }
    }

    pub fn log(&self) -> &Log {
        &self.log
    }

    pub fn pid(&self) -> i32 {
        self.process.pid
    }

    /// The most memory that it ever had.
    pub fn peak_rss_bytes(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).expect("it is alive");
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("the kernel counts memory");
        1024 * line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number")
    }

    pub fn signal(&self, signal: Signal) {
        self.process.signal(signal);
    }

    /// Waits for its end.
    pub fn wait(&mut self) -> ExitStatus {
        self.process.await_death();
        self.child.wait().expect("a child can be waited for")
    }

    /// Stops it as a service manager does; it must end well.
    pub fn stop(&mut self) {
        self.signal(Signal::SIGTERM);
        self.ends_well();
    }

    /// Waits for its end, which must be a good one.
    pub fn ends_well(&mut self) {
        let status = self.wait();
        assert!(status.success(), "the supervisor ended with {status}; it said:\n{}", self.log.end());
    }

    /// SIGKILL, as a crash; then its workers must die by themselves.
    pub fn workers(&self) -> Vec<Watched> {
        Watched::children_of(self.pid())
    }

    pub fn kill9(mut self) {
        let workers = self.workers();
        self.signal(Signal::SIGKILL);
        self.wait();
        for worker in workers {
            worker.await_death();
        }
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the supervisor said:\n{}", self.log.end());
        }
        // It may have ended long ago.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

//! One thread that measures what workers have in memory, with all below them, and tells the event loop. It sleeps while there
//! are none; a measurement that finds no room on its way is dropped, since the next one says the same.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use queue_core::task::WorkerId;
use tokio::sync::mpsc;

use super::procfs;
use super::worker_io::Incoming;
use crate::core::{Event, Sample};

const FAST: Duration = Duration::from_millis(100);
const SLOW: Duration = Duration::from_secs(1);

/// A worker that is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Watched {
    pub pid: i32,
    pub pace: Pace,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// It runs something, and what it may have in memory is limited.
    Fast,
    Slow,
}

/// The thread's door. Dropping it ends the thread.
pub struct Sampler(Arc<Shared>);

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    watched: BTreeMap<WorkerId, Watched>,
    closed: bool,
}

impl Sampler {
    pub fn start(events: mpsc::Sender<Incoming>) -> io::Result<Sampler> {
        let shared = Arc::new(Shared::default());
        let mine = shared.clone();
        std::thread::Builder::new().name("sample".into()).spawn(move || mine.run(&events))?;
        Ok(Sampler(shared))
    }

    /// How a worker is measured from now on; not at all when nothing is given.
    pub fn watch(&self, worker: WorkerId, watched: Option<Watched>) {
        let mut state = self.0.state();
        let before = match watched {
            Some(watched) => state.watched.insert(worker, watched),
            None => state.watched.remove(&worker),
        };
        drop(state);
        if before != watched {
            self.0.changed.notify_one();
        }
    }
}

impl Drop for Sampler {
    fn drop(&mut self) {
        self.0.state().closed = true;
        self.0.changed.notify_one();
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self, events: &mpsc::Sender<Incoming>) {
        let mut rounds = Rounds::default();
        while let Some(due) = self.await_due(&mut rounds) {
            let samples: Vec<Sample> = due.into_iter().filter_map(measure).collect();
            if samples.is_empty() {
                continue;
            }
            match events.try_send(Incoming { event: Event::Sampled(samples), _share: None }) {
                Ok(()) | Err(mpsc::error::TrySendError::Full(_)) => {}
                Err(mpsc::error::TrySendError::Closed(_)) => return,
            }
        }
    }

    /// Sleeps until some are to be measured; nothing when that is over.
    fn await_due(&self, rounds: &mut Rounds) -> Option<Vec<(WorkerId, i32)>> {
        let mut state = self.state();
        while !state.closed {
            let now = Instant::now();
            let due = rounds.due(&state.watched, now);
            if !due.is_empty() {
                return Some(due);
            }
            state = match rounds.next(&state.watched) {
                None => self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(at) => {
                    let left = at.saturating_duration_since(now);
                    self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
        None
    }
}

/// When each pace was last at its turn.
#[derive(Default)]
struct Rounds {
    fast: Option<Instant>,
    slow: Option<Instant>,
}

impl Rounds {
    /// Who is to be measured now.
    fn due(&mut self, watched: &BTreeMap<WorkerId, Watched>, now: Instant) -> Vec<(WorkerId, i32)> {
        let is_due =
            |last: Option<Instant>, every| last.is_none_or(|last| now.saturating_duration_since(last) >= every);
        let (fast, slow) = (is_due(self.fast, FAST), is_due(self.slow, SLOW));
        if fast {
            self.fast = Some(now);
        }
        if slow {
            self.slow = Some(now);
        }
        let is_on = |watched: &Watched| if watched.pace == Pace::Fast { fast } else { slow };
        watched.iter().filter(|(_, watched)| is_on(watched)).map(|(worker, watched)| (*worker, watched.pid)).collect()
    }

    /// When somebody is due next.
    fn next(&self, watched: &BTreeMap<WorkerId, Watched>) -> Option<Instant> {
        let any = |pace| watched.values().any(|watched| watched.pace == pace);
        let at = |last: Option<Instant>, every| last.map(|last| last + every);
        let fast = at(self.fast, FAST).filter(|_| any(Pace::Fast));
        let slow = at(self.slow, SLOW).filter(|_| any(Pace::Slow));
        fast.into_iter().chain(slow).min()
    }
}

/// Nothing when it has vanished. Pages that processes share count for each of them.
fn measure((worker, pid): (WorkerId, i32)) -> Option<Sample> {
    let own = procfs::rss_bytes(pid)?;
    let below = procfs::living_below(pid).into_iter().filter_map(procfs::rss_bytes);
    Some(Sample { worker, rss_bytes: own + below.sum::<u64>() })
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    fn watched(paces: &[Pace]) -> BTreeMap<WorkerId, Watched> {
        let watched = paces.iter().enumerate().map(|(at, pace)| (WorkerId(at as i64), Watched { pid: 7, pace: *pace }));
        watched.collect()
    }

    #[test]
    fn each_is_measured_at_its_pace() {
        let (both, start) = (watched(&[Pace::Fast, Pace::Slow]), Instant::now());
        let mut rounds = Rounds::default();
        let mut seen = Vec::new();
        let mut now = start;
        while now <= start + SLOW {
            seen.push(rounds.due(&both, now).len());
            assert!(rounds.due(&both, now).is_empty(), "nobody twice");
            now = rounds.next(&both).unwrap();
        }
        assert_eq!(seen, [2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2]);
        assert_eq!(rounds.next(&watched(&[Pace::Slow])), Some(start + SLOW + SLOW));
        assert_eq!(rounds.next(&watched(&[])), None);
    }

    #[test]
    fn a_tree_is_measured_and_what_vanishes_is_left_out() {
        let (sender, mut events) = mpsc::channel(1);
        let sampler = Sampler::start(sender).unwrap();
        // A variable of 30 MB in a child of the worker.
        let script = "sh -c 'x=$(head -c 30000000 /dev/zero | tr \"\\0\" x); echo; read y'; :";
        let mut child =
            Command::new("sh").args(["-c", script]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        std::io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut [0]).unwrap();
        let pid = child.id().cast_signed();
        sampler.watch(WorkerId(1), Some(Watched { pid: 900_000_001, pace: Pace::Fast }));
        sampler.watch(WorkerId(2), Some(Watched { pid, pace: Pace::Fast }));
        let Some(Event::Sampled(samples)) = events.blocking_recv().map(|incoming| incoming.event) else { panic!() };
        let sizes: Vec<_> = samples.iter().map(|sample| (sample.worker, sample.rss_bytes > 30_000_000)).collect();
        assert_eq!(sizes, [(WorkerId(2), true)]);
        drop(child.stdin.take());
        child.wait().unwrap();
        drop(sampler);
        while events.blocking_recv().is_some() {}
    }
}

//! What a torture comes to: figures, and what was violated. In words; decides nothing.

use std::fmt;
use std::time::Duration;

use super::killer::Toll;
use crate::load::percentile;

/// The end of a torture. Good is what has no violations.
#[derive(Debug)]
pub struct Outcome {
    pub violations: Vec<String>,
    /// More than are listed, perhaps.
    pub violations_in_all: usize,
    pub(super) seed: u64,
    pub(super) tasks: usize,
    pub(super) clients: usize,
    /// Runs that began, those that were cut off among them.
    pub(super) runs: usize,
    pub(super) answered_after: Duration,
    pub(super) ended_after: Duration,
    pub(super) toll: Toll,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Toll { supervisor_kills, worker_kills, workers_gone, requeued, ready_after } = &self.toll;
        let per_s = |after: Duration| self.tasks as f64 / after.as_secs_f64();
        let mut ready_ms: Vec<f64> = ready_after.iter().map(|after| after.as_secs_f64() * 1e3).collect();
        let rows = [
            ("seed", self.seed.to_string()),
            ("tasks, by clients", format!("{}, by {}", self.tasks, self.clients)),
            ("enqueues answered", format!("{:.0} a second, kills and restarts included", per_s(self.answered_after))),
            ("tasks ended", format!("{:.0} a second, kills and restarts included", per_s(self.ended_after))),
            ("runs begun", self.runs.to_string()),
            ("supervisor killed", format!("{supervisor_kills} times")),
            (
                "from restart to ready",
                format!("p50 {:.0} ms, max {:.0} ms", percentile(&mut ready_ms, 50), percentile(&mut ready_ms, 100)),
            ),
            ("runs requeued at a start", requeued.to_string()),
            ("runs killed in the middle", worker_kills.to_string()),
            ("workers that ended", workers_gone.to_string()),
            ("violations", self.violations_in_all.to_string()),
        ];
        for (name, value) in rows {
            writeln!(f, "{name:<28}{value}")?;
        }
        for violation in &self.violations {
            writeln!(f, "VIOLATION  {violation}")?;
        }
        Ok(())
    }
}

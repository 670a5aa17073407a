//! What was observed of a load, and what it comes to. Pure.

use super::ScalingOptions;
use crate::load::percentile;

/// From the first task on, in which the pool may still be on its way.
const SETTLED_AFTER_US: i64 = 3_000_000;

/// The pool at a moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    pub at_us: i64,
    pub workers: usize,
    pub waiting: u64,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Seen {
    /// When the load began and ended.
    pub load_us: (i64, i64),
    pub samples: Vec<Sample>,
    /// Of each task: when it started, and how long it had waited, in microseconds.
    pub waits: Vec<(i64, i64)>,
    /// In sentences, the oldest first.
    pub decisions: Vec<String>,
}

impl Seen {
    /// Of the tasks that started after the first seconds, in milliseconds.
    fn waits_ms(&self) -> Vec<f64> {
        let settled = self.load_us.0 + SETTLED_AFTER_US;
        self.waits.iter().filter(|(at_us, _)| *at_us >= settled).map(|(_, wait_us)| *wait_us as f64 / 1e3).collect()
    }

    pub(super) fn most_workers(&self) -> usize {
        self.samples.iter().map(|sample| sample.workers).max().unwrap_or(0)
    }

    pub(super) fn words(&self, options: &ScalingOptions) -> String {
        let mut waits = self.waits_ms();
        let [p50, p95, p99, most] = [50, 95, 99, 100].map(|percent| percentile(&mut waits, percent));
        let last = self.samples.last().map_or(0, |sample| sample.workers);
        let decisions = self.decisions.iter().map(|said| format!("  {said}\n")).collect::<String>();
        format!(
            "{} tasks of {} ms, {} a second for {} s; after the first 3 s they waited p50 {p50:.0} ms, p95 {p95:.0} ms, p99 \
             {p99:.0} ms, at most {most:.0} ms\nat most {} of {} workers, {last} in the end\ndecisions:\n{decisions}",
            self.waits.len(),
            options.task_ms,
            options.rate,
            options.seconds,
            self.most_workers(),
            options.max,
        )
    }

    /// The p95 of the waits of the tasks that started in each half second, in milliseconds.
    pub(super) fn wait_line(&self) -> Vec<(i64, f64)> {
        const SLICE_US: i64 = 500_000;
        let mut slices: std::collections::BTreeMap<i64, Vec<f64>> = std::collections::BTreeMap::new();
        for (at_us, wait_us) in &self.waits {
            slices.entry(at_us.div_euclid(SLICE_US)).or_default().push(*wait_us as f64 / 1e3);
        }
        let p95 = |(slice, mut waits): (i64, Vec<f64>)| (slice * SLICE_US + SLICE_US / 2, percentile(&mut waits, 95));
        slices.into_iter().map(p95).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_seconds_do_not_count_and_the_line_has_all() {
        let waits = vec![(0, 900_000), (2_999_999, 800_000), (3_000_000, 10_000), (3_100_000, 20_000)];
        let seen = Seen { waits, ..Seen::default() };
        assert_eq!(seen.waits_ms(), [10.0, 20.0]);
        assert_eq!(seen.wait_line(), [(250_000, 900.0), (2_750_000, 800.0), (3_250_000, 20.0)]);
    }
}

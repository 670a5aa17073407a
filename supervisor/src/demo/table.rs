//! What the rows say, by kind: how many, how long, how fast. Pure.

use std::collections::BTreeMap;

use queue_core::state::TaskState;
use queue_core::store::EndedRun;

pub(super) const HEADING: [&str; 9] =
    ["kind", "done", "failed", "attempts", "wait p50", "wait p99", "run p50", "run p99", "tasks/s"];
const US_PER_S: f64 = 1e6;

/// The ended tasks of one kind.
#[derive(Debug, Default)]
struct Group {
    done: usize,
    failed: usize,
    attempts: i64,
    waits_us: Vec<i64>,
    runs_us: Vec<i64>,
    /// Of those that ended since the start: how many, and when the last of them did.
    recent: usize,
    last_us: i64,
}

/// One row of text for each kind, in the order of [`HEADING`]. The rate is of what ended after `since_us`, in
/// microseconds since 1970; `-` when nothing did.
pub(super) fn rows(ended: &[EndedRun], since_us: i64) -> Vec<Vec<String>> {
    let mut groups: BTreeMap<&str, Group> = BTreeMap::new();
    for run in ended {
        let group = groups.entry(&run.kind).or_default();
        match run.state {
            TaskState::Completed => group.done += 1,
            _ => group.failed += 1,
        }
        group.attempts += run.epoch;
        group.waits_us.push(run.wait_us);
        group.runs_us.push(run.run_us);
        if run.finished_at_us > since_us {
            group.recent += 1;
            group.last_us = group.last_us.max(run.finished_at_us);
        }
    }
    groups.into_iter().map(|(kind, group)| group.row(kind, since_us)).collect()
}

impl Group {
    fn row(mut self, kind: &str, since_us: i64) -> Vec<String> {
        let rate = match self.recent {
            0 => "-".to_owned(),
            count => format!("{:.0}", count as f64 * US_PER_S / (self.last_us - since_us) as f64),
        };
        self.waits_us.sort_unstable();
        self.runs_us.sort_unstable();
        let at = |sorted: &[i64], percent| percentile(sorted, percent).map_or_else(|| "-".to_owned(), duration);
        vec![
            kind.to_owned(),
            self.done.to_string(),
            self.failed.to_string(),
            self.attempts.to_string(),
            at(&self.waits_us, 50),
            at(&self.waits_us, 99),
            at(&self.runs_us, 50),
            at(&self.runs_us, 99),
            rate,
        ]
    }
}

/// The smallest value that `percent` of all, 1 to 100, do not exceed. `sorted` is ascending.
fn percentile(sorted: &[i64], percent: usize) -> Option<i64> {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).copied()
}

/// Microseconds with three digits and the unit that fits.
fn duration(us: i64) -> String {
    let digits = |value: f64| match value {
        ..9.995 => format!("{value:.2}"),
        ..99.95 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    };
    match us {
        ..1_000 => format!("{us} µs"),
        1_000..999_500 => format!("{} ms", digits(us as f64 / 1e3)),
        _ => format!("{} s", digits(us as f64 / 1e6)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_were_seen() {
        let hundred: Vec<i64> = (1..=100).collect();
        let table: [(&[i64], usize, Option<i64>); 8] = [
            (&[], 50, None),
            (&[7], 1, Some(7)),
            (&[7], 99, Some(7)),
            (&[1, 2], 50, Some(1)),
            (&[1, 2, 3], 50, Some(2)),
            (&hundred, 50, Some(50)),
            (&hundred, 99, Some(99)),
            (&hundred, 100, Some(100)),
        ];
        for (sorted, percent, value) in table {
            assert_eq!(percentile(sorted, percent), value, "p{percent} of {} values", sorted.len());
        }
    }

    #[test]
    fn durations_have_three_digits_at_most() {
        let table = [
            (0, "0 µs"),
            (999, "999 µs"),
            (1_000, "1.00 ms"),
            (9_994, "9.99 ms"),
            (9_996, "10.0 ms"),
            (99_960, "100 ms"),
            (999_499, "999 ms"),
            (999_500, "1.00 s"),
            (12_340_000, "12.3 s"),
        ];
        for (us, text) in table {
            assert_eq!(duration(us), text);
        }
    }

    #[test]
    fn each_kind_is_a_row_and_the_rate_is_that_of_this_start() {
        let run = |kind: &str, state, epoch, finished_at_us| EndedRun {
            kind: kind.to_owned(),
            state,
            epoch,
            finished_at_us,
            wait_us: 5_000 * epoch,
            run_us: 300,
        };
        let ended = [
            run("text", TaskState::Completed, 1, 3_000_000),
            run("digest", TaskState::Completed, 1, 500_000),
            run("digest", TaskState::Completed, 1, 2_000_000),
            run("digest", TaskState::Completed, 3, 1_500_000),
            run("digest", TaskState::Failed, 2, 900_000),
            run("old", TaskState::Cancelled, 1, 1_000_000),
        ];
        let text: Vec<String> = rows(&ended, 1_000_000).iter().map(|row| row.join("|")).collect();
        assert_eq!(
            text,
            [
                "digest|3|1|7|5.00 ms|15.0 ms|300 µs|300 µs|2",
                "old|0|1|1|5.00 ms|5.00 ms|300 µs|300 µs|-",
                "text|1|0|1|5.00 ms|5.00 ms|300 µs|300 µs|0",
            ]
        );
        assert!(rows(&ended, 0).iter().all(|row| row.len() == HEADING.len()));
    }
}

//! How fast a queue goes: the ends of its runs, of which older ones count less and less. For people; nothing is decided by it.
//! Pure: the time is an argument.

/// What is so old counts for a third; in microseconds.
const MEMORY_US: f64 = 60e6;
/// Fewer ends than this tell nothing.
const ENDS_MIN: f64 = 0.5;

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Pace {
    /// Each as much as it still counts at `at_us`.
    ends: f64,
    began_us: i64,
    at_us: i64,
}

impl Pace {
    pub(crate) fn begin(now_us: i64) -> Pace {
        Pace { ends: 0.0, began_us: now_us, at_us: now_us }
    }

    /// So many runs have ended. After a long time in which nothing ran, what was before is no measure any more.
    pub(crate) fn note(&mut self, ends: u64, was_idle: bool, now_us: i64) {
        if was_idle && us_between(self.at_us, now_us) > MEMORY_US {
            *self = Pace::begin(now_us);
        }
        self.ends = self.left(now_us) + ends as f64;
        self.at_us = now_us;
    }

    /// Ends per second; `None` while too few are known.
    pub(crate) fn per_s(&self, now_us: i64) -> Option<f64> {
        // As much as the whole time since the beginning still counts.
        let seen_s = MEMORY_US / 1e6 * -f64::exp_m1(-us_between(self.began_us, now_us) / MEMORY_US);
        let ends = self.left(now_us);
        (ends >= ENDS_MIN && seen_s > 0.0).then(|| ends / seen_s)
    }

    fn left(&self, now_us: i64) -> f64 {
        self.ends * f64::exp(-us_between(self.at_us, now_us) / MEMORY_US)
    }
}

fn us_between(then_us: i64, now_us: i64) -> f64 {
    now_us.saturating_sub(then_us).max(0) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000;

    #[test]
    fn a_steady_pace_is_told_soon_and_for_ever() {
        let mut pace = Pace::begin(0);
        assert_eq!(pace.per_s(0), None);
        for second in 1..=1_000 {
            pace.note(4, false, second * SECOND);
            let told = pace.per_s(second * SECOND).unwrap();
            assert!((3.9..4.2).contains(&told), "after {second} s: {told}");
        }
    }

    #[test]
    fn what_has_stopped_is_forgotten_and_what_begins_again_is_measured_anew() {
        let mut pace = Pace::begin(0);
        pace.note(100, false, 100 * SECOND);
        assert!(pace.per_s(200 * SECOND).unwrap() < 0.5);
        assert_eq!(pace.per_s(1_000 * SECOND), None);
        pace.note(0, true, 1_000 * SECOND);
        pace.note(20, false, 1_010 * SECOND);
        let told = pace.per_s(1_010 * SECOND).unwrap();
        assert!((2.0..2.3).contains(&told), "{told}");
    }
}

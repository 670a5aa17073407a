//! When a worker that is well is to be replaced: by what it has done, its age, its idleness, what it has in memory. Pure.
//!
//! Each worker draws a share of a tenth by which its own limits are lower, so that workers that began together do not end together.

use crate::config::Recycle;
use crate::text::bytes;

/// The most by which chance lowers a limit.
const JITTER: f64 = 0.1;

/// What is known of a worker between two runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wear {
    /// Runs that it has answered.
    pub tasks: u64,
    pub age_us: i64,
    pub idle_us: i64,
    pub rss_bytes: u64,
}

/// Why it is to be replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Worn {
    pub why: String,
    /// It may run nothing more until then: it is at its limit itself.
    pub at_once: bool,
}

/// Up to where its limits are lowered, of a random word.
pub fn share(random: u64) -> f64 {
    1.0 - JITTER * (random >> 11) as f64 / (1_u64 << 53) as f64
}

/// Whether a worker whose limits are lowered to `share` of them is to be replaced.
pub fn worn(recycle: &Recycle, wear: Wear, share: f64) -> Option<Worn> {
    let lowered = |limit: f64| limit * share;
    if let Some(limit) = recycle.memory_bytes
        && wear.rss_bytes as f64 >= lowered(limit as f64)
    {
        let why = format!("has {} in memory after {} tasks", bytes(wear.rss_bytes), wear.tasks);
        return Some(Worn { why, at_once: true });
    }
    if let Some(limit) = recycle.tasks
        && wear.tasks as f64 >= lowered(limit as f64)
    {
        return Some(Worn { why: format!("has run {} tasks", wear.tasks), at_once: wear.tasks >= limit });
    }
    if let Some(limit) = recycle.age_us
        && wear.age_us as f64 >= lowered(limit as f64)
    {
        return Some(Worn { why: format!("is {} s old", wear.age_us / 1_000_000), at_once: false });
    }
    if let Some(limit) = recycle.idle_us
        && wear.idle_us as f64 >= lowered(limit as f64)
    {
        return Some(Worn { why: format!("had nothing to do for {} s", wear.idle_us / 1_000_000), at_once: true });
    }
    None
}

/// For how long a worker that gets nothing to do is left in peace.
pub fn looked_after_us(recycle: &Recycle, wear: Wear, share: f64) -> Option<i64> {
    let left = |limit: Option<i64>, is: i64| limit.map(|limit| ((limit as f64 * share).ceil() as i64 - is).max(1));
    [left(recycle.age_us, wear.age_us), left(recycle.idle_us, wear.idle_us)].into_iter().flatten().min()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: Recycle =
        Recycle { tasks: Some(100), age_us: Some(10_000_000), idle_us: Some(5_000_000), memory_bytes: Some(1 << 20) };

    #[test]
    fn each_limit_has_its_sentence_and_is_lowered_by_up_to_a_tenth() {
        let table = [
            (Wear { tasks: 89, ..Wear::default() }, None),
            (Wear { tasks: 90, ..Wear::default() }, Some(("has run 90 tasks", false))),
            (Wear { tasks: 100, ..Wear::default() }, Some(("has run 100 tasks", true))),
            (Wear { age_us: 9_100_000, ..Wear::default() }, Some(("is 9 s old", false))),
            (Wear { idle_us: 4_600_000, ..Wear::default() }, Some(("had nothing to do for 4 s", true))),
            (
                Wear { rss_bytes: 1 << 20, tasks: 3, ..Wear::default() },
                Some(("has 1.0 MiB in memory after 3 tasks", true)),
            ),
        ];
        for (wear, expected) in table {
            let found = worn(&ALL, wear, 0.9);
            let found = found.as_ref().map(|worn| (worn.why.as_str(), worn.at_once));
            assert_eq!(found, expected, "{wear:?}");
            assert_eq!(worn(&Recycle::default(), wear, 0.9), None, "nothing is asked for");
        }
        assert_eq!(worn(&ALL, Wear { tasks: 95, ..Wear::default() }, 1.0), None, "another one's share");
    }

    #[test]
    fn shares_lie_within_a_tenth() {
        assert_eq!(share(0), 1.0);
        assert!((share(u64::MAX) - 0.9).abs() < 1e-9);
        assert!(share(u64::MAX / 2) > share(u64::MAX));
    }

    #[test]
    fn who_gets_nothing_to_do_is_looked_after_in_time() {
        let wear = Wear { age_us: 2_000_000, idle_us: 1_000_000, ..Wear::default() };
        assert_eq!(looked_after_us(&ALL, wear, 1.0), Some(4_000_000));
        let after = Wear { age_us: 6_000_000, idle_us: 5_000_000, ..wear };
        assert!(worn(&ALL, after, 1.0).is_some(), "and is worn then");
        assert_eq!(looked_after_us(&Recycle { tasks: Some(1), ..Recycle::default() }, wear, 1.0), None);
    }
}

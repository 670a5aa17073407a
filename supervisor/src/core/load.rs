//! What a pool has measured of its own work: how often tasks come, how long their runs take by kind, how long a worker takes
//! to start, how much memory runs need. Values and pure arithmetic; the time is an argument.

use std::collections::BTreeMap;

/// Over so long, arrivals count half as much.
const RATE_HALF_LIFE_S: f64 = 5.0;
/// The share of the newest in an average.
const NEWEST: f64 = 0.2;
/// Kinds of which something is remembered, at most; of more, those that ran last.
pub const KINDS_MAX: usize = 256;

/// How often something happens, of late.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Rate {
    per_s: f64,
    at_us: i64,
}

impl Rate {
    pub fn count(&mut self, count: u64, now: i64) {
        let constant_s = RATE_HALF_LIFE_S / std::f64::consts::LN_2;
        self.per_s = self.per_s(now) + count as f64 / constant_s;
        self.at_us = now;
    }

    pub fn per_s(&self, now: i64) -> f64 {
        let passed_s = (now - self.at_us).max(0) as f64 / 1e6;
        self.per_s * (-passed_s / RATE_HALF_LIFE_S).exp2()
    }
}

/// An average in which newer ones count more.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Average(Option<f64>);

impl Average {
    pub fn add(&mut self, value: f64) {
        self.0 = Some(self.0.map_or(value, |known| known + (value - known) * NEWEST));
    }

    pub fn get(&self) -> Option<f64> {
        self.0
    }
}

/// What is known of the runs of one kind.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct KindLoad {
    pub runs: u64,
    /// In seconds.
    pub service_s: Average,
    /// The most that a worker had in memory while it ran one, as far as that was measured.
    pub peak_rss_bytes: u64,
    last: u64,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct PoolLoad {
    arrivals: Rate,
    /// Tasks that could start, by the last word of the queue.
    pub waiting: u64,
    /// Claimed since then: what waits less does not mean that fewer came.
    claimed: u64,
    /// Of those that wait, which kinds the first ones are.
    pub kinds_waiting: BTreeMap<String, u64>,
    pub kinds: BTreeMap<String, KindLoad>,
    /// In seconds.
    pub boot_s: Average,
    runs: u64,
}

impl PoolLoad {
    /// The queue says how much waits now.
    pub fn told(&mut self, waiting: u64, kinds: BTreeMap<String, u64>, now: i64) {
        let came = (waiting + self.claimed).saturating_sub(self.waiting);
        self.arrivals.count(came, now);
        (self.waiting, self.claimed, self.kinds_waiting) = (waiting, 0, kinds);
    }

    pub fn claimed(&mut self) {
        self.claimed += 1;
    }

    /// Tasks that become available, per second.
    pub fn rate(&self, now: i64) -> f64 {
        self.arrivals.per_s(now)
    }

    /// A run was answered, or its worker died of it.
    pub fn ran(&mut self, kind: &str, run_us: i64, peak_rss_bytes: u64) {
        self.runs += 1;
        let of_kind = self.kinds.entry(kind.to_owned()).or_default();
        of_kind.runs += 1;
        of_kind.last = self.runs;
        of_kind.service_s.add(run_us.max(0) as f64 / 1e6);
        of_kind.peak_rss_bytes = of_kind.peak_rss_bytes.max(peak_rss_bytes);
        if self.kinds.len() > KINDS_MAX
            && let Some(oldest) = self.kinds.iter().min_by_key(|(_, load)| load.last).map(|(kind, _)| kind.clone())
        {
            self.kinds.remove(&oldest);
        }
    }

    /// How long a run of what waits takes, in seconds: by its kinds, as far as they are known, else by all that ran.
    /// What has been running for longer than that without an end says more, when nothing else is known.
    pub fn service_s(&self, longest_running_s: f64) -> Option<f64> {
        let known = |kind: &str| self.kinds.get(kind).and_then(|load| load.service_s.get());
        let of_waiting = self.kinds_waiting.iter().map(|(kind, count)| (known(kind), *count));
        let of_all = self.kinds.values().map(|load| (load.service_s.get(), load.runs));
        mean(of_waiting).or_else(|| mean(of_all)).or((longest_running_s > 0.0).then_some(longest_running_s))
    }

    /// Of one kind, in seconds.
    pub fn service_of_s(&self, kind: &str) -> Option<f64> {
        self.kinds.get(kind)?.service_s.get()
    }
}

fn mean(values: impl Iterator<Item = (Option<f64>, u64)>) -> Option<f64> {
    let known = values.filter_map(|(value, weight)| Some((value?, weight as f64)));
    let (sum, weights) = known.fold((0.0, 0.0), |(sum, all), (value, weight)| (sum + value * weight, all + weight));
    (weights > 0.0).then(|| sum / weights)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_follows_what_comes_and_forgets_it() {
        let mut rate = Rate::default();
        for tick in 0..1_000 {
            rate.count(20, tick * 100_000);
        }
        let steady = rate.per_s(99_900_000);
        assert!((195.0..=205.0).contains(&steady), "{steady}");
        assert!((rate.per_s(104_900_000) - steady / 2.0).abs() < 1e-6);
        assert!(rate.per_s(200_000_000) < 0.01);
    }

    #[test]
    fn arrivals_are_what_waits_more_and_what_was_claimed_meanwhile() {
        let mut load = PoolLoad::default();
        let told = |load: &mut PoolLoad, waiting, now| load.told(waiting, BTreeMap::new(), now);
        told(&mut load, 10, 0);
        let first = load.rate(0);
        (0..4).for_each(|_| load.claimed());
        told(&mut load, 6, 0);
        assert_eq!(load.rate(0), first, "four were claimed and none came");
        load.claimed();
        told(&mut load, 15, 0);
        assert!((load.rate(0) - 2.0 * first).abs() < 1e-9, "ten came");
        told(&mut load, 0, 0);
        assert!((load.rate(0) - 2.0 * first).abs() < 1e-9, "cancelled ones do not come back");
    }

    #[test]
    fn what_waits_takes_as_long_as_its_kinds() {
        let mut load = PoolLoad::default();
        assert_eq!((load.service_s(0.0), load.service_s(7.0)), (None, Some(7.0)));
        load.ran("fast", 10_000, 0);
        load.ran("slow", 10_000_000, 3_000);
        load.ran("slow", 10_000_000, 2_000);
        assert_eq!(load.kinds["slow"].peak_rss_bytes, 3_000);
        let of = |load: &mut PoolLoad, kinds: &[(&str, u64)]| {
            load.told(9, kinds.iter().map(|(kind, count)| ((*kind).to_owned(), *count)).collect(), 0);
            load.service_s(99.0).unwrap()
        };
        assert!((of(&mut load, &[("fast", 9)]) - 0.01).abs() < 1e-9);
        assert!((of(&mut load, &[("fast", 9), ("slow", 1)]) - 1.009).abs() < 1e-9);
        assert!((of(&mut load, &[("slow", 1), ("new", 5)]) - 10.0).abs() < 1e-9);
        assert!((of(&mut load, &[("new", 5)]) - 20.01 / 3.0).abs() < 1e-9, "as all that ran");
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut load = PoolLoad::default();
        for kind in 0..KINDS_MAX + 5 {
            load.ran(&kind.to_string(), 1, 1);
        }
        assert_eq!(
            (load.kinds.len(), load.kinds.contains_key("4"), load.kinds.contains_key("5")),
            (KINDS_MAX, false, true)
        );
    }
}

//! How many workers a pool should have, and why, in a sentence. Pure arithmetic over what was counted and measured.
//!
//! Work is counted in seconds of one worker: what waits, and what comes within the target wait, must be done within the target
//! wait. A queue that is fed as fast as it is served grows without end when arrivals vary, so a part of each worker's time is kept
//! free (the wait in a queue with random arrivals grows as 1 / (1 - utilisation): Kleinrock, Queueing Systems I, 3.2).
//! A new worker must have at least as much to do as its start costs, since others work meanwhile.

use std::time::Duration;

use crate::config::{Scale, Workers};

/// What is taken for the length of a run of which nothing is known, in seconds.
const SERVICE_S_DEFAULT: f64 = 0.1;
/// Of a worker's time, what is planned to be used.
const UTILISATION_MAX: f64 = 0.8;
/// A start that costs less is not weighed against the work, in seconds.
const BOOT_S_FREE: f64 = 0.05;
/// Arrivals that come less often than this are none, per second.
const RATE_MIN: f64 = 0.01;

/// What is known of a pool at a moment.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Load {
    /// Tasks that could start now.
    pub waiting: u64,
    /// Tasks that become available, per second.
    pub rate: f64,
    /// How long a run of what waits takes, in seconds; `None` when nothing is known of it.
    pub service_s: Option<f64>,
    /// From the start of a worker until it is ready, in seconds.
    pub boot_s: f64,
    /// Workers that are there or on the way, and will stay.
    pub there: u32,
    /// Those of them that run something.
    pub working: u32,
    /// Those of them whose run is not expected to end within the target wait.
    pub occupied: u32,
}

/// How many workers there should be, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    pub count: u32,
    pub why: String,
}

/// The number of workers that keeps the expected wait under `scale.target_wait_us`, between the bounds of `workers`.
pub fn wanted(load: &Load, scale: Scale, workers: Workers) -> Wanted {
    let target_s = scale.target_wait_us as f64 / 1e6;
    let rate = if load.rate < RATE_MIN { 0.0 } else { load.rate };
    let service_s = load.service_s.unwrap_or(SERVICE_S_DEFAULT);
    let waiting = load.waiting as f64;
    let flow = (rate + waiting / target_s) * service_s;
    let steady = rate * service_s / UTILISATION_MAX;
    // Who is in a long run is no help to those that wait, each of whom needs one worker at most.
    let beside = f64::from(load.occupied) + (waiting * service_s / target_s).min(waiting);
    let useful = f64::from(load.working) + waiting + (rate * target_s).floor();
    let need = flow.max(steady).max(beside).min(useful).max(f64::from(load.occupied));
    let need = round_up(need).max(u32::from(load.waiting > 0));
    let worth = worth(load, rate, service_s).max(round_up(steady.min(useful)));
    let is_dear = need > worth.max(load.there);
    let count = need.min(worth.max(load.there)).clamp(workers.min, workers.max);
    let why = match () {
        () if need > workers.max => format!("{}; no more than {} may be", because(load, rate, target_s), workers.max),
        () if is_dear => format!(
            "{}; a start takes {} and the rest would be done by then",
            because(load, rate, target_s),
            seconds(load.boot_s)
        ),
        () if need < workers.min => format!("{}; no fewer than {} may be", because(load, rate, target_s), workers.min),
        () => because(load, rate, target_s),
    };
    Wanted { count, why }
}

/// The number of workers beyond which a start costs more than the work that is left for it when it is done.
fn worth(load: &Load, rate: f64, service_s: f64) -> u32 {
    if load.boot_s <= BOOT_S_FREE {
        return u32::MAX;
    }
    let free = f64::from(load.there.saturating_sub(load.occupied));
    let left_s = (load.waiting as f64 + rate * load.boot_s) * service_s - free * load.boot_s;
    let by_work = load.there.saturating_add((left_s / load.boot_s).max(0.0) as u32);
    // Nobody else would do it.
    if free == 0.0 { by_work.max(load.there + u32::from(load.waiting > 0)) } else { by_work }
}

fn because(load: &Load, rate: f64, target_s: f64) -> String {
    let mut parts = Vec::new();
    match (load.waiting, rate > 0.0) {
        (0, false) => parts.push("nothing waits and nothing comes".to_owned()),
        (0, true) => parts.push("nothing waits".to_owned()),
        (1, _) => parts.push("1 task waits".to_owned()),
        (waiting, _) => parts.push(format!("{waiting} tasks wait")),
    }
    if rate > 0.0 {
        parts.push(format!("{rate:.1} a second come"));
    }
    if load.occupied > 0 {
        let are = if load.occupied == 1 { "worker is in a long run" } else { "workers are in long runs" };
        parts.push(format!("{} {are}", load.occupied));
    }
    let mut text = parts.join(", ");
    if load.waiting > 0 || rate > 0.0 {
        match load.service_s {
            Some(service_s) => text += &format!("; each takes about {}", seconds(service_s)),
            None => text += "; how long they take is not known yet",
        }
        text += &format!(" and none should wait over {}", seconds(target_s));
    }
    text
}

/// As people say it, in two places.
fn seconds(s: f64) -> String {
    let rounded = if s >= 10.0 {
        s.round()
    } else if s >= 1.0 {
        (s * 10.0).round() / 10.0
    } else {
        (s * 1e3).ceil() / 1e3
    };
    humantime::format_duration(Duration::from_millis((rounded * 1e3).round() as u64)).to_string()
}

fn round_up(workers: f64) -> u32 {
    // What floating-point numbers leave over is no worker.
    (workers - 1e-6).ceil().clamp(0.0, f64::from(u32::MAX)) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCALE: Scale = Scale { target_wait_us: 1_000_000, cooldown_us: 1 };
    const WORKERS: Workers = Workers { min: 0, max: 16 };

    fn count(load: Load) -> u32 {
        wanted(&load, SCALE, WORKERS).count
    }

    fn known(waiting: u64, rate: f64, service_s: f64) -> Load {
        Load { waiting, rate, service_s: Some(service_s), ..Load::default() }
    }

    #[test]
    fn the_backlog_and_what_comes_are_done_within_the_target_wait() {
        let table = [
            (known(0, 0.0, 0.05), 0),
            (known(1, 0.0, 0.05), 1),
            (known(20, 0.0, 0.05), 1),
            (known(100, 0.0, 0.05), 5),
            // 200 a second of 50 ms are 10 workers' work: 13 when a fifth of their time is to be free.
            (known(0, 200.0, 0.05), 13),
            (known(100, 200.0, 0.05), 15),
            (known(10_000, 200.0, 0.05), 16),
            // Longer than the target: one for each.
            (known(3, 0.0, 3_600.0), 3),
            (Load { there: 2, working: 2, occupied: 2, ..known(3, 0.0, 3_600.0) }, 5),
            // Short ones do not wait for the end of long ones.
            (Load { there: 2, working: 2, occupied: 2, ..known(1, 0.0, 0.01) }, 3),
            (Load { there: 2, working: 2, occupied: 2, ..known(0, 0.0, 0.01) }, 2),
            // Of which nothing is known.
            (Load { waiting: 30, ..Load::default() }, 3),
        ];
        for (load, expected) in table {
            assert_eq!(count(load), expected, "{load:?}");
        }
        let bounds = Workers { min: 2, max: 4 };
        assert_eq!(wanted(&known(0, 0.0, 1.0), SCALE, bounds).count, 2);
        assert_eq!(wanted(&known(100, 0.0, 1.0), SCALE, bounds).count, 4);
    }

    #[test]
    fn a_start_must_be_worth_its_cost() {
        let slow = |there, load: Load| Load { boot_s: 3.0, there, ..load };
        let table = [
            ("the first is always", slow(0, known(1, 0.0, 0.01)), 1),
            ("1 s of work is none for a start of 3 s", slow(1, known(4, 0.0, 0.25)), 1),
            ("3 s of it are left when it is ready", slow(1, known(6, 0.0, 1.0)), 2),
            ("of 30 s 27 are left, enough for nine", slow(1, known(30, 0.0, 1.0)), 10),
            ("what keeps coming pays for it", slow(1, known(0, 40.0, 0.1)), 5),
            ("nobody else would do it", Load { working: 1, occupied: 1, ..slow(1, known(1, 0.0, 0.1)) }, 2),
        ];
        for (what, load, expected) in table {
            assert_eq!(count(load), expected, "{what}: {load:?}");
        }
    }

    #[test]
    fn more_never_need_fewer() {
        for waiting in [0, 1, 2, 10, 50, 100, 1_000] {
            for rate in [0.0, 0.5, 10.0, 100.0] {
                for boot_s in [0.0, 0.5, 5.0] {
                    let load = Load { boot_s, there: 3, ..known(waiting, rate, 0.2) };
                    let more = [Load { waiting: waiting * 2 + 1, ..load }, Load { rate: rate * 2.0 + 1.0, ..load }];
                    assert!(more.into_iter().all(|more| count(more) >= count(load)), "{load:?}");
                    assert!(count(load) <= WORKERS.max);
                }
            }
        }
    }

    #[test]
    fn the_reason_is_a_sentence_with_its_figures() {
        let why = |load| wanted(&load, SCALE, WORKERS).why;
        let table = [
            (known(0, 0.0, 1.0), "nothing waits and nothing comes"),
            (
                known(120, 40.0, 0.05),
                "120 tasks wait, 40.0 a second come; each takes about 50ms and none should wait over 1s",
            ),
            (
                known(1_000, 0.0, 2.5),
                "1000 tasks wait; each takes about 2s 500ms and none should wait over 1s; no more than 16 may be",
            ),
            (
                Load { boot_s: 3.0, there: 1, ..known(4, 0.0, 0.5) },
                "4 tasks wait; each takes about 500ms and none should wait over 1s; a start takes 3s and the rest would be done by then",
            ),
            (
                Load { waiting: 1, there: 1, working: 1, occupied: 1, ..Load::default() },
                "1 task waits, 1 worker is in a long run; how long they take is not known yet and none should wait over 1s",
            ),
        ];
        for (load, expected) in table {
            assert_eq!(why(load), expected);
        }
    }
}

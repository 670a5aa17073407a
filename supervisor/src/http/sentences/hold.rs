//! One thing that is waited for, as in "waits for queue images: 8 of 8 run".

use std::time::Duration;

use queue_core::explain::Held;
use queue_core::hold::{Debit, Gate, Hold};
use queue_core::state::TaskState;
use queue_core::task::PoolId;

use crate::core::HeldBy;
use crate::http::dto::HoldText;
use crate::shell::stats::PoolStats;
use crate::text::{printable, time};

/// Where something waits.
#[derive(Clone, Copy, Debug)]
pub(super) struct Site<'a> {
    pub(super) queue: &'a str,
    pub(super) key: Option<&'a str>,
    /// As ids of pools count them.
    pub(super) pools: &'a [PoolStats],
}

pub(super) fn texts(held: &[Held], site: Site<'_>) -> Vec<HoldText> {
    held.iter().map(|held| text(held, site)).collect()
}

pub(super) fn text(Held { by, reason }: &Held, site: Site<'_>) -> HoldText {
    let queue = || format!("queue {}", site.queue);
    let key = || format!("key {} of queue {}", printable(site.key.unwrap_or_default().as_bytes()), site.queue);
    let (name, text) = match by {
        Hold::Due(TaskState::Retryable, at_us) => ("due", format!("its next attempt, at {}", time(*at_us))),
        Hold::Due(_, at_us) => ("due", format!("its time, {}", time(*at_us))),
        Hold::KeyClosed(gate) => ("key_paused", format!("{}: {}", key(), paused(*gate, reason))),
        Hold::KeyLimit { running, limit } => ("key_limit", format!("{}: {running} of {limit} run", key())),
        Hold::QueueClosed(gate) => ("queue_paused", format!("{}: {}", queue(), paused(*gate, reason))),
        Hold::QueueLimit { running, limit } => ("queue_limit", format!("{}: {running} of {limit} run", queue())),
        Hold::Meter(debit) => ("rate", format!("the rate of queue {}: {}", site.queue, spent(debit))),
        Hold::NoPool => ("no_pool", format!("a pool: none serves queue {}", site.queue)),
        Hold::Pools(ids) => (pools_held_by(ids, site.pools), format!("a free worker: {}", pools(ids, site.pools))),
    };
    HoldText { by: name.to_owned(), text, until: by.until_us().filter(|at_us| is_known(*at_us)).map(time) }
}

/// A debt that is never paid ends with all time.
pub(super) fn is_known(at_us: i64) -> bool {
    at_us < i64::MAX / 2
}

fn paused(gate: Gate, reason: &str) -> String {
    let until = match gate.opens_at_us() {
        Some(at_us) => time(at_us),
        None => "it is resumed".to_owned(),
    };
    let why = if reason.is_empty() { String::new() } else { format!(" ({})", printable(reason.as_bytes())) };
    format!("paused until {until}{why}")
}

fn spent(Debit { unit, allowed, per_us, debt, opens_at_us }: &Debit) -> String {
    let per = humantime::format_duration(Duration::from_micros(per_us.unsigned_abs()));
    let unit = if *allowed == 1 && unit == "tasks" { "task" } else { unit };
    let owed = if *debt > 0 { format!(", {debt} more are owed") } else { String::new() };
    let next = match is_known(*opens_at_us) {
        true => format!("the next may start at {}", time(*opens_at_us)),
        false => "they are never paid at this rate".to_owned(),
    };
    format!("{allowed} {unit} in any {per}, used up{owed}; {next}")
}

/// What holds all of these pools, if that is the same for all of them.
fn pools_held_by(ids: &[PoolId], pools: &[PoolStats]) -> &'static str {
    let mut by = ids.iter().filter_map(|id| pools.get(id.0)).map(|pool| pool.hold.as_ref().map(|hold| hold.by));
    match by.next().flatten() {
        Some(first) if by.all(|other| other == Some(first)) => first.name(),
        _ => "pool",
    }
}

/// Nothing of it starts before somebody does something: no rate says how long that takes.
pub(super) fn stands_still(held: &[Held], pools: &[PoolStats]) -> bool {
    let is_stopped = |id: &PoolId| match pools.get(id.0).and_then(|pool| pool.hold.as_ref()) {
        Some(hold) => hold.by != HeldBy::Memory,
        None => false,
    };
    held.iter().any(|held| matches!(&held.by, Hold::Pools(ids) if !ids.is_empty() && ids.iter().all(is_stopped)))
}

fn pools(ids: &[PoolId], pools: &[PoolStats]) -> String {
    let known = ids.iter().filter_map(|id| pools.get(id.0));
    known.map(pool).collect::<Vec<_>>().join("; ")
}

fn pool(PoolStats { name, wanted, workers, hold, .. }: &PoolStats) -> String {
    if let Some(hold) = hold {
        return format!("pool {name} {}", printable(hold.why.as_bytes()));
    }
    let count = |state: &str| workers.get(state).copied().unwrap_or(0);
    let others = workers.iter().filter(|(state, count)| **state != "working" && **count > 0);
    let others: Vec<String> = others.map(|(state, count)| format!(", {count} {state}")).collect();
    format!("{} of {wanted} of pool {name} work{}", count("working"), others.concat())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::PoolHold;

    const NOON: i64 = 1_795_435_200_000_000;

    fn pool(name: &str, workers: &[(&'static str, usize)], hold: Option<(HeldBy, &str)>) -> PoolStats {
        PoolStats {
            name: name.to_owned(),
            is_gone: false,
            wanted: 4,
            workers: workers.iter().copied().collect(),
            hold: hold.map(|(by, why)| PoolHold { by, why: why.to_owned() }),
        }
    }

    #[test]
    fn every_cause_is_told_with_its_figures() {
        let pools = [pool("c", &[("working", 4)], None)];
        let debit = |debt, opens_at_us| {
            Hold::Meter(Debit { unit: "tokens".into(), allowed: 100, per_us: 60_000_000, debt, opens_at_us })
        };
        let noon = "2026-11-23T12:00:00.000Z";
        let table = [
            (Hold::Due(TaskState::Scheduled, NOON), "due", format!("its time, {noon}"), true),
            (Hold::Due(TaskState::Retryable, NOON), "due", format!("its next attempt, at {noon}"), true),
            (
                Hold::KeyClosed(Gate::ClosedUntil(NOON)),
                "key_paused",
                format!("key k of queue q: paused until {noon} (why)"),
                true,
            ),
            (Hold::KeyLimit { running: 2, limit: 2 }, "key_limit", "key k of queue q: 2 of 2 run".into(), false),
            (
                Hold::QueueClosed(Gate::Closed),
                "queue_paused",
                "queue q: paused until it is resumed (why)".into(),
                false,
            ),
            (Hold::QueueLimit { running: 8, limit: 8 }, "queue_limit", "queue q: 8 of 8 run".into(), false),
            (
                debit(0, NOON),
                "rate",
                format!("the rate of queue q: 100 tokens in any 1m, used up; the next may start at {noon}"),
                true,
            ),
            (
                debit(7, i64::MAX),
                "rate",
                "the rate of queue q: 100 tokens in any 1m, used up, 7 more are owed; they are never paid at this rate"
                    .into(),
                false,
            ),
            (Hold::NoPool, "no_pool", "a pool: none serves queue q".into(), false),
            (Hold::Pools(vec![PoolId(0)]), "pool", "a free worker: 4 of 4 of pool c work".into(), false),
        ];
        for (by, name, expected, ends) in table {
            let site = Site { queue: "q", key: Some("k"), pools: &pools };
            let told = text(&Held { by, reason: "why".into() }, site);
            assert_eq!((told.by.as_str(), told.text.as_str()), (name, expected.as_str()));
            assert_eq!(told.until, ends.then(|| noon.to_owned()), "{expected}");
        }
    }

    #[test]
    fn what_holds_all_pools_is_a_cause_of_its_own() {
        let pools = [
            pool("a", &[("working", 3), ("starting", 1)], None),
            pool("b", &[], Some((HeldBy::Broken, "is broken"))),
            pool("c", &[("working", 1)], Some((HeldBy::Memory, "waits for memory"))),
            pool("d", &[], Some((HeldBy::Memory, "waits for memory"))),
            pool("e", &[], Some((HeldBy::Quiet, "is quiet"))),
        ];
        let table: [(&[usize], &str, &str, bool); 7] = [
            (&[0], "pool", "3 of 4 of pool a work, 1 starting", false),
            (&[1], "broken", "pool b is broken", true),
            (&[2, 3], "memory", "pool c waits for memory; pool d waits for memory", false),
            (&[4], "quiet", "pool e is quiet", true),
            (&[4, 1], "pool", "pool e is quiet; pool b is broken", true),
            (&[4, 3], "pool", "pool e is quiet; pool d waits for memory", false),
            (&[3, 0], "pool", "pool d waits for memory; 3 of 4 of pool a work, 1 starting", false),
        ];
        for (ids, by, expected, is_still) in table {
            let pool_ids = ids.iter().copied().map(PoolId).collect();
            let held = [Held { by: Hold::Pools(pool_ids), reason: String::new() }];
            let told = text(&held[0], Site { queue: "q", key: None, pools: &pools });
            assert_eq!((told.by.as_str(), told.text), (by, format!("a free worker: {expected}")));
            assert_eq!(stands_still(&held, &pools), is_still, "{expected}");
        }
    }
}

//! Pools in words. Pure.

use std::time::Duration;

use super::output;
use crate::config::Workers;
use crate::http::dto::{Decision, KindLoad, Pool, PoolList, PoolSummary, Worker};
use crate::text::bytes;

/// All pools, one in each row.
pub fn list(list: &PoolList) -> String {
    let row = |pool: &PoolSummary| {
        let why = pool.why.clone().unwrap_or_default();
        let (bounds, waiting) = (bounds(pool).to_string(), pool.waiting.to_string());
        vec![pool.name.clone(), pool.state.clone(), bounds, pool.wanted.to_string(), states(pool), waiting, why]
    };
    let heading = ["pool", "state", "bounds", "wanted", "workers", "waiting", "why"];
    let memory = match list.memory_budget_bytes {
        Some(budget) => format!("{} of {} are taken", bytes(list.memory_reserved_bytes), bytes(budget)),
        None => "no bounds".to_owned(),
    };
    format!("{}\n\nmemory: {memory}", output::table(&heading, list.pools.iter().map(row)))
}

/// What became of an order.
pub fn after_order(pool: &PoolSummary) -> String {
    let mut line = format!("pool {}: {}, {} of {} workers wanted", pool.name, pool.state, pool.wanted, bounds(pool));
    let there = states(pool);
    if !there.is_empty() {
        line = format!("{line}; {there}");
    }
    match &pool.why {
        Some(why) => format!("{line}\n  {why}"),
        None => line,
    }
}

/// A pool with all that is known of it.
pub fn show(pool: &Pool) -> String {
    let Pool { summary, queues, target_wait_ms, cooldown_ms, .. } = pool;
    let mut lines = vec![after_order(summary)];
    if summary.min < summary.max {
        lines.push(format!(
            "  scales so that none waits over {}; one less at a time, after {} without need",
            duration(*target_wait_ms),
            duration(*cooldown_ms)
        ));
    }
    lines.push(format!("  serves {}; {}", queues.join(", "), load(pool)));
    if let Some(boot_ms) = pool.boot_ms {
        lines.push(format!("  a start takes {}", duration(boot_ms)));
    }
    let blocks = [lines.join("\n"), workers(&pool.workers), kinds(pool), decisions(&pool.decisions)];
    blocks.into_iter().filter(|block| !block.is_empty()).collect::<Vec<_>>().join("\n\n")
}

fn load(pool: &Pool) -> String {
    let waiting = match pool.summary.waiting {
        0 => "nothing waits".to_owned(),
        1 => "1 task waits".to_owned(),
        many => format!("{many} tasks wait"),
    };
    if pool.arrivals_per_s < 0.05 { waiting } else { format!("{waiting}, {:.1} a second come", pool.arrivals_per_s) }
}

fn workers(workers: &[Worker]) -> String {
    let row = |worker: &Worker| {
        let task = worker.task.map(|task| task.to_string()).unwrap_or_default();
        let silent = worker.is_unresponsive.then(|| "is unresponsive".to_owned());
        vec![
            worker.id.to_string(),
            worker.pid.map(|pid| pid.to_string()).unwrap_or_default(),
            worker.state.clone(),
            task,
            worker.task_since.clone().unwrap_or_default(),
            worker.tasks_answered.to_string(),
            duration(worker.age_ms),
            measured(worker.memory_bytes),
            silent.into_iter().chain(worker.why.clone()).collect::<Vec<_>>().join(", "),
        ]
    };
    let heading = ["worker", "pid", "state", "task", "since", "answered", "age", "memory", "why"];
    table(&heading, workers.iter().map(row))
}

fn kinds(pool: &Pool) -> String {
    let limit = pool.memory_limit_bytes.map_or_else(|| "none".to_owned(), bytes);
    let row = |kind: &KindLoad| {
        let each = kind.run_ms.map(millis).unwrap_or_default();
        vec![kind.kind.clone(), kind.runs.to_string(), each, measured(kind.peak_memory_bytes), limit.clone()]
    };
    table(&["kind", "runs", "each takes", "peak memory", "limit"], pool.kinds.iter().map(row))
}

/// The newest last, under the day of each.
fn decisions(decisions: &[Decision]) -> String {
    let mut lines = Vec::new();
    let mut last_day = "";
    for Decision { at, from, to, why } in decisions {
        let (day, moment) = at.split_once('T').unwrap_or(("", at));
        if day != last_day {
            lines.push(format!("decided on {day} (UTC)"));
            last_day = day;
        }
        let change = if from == to { to.to_string() } else { format!("{from} -> {to}") };
        let moment = moment.split('.').next().unwrap_or_default();
        lines.push(format!("  {moment}  {change:<8}  {}", why.replace('\n', " ")));
    }
    lines.join("\n")
}

fn bounds(pool: &PoolSummary) -> Workers {
    Workers { min: pool.min, max: pool.max }
}

fn states(pool: &PoolSummary) -> String {
    let states: Vec<String> = pool.workers_by_state.iter().map(|(state, count)| format!("{count} {state}")).collect();
    states.join(", ")
}

/// What was never measured is left out.
fn measured(count: u64) -> String {
    if count == 0 { String::new() } else { bytes(count) }
}

/// Whole seconds, from ten on.
fn duration(ms: i64) -> String {
    let ms = ms.unsigned_abs();
    let ms = if ms < 10_000 { ms } else { ms / 1000 * 1000 };
    humantime::format_duration(Duration::from_millis(ms)).to_string()
}

fn millis(ms: f64) -> String {
    if ms < 10.0 { format!("{ms:.1}ms") } else { duration(ms.round() as i64) }
}

/// No rows need no heading.
fn table(heading: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let rows: Vec<_> = rows.collect();
    if rows.is_empty() { String::new() } else { output::table(heading, rows) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PREDICATE: &str =
        "waits for memory: a worker may need 512.0 MiB, and of the budget of 1.0 GiB 24.0 MiB are free";

    fn pool() -> Pool {
        serde_json::from_str(include_str!("../http/golden/pool.json")).unwrap()
    }

    #[test]
    fn a_pool_is_shown_with_its_workers_kinds_and_decisions() {
        let expected = format!(
            "\
pool images: serving, 3 of 0..4 workers wanted; 1 draining, 1 starting
  {PREDICATE}
  scales so that none waits over 2s; one less at a time, after 10s without need
  serves images, thumbs; 25 tasks wait, 2.5 a second come
  a start takes 250ms

worker  pid   state     task  since                     answered  age       memory     why
7       4242  draining  42    2026-11-23T12:34:58.500Z  17        1h 2m 3s  256.0 MiB  has run 17 tasks
8             starting                                  17        1h 2m 3s  256.0 MiB

kind    runs  each takes  peak memory  limit
resize  120   52ms        300.0 MiB    512.0 MiB

decided on 2026-11-23 (UTC)
  12:34:51  0 -> 3    25 tasks wait
  12:34:59  3         waits for memory"
        );
        assert_eq!(show(&pool()), expected);
    }

    #[test]
    fn what_is_not_known_is_left_out() {
        let full = pool();
        let summary =
            PoolSummary { min: 4, workers_by_state: Default::default(), why: None, waiting: 0, ..full.summary };
        let (workers, kinds, decisions) = (vec![], vec![], vec![]);
        let bare = Pool { summary, boot_ms: None, arrivals_per_s: 0.0, workers, kinds, decisions, ..full };
        let expected = "pool images: serving, 3 of 4 workers wanted\n  serves images, thumbs; nothing waits";
        assert_eq!(show(&bare), expected);
    }

    #[test]
    fn each_day_has_its_heading_and_each_decision_one_line() {
        let at = |at: &str, why: &str| Decision { at: at.to_owned(), from: 1, to: 1, why: why.to_owned() };
        let told = decisions(&[
            at("2026-11-23T23:59:59.999Z", "a\nb"),
            at("2026-11-24T00:00:00.000Z", "c"),
            at("2026-11-24T00:00:01.000Z", "d"),
        ]);
        let expected = "decided on 2026-11-23 (UTC)\n  23:59:59  1         a b\n\
            decided on 2026-11-24 (UTC)\n  00:00:00  1         c\n  00:00:01  1         d";
        assert_eq!(told, expected);
    }

    #[test]
    fn pools_are_listed_with_the_memory_that_they_take() {
        let pools: PoolList = serde_json::from_str(include_str!("../http/golden/pools.json")).unwrap();
        let expected = format!(
            "pool    state    bounds  wanted  workers                 waiting  why\n\
             images  serving  0..4    3       1 draining, 1 starting  25       {PREDICATE}\n\n\
             memory: 1000.0 MiB of 1.0 GiB are taken"
        );
        assert_eq!(list(&pools), expected);
    }
}

//! `stats`: how many tasks and workers stand where, now.

use std::time::Duration;

use super::client::{Client, blocking};
use super::exit::{CliError, Exit};
use super::output::{self, Format};
use super::place::Place;
use crate::http::dto::{PoolStats, QueueStats, Stats};

pub fn run(place: &Place, format: Format) -> Result<Exit, CliError> {
    let config = place.load()?;
    let stats = blocking(async { Client::connect(&config.db).await?.stats().await })??;
    output::one(format, &stats, None, || words(&stats))?;
    Ok(Exit::Done)
}

fn words(stats: &Stats) -> String {
    let up = Duration::from_secs(stats.up_ms.unsigned_abs() / 1000);
    let mut blocks = vec![format!("up {}", humantime::format_duration(up))];
    if stats.stale_finishes > 0 {
        blocks[0].push_str(&format!("; {} ends of runs came too late and were dropped", stats.stale_finishes));
    }
    let states = stats.tasks.iter().filter(|(_, count)| **count > 0);
    blocks.push(table(&["state", "tasks"], states.map(|(state, count)| vec![state.clone(), count.to_string()])));
    let queue = |queue: &QueueStats| {
        vec![queue.name.clone(), queue.available.to_string(), queue.running.to_string(), paused(queue)]
    };
    blocks.push(table(&["queue", "available", "running", "paused"], stats.queues.iter().map(queue)));
    blocks.push(table(&["pool", "wanted", "workers", "why"], stats.pools.iter().map(pool)));
    blocks.retain(|block| !block.is_empty());
    blocks.join("\n\n")
}

fn paused(queue: &QueueStats) -> String {
    match &queue.paused_until {
        Some(until) => format!("until {until}"),
        None if queue.is_paused => "until it is resumed".to_owned(),
        None => String::new(),
    }
}

fn pool(pool: &PoolStats) -> Vec<String> {
    let workers: Vec<String> = pool.workers.iter().map(|(state, count)| format!("{count} {state}")).collect();
    vec![pool.name.clone(), pool.wanted.to_string(), workers.join(", "), pool.why.clone().unwrap_or_default()]
}

/// No rows need no heading.
fn table(heading: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let rows: Vec<_> = rows.collect();
    if rows.is_empty() { String::new() } else { output::table(heading, rows) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_counted_is_told_and_what_is_not_there_is_left_out() {
        let stats: Stats = serde_json::from_str(include_str!("../http/golden/stats.json")).unwrap();
        let told = "up 1h 59m 59s; 2 ends of runs came too late and were dropped\n\n\
                    state      tasks\navailable  3\nrunning    1\n\n\
                    queue   available  running  paused\nimages  3          1        until 2026-11-23T12:35:00.000Z\n\n\
                    pool    wanted  workers             why\nimages  4       2 ready, 1 working  waits for memory";
        assert_eq!(words(&stats), told);
        let none = Stats { tasks: Default::default(), queues: vec![], pools: vec![], stale_finishes: 0, ..stats };
        assert_eq!(words(&none), "up 1h 59m 59s");
    }
}

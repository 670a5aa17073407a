//! `check`: reads the configuration as `run` would, shows what it comes to, and starts nothing.

use std::time::Duration;

use queue_core::meter::Rate;
use queue_core::policy::QueuePolicy;
use queue_core::priority::AGING_OFF_US;
use serde_json::json;

use super::exit::{CliError, Exit};
use super::output::{self, Format};
use super::place::Place;
use crate::config::{Config, Kind, Pool, Program};

pub fn run(place: &Place, format: Format) -> Result<Exit, CliError> {
    let (config, warnings) = place.load_to_run()?;
    if !warnings.problems().is_empty() {
        output::warning(&format!("the configuration can be used, but:\n\n{warnings}\n"));
    }
    output::one(format, &as_json(&config), None, || as_text(&config))?;
    Ok(Exit::Done)
}

fn program(pool: &Pool) -> String {
    match &pool.program {
        Program::Command(argv) => argv.join(" "),
        Program::Stock => "(plain commands)".to_owned(),
    }
}

fn timeout(kind: &Kind) -> String {
    let of = |ms: i64| humantime::format_duration(Duration::from_millis(ms.unsigned_abs())).to_string();
    kind.limits.timeout_ms.map_or_else(|| "none".to_owned(), of)
}

fn as_text(config: &Config) -> String {
    let pools = config
        .pools
        .iter()
        .map(|pool| vec![pool.name.clone(), pool.workers.to_string(), pool.queues.join(", "), program(pool)]);
    let kinds = config.kinds.iter().map(|(name, kind)| {
        let queue = kind.queue.clone().unwrap_or_else(|| "(of its pool)".to_owned());
        let run = kind.run.as_ref().map(|run| run.tokens().join(" ")).unwrap_or_default();
        let (attempts, crashes) = (kind.limits.max_attempts.to_string(), kind.limits.max_crashes.to_string());
        vec![name.clone(), queue, timeout(kind), attempts, crashes, run]
    });
    let queues = if config.queues.is_empty() { String::new() } else { format!("\n\n{}", queues(config)) };
    format!(
        "the configuration is good\ndatabase {}\n\n{}\n\n{}{}",
        config.db.display(),
        output::table(&["pool", "workers", "queues", "program"], pools),
        output::table(&["kind", "queue", "timeout", "attempts", "crashes", "run"], kinds),
        queues,
    )
}

fn queues(config: &Config) -> String {
    let number = |limit: Option<u32>| limit.map_or_else(|| "none".to_owned(), |limit| limit.to_string());
    let rate = |rate: &Rate| format!("{} {} in {}", rate.allowed, rate.unit, micros(rate.per_us));
    let row = |(name, policy): (&String, &QueuePolicy)| {
        let rates: Vec<String> = policy.rates.iter().map(rate).collect();
        let (limit, per_key) = (number(policy.limit), number(policy.limit_per_key));
        vec![name.clone(), limit, per_key, policy.order.name().to_owned(), rates.join(", "), aging(policy)]
    };
    output::table(&["queue", "limit", "per key", "order", "rates", "aging"], config.queues.iter().map(row))
}

fn aging(policy: &QueuePolicy) -> String {
    if policy.aging_step_us == AGING_OFF_US { "off".to_owned() } else { micros(policy.aging_step_us) }
}

fn micros(us: i64) -> String {
    humantime::format_duration(Duration::from_micros(us.unsigned_abs())).to_string()
}

fn as_json(config: &Config) -> serde_json::Value {
    let pool = |pool: &Pool| {
        let command = match &pool.program {
            Program::Command(argv) => Some(argv),
            Program::Stock => None,
        };
        json!({
            "name": pool.name, "command": command, "stock": command.is_none(),
            "queues": pool.queues, "weights": pool.weights, "workers": { "min": pool.workers.min, "max": pool.workers.max }, "env": pool.process.env,
        })
    };
    let kind = |(name, kind): (&String, &Kind)| {
        let limits = &kind.limits;
        let backoff = &limits.backoff;
        json!({
            "name": name, "queue": kind.queue, "run": kind.run.as_ref().map(|run| run.tokens()),
            "timeout_ms": limits.timeout_ms, "max_attempts": limits.max_attempts, "max_crashes": limits.max_crashes,
            "backoff": { "base_ms": backoff.base_ms, "cap_ms": backoff.cap_ms, "jitter": backoff.jitter },
        })
    };
    let rate = |rate: &Rate| {
        let per_ms = rate.per_us / 1_000;
        json!({ "unit": rate.unit, "allowed": rate.allowed, "per_ms": per_ms, "cost": rate.cost })
    };
    let queue = |(name, policy): (&String, &QueuePolicy)| {
        json!({
            "name": name, "limit": policy.limit, "limit_per_key": policy.limit_per_key, "order": policy.order.name(),
            "weights": policy.weights, "rates": policy.rates.iter().map(rate).collect::<Vec<_>>(),
            "aging": aging(policy),
        })
    };
    json!({
        "db": config.db, "folder": config.folder,
        "pools": config.pools.iter().map(pool).collect::<Vec<_>>(),
        "queues": config.queues.iter().map(queue).collect::<Vec<_>>(),
        "kinds": config.kinds.iter().map(kind).collect::<Vec<_>>(),
    })
}

//! From what the file says to what the program uses: defaults filled in, every problem found, none of them fatal to the
//! search for the others. Pure.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use ipc_contract::CommandTemplate;
use ipc_contract::limits::{MAX_ATTEMPTS, MAX_CRASHES, Range};
use ipc_contract::name::check_name;
use queue_core::policy::Limits;
use queue_core::retry::Backoff;
use worker::stock::COMMAND_KIND;

use super::agree::disagreements;
use super::pool::{COMMANDS_POOL, WORKERS_MAX};
use super::problem::{Problem, Problems};
use super::queues::{queues, served};
use super::raw::{Raw, RawBackoff, RawKind, RawPool};
use super::resolve_pool::{host, pool};
use super::resolved::{Config, Kind};
use super::units::{millis, timeout_ms};

/// The longest wait that a back-off may reach: a year.
const BACKOFF_MS_MAX: u64 = 365 * 24 * 60 * 60 * 1000;

/// `cores` is the most workers of a pool that names none. The configuration may be used only when there is no problem.
pub(super) fn resolve(raw: Raw, db: PathBuf, folder: PathBuf, cores: usize) -> (Config, Vec<Problem>) {
    let mut problems = Problems::default();
    let cores = u32::try_from(cores).unwrap_or(WORKERS_MAX).clamp(1, WORKERS_MAX);
    let mut stock: Vec<String> =
        raw.pools.iter().filter(|(_, pool)| pool.stock).map(|(name, _)| name.clone()).collect();
    let mut raw_pools = raw.pools;
    raw_pools.entry(COMMANDS_POOL.to_owned()).or_insert_with(|| RawPool { stock: true, ..RawPool::default() });
    if stock.is_empty() {
        stock.push(COMMANDS_POOL.to_owned());
    }
    let pools = raw_pools.into_iter().map(|(name, raw)| pool(name, raw, cores, &folder, &mut problems)).collect();
    let mut raw_kinds = raw.kinds;
    raw_kinds.entry(COMMAND_KIND.to_owned()).or_default();
    let host = host(raw.host, &folder, &mut problems);
    let mut config = Config { db, folder, pools, queues: BTreeMap::new(), kinds: BTreeMap::new(), host };
    config.queues = queues(raw.queues, &config, &mut problems);
    for (name, raw) in raw_kinds {
        let kind = kind(&name, raw, &stock, &config, &mut problems);
        config.kinds.insert(name, kind);
    }
    disagreements(&config, &mut problems);
    (config, problems.0)
}

fn kind(name: &str, raw: RawKind, stock: &[String], config: &Config, problems: &mut Problems) -> Kind {
    let key = format!("kinds.{name}");
    problems.keep(&key, check_name("kind", name));
    let limits = limits(&key, &raw, problems);
    if name == COMMAND_KIND && raw.run.is_some() {
        problems
            .add(&format!("{key}.run"), "this kind is built in: each task brings its own command; use another name");
    }
    let plain = raw.run.is_some() || name == COMMAND_KIND;
    let run = raw.run.and_then(|run| problems.keep(&format!("{key}.run"), CommandTemplate::parse(&run)));
    let stock = if name == COMMAND_KIND { &[COMMANDS_POOL.to_owned()] } else { stock };
    let queue = match (raw.queue, stock) {
        (Some(queue), _) => {
            served(&format!("{key}.queue"), &queue, plain, config, problems);
            Some(queue)
        }
        (None, _) if !plain => None,
        (None, [only]) => {
            let queue = config.pool(only).and_then(|(_, pool)| pool.queues.first()).cloned();
            queue.inspect(|queue| served(&key, queue, plain, config, problems))
        }
        (None, several) => {
            problems
                .add(&key, format_args!("has no queue, and the pools {} are all stock; say queue", several.join(", ")));
            None
        }
    };
    let progress_key = format!("{key}.progress_timeout");
    let progress_timeout_ms = raw.progress_timeout.and_then(|text| timeout_ms(&progress_key, &text, problems));
    Kind { run, queue, limits, progress_timeout_ms }
}

fn limits(key: &str, raw: &RawKind, problems: &mut Problems) -> Limits {
    let default = Limits::default();
    let mut runs = |field: &str, range: Range, value: Option<i64>, default: u32| {
        let Some(value) = value else { return default };
        problems.keep(&format!("{key}.{field}"), range.check(value));
        u32::try_from(value).unwrap_or(default)
    };
    let max_attempts = runs("max_attempts", MAX_ATTEMPTS, raw.max_attempts, default.max_attempts);
    let max_crashes = runs("max_crashes", MAX_CRASHES, raw.max_crashes, default.max_crashes);
    let timeout_key = format!("{key}.timeout");
    let timeout_ms = raw.timeout.as_deref().and_then(|text| timeout_ms(&timeout_key, text, problems));
    Limits {
        timeout_ms,
        max_attempts,
        max_crashes,
        backoff: backoff(&format!("{key}.backoff"), &raw.backoff, problems),
    }
}

fn backoff(key: &str, raw: &RawBackoff, problems: &mut Problems) -> Backoff {
    let default = Backoff::default();
    let mut wait = |field: &str, text: &Option<String>| {
        let key = format!("{key}.{field}");
        let ms = millis(&key, text.as_deref()?, problems)?;
        if !(1..=BACKOFF_MS_MAX).contains(&ms) {
            problems.add(&key, "must be 1ms to 365days");
        }
        Some(ms)
    };
    let (base, cap) = (wait("base", &raw.base), wait("cap", &raw.cap));
    let cap_ms = cap.unwrap_or(default.cap_ms);
    let base_ms = base.unwrap_or(default.base_ms.min(cap_ms));
    if base_ms > cap_ms {
        let cap = humantime::format_duration(Duration::from_millis(cap_ms));
        problems.add(&format!("{key}.base"), format_args!("is above cap, which is {cap}"));
    }
    let jitter = raw.jitter.unwrap_or(default.jitter);
    if !(0.0..=1.0).contains(&jitter) {
        problems.add(&format!("{key}.jitter"), "must be 0.0 (none) to 1.0");
    }
    Backoff { base_ms, cap_ms, jitter }
}

#[cfg(test)]
#[path = "resolve_tests.rs"]
mod tests;

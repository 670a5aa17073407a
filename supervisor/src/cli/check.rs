//! `check`: reads the configuration as `run` would, shows what it comes to, and starts nothing.

use std::time::Duration;

use queue_core::meter::Rate;
use queue_core::policy::QueuePolicy;
use queue_core::priority::AGING_OFF_US;
use serde_json::json;

use super::exit::{CliError, Exit};
use super::output::{self, Format};
use super::place::Place;
use crate::config::{CgroupUse, Config, Host, Kind, MemoryBudget, Pool, Program, Recycle};
use crate::text::bytes;

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
    let pools = config.pools.iter().map(|pool| {
        let memory = pool.limits.memory_bytes.map_or_else(|| "none".to_owned(), bytes);
        let scale = format!("{}, {}", micros(pool.scale.target_wait_us), micros(pool.scale.cooldown_us));
        let (workers, queues) = (pool.workers.to_string(), pool.queues.join(", "));
        vec![pool.name.clone(), workers, scale, memory, recycle(&pool.recycle), queues, program(pool)]
    });
    let kinds = config.kinds.iter().map(|(name, kind)| {
        let queue = kind.queue.clone().unwrap_or_else(|| "(of its pool)".to_owned());
        let run = kind.run.as_ref().map(|run| run.tokens().join(" ")).unwrap_or_default();
        let (attempts, crashes) = (kind.limits.max_attempts.to_string(), kind.limits.max_crashes.to_string());
        vec![name.clone(), queue, timeout(kind), attempts, crashes, run]
    });
    let queues = if config.queues.is_empty() { String::new() } else { format!("\n\n{}", queues(config)) };
    format!(
        "the configuration is good\ndatabase {}\n{}\n\n{}\n\n{}{}",
        config.db.display(),
        host(&config.host),
        output::table(&["pool", "workers", "wait, cooldown", "memory", "recycle", "queues", "program"], pools),
        output::table(&["kind", "queue", "timeout", "attempts", "crashes", "run"], kinds),
        queues,
    )
}

fn host(host: &Host) -> String {
    let memory = match host.memory {
        MemoryBudget::Share(share) => format!("{:.0}% of what there is", share * 100.0),
        MemoryBudget::Bytes(size) => bytes(size),
    };
    let root = if host.require_user { "; no worker may run as root" } else { "" };
    format!("memory of all workers together {memory}; control groups {}{root}", cgroup(&host.cgroup))
}

fn cgroup(cgroup: &CgroupUse) -> String {
    match cgroup {
        CgroupUse::Auto => "auto".to_owned(),
        CgroupUse::Off => "off".to_owned(),
        CgroupUse::At(path) => path.display().to_string(),
    }
}

/// After what a worker is replaced, whatever comes first.
fn recycle(Recycle { tasks, age_us, idle_us, memory_bytes }: &Recycle) -> String {
    let limits = [
        tasks.map(|tasks| format!("{tasks} tasks")),
        age_us.map(|age| format!("age {}", micros(age))),
        idle_us.map(|idle| format!("idle {}", micros(idle))),
        memory_bytes.map(bytes),
    ];
    let limits: Vec<String> = limits.into_iter().flatten().collect();
    if limits.is_empty() { "never".to_owned() } else { limits.join(", ") }
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
        let (workers, scale, process) = (pool.workers, pool.scale, &pool.process);
        let (limits, recycle) = (&pool.limits, &pool.recycle);
        json!({
            "name": pool.name, "command": command, "stock": command.is_none(), "channel": pool.channel.name(),
            "queues": pool.queues, "weights": pool.weights, "workers": { "min": workers.min, "max": workers.max },
            "scale": { "target_wait_ms": scale.target_wait_us / 1000, "cooldown_ms": scale.cooldown_us / 1000 },
            "limits": {
                "memory_bytes": limits.memory_bytes, "cpu_cores": limits.cpu, "open_files": limits.open_files,
                "processes": limits.processes, "file_size_bytes": limits.file_size_bytes,
            },
            "recycle": {
                "tasks": recycle.tasks, "age_ms": recycle.age_us.map(|us| us / 1000),
                "idle_ms": recycle.idle_us.map(|us| us / 1000), "memory_bytes": recycle.memory_bytes,
            },
            "boot_timeout_ms": pool.boot_timeout_us / 1000, "dump_on_hang": pool.dump_on_hang, "nice": process.nice,
            "umask": format!("{:03o}", process.umask), "user": process.user, "env": process.env,
            "env_file": process.env_file, "secrets": process.secrets,
        })
    };
    let memory = match config.host.memory {
        MemoryBudget::Share(share) => json!({ "share": share }),
        MemoryBudget::Bytes(size) => json!({ "bytes": size }),
    };
    let kind = |(name, kind): (&String, &Kind)| {
        let limits = &kind.limits;
        let backoff = &limits.backoff;
        json!({
            "name": name, "queue": kind.queue, "run": kind.run.as_ref().map(|run| run.tokens()),
            "timeout_ms": limits.timeout_ms, "progress_timeout_ms": kind.progress_timeout_ms, "max_attempts": limits.max_attempts, "max_crashes": limits.max_crashes,
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
        "host": { "memory": memory, "cgroup": cgroup(&config.host.cgroup), "require_user": config.host.require_user },
        "pools": config.pools.iter().map(pool).collect::<Vec<_>>(),
        "queues": config.queues.iter().map(queue).collect::<Vec<_>>(),
        "kinds": config.kinds.iter().map(kind).collect::<Vec<_>>(),
    })
}

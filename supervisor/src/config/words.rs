//! Every value of a configuration in words, under its key in the file: what `diff` compares. Each struct is taken apart whole, so
//! that a new field cannot be forgotten. Pure.

use std::collections::BTreeMap;
use std::time::Duration;

use queue_core::meter::Rate;
use queue_core::policy::{Limits, QueuePolicy};
use queue_core::priority::AGING_OFF_US;
use queue_core::retry::Backoff;

use super::arrange::is_retired;
use super::pool::{Pool, ProcessSpec, Program, Recycle, Scale, WorkerLimits};
use super::resolved::{CgroupUse, Config, Host, Kind, MemoryBudget};

/// The values of one pool, queue or kind, or of what stands above them.
pub(super) type Words = BTreeMap<&'static str, String>;

/// By the path of the table, such as `pools.images`; that of the file itself is empty.
pub(super) fn words(config: &Config) -> BTreeMap<String, Words> {
    let Config { db, folder: _, pools, queues, kinds, host } = config;
    let file = (String::new(), Words::from([("db", db.display().to_string())]));
    let host = ("host".to_owned(), of_host(host));
    let pools =
        pools.iter().filter(|pool| !is_retired(pool)).map(|pool| (format!("pools.{}", pool.name), of_pool(pool)));
    let queues = queues.iter().map(|(name, policy)| (format!("queues.{name}"), of_queue(policy)));
    let kinds = kinds.iter().map(|(name, kind)| (format!("kinds.{name}"), of_kind(kind)));
    [file, host].into_iter().chain(pools).chain(queues).chain(kinds).collect()
}

fn of_host(Host { memory, cgroup, require_user }: &Host) -> Words {
    let memory = match memory {
        MemoryBudget::Share(share) => format!("{}%", (share * 1e6).round() / 1e4),
        MemoryBudget::Bytes(bytes) => size(*bytes),
    };
    let cgroup = match cgroup {
        CgroupUse::Auto => "auto".to_owned(),
        CgroupUse::Off => "off".to_owned(),
        CgroupUse::At(path) => path.display().to_string(),
    };
    Words::from([("memory", memory), ("cgroup", cgroup), ("require_user", require_user.to_string())])
}

fn of_pool(pool: &Pool) -> Words {
    let Pool { name: _, program, channel, queues, weights, workers, scale, limits, recycle, .. } = pool;
    let Pool { boot_timeout_us, dump_on_hang, process, .. } = pool;
    let Scale { target_wait_us, cooldown_us } = *scale;
    let WorkerLimits { memory_bytes, cpu, open_files, processes, file_size_bytes } = *limits;
    let command = match program {
        Program::Command(argv) => line(argv),
        Program::Stock => "(plain commands)".to_owned(),
    };
    let served = queues.iter().zip(weights).map(|(queue, weight)| format!("{queue} ({weight})"));
    let mut words = Words::from([
        ("command", command),
        ("channel", channel.name().to_owned()),
        ("queues", list(served)),
        ("workers", workers.to_string()),
        ("scale.target_wait", micros(target_wait_us)),
        ("scale.cooldown", micros(cooldown_us)),
        ("limits.memory", or_none(memory_bytes, size)),
        ("limits.cpu", or_none(cpu, |cores| cores.to_string())),
        ("limits.open_files", or_none(open_files, |count| count.to_string())),
        ("limits.processes", or_none(processes, |count| count.to_string())),
        ("limits.file_size", or_none(file_size_bytes, size)),
        ("boot_timeout", micros(*boot_timeout_us)),
        ("dump_on_hang", dump_on_hang.to_string()),
    ]);
    words.extend(of_process(process));
    words.extend(of_recycling(*recycle));
    words
}

fn of_process(ProcessSpec { nice, umask, user, env, env_file, secrets }: &ProcessSpec) -> Words {
    Words::from([
        ("nice", or_none(*nice, |nice| nice.to_string())),
        ("umask", format!("{umask:03o}")),
        ("user", or_none(user.clone(), |user| user)),
        ("env", list(env.iter().cloned())),
        ("env_file", or_none(env_file.as_ref(), |file| file.display().to_string())),
        ("secrets", list(secrets.iter().map(|(name, file)| format!("{name}={}", file.display())))),
    ])
}

fn of_recycling(Recycle { tasks, age_us, idle_us, memory_bytes }: Recycle) -> Words {
    Words::from([
        ("recycle.tasks", or_none(tasks, |count| count.to_string())),
        ("recycle.age", or_none(age_us, micros)),
        ("recycle.idle", or_none(idle_us, micros)),
        ("recycle.memory", or_none(memory_bytes, size)),
    ])
}

fn of_queue(policy: &QueuePolicy) -> Words {
    let QueuePolicy { limit, limit_per_key, order, weights, rates, aging_step_us, timeout_ms } = policy;
    let rate =
        |Rate { unit, allowed, per_us, cost }: &Rate| format!("{allowed} {unit} in {} (cost {cost})", micros(*per_us));
    let aging = if *aging_step_us == AGING_OFF_US { "off".to_owned() } else { micros(*aging_step_us) };
    Words::from([
        ("limit", or_none(*limit, |limit| limit.to_string())),
        ("limit_per_key", or_none(*limit_per_key, |limit| limit.to_string())),
        ("order", order.name().to_owned()),
        ("weights", list(weights.iter().map(|(key, weight)| format!("{key} ({weight})")))),
        ("rates", list(rates.iter().map(rate))),
        ("aging", aging),
        ("timeout", or_none(*timeout_ms, millis)),
    ])
}

fn of_kind(Kind { run, queue, limits, progress_timeout_ms }: &Kind) -> Words {
    let Limits { timeout_ms, max_attempts, max_crashes, backoff: Backoff { base_ms, cap_ms, jitter } } = *limits;
    let duration = |ms: u64| humantime::format_duration(Duration::from_millis(ms)).to_string();
    Words::from([
        ("run", or_none(run.as_ref(), |run| line(&run.tokens()))),
        ("queue", queue.clone().unwrap_or_else(|| "(of its pool)".to_owned())),
        ("timeout", or_none(timeout_ms, millis)),
        ("progress_timeout", or_none(*progress_timeout_ms, millis)),
        ("max_attempts", max_attempts.to_string()),
        ("max_crashes", max_crashes.to_string()),
        ("backoff.base", duration(base_ms)),
        ("backoff.cap", duration(cap_ms)),
        ("backoff.jitter", jitter.to_string()),
    ])
}

fn or_none<T>(value: Option<T>, words: impl FnOnce(T) -> String) -> String {
    value.map_or_else(|| "none".to_owned(), words)
}

fn list(items: impl Iterator<Item = String>) -> String {
    let items = Vec::from_iter(items);
    if items.is_empty() { "none".to_owned() } else { items.join(", ") }
}

fn micros(us: i64) -> String {
    humantime::format_duration(Duration::from_micros(us.unsigned_abs())).to_string()
}

fn millis(ms: i64) -> String {
    humantime::format_duration(Duration::from_millis(ms.unsigned_abs())).to_string()
}

/// Two sizes have two texts.
fn size(bytes: u64) -> String {
    let rounded = bytesize::ByteSize::b(bytes).to_string();
    if rounded.parse() == Ok(bytesize::ByteSize::b(bytes)) { rounded } else { format!("{bytes} B") }
}

/// A command line; what would be taken for two arguments, or none, is quoted.
fn line(argv: &[String]) -> String {
    let is_plain = |arg: &str| !arg.is_empty() && !arg.contains(|c: char| c.is_whitespace() || c == '"');
    let word = |arg: &String| if is_plain(arg) { arg.clone() } else { format!("{arg:?}") };
    argv.iter().map(word).collect::<Vec<_>>().join(" ")
}

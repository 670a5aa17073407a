//! What the file says of pools and of the host: programs, queues, numbers of workers, what each may use. Every problem is
//! found. Pure.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use ipc_contract::CommandArgs;
use ipc_contract::name::check_name;
use queue_core::policy::WEIGHT_DEFAULT;

use super::pool::{
    BOOT_TIMEOUT_US, COMMANDS_POOL, Channel, Pool, ProcessSpec, Program, Recycle, Scale, UMASK_DEFAULT, WORKERS_MAX,
    WorkerLimits, Workers,
};
use super::problem::Problems;
use super::queues::checked_weights;
use super::raw::{RawHost, RawLimits, RawPool, RawQueues, RawRecycle, RawScale, RawWorkers};
use super::resolved::{CgroupUse, Host, MemoryBudget};
use super::units::{bytes, count, duration_us, memory};

const CORES_MAX: f64 = 4096.0;
/// Descriptors that a worker needs for its own.
const OPEN_FILES_MIN: i64 = 16;

pub(super) fn pool(name: String, raw: RawPool, cores: u32, folder: &Path, problems: &mut Problems) -> Pool {
    let key = format!("pools.{name}");
    problems.keep(&key, check_name("pool", &name));
    let program = program(&key, &name, raw.command, raw.stock, problems);
    let channel =
        raw.channel.map_or(Channel::default(), |name| channel(&format!("{key}.channel"), &name, &program, problems));
    let (queues, weights) = match raw.queues {
        None => (vec![name.clone()], vec![WEIGHT_DEFAULT]),
        Some(queues) => served_queues(&format!("{key}.queues"), queues, problems),
    };
    let process = ProcessSpec {
        nice: raw.nice.and_then(|nice| niceness(&key, nice, problems)),
        umask: raw.umask.map_or(UMASK_DEFAULT, |text| umask(&format!("{key}.umask"), &text, problems)),
        user: raw.user,
        env: variables(&key, raw.env, problems),
        env_file: raw.env_file.map(|file| folder.join(file)),
        secrets: raw.secrets.into_iter().map(|(name, file)| (name, folder.join(file))).collect(),
    };
    for secret in process.secrets.keys().filter(|name| !is_variable(name)) {
        let sentence = format_args!("{secret:?} cannot be part of a variable's name; use letters, digits and _");
        problems.add(&format!("{key}.secrets"), sentence);
    }
    let boot_key = format!("{key}.boot_timeout");
    Pool {
        workers: workers(&format!("{key}.workers"), raw.workers, cores, problems),
        scale: scale(&format!("{key}.scale"), &raw.scale, problems),
        limits: limits(&format!("{key}.limits"), &raw.limits, problems),
        recycle: recycle(&format!("{key}.recycle"), &raw.recycle, problems),
        boot_timeout_us: duration_us(&boot_key, raw.boot_timeout.as_deref(), problems).unwrap_or(BOOT_TIMEOUT_US),
        dump_on_hang: raw.dump_on_hang,
        channel,
        queues,
        weights,
        process,
        name,
        program,
    }
}

fn program(key: &str, name: &str, command: Option<Vec<String>>, stock: bool, problems: &mut Problems) -> Program {
    match (command, stock) {
        (Some(_), true) => {
            problems.add(key, "has both command and stock; a stock pool runs the commands of its kinds, drop one");
            Program::Stock
        }
        (None, false) => {
            problems.add(key, "has neither command nor stock; say command = [\"program\"] or stock = true");
            Program::Stock
        }
        (None, true) => Program::Stock,
        (Some(_), false) if name == COMMANDS_POOL => {
            problems.add(key, "is the pool of plain commands and must be stock; give a pool of workers another name");
            Program::Stock
        }
        (Some(argv), false) => {
            let command = CommandArgs { argv, ..CommandArgs::default() };
            problems.keep(&format!("{key}.command"), command.validate());
            Program::Command(command.argv)
        }
    }
}

fn channel(key: &str, name: &str, program: &Program, problems: &mut Problems) -> Channel {
    let channel = Channel::named(name);
    match channel {
        None => {
            let known = Channel::ALL.map(|channel| format!("{:?}", channel.name())).join(" and ");
            problems.add(key, format_args!("{name:?} is not known; the channels are {known}"));
        }
        Some(Channel::Fd3) if *program == Program::Stock => {
            problems.add(key, "is for workers of your own; a stock pool keeps to \"stdio\", drop it");
        }
        Some(_) => {}
    }
    channel.unwrap_or_default()
}

/// With their weights, in the same order; those of a table from the heaviest on.
fn served_queues(key: &str, queues: RawQueues, problems: &mut Problems) -> (Vec<String>, Vec<u32>) {
    let mut queues: Vec<(String, u32)> = match queues {
        RawQueues::Names(names) => names.into_iter().map(|name| (name, WEIGHT_DEFAULT)).collect(),
        RawQueues::Weights(weights) => checked_weights(key, weights, problems).into_iter().collect(),
    };
    queues.sort_by_key(|(_, weight)| std::cmp::Reverse(*weight));
    check_queues(key, queues.iter().map(|(queue, _)| queue), problems);
    queues.into_iter().unzip()
}

fn check_queues<'a>(key: &str, queues: impl ExactSizeIterator<Item = &'a String>, problems: &mut Problems) {
    if queues.len() == 0 {
        problems.add(key, "is empty; name a queue, or leave it out for the queue of the pool's own name");
    }
    let mut seen = BTreeSet::new();
    for queue in queues {
        if !seen.insert(queue) {
            problems.add(key, format_args!("names {queue:?} twice"));
        }
        problems.keep(key, check_name("queue", queue));
    }
}

fn workers(key: &str, raw: Option<RawWorkers>, cores: u32, problems: &mut Problems) -> Workers {
    let mut number = |part: &str, value: i64, least: u32| match u32::try_from(value) {
        Ok(count) if (least..=WORKERS_MAX).contains(&count) => count,
        _ => {
            let range =
                format_args!("must be {least} to {WORKERS_MAX} (left out, from 0 to {cores}, one for each core)");
            problems.add(&format!("{key}{part}"), range);
            least
        }
    };
    let (min, max) = match raw {
        None => return Workers { min: 0, max: cores },
        Some(RawWorkers::Fixed(count)) => return Workers::fixed(number("", count, 1)),
        Some(RawWorkers::Range { min, max }) => (min, max),
    };
    let min = min.map_or(0, |min| number(".min", min, 0));
    let max = max.map_or(cores.max(min), |max| number(".max", max, 1));
    if min > max {
        problems.add(&format!("{key}.min"), format_args!("is above max, which is {max}"));
    }
    Workers { min: min.min(max), max }
}

fn scale(key: &str, raw: &RawScale, problems: &mut Problems) -> Scale {
    let default = Scale::default();
    let mut of = |field: &str, text: &Option<String>| duration_us(&format!("{key}.{field}"), text.as_deref(), problems);
    Scale {
        target_wait_us: of("target_wait", &raw.target_wait).unwrap_or(default.target_wait_us),
        cooldown_us: of("cooldown", &raw.cooldown).unwrap_or(default.cooldown_us),
    }
}

fn limits(key: &str, raw: &RawLimits, problems: &mut Problems) -> WorkerLimits {
    let cpu_key = format!("{key}.cpu");
    let cpu = raw.cpu.filter(|cores| (0.01..=CORES_MAX).contains(cores));
    if raw.cpu.is_some() && cpu.is_none() {
        problems.add(&cpu_key, format_args!("must be 0.01 to {CORES_MAX} cores"));
    }
    WorkerLimits {
        memory_bytes: memory(&format!("{key}.memory"), raw.memory.as_deref(), problems),
        cpu,
        open_files: count(&format!("{key}.open_files"), raw.open_files, OPEN_FILES_MIN, problems),
        processes: count(&format!("{key}.processes"), raw.processes, 1, problems),
        file_size_bytes: raw.file_size.as_deref().and_then(|text| bytes(&format!("{key}.file_size"), text, problems)),
    }
}

fn recycle(key: &str, raw: &RawRecycle, problems: &mut Problems) -> Recycle {
    Recycle {
        tasks: count(&format!("{key}.tasks"), raw.tasks, 1, problems),
        age_us: duration_us(&format!("{key}.age"), raw.age.as_deref(), problems),
        idle_us: duration_us(&format!("{key}.idle"), raw.idle.as_deref(), problems),
        memory_bytes: memory(&format!("{key}.memory"), raw.memory.as_deref(), problems),
    }
}

fn niceness(key: &str, nice: i64, problems: &mut Problems) -> Option<i32> {
    let known = i32::try_from(nice).ok().filter(|nice| (-20..=19).contains(nice));
    if known.is_none() {
        problems.add(&format!("{key}.nice"), "must be -20 (goes first) to 19 (goes last)");
    }
    known
}

fn umask(key: &str, text: &str, problems: &mut Problems) -> u32 {
    let mask = u32::from_str_radix(text, 8).ok().filter(|mask| *mask <= 0o777);
    mask.unwrap_or_else(|| {
        problems.add(key, format_args!("{text:?} is no mask; write three octal digits, such as \"077\" or \"022\""));
        UMASK_DEFAULT
    })
}

fn variables(key: &str, names: Vec<String>, problems: &mut Problems) -> Vec<String> {
    for variable in names.iter().filter(|name| name.is_empty() || name.contains(['=', '\0'])) {
        let sentence = format_args!("{variable:?} is not the name of a variable; its value is taken from outside");
        problems.add(&format!("{key}.env"), sentence);
    }
    names
}

fn is_variable(name: &str) -> bool {
    let known = |c: char| c.is_ascii_alphanumeric() || c == '_';
    name.chars().all(known) && name.chars().next().is_some_and(|first| !first.is_ascii_digit())
}

pub(super) fn host(raw: RawHost, folder: &Path, problems: &mut Problems) -> Host {
    let memory = raw.memory.and_then(|text| budget("host.memory", &text, problems));
    let cgroup = match raw.cgroup.as_deref() {
        None | Some("auto") => CgroupUse::Auto,
        Some("off") => CgroupUse::Off,
        Some(path) if path.starts_with('/') => CgroupUse::At(PathBuf::from(path)),
        Some(other) => {
            let near = folder.join(other);
            let sentence = format_args!(
                "{other:?} is not known; say \"auto\", \"off\", or the whole path of a group ({} if that is one)",
                near.display()
            );
            problems.add("host.cgroup", sentence);
            CgroupUse::Auto
        }
    };
    Host { memory: memory.unwrap_or_default(), cgroup, require_user: raw.require_user }
}

fn budget(key: &str, text: &str, problems: &mut Problems) -> Option<MemoryBudget> {
    let Some(percent) = text.strip_suffix('%') else {
        return memory(key, Some(text), problems).map(MemoryBudget::Bytes);
    };
    let share = percent.trim().parse::<f64>().ok().filter(|percent| (1.0..=100.0).contains(percent));
    if share.is_none() {
        problems.add(key, format_args!("{text:?} is no share; write 1% to 100%, or a size such as 4GiB"));
    }
    share.map(|percent| MemoryBudget::Share(percent / 100.0))
}

#[cfg(test)]
#[path = "resolve_pool_tests.rs"]
mod tests;

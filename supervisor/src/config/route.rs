//! Where a task goes: from a `TaskSpec` to a `NewTask` with its queue, or a refusal that says what to do. Pure.
//!
//! The queue is the one that the task names, else that of its kind, else that of the only pool that offers the kind. Every
//! pool that serves the queue must be able to run the kind, as far as it has spoken.

use std::collections::BTreeSet;
use std::fmt;

use ipc_contract::name::nearest;
use ipc_contract::{CommandArgs, ContractError, ErrorKind, PrioritySpec, TaskSpec};
use queue_core::priority::TaskPriority;
use queue_core::task::{NewTask, Overrides};
use worker::stock::COMMAND_KIND;

use super::offers::Offers;
use super::pool::{Pool, Program};
use super::resolved::Config;

/// A task that is not accepted, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// For programs; never changes its meaning.
    pub code: &'static str,
    pub message: String,
    /// The way out.
    pub hint: String,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}", self.message, self.hint)
    }
}

impl std::error::Error for Refusal {}

impl From<ContractError> for Refusal {
    /// The contract's sentences end with the way out, after a semicolon.
    fn from(error: ContractError) -> Refusal {
        let code = if matches!(error.kind, ErrorKind::Limit(_)) { "limit" } else { "invalid_task" };
        let (message, hint) =
            error.detail.rsplit_once("; ").unwrap_or((&error.detail, "correct the task and try again"));
        Refusal { code, message: message.to_owned(), hint: hint.to_owned() }
    }
}

/// Checks a task to be and gives it its queue.
///
/// # Errors
/// Codes `invalid_task`, `limit`, `unknown_queue`, `unknown_kind`, `ambiguous_queue`, `wrong_queue`, `bad_args`.
pub fn route(config: &Config, offers: &Offers, spec: TaskSpec) -> Result<NewTask, Refusal> {
    spec.validate()?;
    let priority = spec.priority.as_ref().map_or(Ok(TaskPriority::default()), priority_of)?;
    let queue = match spec.queue.clone().or_else(|| config.kinds.get(&spec.kind)?.queue.clone()) {
        Some(queue) => queue,
        None => queue_of_offer(config, offers, &spec.kind)?,
    };
    check_queue(config, offers, &spec.kind, &queue)?;
    check_args(config, &spec)?;
    Ok(NewTask {
        kind: spec.kind,
        queue,
        priority,
        args: spec.args.0,
        name: spec.name,
        key: spec.key,
        cost: spec.cost.into_iter().map(|(unit, amount)| (unit, u32::try_from(amount).unwrap_or(u32::MAX))).collect(),
        budget: spec.budget.into_iter().map(|(unit, amount)| (unit, in_range(amount))).collect(),
        delay_us: in_range(spec.delay_ms.unwrap_or(0)).saturating_mul(1000),
        overrides: Overrides {
            timeout_ms: spec.timeout_ms.map(in_range),
            max_attempts: spec.max_attempts,
            max_crashes: spec.max_crashes,
        },
    })
}

/// The contract's ranges, checked before, lie far within.
fn in_range(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// A priority as people write it.
///
/// # Errors
/// Code `invalid_task`.
pub fn priority_of(spec: &PrioritySpec) -> Result<TaskPriority, Refusal> {
    let read = match spec {
        PrioritySpec::Number(number) => TaskPriority::new(i64::from(*number)),
        PrioritySpec::Name(name) => name.parse(),
    };
    read.map_err(|error| Refusal {
        code: "invalid_task",
        message: error.to_string(),
        hint: "choose one of these".to_owned(),
    })
}

/// Whether workers of a pool can run a kind; `None` when they never said.
fn can_run(config: &Config, offers: &Offers, pool: &Pool, kind: &str) -> Option<bool> {
    let plain = kind == COMMAND_KIND || config.kinds.get(kind).is_some_and(|kind| kind.run.is_some());
    match pool.program {
        Program::Stock => Some(kind == COMMAND_KIND || config.stock_kinds(pool).contains_key(kind)),
        Program::Command(_) if plain => Some(false),
        Program::Command(_) => offers.0.get(&pool.name).map(|kinds| kinds.contains(kind)),
    }
}

/// The first queue of the only pool that offers the kind; when none does, of the only one that never spoke.
fn queue_of_offer(config: &Config, offers: &Offers, kind: &str) -> Result<String, Refusal> {
    let that_say = |said| config.pools_in_use().filter(move |pool| can_run(config, offers, pool, kind) == said);
    let offering = Vec::from_iter(that_say(Some(true)));
    let silent = Vec::from_iter(that_say(None));
    let (candidates, why) = match (&offering[..], &silent[..]) {
        ([], []) => return Err(unknown_kind(config, offers, kind)),
        ([], silent) => (silent, "have not said yet what they offer"),
        (offering, _) => (offering, "all offer it"),
    };
    match candidates {
        [only] => Ok(only.queues[0].clone()),
        several => Err(Refusal {
            code: "ambiguous_queue",
            message: format!("kind {kind:?} has no queue, and the pools {} {why}", names(several)),
            hint: format!("say the queue with --queue, or queue = \"...\" under [kinds.{kind}]"),
        }),
    }
}

/// Whether some pool takes tasks from the queue.
///
/// # Errors
/// Code `unknown_queue`.
pub fn check_served(config: &Config, queue: &str) -> Result<(), Refusal> {
    if config.pools_of(queue).next().is_some() {
        return Ok(());
    }
    let known: BTreeSet<&str> = config.pools.iter().flat_map(|pool| &pool.queues).map(String::as_str).collect();
    Err(Refusal {
        code: "unknown_queue",
        message: format!("no pool serves queue {queue:?}"),
        hint: meant(queue, known, "served queues"),
    })
}

fn check_queue(config: &Config, offers: &Offers, kind: &str, queue: &str) -> Result<(), Refusal> {
    check_served(config, queue)?;
    let unable = |pool: &&Pool| can_run(config, offers, pool, kind) == Some(false);
    let Some(unable) = config.pools_of(queue).find(unable) else { return Ok(()) };
    let elsewhere =
        Vec::from_iter(config.pools_in_use().filter(|pool| can_run(config, offers, pool, kind) != Some(false)));
    if elsewhere.is_empty() {
        return Err(unknown_kind(config, offers, kind));
    }
    Err(Refusal {
        code: "wrong_queue",
        message: format!("queue {queue:?} is served by pool {}, which does not offer kind {kind:?}", unable.name),
        hint: format!("use a queue of {}", names(&elsewhere)),
    })
}

fn unknown_kind(config: &Config, offers: &Offers, kind: &str) -> Refusal {
    let stock = config.kinds.iter().filter(|(name, kind)| kind.run.is_some() || *name == COMMAND_KIND);
    let spoken = config.pools_in_use().filter_map(|pool| offers.0.get(&pool.name)).flatten();
    let known: BTreeSet<&str> = stock.map(|(name, _)| name).chain(spoken).map(String::as_str).collect();
    Refusal {
        code: "unknown_kind",
        message: format!("no pool offers kind {kind:?}"),
        hint: meant(kind, known, "offered kinds"),
    }
}

fn meant(wanted: &str, known: BTreeSet<&str>, what: &str) -> String {
    let near = nearest(wanted, known.iter().copied()).map(|near| format!("did you mean {near}? ")).unwrap_or_default();
    format!("{near}{what}: {}", Vec::from_iter(known).join(", "))
}

fn names(pools: &[&Pool]) -> String {
    pools.iter().map(|pool| pool.name.as_str()).collect::<Vec<_>>().join(", ")
}

/// What a plain command needs is known here: a task that could only fail is not accepted.
fn check_args(config: &Config, spec: &TaskSpec) -> Result<(), Refusal> {
    let checked = if spec.kind == COMMAND_KIND {
        spec.args.read::<CommandArgs>().and_then(|args| args.validate())
    } else if let Some(run) = config.kinds.get(&spec.kind).and_then(|kind| kind.run.as_ref()) {
        run.render(&spec.args).map(drop)
    } else {
        Ok(())
    };
    checked.map_err(|error| Refusal { code: "bad_args", ..Refusal::from(error) })
}

#[cfg(test)]
#[path = "route_tests.rs"]
mod tests;

//! What operators are told: one line of the log for each report. The only place that turns events into log text.

use std::path::Path;

use ipc_contract::message::Level;
use queue_core::recover::Recovered;
use queue_core::task::PoolId;
use tracing::{debug, error, info, warn};

use crate::config::Config;
use crate::core::Report;
use crate::shell::host::{self, Facts, Line};
use crate::shell::{Life, RunError};

pub fn report(report: &Report, config: &Config) {
    let name = |pool: &PoolId| config.pools[pool.0].name.as_str();
    match report {
        Report::WorkerReady { worker, pool, pid, sdk } => {
            info!(worker = worker.0, pool = name(pool), pid, sdk, "worker greeted");
        }
        Report::WorkerGone { worker, pool, pid, how } => {
            info!(worker = worker.0, pool = name(pool), pid, how, "worker gone");
        }
        Report::WorkerSaid { worker, task, level, text } => {
            let task = task.map(|task| task.0);
            match level {
                Level::Debug => debug!(worker = worker.0, task, text, "worker says"),
                Level::Info => info!(worker = worker.0, task, text, "worker says"),
                Level::Warn => warn!(worker = worker.0, task, text, "worker says"),
                Level::Error => error!(worker = worker.0, task, text, "worker says"),
            }
        }
        Report::Alert { name, text } => alert(name, text),
    }
}

/// Something that an operator should look at.
pub fn alert(name: &'static str, text: &str) {
    warn!(name, reason = text, "alert");
}

/// What a former life left is put in order; nothing has been claimed yet.
pub fn recovered(config: &Config, killed: usize, recovered: Recovered) {
    let db = config.db.display().to_string();
    let Recovered { runs, workers } = recovered;
    info!(db, killed, requeued = runs, workers_forgotten = workers, "recovered");
}

/// What this host gives: a line for each feature.
pub fn host(facts: &Facts) {
    let Facts { kernel, uid, cores, memory_bytes, memory_budget_bytes, .. } = facts;
    info!(kernel, uid, cores, memory_bytes, memory_budget_bytes, "host");
    for Line { feature, state, guarantee, lost } in host::report(facts) {
        match lost {
            None => info!(feature, state, guarantee, "host gives"),
            Some(lost) => info!(feature, state, lost, "host lacks"),
        }
    }
    if !facts.root_pools.is_empty() {
        let pools = facts.root_pools.join(", ");
        warn!(pools, "workers run as root: whatever a task does, it does with all rights; use a user of its own");
    }
}

/// The door is open.
pub fn ready(socket: &Path) {
    info!(socket = socket.display().to_string(), pid = std::process::id(), "ready");
}

/// The configuration was read anew: one line for each change.
pub fn reloaded(changes: &[String]) {
    for change in changes {
        info!(change, "configuration changed");
    }
    info!(changes = changes.len(), "reloaded");
}

/// The configuration could not be read anew; the old one stays in force.
pub fn config_refused(why: &str) {
    warn!(name = "config_refused", reason = why, "alert");
}

/// The process did not run for so long, and its timers have waited.
pub fn was_away(us: i64) {
    warn!(ms = us / 1000, "was stopped");
}

/// The process that was not to be outlived.
pub fn parent_ended(pid: i32) {
    info!(pid, "parent ended");
}

pub fn ended(how: &Result<Life, RunError>) {
    match how {
        Ok(Life { failed, unfinished, stuck }) => info!(failed, unfinished, stuck, "supervisor ended"),
        Err(reason) => error!(reason = reason.to_string(), "supervisor ended"),
    }
}

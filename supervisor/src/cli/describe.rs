//! A task in words that its owner understands. Pure.

use std::collections::BTreeMap;
use std::fmt::{Display, Write};
use std::time::Duration;

use queue_core::priority::TaskPriority;

use crate::http::dto::{Attempt, Budget, Progress, Task};
use crate::http::sentences::state_of;
use crate::text::printable;

/// Everything that is known of a task, over several lines.
pub fn describe(task: &Task) -> String {
    let mut lines =
        vec![headline(task), format!("  {}", state_of(task)), format!("  {}", times_of(task)), budgets_of(task)];
    if let Some(progress) = &task.summary.progress {
        lines.push(format!(
            "  progress: {}; said at {} by attempt {}",
            progress_of(progress),
            progress.at,
            progress.run
        ));
    }
    if !task.spent.is_empty() {
        lines.push(format!("  spent: {}", amounts(&task.spent)));
    }
    if !task.cost.is_empty() {
        lines.push(format!("  its start costs {}", amounts(&task.cost)));
    }
    for (unit, Budget { amount, spent }) in &task.budget {
        lines.push(format!("  budget: {spent} of {amount} {}", printable(unit.as_bytes())));
    }
    if !task.args.is_null() {
        lines.push(format!("  args: {}", printable(task.args.to_string().as_bytes())));
    }
    lines.extend(task.attempts.iter().map(|attempt| attempt_of(attempt, task)));
    if task.summary.state == "completed" {
        let result = serde_json::to_string(&task.result).unwrap_or_else(|error| error.to_string());
        let cut = if task.result_cut { " (only its last part)" } else { "" };
        lines.push(format!("  result{cut}: {}", printable(result.as_bytes())));
    }
    lines.join("\n")
}

fn amounts(by_unit: &BTreeMap<String, impl Display>) -> String {
    let units: Vec<String> = by_unit.iter().map(|(unit, amount)| format!("{amount} {unit}")).collect();
    printable(units.join(", ").as_bytes())
}

fn headline(task: &Task) -> String {
    let summary = &task.summary;
    let mut line = format!("task {}: {} in queue {}", summary.id, summary.kind, summary.queue);
    if summary.priority != 0 {
        // Writing to a string cannot fail, here and below.
        let _ = write!(line, ", priority {}", priority_of(summary.priority));
    }
    if let Some(key) = &summary.key {
        let _ = write!(line, ", key {}", printable(key.as_bytes()));
    }
    if let Some(name) = &summary.name {
        let _ = write!(line, ", named {}", printable(name.as_bytes()));
    }
    line
}

/// By its name where it has one, and its number.
fn priority_of(number: i8) -> String {
    match TaskPriority::NAMES.iter().find(|(_, value)| *value == number) {
        Some((name, _)) => format!("{name} ({number})"),
        None => number.to_string(),
    }
}

/// How far a run is, such as "62 % (2.5 of 4): half way".
pub fn progress_of(progress: &Progress) -> String {
    let count = match (progress.done, progress.total) {
        (Some(done), Some(total)) if total > 0.0 => format!("{:.0} % ({done} of {total})", 100.0 * done / total),
        (Some(done), _) => format!("{done} done"),
        (None, Some(total)) => format!("of {total}"),
        (None, None) => String::new(),
    };
    match &progress.message {
        Some(message) if count.is_empty() => message.clone(),
        Some(message) => format!("{count}: {message}"),
        None => count,
    }
}

fn times_of(task: &Task) -> String {
    let summary = &task.summary;
    let mut line = format!("created {}", summary.created_at);
    if let Some(finished) = &summary.finished_at {
        let _ = write!(line, ", finished {finished}");
    }
    if let (Some(wait_ms), Some(run_ms)) = (summary.wait_ms, summary.run_ms) {
        let _ = write!(line, "; waited {}, last run {}", duration(wait_ms), duration(run_ms));
    }
    if let Some(timeout_ms) = task.timeout_ms {
        let _ = write!(line, "; a run may take {}", duration(timeout_ms));
    }
    line
}

fn budgets_of(task: &Task) -> String {
    let Task { summary, max_attempts, max_crashes, lost, .. } = task;
    let (attempts, crashes, runs) = (summary.attempts_spent, summary.crashes_spent, summary.runs);
    let mut line = format!(
        "  spent {attempts} of {max_attempts} attempts (errors, timeouts) and {crashes} of {max_crashes} crashes, in {}",
        counted(runs, "run")
    );
    if *lost > 0 {
        let _ = write!(
            line,
            "; the last {} {} lost, which is not its fault",
            counted(*lost, "run"),
            if *lost == 1 { "was" } else { "were" }
        );
    }
    line
}

fn attempt_of(attempt: &Attempt, task: &Task) -> String {
    let mut text =
        format!("  attempt {}: {} after {}", attempt.run, ending_of(attempt, task), duration(attempt.run_ms));
    if let Some(worker) = attempt.worker {
        let _ = write!(text, ", worker {worker}");
    }
    if let Some(pid) = attempt.pid {
        let _ = write!(text, " (pid {pid})");
    }
    if let Some(peak) = attempt.peak_rss_bytes {
        let _ = write!(text, ", peak {}", size(peak));
    }
    for line in attempt.detail.lines() {
        let _ = write!(text, "\n    {line}");
    }
    if !attempt.output.is_empty() {
        text.push_str("\n    the last of its output:");
        for line in attempt.output.lines() {
            let _ = write!(text, "\n      | {line}");
        }
    }
    text
}

fn ending_of(attempt: &Attempt, task: &Task) -> String {
    let signal = || match (attempt.signal, &attempt.signal_name) {
        (Some(number), Some(name)) => format!("signal {number} ({name})"),
        _ => "a signal".to_owned(),
    };
    match (attempt.outcome.as_str(), attempt.exit_code) {
        ("ok", _) => "succeeded".to_owned(),
        ("error", Some(code)) => format!("left with exit code {code}"),
        ("error", None) => "failed".to_owned(),
        ("timeout", _) => match task.timeout_ms {
            Some(timeout_ms) => format!("stopped because it took longer than {}", duration(timeout_ms)),
            None => "stopped because it took too long".to_owned(),
        },
        ("oom", _) => "killed because memory ran out".to_owned(),
        ("signal", _) => format!("died by {}", signal()),
        ("exit", Some(code)) => format!("its worker left in the middle of the run with exit code {code}"),
        ("exit", None) => "its worker left in the middle of the run".to_owned(),
        ("protocol", _) => "its worker broke the contract and was killed".to_owned(),
        ("lost", _) => "lost, which is not its fault,".to_owned(),
        ("cancelled", _) => "cancelled".to_owned(),
        ("budget", _) => "stopped because its budget was spent".to_owned(),
        ("recalled", _) => "given back, which spends nothing,".to_owned(),
        (other, _) => other.to_owned(),
    }
}

fn counted(count: u32, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

/// To a precision that a person cares for.
fn duration(ms: i64) -> String {
    match ms {
        ..100 => format!("{ms} ms"),
        100..60_000 => format!("{}.{} s", ms / 1000, ms % 1000 / 100),
        _ => humantime::format_duration(Duration::from_secs(ms.unsigned_abs() / 1000)).to_string(),
    }
}

fn size(bytes: i64) -> String {
    const KIB: i64 = 1024;
    const MIB: i64 = 1024 * KIB;
    if bytes < MIB { format!("{} KiB", bytes / KIB) } else { format!("{} MiB", bytes / MIB) }
}

#[cfg(test)]
#[path = "describe_tests.rs"]
mod tests;

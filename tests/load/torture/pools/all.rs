//! The three parts, one after the other, and how much of each.

use clap::Args;

use super::deaths::deaths;
use super::leaks::leaks;
use super::memory::memory;
use super::report::Report;

#[derive(Args, Clone, Debug)]
pub struct Pools {
    /// Workers to kill in the middle of a run that has left two daemons, SIGKILL
    #[arg(long, default_value_t = 1_000)]
    pub kills: usize,
    /// From such a kill to the next run of the task, for 99 of 100, in ms; above it is a violation
    #[arg(long, default_value_t = 100.0)]
    pub again_p99_ms: f64,
    /// Tasks that leak, in Python
    #[arg(long, default_value_t = 10_000)]
    pub leaks: usize,
    /// What each of them leaks
    #[arg(long, default_value_t = 10)]
    pub leak_mb: u64,
    /// What each of two tasks takes that do not fit beside each other; a third one takes three times as much as may be, and ends
    #[arg(long, default_value_t = 600)]
    pub task_mb: u64,
}

/// What has count 0 is left out.
///
/// # Errors
/// Those of the system. What the product does wrong is in the report.
///
/// # Panics
/// The supervisor hangs, leaves a process behind, ends badly, or its doctor finds something.
pub fn pools(options: &Pools) -> anyhow::Result<Report> {
    let mut report = Report::default();
    if options.kills > 0 {
        report.join(deaths(options.kills, options.again_p99_ms)?);
    }
    if options.leaks > 0 {
        report.join(leaks(options.leaks, options.leak_mb)?);
    }
    if options.task_mb > 0 {
        report.join(memory(options.task_mb));
    }
    Ok(report)
}

//! Tasks that really take memory: two that do not fit beside each other run one after the other, and one that takes more than it
//! may ends alone, while its neighbour and the supervisor go on.

use supervisor::http::dto::System;

use super::report::Report;
use crate::harness::{Fifo, Line, Sandbox, Supervisor, Watched};

/// The budget, for tasks of 600 MB: one fits, two do not.
const BUDGET_PER_600: u64 = 1_000;
/// What the third task may have, and what it takes.
const GLUTTON_LIMIT_PER_600: u64 = 250;
const GLUTTON_PER_600: u64 = 2_000;
/// What a worker and an interpreter have beside what it is told to take.
const BASE_MB: u64 = 40;
/// More than a supervisor of a few tasks has ever had.
const SUPERVISOR_MB: u64 = 200;

/// Takes memory, tells its number and waits; its result is what it had.
const TAKE: &str = "import os, resource, sys
x = b'x' * int(sys.argv[1])
print(os.getpid(), file=open('begun', 'w'))
open('gate').readline()
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
";

pub(super) fn memory(task_mb: u64) -> Report {
    let sandbox = Sandbox::new(&config(task_mb));
    let (begun, gate) = (sandbox.fifo("begun"), sandbox.fifo("gate"));
    let supervisor = sandbox.start();
    let mut report = Report::default();
    let size = |mb: u64| format!("bytes:={}", mb * 1_000_000);
    let first = sandbox.enqueue(&["first", &size(task_mb)]);
    let one = Watched::new(begun.pid());
    let second = sandbox.enqueue(&["second", &size(task_mb)]);
    let why = sandbox.cli(&["explain", &second.to_string()]).ok().stdout;
    report.claim(why.contains("waits for memory"), || format!("the second task does not wait for memory: {why}"));

    // While one holds what it has, the glutton fits by what it declares.
    let glutton_mb = task_mb * GLUTTON_PER_600 / 600;
    let task = sandbox.settled(sandbox.enqueue(&["glutton", &size(glutton_mb)]));
    let outcomes = Vec::from_iter(task.attempts.iter().map(|attempt| attempt.outcome.as_str()));
    report.claim(outcomes == ["oom"], || format!("the glutton ended as {outcomes:?}"));
    let shown = sandbox.shown(task.summary.id);
    let (kind, words) = how_limits_are_kept(&sandbox);
    report.claim(shown.contains(words), || format!("the limit is {kind}, and `show` does not say {words:?}:\n{shown}"));
    report.claim(one.is_alive(), || "the neighbour of the glutton did not live on".to_owned());

    let two = hand_over(&gate, &begun, &one, &mut report);
    gate.open_gate();
    let mut peaks_mb = Vec::new();
    for id in [first, second] {
        let task = sandbox.settled(id);
        let (state, runs) = (&task.summary.state, task.summary.runs);
        report.claim(state == "completed" && runs == 1, || format!("task {id} is {state} after {runs} runs"));
        let had = task.result.read::<String>().ok().and_then(|text| text.trim().parse::<u64>().ok());
        peaks_mb.push(had.unwrap_or(0) / 1_000_000);
    }
    two.await_death();
    let is_real = peaks_mb.iter().all(|peak| *peak >= task_mb);
    report.claim(is_real, || format!("the tasks had {peaks_mb:?} MB at most, not {task_mb} MB"));
    let supervisor_mb = supervisor.peak_rss_bytes() / 1_000_000;
    report.claim(supervisor_mb < SUPERVISOR_MB, || format!("the supervisor had {supervisor_mb} MB in memory"));
    claim_lives(&supervisor, &mut report);
    let budget_mb = task_mb * BUDGET_PER_600 / 600;
    report.figure(
        "two tasks, one after the other",
        format!("{} MB and {} MB, under a budget of {budget_mb} MB", peaks_mb[0], peaks_mb[1]),
    );
    let limit_mb = task_mb * GLUTTON_LIMIT_PER_600 / 600;
    report
        .figure("a task that takes too much", format!("{glutton_mb} MB where it may have {limit_mb} MB: oom, {kind}"));
    sandbox.finish(supervisor);
    report
}

/// The first task comes to its end, and only then the second one begins.
fn hand_over(gate: &Fifo, begun: &Fifo, one: &Watched, report: &mut Report) -> Watched {
    gate.open_gate();
    let two = Watched::new(begun.pid());
    report.claim(!one.is_alive(), || "the second task began while the first one lived".to_owned());
    two
}

/// By the word of `system`, and what `show` says of a task then.
fn how_limits_are_kept(sandbox: &Sandbox) -> (&'static str, &'static str) {
    let system: System = sandbox.cli(&["system", "-o", "json"]).ok().json();
    let is_hard = system.features.iter().any(|line| line.feature == "memory limit" && line.state.starts_with("hard"));
    if is_hard { ("hard", "the system killed it") } else { ("soft", "(by samples)") }
}

/// No worker died but that of the glutton, and those that made room.
fn claim_lives(supervisor: &Supervisor, report: &mut Report) {
    let fell =
        |line: &Line| line.is("worker gone") && line.field("pool") != "glutton" && line.text.contains("died by signal");
    let fallen = supervisor.log().find(fell);
    report.claim(fallen.is_empty(), || format!("neighbours died: {fallen:?}"));
}

fn config(task_mb: u64) -> String {
    let of_600 = |mb: u64| task_mb * mb / 600;
    let pool = |name: &str, limit_mb: u64| {
        format!(
            "[pools.{name}]\nstock = true\nworkers = {{ min = 0, max = 2 }}\nlimits = {{ memory = \"{limit_mb}MB\" }}\n\
             [kinds.{name}]\nqueue = \"{name}\"\nmax_crashes = 1\nrun = [\"python3\", \"-c\", {TAKE:?}, \"{{bytes}}\"]\n"
        )
    };
    let pools = ["first", "second"].map(|name| pool(name, task_mb + BASE_MB)).concat();
    let glutton = pool("glutton", of_600(GLUTTON_LIMIT_PER_600));
    format!("{pools}{glutton}[host]\nmemory = \"{}MB\"\n", of_600(BUDGET_PER_600))
}

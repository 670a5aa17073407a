//! Workers are killed in the middle of a run that has left daemons in sessions of their own, one of them without an environment.
//! A spare worker waits, so that the next run shows when the task was back; by then nothing of the first may live. Without control
//! groups, which would make it easy: what is left is found by its parent.

use std::thread;
use std::time::Instant;

use anyhow::{Result, ensure};
use nix::sys::signal::Signal;
use serde_json::json;
use supervisor::shell::procfs;

use super::ended::ended;
use super::report::Report;
use crate::harness::{Fifo, Sandbox, Supervisor, Watched};
use crate::load::percentile;

/// Who enqueue and kill at the same time.
const LANES: usize = 2;
/// As many again have nothing to do.
const WORKERS: usize = 2 * LANES;
/// Kills before anything is counted.
const WARM_UP: usize = 2 * LANES;
/// Looks at the descriptors, each after a command that comes and goes.
const LOOKS_MAX: usize = 50;

/// `again_p99_ms` is the bound from a kill to the next run, for 99 of 100.
pub(super) fn deaths(kills: usize, again_p99_ms: f64) -> Result<Report> {
    let pool = Sandbox::rogue_pool(&["strays"], "[host]\ncgroup = \"off\"")
        .replace("workers = 1", &format!("workers = {WORKERS}"));
    let sandbox = Sandbox::new(&pool);
    let supervisor = sandbox.start();
    let tells = Vec::from_iter((0..LANES).map(|lane| sandbox.fifo(&format!("lane-{lane}"))));
    supervisor.await_greetings("strays", WORKERS);
    let mut report = Report::default();
    strike(&sandbox, &tells, WARM_UP)?;
    supervisor.await_greetings("strays", WORKERS + WARM_UP);
    let before = descriptors(&supervisor)?;

    let start = Instant::now();
    let struck = strike(&sandbox, &tells, kills)?;
    let took_s = start.elapsed().as_secs_f64();
    supervisor.await_greetings("strays", WORKERS + WARM_UP + kills);
    let mut again_ms = Vec::from_iter(struck.iter().map(|blow| blow.again_ms));
    let alive = struck.iter().filter(|blow| blow.is_any_alive).count();
    report.claim(alive == 0, || format!("{alive} times a task ran again while something of its last run lived"));
    let below = procfs::living_below(supervisor.pid()).len();
    report.claim(below == WORKERS, || format!("{below} processes live below the supervisor, not {WORKERS} workers"));
    let dead = |pid: &i32| procfs::stat(*pid).is_some_and(|stat| stat.is_dead());
    let zombies = procfs::children(supervisor.pid()).iter().filter(|pid| dead(pid)).count();
    report.claim(zombies == 0, || format!("{zombies} dead children are not waited for"));
    let after = settled_descriptors(&sandbox, &supervisor, before)?;
    report.claim(after == before, || format!("the supervisor holds {after} descriptors, {before} before the kills"));
    for task in ended(&sandbox, struck.iter().map(|blow| blow.id))? {
        let outcomes = Vec::from_iter(task.attempts.iter().map(|attempt| attempt.outcome.as_str()));
        report.claim(outcomes == ["signal", "ok"], || format!("task {} ended as {outcomes:?}", task.summary.id));
    }
    let (p50, p99) = (percentile(&mut again_ms, 50), percentile(&mut again_ms, 99));
    report
        .claim(p99 < again_p99_ms, || format!("p99 from kill to next run is {p99:.1} ms, not under {again_p99_ms} ms"));
    let max = percentile(&mut again_ms, 100);
    report.figure(
        "workers killed in a run",
        format!("{kills} in {took_s:.1} s, each with two daemons in sessions of their own"),
    );
    report.figure("from kill to the next run", format!("p50 {p50:.1} ms, p99 {p99:.1} ms, max {max:.1} ms"));
    report.figure("left afterwards", format!("{} processes, {zombies} zombies", below.saturating_sub(WORKERS)));
    report.figure("descriptors of the supervisor", format!("{before} before, {after} after"));
    sandbox.finish(supervisor);
    Ok(report)
}

/// One kill, and what followed.
struct Blow {
    id: i64,
    again_ms: f64,
    /// Something of the first run lived in the second.
    is_any_alive: bool,
}

fn strike(sandbox: &Sandbox, tells: &[Fifo], kills: usize) -> Result<Vec<Blow>> {
    thread::scope(|scope| {
        let lanes = tells.iter().enumerate().map(|(lane, tell)| {
            let share = (lane..kills).step_by(tells.len()).len();
            scope.spawn(move || (0..share).map(|_| strike_once(sandbox, tell)).collect::<Result<Vec<_>>>())
        });
        let lanes = Vec::from_iter(lanes);
        let mut blows = Vec::with_capacity(kills);
        for lane in lanes {
            let Ok(struck) = lane.join() else { anyhow::bail!("a lane panicked") };
            blows.extend(struck?);
        }
        Ok(blows)
    })
}

fn strike_once(sandbox: &Sandbox, tell: &Fifo) -> Result<Blow> {
    let task = json!({ "kind": "strays", "args": { "tell": tell.path() } });
    let (status, answer) = sandbox.http("POST", "/v1/tasks", Some(&task));
    ensure!(status == 201, "a task was answered with {status}: {answer}");
    let worker = Watched::new(tell.pid());
    let daemons = [(); 2].map(|()| Watched::new(tell.pid()));
    ensure!(daemons.iter().all(Watched::is_alive), "its daemons do not live: the kill would show nothing");
    let start = Instant::now();
    worker.signal(Signal::SIGKILL);
    let next = tell.pid();
    let again_ms = start.elapsed().as_secs_f64() * 1e3;
    ensure!(next != worker.pid, "worker {next} goes on after SIGKILL");
    let is_any_alive = worker.is_alive() || daemons.iter().any(Watched::is_alive);
    Ok(Blow { id: answer["id"].as_i64().unwrap_or_default(), again_ms, is_any_alive })
}

fn descriptors(supervisor: &Supervisor) -> Result<usize> {
    Ok(std::fs::read_dir(format!("/proc/{}/fd", supervisor.pid()))?.count())
}

/// A connection is closed a moment after its end: looks again some times.
fn settled_descriptors(sandbox: &Sandbox, supervisor: &Supervisor, wanted: usize) -> Result<usize> {
    for _ in 0..LOOKS_MAX {
        if descriptors(supervisor)? == wanted {
            break;
        }
        sandbox.examine();
    }
    descriptors(supervisor)
}

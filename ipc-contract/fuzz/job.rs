//! Jobs: one target on one stack, so many executions from one seed. The same job with the same inputs always does the same.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::{fmt, io, thread};

use super::files;
use super::pool::{Pool, shrink};
use super::rng::SplitMix64;
use super::target::{Target, Words};

/// Half of the executions run on each of these.
pub const STACK_BYTES: [usize; 2] = [256 * 1024, 2 * 1024 * 1024];
/// Executions of 100 that each target gets: by how much there is to find for a mutation.
const SHARES: [(Target, u64); 4] =
    [(Target::Decoder, 30), (Target::Message, 30), (Target::Session, 25), (Target::Json, 15)];

#[derive(Clone, Debug)]
pub struct Job {
    pub target: Target,
    pub seed: u64,
    pub executions: u64,
    pub stack_bytes: usize,
    /// Each input is written here before it is run: what ends the process is found there.
    pub keep_last: Option<PathBuf>,
}

impl Job {
    /// The jobs of one seed do not do the same.
    fn stream(&self) -> u64 {
        SplitMix64::new(self.seed).next() ^ (self.target as u64) << 32 ^ self.stack_bytes as u64
    }
}

/// How a job ended.
#[derive(Debug)]
pub struct Report {
    pub job: Job,
    /// Fewer than asked for only when something was found.
    pub executions: u64,
    pub pool: Pool,
    pub failure: Option<Failure>,
}

/// An input, as small as it could be made, and what is wrong with it.
#[derive(Debug)]
pub struct Failure {
    pub input: Vec<u8>,
    pub sentence: String,
}

impl Report {
    /// What was found, for a person: what, where, and how to see it again.
    pub fn told(&self, failure: &Failure, path: &Path) -> String {
        let (target, seed, path) = (self.job.target.name(), self.job.seed, path.display());
        format!(
            "{target}: {}\n  input: {path}\n  seed: {seed}\n  \
             again: cargo run -p ipc-contract --bin fuzz-contract -- --replay {path}",
            failure.sentence
        )
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (target, stack_kib) = (self.job.target.name(), self.job.stack_bytes / 1024);
        let kept = self.pool.inputs().len();
        write!(f, "{target}: {} executions on {stack_kib} KiB of stack, {kept} inputs kept", self.executions)
    }
}

/// The jobs of a whole run, `executions` in all; of one target alone when it is named.
pub fn plan(executions: u64, seed: u64, only: Option<Target>) -> Vec<Job> {
    let mut jobs = Vec::new();
    for (target, share) in SHARES {
        for stack_bytes in STACK_BYTES {
            let of_target = if only.is_some() { executions } else { executions * share / 100 };
            let executions = of_target / STACK_BYTES.len() as u64;
            jobs.push(Job { target, seed, executions, stack_bytes, keep_last: None });
        }
    }
    jobs.retain(|job| only.is_none_or(|only| only == job.target));
    jobs
}

/// Runs all jobs, so many at a time, each on a thread with its stack.
///
/// # Errors
/// When the inputs cannot be read or a thread cannot be started.
pub fn run(jobs: Vec<Job>, at_a_time: usize) -> io::Result<Vec<Report>> {
    let waiting = Mutex::new(jobs.into_iter());
    let next = || waiting.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).next();
    let start = |job: Job| {
        let seeds = files::seeds(job.target)?;
        run_on_own_stack(job, seeds)
    };
    let lane = || -> io::Result<Vec<Report>> { std::iter::from_fn(next).map(start).collect() };
    thread::scope(|scope| {
        let lanes: Vec<_> = (0..at_a_time).map(|_| scope.spawn(lane)).collect();
        let reports =
            lanes.into_iter().map(|lane| lane.join().unwrap_or_else(|_| Err(io::Error::other("a lane panicked"))));
        Ok(reports.collect::<io::Result<Vec<_>>>()?.into_iter().flatten().collect())
    })
}

/// Runs one input, on each stack.
///
/// # Errors
/// When a thread cannot be started.
pub fn replay(target: Target, input: &[u8]) -> io::Result<Vec<Report>> {
    let job = |stack_bytes| Job { target, seed: 0, executions: 1, stack_bytes, keep_last: None };
    STACK_BYTES.into_iter().map(|stack_bytes| run_on_own_stack(job(stack_bytes), vec![input.to_vec()])).collect()
}

fn run_on_own_stack(job: Job, seeds: Vec<Vec<u8>>) -> io::Result<Report> {
    // Rust says this name when the stack overflows, which nobody can catch.
    let name = format!("{THREAD_PREFIX}{}, seed {}, {} KiB", job.target.name(), job.seed, job.stack_bytes / 1024);
    let thread = thread::Builder::new().name(name).stack_size(job.stack_bytes);
    let report = thread.spawn(move || play(job, seeds))?.join();
    report.map_err(|_| io::Error::other("the fuzzer itself panicked"))?
}

/// Names of threads on which panics are findings.
pub const THREAD_PREFIX: &str = "fuzz ";

fn play(job: Job, seeds: Vec<Vec<u8>>) -> io::Result<Report> {
    let words = Words::of_contract();
    let mut rng = SplitMix64::new(job.stream());
    let mut pool = Pool::default();
    let mut seeds = seeds.into_iter();
    for execution in 0..job.executions {
        let input = seeds.next().unwrap_or_else(|| {
            let (input, other) = (pool.pick(&mut rng), pool.pick(&mut rng));
            job.target.mutate(&mut rng, input, other, &words)
        });
        if let Some(path) = &job.keep_last {
            std::fs::write(path, &input)?;
        }
        match job.target.run(&input) {
            Ok(trail) => pool.offer(&input, &trail),
            Err(sentence) => {
                let input = shrink(&input, |part| job.target.run(part).is_err());
                let sentence = job.target.run(&input).err().unwrap_or(sentence);
                let failure = Some(Failure { input, sentence });
                return Ok(Report { executions: execution + 1, pool, failure, job });
            }
        }
    }
    Ok(Report { executions: job.executions, pool, failure: None, job })
}

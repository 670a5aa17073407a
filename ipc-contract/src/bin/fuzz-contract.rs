//! Fuzzes the contract for as long as it is told, or runs one input again. What is fuzzed, and how, lives in `fuzz/`.
//!
//! Exits with 0 when nothing was found, 1 when something was, 2 when it was called wrongly or cannot read or write.

#[path = "../../fuzz/mod.rs"]
mod fuzz;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;
use std::{fs, io};

use fuzz::{Report, Target};

const USAGE: &str =
    "usage: fuzz-contract [--executions N] [--seed N] [--jobs N] [--target NAME] [--keep-last FILE] [--grow]
       fuzz-contract --replay FILE

  --executions N    in all, over the targets decoder, message, session, json (default 1000000)
  --seed N          the same seed and corpus do the same (default 1)
  --jobs N          threads at a time, 1 to 8 (default 2)
  --target NAME     this one alone
  --keep-last FILE  writes each input there before it runs, one thread at a time: for what ends the process
  --grow            makes the corpus anew from all that was found
  --replay FILE     runs one input; the name of its folder is the target";

/// Inputs of one target that are committed, and the size of one.
const CORPUS_FILES_MAX: usize = 70;
const CORPUS_INPUT_BYTES_MAX: usize = 1024;
const JOBS_MAX: u64 = 8;

struct Options {
    executions: u64,
    seed: u64,
    jobs: usize,
    target: Option<Target>,
    keep_last: Option<PathBuf>,
    grow: bool,
    replay: Option<PathBuf>,
}

fn main() -> ExitCode {
    let Some(options) = options(std::env::args().skip(1)) else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    quiet_panics();
    let outcome = match &options.replay {
        Some(path) => replay(path),
        None => play(&options),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

fn options(mut arguments: impl Iterator<Item = String>) -> Option<Options> {
    let mut options =
        Options { executions: 1_000_000, seed: 1, jobs: 2, target: None, keep_last: None, grow: false, replay: None };
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--grow" => options.grow = true,
            "--executions" => options.executions = arguments.next()?.parse().ok()?,
            "--seed" => options.seed = arguments.next()?.parse().ok()?,
            "--jobs" => {
                let jobs = arguments.next()?.parse().ok().filter(|jobs| (1..=JOBS_MAX).contains(jobs))?;
                options.jobs = usize::try_from(jobs).ok()?;
            }
            "--target" => options.target = Some(Target::from_name(&arguments.next()?)?),
            "--keep-last" => options.keep_last = Some(arguments.next()?.into()),
            "--replay" => options.replay = Some(arguments.next()?.into()),
            _ => return None,
        }
    }
    Some(options)
}

/// A panic of what is fuzzed is a finding, told once in its own words.
fn quiet_panics() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let thread = std::thread::current();
        if !thread.name().is_some_and(|name| name.starts_with(fuzz::THREAD_PREFIX)) {
            usual(panic);
        }
    }));
}

fn play(options: &Options) -> io::Result<bool> {
    let start = Instant::now();
    let mut jobs = fuzz::plan(options.executions, options.seed, options.target);
    jobs.iter_mut().for_each(|job| job.keep_last.clone_from(&options.keep_last));
    let at_a_time = if options.keep_last.is_some() { 1 } else { options.jobs };
    let reports = fuzz::run(jobs, at_a_time)?;
    let mut is_clean = true;
    for report in &reports {
        is_clean &= tell(report)?;
    }
    let executions: u64 = reports.iter().map(|report| report.executions).sum();
    println!("{executions} executions in {:.1} s", start.elapsed().as_secs_f64());
    if options.grow && is_clean {
        grow(&reports)?;
    }
    Ok(is_clean)
}

/// Makes the corpus of each target anew that has been run.
fn grow(reports: &[Report]) -> io::Result<()> {
    for target in Target::ALL {
        let of_target = reports.iter().filter(|report| report.job.target == target);
        let inputs: Vec<Vec<u8>> = of_target.flat_map(|report| report.pool.inputs().to_vec()).collect();
        if inputs.is_empty() {
            continue;
        }
        let kept = fuzz::distil(target, inputs, CORPUS_FILES_MAX, CORPUS_INPUT_BYTES_MAX);
        fuzz::write_corpus(target, &kept)?;
        println!("{}: {} inputs", fuzz::corpus(target).display(), kept.len());
    }
    Ok(())
}

/// True when nothing was found.
fn tell(report: &Report) -> io::Result<bool> {
    println!("{report}");
    let Some(failure) = &report.failure else { return Ok(true) };
    let path = fuzz::write_failure(report.job.target, &failure.input)?;
    println!("{}", report.told(failure, &path));
    Ok(false)
}

/// True when nothing was found on any stack.
fn replay(path: &Path) -> io::Result<bool> {
    let no_target = || io::Error::other("the folder of the file must be named by its target");
    let reports = fuzz::replay(fuzz::target_of(path).ok_or_else(no_target)?, &fs::read(path)?)?;
    for report in &reports {
        println!("{report}");
        report.failure.iter().for_each(|failure| println!("{}", failure.sentence));
    }
    Ok(reports.iter().all(|report| report.failure.is_none()))
}

//! `bench` and `torture`: the load programs of the package `tests` and the fuzzer of the contract, in a release build.

use anyhow::Result;

use crate::cargo::{BUILD_SYSTEM_PROGRAMS, cargo};

/// Executions of `torture fuzz` when nobody says.
const FUZZ_EXECUTIONS: &str = "100000000";

/// Runs the torture that `args` begin with: `fuzz` is a program of the contract's owner, any other one of the tests.
pub(crate) fn torture(args: &[String]) -> Result<()> {
    match args.split_first() {
        Some((first, rest)) if first == "fuzz" => fuzz(rest),
        _ => run("torture", args),
    }
}

/// What `args` say comes last, and wins.
fn fuzz(args: &[String]) -> Result<()> {
    let mut command = vec!["run", "--release", "-q", "-p", "ipc-contract", "--bin", "fuzz-contract", "--"];
    command.extend(["--executions", FUZZ_EXECUTIONS]);
    command.extend(args.iter().map(String::as_str));
    cargo(&command)
}

/// Builds what the load starts, then runs the load program with `args`.
pub(crate) fn run(program: &str, args: &[String]) -> Result<()> {
    cargo(&[BUILD_SYSTEM_PROGRAMS, &["--release"]].concat())?;
    let mut command = vec!["run", "--release", "-q", "-p", "tests", "--bin", program, "--"];
    command.extend(args.iter().map(String::as_str));
    cargo(&command)
}

//! `bench` and `torture`: the load programs of the package `tests`, in a release build.

use anyhow::Result;

use crate::cargo::{BUILD_SYSTEM_PROGRAMS, cargo};

/// Builds what the load starts, then runs the load program with `args`.
pub(crate) fn run(program: &str, args: &[String]) -> Result<()> {
    cargo(&[BUILD_SYSTEM_PROGRAMS, &["--release"]].concat())?;
    let mut command = vec!["run", "--release", "-q", "-p", "tests", "--bin", program, "--"];
    command.extend(args.iter().map(String::as_str));
    cargo(&command)
}

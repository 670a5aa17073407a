//! Starting cargo and git at the root of the repository, and nothing else.

use std::ffi::OsString;
use std::process::Command;

use anyhow::{Context, Result, ensure};

/// The root of the repository: the folder above this package.
pub(crate) const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// The programs that the system tests and the load programs start.
pub(crate) const BUILD_SYSTEM_PROGRAMS: &[&str] =
    &["build", "-p", "supervisor", "-p", "worker", "-p", "tests", "--bins"];

/// Runs `cargo ARGS` with this terminal; an exit code other than 0 is an error.
pub(crate) fn cargo(args: &[&str]) -> Result<()> {
    let status = command(&cargo_program(), args).status().context("cannot start cargo; is it in PATH?")?;
    ensure!(status.success(), "`cargo {}` ended with {status}", args.join(" "));
    Ok(())
}

/// Runs `cargo ARGS` and returns what it printed to stdout.
pub(crate) fn cargo_output(args: &[&str]) -> Result<Vec<u8>> {
    output(&cargo_program(), args)
}

/// Runs `git ARGS` and returns what it printed to stdout.
pub(crate) fn git_output(args: &[&str]) -> Result<Vec<u8>> {
    output(&"git".into(), args)
}

/// The cargo that started this program, so that its toolchain is also that of every step.
fn cargo_program() -> OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

fn command(program: &OsString, args: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(args).current_dir(ROOT);
    command
}

fn output(program: &OsString, args: &[&str]) -> Result<Vec<u8>> {
    let name = program.display();
    let output = command(program, args).output().with_context(|| format!("cannot start {name}; is it in PATH?"))?;
    let stderr = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "`{name} {}` ended with {}: {}", args.join(" "), output.status, stderr.trim());
    Ok(output.stdout)
}

//! `gen`: calls the generators. Each generator is a program of the package whose documents it writes.

use anyhow::Result;

use crate::cargo::cargo;

/// The tables and vectors of the contract, and the diagram of task states.
const GENERATORS: [&[&str]; 2] = [
    &["run", "-q", "-p", "ipc-contract", "--features", "check", "--bin", "gen-contract", "--"],
    &["run", "-q", "-p", "queue-core", "--example", "state-diagram", "--"],
];

/// Writes every generated part; with `check` writes nothing and fails at the first that differs.
pub(crate) fn run(check: bool) -> Result<()> {
    GENERATORS.iter().try_for_each(|generator| {
        let flags: &[&str] = if check { &["--check"] } else { &[] };
        cargo(&[generator, flags].concat())
    })
}

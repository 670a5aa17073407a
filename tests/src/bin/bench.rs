//! `bench`: measures the whole path beside plain SQLite and prints a table with ratios.

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};
use tests::load::bench::{Options, run, worker};

/// Measures the disk, plain SQLite, the tick and the whole path in turn. No figure is a bound: compare the ratios.
#[derive(Parser)]
#[command(name = "bench", args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    role: Option<Role>,
    #[command(flatten)]
    options: Options,
}

#[derive(Subcommand)]
enum Role {
    /// Plays a worker of the bench; started by the supervisor under test.
    #[command(hide = true)]
    Worker,
}

fn main() -> Result<ExitCode> {
    let cli = Cli::parse();
    if let Some(Role::Worker) = cli.role {
        return Ok(worker());
    }
    println!("{}", run(&cli.options, std::env::current_exe()?)?);
    Ok(ExitCode::SUCCESS)
}

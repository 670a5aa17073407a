//! `bench`: measures the whole path beside plain SQLite and prints a table with ratios.

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};
use tests::load::bench::{
    ChannelOptions, ClaimsOptions, Options, PIPE, PolicyOptions, SAMPLES, ScalingOptions, channels, claims, play_pipe,
    policy, run, scaling, worker,
};

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
    /// Measures the half of the channel that each library writes and reads, beside a bare pipe
    Channel(ChannelOptions),
    /// Counts what a claim costs in queues of every shape, at 10,000 tasks and at a million
    Claims(ClaimsOptions),
    /// Draws who waits how long under each policy at three times the load that can be carried, by simulation
    Policy(PolicyOptions),
    /// Draws how a pool follows a load that steps from nothing to full and back, through a real supervisor
    Scaling(ScalingOptions),
    /// Plays a worker of the bench; started by the supervisor under test.
    #[command(hide = true)]
    Worker,
    /// Hands back what it reads.
    #[command(hide = true, name = PIPE)]
    Pipe,
    /// Plays the sample worker of the Rust library.
    #[command(hide = true, name = SAMPLES)]
    Samples,
}

fn main() -> Result<ExitCode> {
    let cli = Cli::parse();
    let program = std::env::current_exe()?;
    match cli.role {
        Some(Role::Worker) => return Ok(worker()),
        Some(Role::Pipe) => return Ok(play_pipe()),
        Some(Role::Samples) => return Ok(worker::samples::samples().run()),
        Some(Role::Channel(options)) => println!("{}", channels(&options, &program)?),
        Some(Role::Claims(options)) => println!("{}", claims(&options)?),
        Some(Role::Policy(options)) => println!("{}", policy(&options)?),
        Some(Role::Scaling(options)) => println!("{}", scaling(&options, &program)?),
        None => println!("{}", run(&cli.options, program)?),
    }
    Ok(ExitCode::SUCCESS)
}

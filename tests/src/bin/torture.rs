//! `torture`: kills the supervisor and its workers under load, and exits 1 with the evidence when anything was violated.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;
use tests::load::torture::{Blocked, Options, Outcome, Pools, Work, blocked, mark, pools, run, worker};

#[derive(Parser)]
#[command(name = "torture")]
enum Cli {
    /// SIGKILL at random moments of real work: nothing may be lost, nothing done twice, nothing left
    Kill(Options),
    /// Python handlers that block in C code for minutes: nobody is killed, and who gives no sign of life is reported
    Blocked(Blocked),
    /// Deaths in a row, leaks and short memory: nothing is left, nobody waits long, no task pays for another
    Pools(Pools),
    /// Plays a worker of the torture; started by the supervisor under test.
    #[command(hide = true)]
    Worker { folder: PathBuf },
    /// Plays a plain command of the torture.
    #[command(hide = true)]
    Mark {
        folder: PathBuf,
        #[command(flatten)]
        work: Work,
    },
}

fn main() -> Result<ExitCode> {
    match Cli::parse() {
        Cli::Worker { folder } => Ok(worker(&folder)),
        Cli::Mark { folder, work } => mark(&folder, work).map(|()| ExitCode::SUCCESS),
        Cli::Kill(options) => Ok(tell(&run(&options, &std::env::current_exe()?)?)),
        Cli::Blocked(options) => {
            let violations = blocked(&options);
            violations.iter().for_each(|violation| println!("violated: {violation}"));
            Ok(code(&violations))
        }
        Cli::Pools(options) => {
            let report = pools(&options)?;
            print!("{report}");
            Ok(code(&report.violations))
        }
    }
}

fn tell(outcome: &Outcome) -> ExitCode {
    print!("{outcome}");
    code(&outcome.violations)
}

fn code(violations: &[String]) -> ExitCode {
    if violations.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

//! The command line of the project's automation: one subcommand each. What a subcommand does lives in its own file.

mod cargo;
mod generate;
mod load;
mod node;
mod python;
mod test;
mod tidy;

use std::process::ExitCode;

use clap::Parser;

/// Everything that is done around the code. Each subcommand starts cargo and the programs of their owners.
#[derive(Parser)]
#[command(name = "scripts")]
enum Cli {
    /// The whole check, the same as CI: format, lints, build, tests, tidy rules, generated files.
    Test,
    /// The rules of the tree that no compiler checks.
    Tidy,
    /// Write the generated parts of the documents.
    Gen {
        /// Write nothing; fail where a document differs.
        #[arg(long)]
        check: bool,
    },
    /// Measure the whole path beside plain SQLite, in a release build.
    Bench {
        /// Passed on to the program `bench` of the tests.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// Kill the supervisor and its workers under load and count what is lost, or `fuzz` the contract, in a release build.
    Torture {
        /// Passed on to the program `torture` of the tests, or to the fuzzer; the first one names the torture, such as `kill`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
}

fn main() -> ExitCode {
    let result = match Cli::parse() {
        Cli::Test => test::run(),
        Cli::Tidy => tidy::run(),
        Cli::Gen { check } => generate::run(check),
        Cli::Bench { args } => load::run("bench", &args),
        Cli::Torture { args } => load::torture(&args),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

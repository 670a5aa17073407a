//! `contract-test`: the contract's own checker, so that there is one program to install.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Args as ClapArgs;

#[derive(ClapArgs, Debug)]
// Its options and its help are those of the checker.
#[command(disable_help_flag = true)]
pub struct Args {
    /// What contract-test takes: options, cases, and after -- the command
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGS")]
    args: Vec<OsString>,
}

pub fn run(args: Args) -> ExitCode {
    let called = OsString::from("supervisor contract-test");
    ipc_contract::check::cli::main(std::iter::once(called).chain(args.args).collect())
}

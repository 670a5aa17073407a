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
    let line: Vec<OsString> = std::env::args_os().collect();
    ipc_contract::check::cli::main(
        std::iter::once("supervisor contract-test".into()).chain(as_written(&line, args.args)).collect(),
    )
}

/// The arguments with a leading `--`, which stands before the command to be tested and is left out by whoever parses the
/// whole line.
fn as_written(line: &[OsString], mut args: Vec<OsString>) -> Vec<OsString> {
    let before = line.len().checked_sub(args.len() + 1).and_then(|place| line.get(place));
    if before.is_some_and(|word| word == "--") {
        args.insert(0, "--".into());
    }
    args
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: Args,
    }

    #[test]
    fn the_command_stays_behind_its_dashes() {
        let table: &[&[&str]] = &[
            &[],
            &["--list"],
            &["--", "perl", "worker.pl"],
            &["TASK", "--", "perl", "--", "--list"],
            &["--format", "json", "--", "perl"],
            &["--"],
        ];
        for words in table {
            let line: Vec<OsString> = ["contract-test"].iter().chain(*words).map(OsString::from).collect();
            let args = Line::try_parse_from(&line).unwrap().args.args;
            assert_eq!(as_written(&line, args), &line[1..]);
        }
    }
}

//! `completions`: the script that teaches a shell the commands and options.

use std::io;

use clap::{Args as ClapArgs, CommandFactory};
use clap_complete::{Shell, generate};

use super::app::App;
use super::exit::{CliError, Exit};
use super::output;

#[derive(ClapArgs, Debug)]
pub struct Args {
    /// The shell that reads it
    #[arg(value_enum)]
    shell: Shell,
}

pub fn run(args: &Args) -> Result<Exit, CliError> {
    output::data(script(args.shell)?.trim_end())?;
    Ok(Exit::Done)
}

fn script(shell: Shell) -> io::Result<String> {
    let mut script = Vec::new();
    let mut app = App::command();
    let name = app.get_name().to_owned();
    generate(shell, &mut app, name, &mut script);
    String::from_utf8(script).map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum;

    use super::*;

    #[test]
    fn every_shell_learns_commands_and_options() {
        for shell in Shell::value_variants() {
            let script = script(*shell).unwrap();
            for word in ["enqueue", "ready-file"] {
                assert!(script.contains(word), "{shell} does not know {word}");
            }
        }
    }
}

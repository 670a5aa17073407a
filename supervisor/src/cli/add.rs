//! `add`: one plain command as it stands here and now, with its arguments and the current folder.

use std::collections::BTreeMap;

use clap::Args as ClapArgs;
use ipc_contract::{CommandArgs, Payload, TaskSpec};
use worker::stock::COMMAND_KIND;

use super::client::blocking;
use super::exit::{CliError, Exit};
use super::output::Format;
use super::place::Place;
use super::submit::submit;
use super::task_options::TaskOptions;

#[derive(ClapArgs, Debug)]
pub struct Args {
    #[command(flatten)]
    options: TaskOptions,
    /// A variable for the command: with its value, or by name alone with the value that it has here
    #[arg(long, value_name = "NAME[=VALUE]")]
    env: Vec<String>,
    /// The program and its arguments; no shell looks at them
    #[arg(last = true, required = true, value_name = "CMD ARGS")]
    argv: Vec<String>,
}

pub fn run(args: &Args, place: &Place, format: Format) -> Result<Exit, CliError> {
    let config = place.load()?;
    let spec = args.spec(|name| std::env::var(name).ok())?;
    blocking(submit(&config, &spec, args.options.wait, format))?
}

impl Args {
    fn spec(&self, variable: impl Fn(&str) -> Option<String>) -> Result<TaskSpec, CliError> {
        let folder = std::env::current_dir()?;
        let Some(cwd) = folder.to_str() else {
            return Err(CliError::usage(
                format!("the folder {} is no UTF-8", folder.display()),
                "start it from another",
            ));
        };
        let env = self.env.iter().map(|text| read_variable(text, &variable)).collect::<Result<BTreeMap<_, _>, _>>()?;
        let command = CommandArgs { argv: self.argv.clone(), cwd: Some(cwd.to_owned()), env };
        command.validate()?;
        let spec = TaskSpec { kind: COMMAND_KIND.to_owned(), args: Payload::of(&command)?, ..TaskSpec::default() };
        Ok(self.options.apply(spec))
    }
}

fn read_variable(text: &str, variable: impl Fn(&str) -> Option<String>) -> Result<(String, String), CliError> {
    if let Some((name, value)) = text.split_once('=') {
        return Ok((name.to_owned(), value.to_owned()));
    }
    match variable(text) {
        Some(value) => Ok((text.to_owned(), value)),
        None => {
            Err(CliError::usage(format!("variable {text} has no value here that is UTF-8"), "write --env NAME=VALUE"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_has_its_value_or_that_of_the_caller() {
        let caller = |name: &str| (name == "HOME").then(|| "/home/ana".to_owned());
        let read = |text| read_variable(text, caller).ok();
        let pair = |name: &str, value: &str| Some((name.to_owned(), value.to_owned()));
        assert_eq!(read("HOME"), pair("HOME", "/home/ana"));
        assert_eq!(read("HOME="), pair("HOME", ""));
        assert_eq!(read("A=b=c"), pair("A", "b=c"));
        assert_eq!(read("GONE"), None);
    }

    #[test]
    fn the_command_is_kept_as_it_is() {
        let argv = vec!["sh".to_owned(), "-c".to_owned(), "a  b".to_owned()];
        let args = Args { options: TaskOptions::default(), env: vec!["A=1".to_owned()], argv: argv.clone() };
        let spec = args.spec(|_| None).unwrap();
        let command: CommandArgs = spec.args.read().unwrap();
        assert_eq!((spec.kind.as_str(), command.argv), ("command", argv));
        assert_eq!(command.cwd.as_deref(), std::env::current_dir().unwrap().to_str());
        assert_eq!(command.env["A"], "1");
    }
}

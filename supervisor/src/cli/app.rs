//! The tree of commands, and the way from arguments to an exit code.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use super::exit::{CliError, Exit};
use super::output::{self, Format};
use super::place::Place;
use super::{add, cancel, check, demo, doctor, enqueue, list, run, show, wait, worker};

/// A durable task queue whose workers are isolated child processes.
#[derive(Parser, Debug)]
#[command(name = "supervisor", version, arg_required_else_help = true)]
#[command(after_help = "Examples:\n  supervisor --db queue.db run\n  supervisor --db queue.db add --wait -- date")]
pub struct App {
    #[command(flatten)]
    place: Place,
    /// The form of what is printed
    #[arg(short, long, global = true, value_enum, default_value_t, value_name = "FORM")]
    output: Format,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Run tasks until stopped
    Run,
    /// Check the configuration, and show what it comes to
    Check,
    /// Add a task of any kind
    #[command(
        after_help = "Examples:\n  supervisor enqueue resize path=/a.png width:=640\n  supervisor enqueue report --args @report.json --in 5m --wait"
    )]
    Enqueue(enqueue::Args),
    /// Add a plain command, to be run in the current folder
    #[command(
        after_help = "Examples:\n  supervisor add -- ffmpeg -i in.mov out.mp4\n  supervisor add --name nightly --env HOME --wait -- ./backup.sh"
    )]
    Add(add::Args),
    /// List tasks
    #[command(after_help = "Examples:\n  supervisor list --state failed\n  supervisor list --limit 500 -o json")]
    List(list::Args),
    /// Show a task: where it stands and why, what it has spent, how each run ended
    #[command(after_help = "Examples:\n  supervisor show 42\n  supervisor show 42 -o json")]
    Show(show::Args),
    /// Wait for the end of a task, and print its result
    #[command(
        after_help = "Exits with 0 completed, 20 failed, 21 cancelled, 7 timed out.\n\nExamples:\n  supervisor wait 42\n  supervisor wait 42 --timeout 5m -o json"
    )]
    Wait(wait::Args),
    /// Cancel a task, and wait until all its processes are gone
    #[command(after_help = "Examples:\n  supervisor cancel 42\n  supervisor --db queue.db cancel 42 -o json")]
    Cancel(cancel::Args),
    /// Look for anything that is wrong, and exit with 1 when there is
    #[command(after_help = "Examples:\n  supervisor doctor\n  supervisor --db queue.db doctor -o json")]
    Doctor,
    /// See it work: two kinds of work for every file of a folder, in a queue of its own
    #[command(after_help = "Examples:\n  supervisor demo --path /usr/share/doc\n  supervisor demo --keep /tmp/queue")]
    Demo(demo::Args),
    /// Be a worker: the supervisor starts its own ones so
    Worker(worker::Args),
}

impl App {
    pub fn run(self) -> ExitCode {
        let App { place, output: format, command } = self;
        let done = match command {
            Command::Worker(args) => return worker::run(args),
            Command::Run => run::run(&place),
            Command::Check => check::run(&place, format),
            Command::Enqueue(args) => enqueue::run(&args, &place, format),
            Command::Add(args) => add::run(&args, &place, format),
            Command::List(args) => list::run(&args, &place, format),
            Command::Show(args) => show::run(&args, &place, format),
            Command::Wait(args) => wait::run(&args, &place, format),
            Command::Cancel(args) => cancel::run(&args, &place, format),
            Command::Demo(args) => demo::run(&args, &place, format),
            Command::Doctor => doctor::run(&place, format),
        };
        done.map_or_else(|error| fail(&error, format), Exit::into)
    }
}

fn fail(error: &CliError, format: Format) -> ExitCode {
    output::error(&error.body, format);
    error.exit.into()
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_tree_is_well_formed() {
        App::command().debug_assert();
    }

    #[test]
    fn arguments_are_read_or_refused() {
        let table: [(&[&str], bool); 15] = [
            (&["run", "--db", "q.db"], true),
            (&["--config", "a.toml", "run"], true),
            (&["enqueue", "resize", "path=/a", "w:=640", "--priority", "-7", "--in", "5m"], true),
            (&["enqueue", "resize", "path"], false),
            (&["enqueue", "resize", "a=1", "--args", "{}"], false),
            (&["enqueue", "resize", "--in", "5"], false),
            (&["add", "--env", "HOME", "--env", "A=1", "--", "sh", "-c", "--db x"], true),
            (&["add", "sh"], false),
            (&["list", "--state", "failed", "--limit", "500", "-o", "json"], true),
            (&["list", "--state", "broken"], false),
            (&["list", "--limit", "501"], false),
            (&["wait", "42", "--timeout", "5m"], true),
            (&["show", "x"], false),
            (&["worker"], false),
            (&["worker", "--stock", "{}"], true),
        ];
        for (args, good) in table {
            let all = ["supervisor"].iter().chain(args);
            assert_eq!(App::try_parse_from(all).is_ok(), good, "{args:?}");
        }
    }
}

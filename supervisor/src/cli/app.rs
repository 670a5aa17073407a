//! The tree of commands, and the way from arguments to an exit code.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use super::colour::{self, Choice};
use super::exit::{self, CliError, Exit};
use super::output::{self, Format};
use super::place::Place;
use super::{
    add, cancel, check, completions, contract_test, demo, doctor, enqueue, explain, health, init, list, logs, pause,
    pool, reload, reprioritise, retry, run, show, stats, system, wait, worker,
};

const EXAMPLES: &str = "Examples:\n  supervisor init app\n  supervisor --db queue.db add --wait -- date";

/// A durable task queue whose workers are isolated child processes.
#[derive(Parser, Debug)]
#[command(name = "supervisor", version, arg_required_else_help = true)]
#[command(after_help = EXAMPLES, after_long_help = format!("{}\n\n{EXAMPLES}", exit::codes()))]
pub struct App {
    #[command(flatten)]
    place: Place,
    /// The form of what is printed
    #[arg(short, long, global = true, value_enum, default_value_t, value_name = "FORM")]
    output: Format,
    /// When to use colours
    #[arg(long, global = true, value_enum, default_value_t, value_name = "WHEN")]
    color: Choice,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Write a configuration to begin with, in which everything is explained
    #[command(after_help = "Examples:\n  supervisor init\n  supervisor init /srv/app")]
    Init(init::Args),
    /// Check the configuration and what it needs, and show what it comes to
    #[command(after_help = "Examples:\n  supervisor check\n  supervisor --config app/supervisor.toml check -o json")]
    Check,
    /// Run tasks until stopped
    #[command(
        after_help = "Examples:\n  supervisor --config app/supervisor.toml run --ready-file ready.json --die-with-parent=$$\n  supervisor --db queue.db run --until-empty"
    )]
    Run(run::Args),
    /// Add a task of any kind, or many
    #[command(
        after_help = "Examples:\n  supervisor enqueue resize path=/a.png width:=640 --in 5m --wait\n  supervisor enqueue --bulk tasks.jsonl"
    )]
    Enqueue(enqueue::Args),
    /// Add a plain command, to be run in the current folder
    #[command(
        after_help = "Examples:\n  supervisor add -- ffmpeg -i in.mov out.mp4\n  supervisor add --name nightly --env HOME --wait -- ./backup.sh"
    )]
    Add(add::Args),
    /// List tasks
    #[command(
        after_help = "Examples:\n  supervisor list --state failed --kind resize\n  supervisor list --all -o jsonl"
    )]
    List(list::Args),
    /// Show a task: where it stands and why, what it has spent, how each run ended
    #[command(after_help = "Examples:\n  supervisor show 42\n  supervisor show 42 -o json")]
    Show(show::Args),
    /// Say why a task waits, or a queue as a whole: what it waits for, with figures, and about how long
    #[command(after_help = "Examples:\n  supervisor explain 42\n  supervisor explain --queue images -o json")]
    Explain(explain::Args),
    /// Wait for the end of a task, and print its result
    #[command(
        after_help = "Exits with 0 completed, 20 failed, 21 cancelled, 7 timed out.\n\nExamples:\n  supervisor wait 42\n  supervisor wait 42 --timeout 5m -o json"
    )]
    Wait(wait::Args),
    /// Cancel tasks, and wait until all their processes are gone
    #[command(after_help = "Examples:\n  supervisor cancel 42 43\n  supervisor --db queue.db cancel 42 -o json")]
    Cancel(cancel::Args),
    /// Make final tasks available once more, with their budgets as new
    #[command(after_help = "Examples:\n  supervisor retry 42\n  supervisor retry 42 43 -o json")]
    Retry(retry::Args),
    /// Give waiting tasks another priority
    #[command(after_help = "Examples:\n  supervisor reprioritise high 42 43\n  supervisor reprioritise -- -7 42")]
    Reprioritise(reprioritise::Args),
    /// Start no further tasks of a queue, or of one key of it; what runs goes on
    #[command(
        after_help = "Examples:\n  supervisor pause images --for 10m --reason deploy\n  supervisor pause images --key user:7"
    )]
    Pause(pause::PauseArgs),
    /// Start tasks of a queue or key again
    #[command(after_help = "Examples:\n  supervisor resume images\n  supervisor resume images --key user:7")]
    Resume(pause::ResumeArgs),
    /// Show what a task printed, with times in UTC
    #[command(after_help = "Examples:\n  supervisor logs 42 --follow\n  supervisor logs 42 --attempt 1 -o jsonl")]
    Logs(logs::Args),
    /// Count tasks and workers by where they stand
    #[command(after_help = "Examples:\n  supervisor stats\n  supervisor --db queue.db stats -o json")]
    Stats,
    /// Pools of workers: how they are and why, and what they are to do
    #[command(after_help = "Examples:\n  supervisor pool list\n  supervisor pool scale images 0..8")]
    Pool(pool::Args),
    /// Read the configuration file anew, and say what has changed; workers go on or are replaced one after the other
    #[command(after_help = "Examples:\n  supervisor reload\n  supervisor --config app/supervisor.toml reload -o json")]
    Reload,
    /// Say whether the supervisor is ready, and exit with 1 when it is not
    #[command(after_help = "Examples:\n  supervisor health\n  supervisor --db queue.db health --live -o json")]
    Health(health::Args),
    /// Say which guarantees this host gives, and what is lost where it does not
    #[command(after_help = "Examples:\n  supervisor system\n  supervisor --config app/supervisor.toml system -o json")]
    System,
    /// Look for anything that is wrong, and exit with 1 when there is
    #[command(after_help = "Examples:\n  supervisor doctor\n  supervisor --db queue.db doctor -o json")]
    Doctor,
    /// See it work: plain commands, Rust and Python for every file of a folder, in a queue of its own
    #[command(
        after_help = "Examples:\n  supervisor demo --serve\n  supervisor demo --path /usr/share/doc --keep /tmp/queue"
    )]
    Demo(demo::Args),
    /// Be a worker: the supervisor starts its own ones so; or stop one of a running supervisor
    #[command(
        subcommand_negates_reqs = true,
        after_help = "Examples:\n  supervisor worker --samples\n  supervisor worker --stock '{\"digest\": [\"sha256sum\", \"{path}\"]}'"
    )]
    Worker(worker::Args),
    /// Test a worker in any language: plays every case of the contract against it
    #[command(
        after_help = "Examples:\n  supervisor contract-test -- python3 images.py\n  supervisor contract-test --list"
    )]
    ContractTest(contract_test::Args),
    /// Print the script that teaches a shell these commands
    #[command(
        after_help = "Examples:\n  supervisor completions bash > ~/.local/share/bash-completion/completions/supervisor\n  supervisor completions fish > ~/.config/fish/completions/supervisor.fish"
    )]
    Completions(completions::Args),
}

impl App {
    pub fn run(self) -> ExitCode {
        let App { place, output: format, color, command } = self;
        colour::init(color);
        let done = match command {
            Command::Worker(args) if args.is_of_another() => worker::of_another(&args, &place, format),
            Command::Worker(args) => return worker::run(args),
            Command::ContractTest(args) => return contract_test::run(args),
            Command::Init(args) => init::run(&args),
            Command::Completions(args) => completions::run(&args),
            Command::Run(args) => run::run(&args, &place),
            Command::Check => check::run(&place, format),
            Command::Enqueue(args) => enqueue::run(&args, &place, format),
            Command::Add(args) => add::run(&args, &place, format),
            Command::List(args) => list::run(&args, &place, format),
            Command::Show(args) => show::run(&args, &place, format),
            Command::Wait(args) => wait::run(&args, &place, format),
            Command::Cancel(args) => cancel::run(&args, &place, format),
            Command::Retry(args) => retry::run(&args, &place, format),
            Command::Reprioritise(args) => reprioritise::run(&args, &place, format),
            Command::Pause(args) => pause::pause(&args, &place, format),
            Command::Resume(args) => pause::resume(&args, &place, format),
            Command::Explain(args) => explain::run(&args, &place, format),
            Command::Logs(args) => logs::run(&args, &place, format),
            Command::Pool(args) => pool::run(&args, &place, format),
            Command::Stats => stats::run(&place, format),
            Command::Reload => reload::run(&place, format),
            Command::Health(args) => health::run(&args, &place, format),
            Command::System => system::run(&place, format),
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

    /// Words as a shell of PID 7 cuts them, up to a redirection. No escapes.
    fn words(line: &str) -> Vec<String> {
        let (mut words, mut quote) = (vec![String::new()], None);
        for c in line.replace("$$", "7").chars() {
            match (quote, c) {
                (Some(open), c) if c == open => quote = None,
                (None, '\'' | '"') => quote = Some(c),
                (None, ' ') => words.push(String::new()),
                (_, c) => words.last_mut().unwrap().push(c),
            }
        }
        words.into_iter().take_while(|word| word != ">").collect()
    }

    fn all(command: clap::Command) -> Vec<clap::Command> {
        let below = command.get_subcommands().cloned().flat_map(all).collect::<Vec<_>>();
        std::iter::once(command).chain(below).collect()
    }

    #[test]
    fn every_help_ends_with_two_examples_that_can_be_typed() {
        for command in all(App::command()) {
            for help in [Some(command.get_after_help()), command.get_after_long_help().map(Some)].into_iter().flatten()
            {
                let (name, help) = (command.get_name(), help.map(ToString::to_string).unwrap_or_default());
                let examples = help.split_once("Examples:\n").unwrap_or_else(|| panic!("{name} has none")).1;
                assert_eq!(examples.lines().count(), 2, "{name}: {examples}");
                for line in examples.lines() {
                    let words = words(line.strip_prefix("  ").unwrap());
                    assert!(
                        words[0] == "supervisor" && (name == "supervisor" || words.contains(&name.to_owned())),
                        "{line}"
                    );
                    App::try_parse_from(words).unwrap_or_else(|error| panic!("{line}: {error}"));
                }
            }
        }
    }

    #[test]
    fn the_unit_for_systemd_starts_what_there_is() {
        let unit = include_str!("../../examples/mutirao.service");
        let start = unit.lines().find_map(|line| line.strip_prefix("ExecStart=/usr/local/bin/")).unwrap();
        App::try_parse_from(words(start)).unwrap_or_else(|error| panic!("{start}: {error}"));
    }

    #[test]
    fn what_is_nearly_right_is_named() {
        let table: [(&[&str], &str); 4] = [
            (&["enqeue"], "'enqueue'"),
            (&["run", "--until-emty"], "'--until-empty'"),
            (&["list", "-o", "jsn"], "'json'"),
            (&["--colour", "never", "list"], "'--color'"),
        ];
        for (args, near) in table {
            let error = App::try_parse_from(["supervisor"].iter().chain(args)).unwrap_err();
            assert!(error.exit_code() == 2 && error.to_string().contains(near), "{error}");
        }
    }

    #[test]
    fn arguments_are_read_or_refused() {
        let table: [(&[&str], bool); 38] = [
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
            (&["list", "--limit", "100001"], false),
            (&["list", "--all", "--cursor=-7.1.images", "--kind", "a", "--queue", "b"], true),
            (&["list", "--all", "--limit", "7"], false),
            (&["enqueue"], false),
            (&["enqueue", "--bulk", "-"], true),
            (&["enqueue", "resize", "--bulk", "-"], false),
            (&["enqueue", "--bulk", "-", "--wait"], false),
            (&["cancel", "1", "2"], true),
            (&["retry"], false),
            (&["logs", "42", "-f", "--attempt", "2"], true),
            (&["logs", "42", "--attempt", "0"], false),
            (&["wait", "42", "--timeout", "5m"], true),
            (&["show", "x"], false),
            (&["worker"], false),
            (&["init", "a"], true),
            (&["completions", "tcsh"], false),
            (&["check", "-o", "jsonl", "--color", "never"], true),
            (&["worker", "--stock", "{}"], true),
            (&["worker", "stop", "7", "--now"], true),
            (&["worker", "stop", "--config", "a.toml", "7"], true),
            (&["worker", "--config", "a.toml", "stop", "7"], true),
            (&["worker", "stop"], false),
            (&["pool"], false),
            (&["pool", "show"], false),
            (&["pool", "scale", "images", "0..8"], true),
            (&["pool", "scale", "images", "8..2"], false),
            (&["pool", "scale", "images", "many"], false),
            (&["pool", "scale", "images", "257"], false),
        ];
        for (args, good) in table {
            let all = ["supervisor"].iter().chain(args);
            assert_eq!(App::try_parse_from(all).is_ok(), good, "{args:?}");
        }
    }
}

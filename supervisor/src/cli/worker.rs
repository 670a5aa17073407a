//! `worker`: this process as a worker, which is how the supervisor starts its own ones; and `worker stop`.

use std::process::ExitCode;

use clap::{Args as ClapArgs, Subcommand};

use super::client::{Client, blocking};
use super::exit::{CliError, Exit};
use super::output::{self, Format};
use super::place::Place;
use crate::http::StopWorker;
use crate::http::dto::StoppedWorker;

#[derive(ClapArgs, Debug)]
pub struct Args {
    #[command(flatten)]
    handlers: Handlers,
    #[command(subcommand)]
    command: Option<Command>,
}

impl Args {
    /// It is not about this process.
    pub fn is_of_another(&self) -> bool {
        self.command.is_some()
    }
}

#[derive(ClapArgs, Debug)]
#[group(required = true, multiple = false)]
struct Handlers {
    /// The handlers of a worker under test, as section 9 of the contract lists them, and text_stats of the demo
    #[arg(long)]
    samples: bool,
    /// Plain commands: a JSON object of kind to command line, such as {"digest": ["sha256sum", "{path}"]}
    #[arg(long, value_name = "TEMPLATES")]
    stock: Option<String>,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Let a worker leave: after its run, or now; it is replaced when its pool lacks one
    #[command(after_help = "Examples:\n  supervisor worker stop 7\n  supervisor worker stop 7 --now")]
    Stop(StopArgs),
}

#[derive(ClapArgs, Debug)]
struct StopArgs {
    /// The number of the worker, as `pool show` has it
    #[arg(value_parser = clap::value_parser!(i64).range(1..))]
    id: i64,
    /// Give back what it runs, which spends no attempt, instead of waiting for its end
    #[arg(long)]
    now: bool,
}

pub fn run(args: Args) -> ExitCode {
    let Handlers { samples, stock } = args.handlers;
    let stock = stock.map(|templates| ["--stock".to_owned(), templates]);
    let samples = samples.then(|| "--samples".to_owned());
    worker::cli::main_from_args(stock.into_iter().flatten().chain(samples))
}

/// About a worker of a running supervisor.
pub fn of_another(args: &Args, place: &Place, format: Format) -> Result<Exit, CliError> {
    let Args { handlers, command: Some(Command::Stop(StopArgs { id, now })) } = args else { return Ok(Exit::Done) };
    if handlers.samples || handlers.stock.is_some() {
        return Err(CliError::usage("--samples and --stock are for being a worker", "leave them out to stop one"));
    }
    let config = place.load()?;
    let body = StopWorker { now: *now };
    let stopped = blocking(async { Client::connect(&config.db).await?.stop_worker(*id, &body).await })??;
    output::one(format, &stopped, None, || sentence(&stopped))?;
    Ok(Exit::Done)
}

fn sentence(StoppedWorker { id, pool, state, task }: &StoppedWorker) -> String {
    let what = match (state.as_str(), task) {
        ("gone", _) => "is gone".to_owned(),
        (_, Some(task)) => format!("leaves once its run of task {task} is over"),
        (_, None) => "leaves".to_owned(),
    };
    format!("worker {id} of pool {pool} {what}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worker_that_leaves_is_told_with_what_it_still_runs() {
        let stopped: StoppedWorker = serde_json::from_str(include_str!("../http/golden/worker-stopped.json")).unwrap();
        assert_eq!(sentence(&stopped), "worker 7 of pool images leaves once its run of task 42 is over");
        let idle = StoppedWorker { task: None, ..stopped };
        assert_eq!(sentence(&idle), "worker 7 of pool images leaves");
        assert_eq!(sentence(&StoppedWorker { state: "gone".to_owned(), ..idle }), "worker 7 of pool images is gone");
    }
}

//! `worker`: this process as a worker, which is how the supervisor starts its own ones.

use std::process::ExitCode;

use clap::Args as ClapArgs;

#[derive(ClapArgs, Debug)]
#[group(required = true, multiple = false)]
pub struct Args {
    /// The handlers of a worker under test, as section 9 of the contract lists them, and text_stats of the demo
    #[arg(long)]
    samples: bool,
    /// Plain commands: a JSON object of kind to command line, such as {"digest": ["sha256sum", "{path}"]}
    #[arg(long, value_name = "TEMPLATES")]
    stock: Option<String>,
}

pub fn run(args: Args) -> ExitCode {
    let stock = args.stock.map(|templates| ["--stock".to_owned(), templates]);
    let samples = args.samples.then(|| "--samples".to_owned());
    worker::cli::main_from_args(stock.into_iter().flatten().chain(samples))
}

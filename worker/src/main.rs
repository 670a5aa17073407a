//! The worker binary: the stock worker and the samples, with no supervisor in sight. All else lives in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    worker::cli::main_from_args(std::env::args_os().skip(1).map(|arg| arg.to_string_lossy().into_owned()))
}

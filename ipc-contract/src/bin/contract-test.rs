//! `contract-test`: plays every case of the contract against a worker. Everything is in `ipc_contract::check`.

use std::process::ExitCode;

fn main() -> ExitCode {
    ipc_contract::check::cli::main(std::env::args_os().collect())
}

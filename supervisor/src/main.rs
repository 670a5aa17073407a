//! The binary: from the arguments of the process to its exit code. All else lives in the library.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser;
use nix::sys::stat::{Mode, umask};
use supervisor::cli::App;
use supervisor::shell::shim::{self, SHIM};

fn main() -> ExitCode {
    // Queues hold what their users give them: nothing that is made here is for others to read.
    umask(Mode::from_bits_truncate(0o077));
    let mut args = std::env::args_os().skip(1);
    // Before anything else, since what follows belongs to the worker.
    if args.next().is_some_and(|first| first == SHIM) {
        return shim::main(args.collect::<Vec<OsString>>());
    }
    App::parse().run()
}

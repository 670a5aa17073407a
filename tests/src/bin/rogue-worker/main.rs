//! A worker that misbehaves in exactly one way, named by its first argument; the rest of the arguments belong to it. Its only
//! kind is named as the misdeed. Apart from the misdeed it speaks just enough of the contract.
//!
//! - `channel`: frames and bytes. `early`: misdeeds up to `ready`. `noise`: wrong bytes and frames in answer to a run.
//! - `behaviour`: what the process does to itself. `good`, `follow`: no misdeed; the one leaves a trail by which
//!   overlaps are seen, the other brings tasks along with its result.

mod behaviour;
mod channel;
mod early;
mod follow;
mod good;
mod noise;

use std::path::PathBuf;
use std::process::ExitCode;

use ipc_contract::{FromWorker, Ready, Run, Stop, ToWorker};
use serde::Deserialize;

use channel::Channel;

/// `EX_USAGE` of sysexits.h.
const EXIT_USAGE: u8 = 64;

/// What a misdeed does in a run. When it returns, the worker goes on as if nothing had happened.
type InRun = fn(&mut Channel, &Run, &[String]);

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let Some((misdeed, rest)) = args.split_first() else { return usage() };
    let in_run = [noise::MISDEEDS, behaviour::MISDEEDS, follow::MISDEEDS, good::MISDEEDS].concat();
    let in_run = in_run.iter().find(|(name, _)| name == misdeed).map(|(_, act)| *act);
    let early = early::MISDEEDS.iter().find(|(name, _)| name == misdeed).map(|(_, act)| *act);
    if in_run.is_none() && early.is_none() {
        return usage();
    }
    let mut channel = Channel::open();
    if let Some(act) = early {
        act(&mut channel, rest);
    }
    greet(&mut channel, misdeed);
    work(&mut channel, in_run.unwrap_or(good::run), rest)
}

fn greet(channel: &mut Channel, kind: &str) {
    channel.say(&FromWorker::Hello(channel::hello(kind)));
    if !matches!(channel.hear(), Some(ToWorker::Welcome(_))) {
        eprintln!("not welcome");
        std::process::exit(i32::from(EXIT_USAGE));
    }
    channel.say(&FromWorker::Ready(Ready {}));
}

fn work(channel: &mut Channel, in_run: InRun, rest: &[String]) -> ExitCode {
    while let Some(message) = channel.hear() {
        match message {
            ToWorker::Run(run) => {
                begin(&run);
                in_run(channel, &run, rest);
            }
            ToWorker::Stop(Stop { run: None, .. }) => {
                channel.say(&FromWorker::Bye(ipc_contract::Bye::default()));
                break;
            }
            // What runs here has ended before this is read, and it notes nothing.
            ToWorker::Stop(_) | ToWorker::Ack(_) | ToWorker::Welcome(_) | ToWorker::Reject(_) => {}
        }
    }
    ExitCode::SUCCESS
}

#[derive(Default, Deserialize)]
struct Args {
    /// A file that is told the number of this process when a run begins; `strays` tells it more.
    tell: Option<PathBuf>,
}

fn begin(run: &Run) {
    eprintln!("attempt {} of task {}", run.attempt, run.task);
    tell(run, &std::process::id().to_string());
}

/// A line to whoever wants to be told.
fn tell(run: &Run, line: &str) {
    if let Some(path) = run.args.read::<Args>().unwrap_or_default().tell {
        std::fs::write(path, format!("{line}\n")).expect("the file is writable");
    }
}

fn usage() -> ExitCode {
    let early = early::MISDEEDS.iter().map(|(name, _)| *name);
    let in_run = [noise::MISDEEDS, behaviour::MISDEEDS, follow::MISDEEDS, good::MISDEEDS].concat();
    let names: Vec<&str> = early.chain(in_run.iter().map(|(name, _)| *name)).collect();
    eprintln!("usage: rogue-worker MISDEED [ARGS]\nmisdeeds: {}", names.join(", "));
    ExitCode::from(EXIT_USAGE)
}

//! No misdeed: runs with a lock per task and a trail of begin and end, so that two live runs of one task cannot go unseen.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::Write;
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use ipc_contract::Run;
use serde::Deserialize;

use crate::InRun;
use crate::channel::{Channel, done, fail};

pub(crate) const MISDEEDS: &[(&str, InRun)] = &[("good", run)];

#[derive(Default, Deserialize)]
struct Args {
    /// How long the run takes.
    #[serde(default)]
    ms: u64,
}

/// With a folder as argument: holds `TASK.lock` there while it runs, and writes `begin TASK EPOCH` and `end TASK EPOCH`, or
/// `overlap TASK EPOCH`, to `trail`.
pub(crate) fn run(channel: &mut Channel, run: &Run, rest: &[String]) {
    let ms = run.args.read::<Args>().unwrap_or_default().ms;
    let Some(folder) = rest.first().map(Path::new) else {
        sleep(Duration::from_millis(ms));
        return channel.say(&done(run));
    };
    let lock = File::create(folder.join(format!("{}.lock", run.task))).expect("the folder is writable");
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            note(folder, "overlap", run);
            return channel.say(&fail(run, "another run of this task is alive"));
        }
        Err(TryLockError::Error(error)) => panic!("the lock cannot be tried: {error}"),
    }
    note(folder, "begin", run);
    sleep(Duration::from_millis(ms));
    note(folder, "end", run);
    channel.say(&done(run));
}

/// One write, so that lines of several workers stay whole.
fn note(folder: &Path, what: &str, run: &Run) {
    let line = format!("{what} {} {}\n", run.task, run.epoch);
    let mut trail =
        OpenOptions::new().create(true).append(true).open(folder.join("trail")).expect("the folder is writable");
    trail.write_all(line.as_bytes()).expect("the folder is writable");
}

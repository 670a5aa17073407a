//! What a rogue process does to itself and leaves behind, in the middle of a run.

use std::fs::File;
use std::io::{Write, stderr};
use std::process::{Command, Stdio, abort, exit};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread::park;

use ipc_contract::{Done, FromWorker, Payload, Run};
use nix::sys::signal::{Signal, raise};
use signal_hook::consts::{SIGSEGV, SIGTERM};
use signal_hook::low_level::emulate_default_handler;

use crate::channel::{Channel, done, fail};
use crate::{InRun, tell};

const FLOOD_CHUNK_BYTES: usize = 64 * 1024;

pub(crate) const MISDEEDS: &[(&str, InRun)] = &[
    ("exit-0", |_, _, _| exit(0)),
    ("exit-7", |_, _, _| exit(7)),
    ("segfault", |_, _, _| {
        // The runtime of the language would swallow the first one.
        let _ = emulate_default_handler(SIGSEGV);
    }),
    ("abort", |_, _, _| abort()),
    ("hang", |_, _, _| hang()),
    ("deaf", |_, _, _| {
        signal_hook::flag::register(SIGTERM, Arc::new(AtomicBool::new(false))).expect("SIGTERM can be caught");
        hang();
    }),
    ("stopped", |_, _, _| {
        let _ = raise(Signal::SIGSTOP);
    }),
    ("mute", |_, _, _| {
        let nowhere = File::open("/dev/null").expect("there is a null device");
        rustix::stdio::dup2_stdout(nowhere).expect("stdout can be replaced");
        hang();
    }),
    ("flood", |channel, run, args| {
        flood(args.first().and_then(|text| text.parse().ok()).unwrap_or(0));
        channel.say(&fail(run, "flooded"));
    }),
    ("grandchild-done", |channel, run, _| {
        let result = Payload::of(&leave_grandchild()).expect("text can be encoded");
        channel.say(&FromWorker::Done(Done { task: run.task, epoch: run.epoch, result, ..Done::default() }));
    }),
    ("grandchild-fail", |channel, run, _| {
        let pid = leave_grandchild();
        channel.say(&fail(run, &pid));
    }),
    ("grandchild-exit", |_, _, _| {
        eprintln!("grandchild {}", leave_grandchild());
        exit(0);
    }),
    ("grandchild-hang", |_, _, _| {
        eprintln!("grandchild {}", leave_grandchild());
        hang();
    }),
    ("strays", |channel, run, _| stray(channel, run)),
];

/// Leaves two daemons behind, of which one has no environment, tells their numbers and hangs. The next attempt is good.
fn stray(channel: &mut Channel, run: &Run) {
    if run.attempt > 1 {
        return channel.say(&done(run));
    }
    tell(run, &leave("setsid sleep 1000"));
    tell(run, &leave("env -i setsid sleep 1000"));
    hang();
}

pub(crate) fn hang() {
    loop {
        park();
    }
}

/// So many bytes to stderr without an end of line.
fn flood(size_bytes: u64) {
    let chunk = [b'x'; FLOOD_CHUNK_BYTES];
    let mut stderr = stderr().lock();
    let mut left = size_bytes;
    while left > 0 {
        let count = left.min(chunk.len() as u64);
        // The pipe is read by the supervisor as long as there is one.
        if stderr.write_all(&chunk[..count as usize]).is_err() {
            return;
        }
        left -= count;
    }
}

/// A process in a session of its own, whose parent is gone and which holds the channel; gives its number.
fn leave_grandchild() -> String {
    leave("setsid sleep 1000")
}

fn leave(command: &str) -> String {
    let script = format!("{command} 2>/dev/null & echo $! >&2");
    let shell = Command::new("sh").args(["-c", &script]).stdout(Stdio::inherit()).stderr(Stdio::piped()).output();
    String::from_utf8_lossy(&shell.expect("there is a shell").stderr).trim().to_owned()
}

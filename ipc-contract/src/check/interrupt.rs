//! The start of workers, one at a time, and what happens to them when somebody interrupts the check: they are killed
//! with all that they have started.

use std::io::{Read, pipe};
use std::process::{Child, Command};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::{io, thread};

use rustix::io::fcntl_dupfd_cloexec;
use rustix::process::{Pid, Signal, kill_process_group};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

/// Groups of processes that live now. As many as there are cases at a time.
static LIVE: Mutex<Vec<Pid>> = Mutex::new(Vec::new());

/// The number of a descriptor above all others of a check, and below what every system allows.
const MARK: i32 = 512;

/// Starts a process that leads a group of its own. With the lock held: none can be started and not be known.
///
/// # Errors
/// When it cannot be started.
pub(super) fn start(command: &mut Command) -> io::Result<Child> {
    let mut live = live();
    let (mut last, mark) = pipe()?;
    let mark = fcntl_dupfd_cloexec(mark, MARK)?;
    let child = command.spawn()?;
    live.push(Pid::from_child(&child));
    drop(mark);
    // It is told to run before the system has closed its copies of our descriptors, in their order: this is the last of them.
    let _ = last.read(&mut [0]);
    Ok(child)
}

/// Closes a descriptor. While a process starts it has a copy of all of them until it runs its program, so this waits: what
/// is closed has no copy here.
pub(super) fn close<T>(descriptor: T) {
    let _live = live();
    drop(descriptor);
}

/// To be said before the number can be given to another process.
pub(super) fn ended(group: Pid) {
    live().retain(|other| *other != group);
}

fn live() -> MutexGuard<'static, Vec<Pid>> {
    // A list is whole even when somebody has panicked beside it.
    LIVE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// From now on an interruption ends this program and all workers.
///
/// # Errors
/// When the system refuses.
pub(super) fn attend() -> io::Result<()> {
    let mut signals = Signals::new([SIGHUP, SIGINT, SIGTERM])?;
    thread::Builder::new().name("interrupt".to_owned()).spawn(move || {
        if let Some(signal) = signals.forever().next() {
            let live = live();
            for group in live.iter() {
                // It fails only for what is gone already.
                let _ = kill_process_group(*group, Signal::KILL);
            }
            // With the lock held: no other worker is started any more.
            std::process::exit(128 + signal);
        }
    })?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::{ErrorKind, Write};

    use super::*;

    #[test]
    fn what_is_closed_while_others_start_takes_no_byte_more() {
        const STARTS: usize = 200;
        let (mut closed, mut took_bytes) = (0, 0);
        thread::scope(|scope| {
            let starter = scope.spawn(|| {
                for _ in 0..STARTS {
                    let mut child = start(&mut Command::new("true")).unwrap();
                    ended(Pid::from_child(&child));
                    child.wait().unwrap();
                }
            });
            while !starter.is_finished() {
                let (reader, mut writer) = pipe().unwrap();
                close(reader);
                closed += 1;
                match writer.write_all(b"for nobody") {
                    Ok(()) => took_bytes += 1,
                    Err(error) => assert_eq!(error.kind(), ErrorKind::BrokenPipe),
                }
            }
        });
        assert_eq!(took_bytes, 0, "of {closed} closed pipes");
    }
}

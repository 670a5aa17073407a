//! The process that this supervisor does not outlive, watched through its pidfd: that one process is meant, whoever gets its
//! number later. The parent-death signal of the system would belong to one thread of the parent, not to the process.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::thread::Builder;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::unistd::getppid;
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use tokio::sync::mpsc;

use crate::observe;

/// Which process it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parent {
    /// The one that started us, as far as that can be known.
    Ours,
    /// Any other.
    Process(i32),
}

impl Parent {
    /// Its number; `adopter` is whose child we are now. Whoever has lost its parent is a child of process 1, or of another
    /// process that adopts, which cannot be told from a parent.
    fn pid(self, adopter: i32) -> Result<i32, &'static str> {
        match (self, adopter) {
            (Parent::Process(pid), _) => Ok(pid),
            (Parent::Ours, 0) => Err("the process that started us cannot be seen from here; name it by its PID"),
            (Parent::Ours, 1) => {
                Err("the one that started us has ended, or is process 1, which adopts whoever is left alone; name the \
                     process by its PID, as in --die-with-parent=$$; if process 1 is meant, --die-with-parent=1")
            }
            (Parent::Ours, pid) => Ok(pid),
        }
    }
}

/// A process that was there when it was looked up.
#[derive(Debug)]
pub(super) struct Lifeline {
    pid: i32,
    /// Readable once it has ended.
    pidfd: OwnedFd,
}

impl Lifeline {
    /// # Errors
    /// There is no such process, or it has ended.
    pub(super) fn open(parent: Parent) -> io::Result<Lifeline> {
        let pid = parent.pid(getppid().as_raw()).map_err(|text| refused(text.to_owned()))?;
        let gone = || refused(format!("there is no process {pid} any more; name one that lives"));
        let number = Pid::from_raw(pid).ok_or_else(gone)?;
        let pidfd = match pidfd_open(number, PidfdFlags::empty()) {
            Ok(pidfd) => pidfd,
            Err(Errno::SRCH) => return Err(gone()),
            Err(error) => {
                return Err(io::Error::new(error.kind(), format!("process {pid} cannot be watched: {error}")));
            }
        };
        // It may have ended, and its number be another's, before the pidfd was there.
        let is_it = parent != Parent::Ours || getppid().as_raw() == pid;
        if is_it && !has_ended(&pidfd, PollTimeout::ZERO)? { Ok(Lifeline { pid, pidfd }) } else { Err(gone()) }
    }

    /// Sends one wish to stop once it ends. Waits on a thread of its own, which ends with it, or with us.
    pub(super) fn forward(self, stops: mpsc::Sender<()>) -> io::Result<()> {
        let wait = move || {
            // Whoever can be watched no more is as good as gone.
            while has_ended(&self.pidfd, PollTimeout::NONE).is_err_and(|error| error == nix::errno::Errno::EINTR) {}
            observe::parent_ended(self.pid);
            // A full line means that it has been asked often enough.
            let _ = stops.try_send(());
        };
        Builder::new().name("parent".into()).spawn(wait)?;
        Ok(())
    }
}

fn refused(text: String) -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, text)
}

fn has_ended(pidfd: &OwnedFd, wait: PollTimeout) -> nix::Result<bool> {
    Ok(poll(&mut [PollFd::new(pidfd.as_fd(), PollFlags::POLLIN)], wait)? > 0)
}

#[cfg(test)]
mod tests {
    use std::process::{Child, Command, Stdio};

    use super::*;

    /// Lives until its stdin is closed.
    fn child() -> Child {
        Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap()
    }

    fn pid(child: &Child) -> Parent {
        Parent::Process(child.id().cast_signed())
    }

    #[tokio::test]
    async fn its_end_is_one_wish_to_stop() {
        let mut parent = child();
        let (sender, mut stops) = mpsc::channel(4);
        Lifeline::open(pid(&parent)).unwrap().forward(sender).unwrap();
        assert!(stops.try_recv().is_err(), "it lives");
        parent.kill().unwrap();
        assert_eq!(stops.recv().await, Some(()));
        assert_eq!(stops.recv().await, None, "and no more than one");
        parent.wait().unwrap();
    }

    #[test]
    fn process_1_is_meant_only_when_it_is_named() {
        assert!(Parent::Ours.pid(1).unwrap_err().ends_with("if process 1 is meant, --die-with-parent=1"));
        assert!(Parent::Ours.pid(0).unwrap_err().contains("name it by its PID"));
        assert_eq!([Parent::Ours.pid(7), Parent::Process(1).pid(7), Parent::Process(8).pid(1)], [Ok(7), Ok(1), Ok(8)]);
    }

    #[test]
    fn who_is_gone_already_is_told_by_number() {
        let mut parent = child();
        parent.kill().unwrap();
        let told = |parent| Lifeline::open(parent).unwrap_err().to_string();
        let expected = format!("there is no process {} any more; name one that lives", parent.id());
        // Dead for sure, and not reaped yet.
        let watched = pidfd_open(Pid::from_child(&parent), PidfdFlags::empty()).unwrap();
        assert!(has_ended(&watched, PollTimeout::NONE).unwrap());
        assert_eq!(told(pid(&parent)), expected, "a zombie");
        let number = pid(&parent);
        parent.wait().unwrap();
        assert_eq!(told(number), expected);
        assert!(Lifeline::open(Parent::Ours).is_ok(), "the one that runs this test");
    }
}

//! A named pipe as a signal: a process says by a line that it has come to a point, or waits for one. Unlike a file or a
//! sleep it can neither be missed nor come too early.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use nix::sys::stat::Mode;

use super::guard::Guard;

/// The end of the test. Its path is for the other side, which may open it at any time.
pub struct Fifo {
    path: PathBuf,
    file: File,
}

impl Fifo {
    pub(super) fn create(path: PathBuf) -> Fifo {
        nix::unistd::mkfifo(&path, Mode::S_IRUSR | Mode::S_IWUSR).expect("the sandbox is writable");
        // Both ways, so that opening waits for nobody and the pipe never ends.
        let file = OpenOptions::new().read(true).write(true).open(&path).expect("a fifo can be opened both ways");
        Fifo { path, file }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Waits for the next line that the other side writes, and gives it without its end.
    pub fn line(&self) -> String {
        let guard = Guard::start();
        let mut line = Vec::new();
        loop {
            assert!(guard.readable(&self.file), "nobody wrote to {} ({line:?})", self.path.display());
            let mut byte = [0];
            (&self.file).read_exact(&mut byte).expect("a fifo can be read");
            match byte {
                [b'\n'] => return String::from_utf8_lossy(&line).into_owned(),
                [byte] => line.push(byte),
            }
        }
    }

    /// A line that holds the number of a process.
    pub fn pid(&self) -> i32 {
        let line = self.line();
        line.trim().parse().unwrap_or_else(|_| panic!("{line:?} is no pid"))
    }

    /// Lets one process go on that reads a line here.
    pub fn open_gate(&self) {
        (&self.file).write_all(b"go\n").expect("a fifo can be written");
    }
}

//! What a finished command said, with the assertions that most tests make of it.

use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};
use std::thread;

use serde::de::DeserializeOwned;

use super::process::Watched;

#[derive(Debug)]
pub struct Output {
    /// Absent when it died by a signal.
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
    /// The command line, for messages.
    what: String,
}

impl Output {
    /// Runs a command to its end, with `input` as its stdin.
    pub(super) fn of(mut command: Command, input: &[u8]) -> Output {
        let what = format!("{command:?}");
        let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut child: Child = child.unwrap_or_else(|error| panic!("{what}: {error}"));
        let watched = Watched::new(child.id().cast_signed());
        let (stdout, stderr) = (collect(child.stdout.take()), collect(child.stderr.take()));
        if let Some(mut stdin) = child.stdin.take() {
            // Who does not read it does not need it.
            let _ = stdin.write_all(input);
        }
        watched.await_death();
        let status = child.wait().unwrap_or_else(|error| panic!("{what}: {error}"));
        let text = |reader: thread::JoinHandle<Vec<u8>>| {
            String::from_utf8_lossy(&reader.join().expect("a reader does not panic")).into_owned()
        };
        Output { code: status.code(), stdout: text(stdout), stderr: text(stderr), what }
    }

    /// Demands exit code 0.
    #[track_caller]
    pub fn ok(self) -> Output {
        self.exits(0)
    }

    #[track_caller]
    pub fn exits(self, code: i32) -> Output {
        assert_eq!(self.code, Some(code), "{self}");
        self
    }

    /// Demands that stderr says this.
    #[track_caller]
    pub fn complains(self, part: &str) -> Output {
        assert!(self.stderr.contains(part), "no {part:?} in\n{self}");
        self
    }

    /// Demands that stdout says this.
    #[track_caller]
    pub fn says(self, part: &str) -> Output {
        assert!(self.stdout.contains(part), "no {part:?} in\n{self}");
        self
    }

    /// Stdout as one JSON value.
    #[track_caller]
    pub fn json<T: DeserializeOwned>(&self) -> T {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error} in\n{self}"))
    }
}

impl std::fmt::Display for Output {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Output { code, stdout, stderr, what } = self;
        write!(f, "{what}\nexit code {code:?}\nstdout:\n{stdout}\nstderr:\n{stderr}")
    }
}

fn collect(stream: Option<impl Read + Send + 'static>) -> thread::JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut stream) = stream {
            let _ = stream.read_to_end(&mut bytes);
        }
        bytes
    })
}

//! The supervisor's side of a conversation, for tests: over any two ends of a channel, and over a real process.
#![allow(dead_code, reason = "each test program uses its part")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::thread::{self, JoinHandle};

use ipc_contract::{
    Ack, Done, Fail, FrameDecoder, FromWorker, Hello, Note, Payload, Run, RunRef, Session, Stop, StopReason, ToWorker,
    Welcome, decode, encode,
};
use serde::Serialize;
use worker::{Ended, Worker};

pub(crate) const COOKIE: &str = "biscuit";

/// Shows every message to a session, so that each test proves that the worker keeps the order of the contract.
pub(crate) struct Peer<R, W> {
    pub(crate) reader: R,
    pub(crate) writer: W,
    decoder: FrameDecoder,
    session: Session,
}

impl<R: Read, W: Write> Peer<R, W> {
    pub(crate) fn new(reader: R, writer: W) -> Self {
        Self { reader, writer, decoder: FrameDecoder::new(), session: Session::new() }
    }

    pub(crate) fn send(&mut self, message: ToWorker) {
        self.session.sees(&message).unwrap();
        self.writer.write_all(&encode(&message).unwrap()).unwrap();
    }

    pub(crate) fn send_bytes(&mut self, bytes: &[u8]) {
        self.writer.write_all(bytes).unwrap();
    }

    /// The next message, beats included; `None` at the end of the channel.
    pub(crate) fn receive_any(&mut self) -> Option<FromWorker> {
        let mut chunk = [0; 4096];
        loop {
            if let Some(body) = self.decoder.next_frame().unwrap() {
                let message = decode(&body).unwrap();
                self.session.sees(&message).unwrap();
                return Some(message);
            }
            match self.reader.read(&mut chunk).unwrap() {
                0 => {
                    assert!(!self.decoder.is_partial(), "the worker's last frame is cut off");
                    return None;
                }
                length => self.decoder.push(&chunk[..length]),
            }
        }
    }

    pub(crate) fn receive(&mut self) -> Option<FromWorker> {
        loop {
            match self.receive_any() {
                Some(FromWorker::Beat(_)) => {}
                other => return other,
            }
        }
    }

    /// From `hello` to `ready`.
    pub(crate) fn greet(&mut self) -> Hello {
        let Some(FromWorker::Hello(hello)) = self.receive() else { panic!("no hello") };
        self.send(welcome());
        assert!(matches!(self.receive(), Some(FromWorker::Ready(_))));
        hello
    }

    pub(crate) fn run(&mut self, task: u64, kind: &str, args: &impl Serialize) {
        self.send(ToWorker::Run(run_of(task, kind, args)));
    }

    pub(crate) fn done(&mut self) -> Done {
        match self.receive() {
            Some(FromWorker::Done(done)) => done,
            other => panic!("done expected, not {other:?}"),
        }
    }

    pub(crate) fn fail(&mut self) -> Fail {
        match self.receive() {
            Some(FromWorker::Fail(fail)) => fail,
            other => panic!("fail expected, not {other:?}"),
        }
    }

    pub(crate) fn back(&mut self) -> u64 {
        match self.receive() {
            Some(FromWorker::Back(back)) => back.task,
            other => panic!("back expected, not {other:?}"),
        }
    }

    pub(crate) fn note(&mut self) -> Note {
        match self.receive() {
            Some(FromWorker::Note(note)) => note,
            other => panic!("note expected, not {other:?}"),
        }
    }

    pub(crate) fn ack(&mut self, note: &Note) {
        let (task, epoch, seq) = (note.task, note.epoch, note.seq);
        self.send(ToWorker::Ack(Ack { task, epoch, seq }));
    }

    /// Awaits the handler's own word that it runs.
    pub(crate) fn started(&mut self) {
        match self.receive() {
            Some(FromWorker::Log(log)) => assert_eq!(log.message, "started"),
            other => panic!("log expected, not {other:?}"),
        }
    }

    pub(crate) fn stop_run(&mut self, task: u64, reason: StopReason, grace_ms: u64) {
        self.send(ToWorker::Stop(Stop { run: Some(RunRef { task, epoch: 1 }), reason, grace_ms }));
    }

    pub(crate) fn stop(&mut self) {
        self.send(ToWorker::Stop(Stop { run: None, reason: StopReason::Shutdown, grace_ms: 10_000 }));
    }

    /// Awaits the last word and the end of the channel.
    pub(crate) fn bye(&mut self) {
        assert!(matches!(self.receive(), Some(FromWorker::Bye(_))));
    }
}

pub(crate) fn welcome() -> ToWorker {
    welcome_with(&["beat", "note", "enqueue"])
}

/// As often as may be, so that beats come between everything.
pub(crate) fn welcome_with(features: &[&str]) -> ToWorker {
    let features = features.iter().map(ToString::to_string).collect();
    ToWorker::Welcome(Welcome { protocol: 1, worker: 1, features, beat_ms: 10 })
}

pub(crate) fn run_of(task: u64, kind: &str, args: &impl Serialize) -> Run {
    let args = Payload::of(args).unwrap();
    Run { task, epoch: 1, kind: kind.to_owned(), args, attempt: 1, effect_key: format!("key-{task}"), ..Run::default() }
}

/// A worker in this process.
pub(crate) struct Played {
    pub(crate) peer: Peer<UnixStream, UnixStream>,
    ended: JoinHandle<Ended>,
}

impl Played {
    /// Closes the supervisor's way to the worker.
    pub(crate) fn close(&self) {
        self.peer.writer.shutdown(Shutdown::Write).unwrap();
    }

    pub(crate) fn ended(self) -> Ended {
        self.ended.join().unwrap()
    }
}

pub(crate) fn play(worker: Worker) -> Played {
    let (ours, theirs) = UnixStream::pair().unwrap();
    let (reader, writer) = (theirs.try_clone().unwrap(), theirs);
    let ended = thread::spawn(move || worker.play(reader, writer, COOKIE).unwrap());
    Played { peer: Peer::new(ours.try_clone().unwrap(), ours), ended }
}

/// A worker as a process of its own.
pub(crate) struct Supervised {
    pub(crate) peer: Peer<ChildStdout, ChildStdin>,
    pub(crate) stderr: BufReader<ChildStderr>,
    pub(crate) child: Child,
}

pub(crate) fn program() -> Command {
    let mut program = Command::new(env!("CARGO_BIN_EXE_worker"));
    program
        .env("MUTIRAO_COOKIE", COOKIE)
        .env_remove("MUTIRAO_CHANNEL")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    program
}

pub(crate) fn start(args: &[&str]) -> Supervised {
    supervised(program().args(args))
}

/// On descriptors 3 and 4, the way a supervisor moves them.
pub(crate) fn start_on_fd3(args: &[&str]) -> Supervised {
    const MOVE: &str = "exec \"$0\" \"$@\" 3<&0 4>&1 0</dev/null 1>&2";
    let mut shell = Command::new("sh");
    shell.args(["-c", MOVE, env!("CARGO_BIN_EXE_worker")]).args(args);
    shell.env("MUTIRAO_COOKIE", COOKIE).env("MUTIRAO_CHANNEL", "fd3");
    supervised(shell.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()))
}

pub(crate) fn supervised(program: &mut Command) -> Supervised {
    let mut child = program.spawn().unwrap();
    let peer = Peer::new(child.stdout.take().unwrap(), child.stdin.take().unwrap());
    let stderr = BufReader::new(child.stderr.take().unwrap());
    Supervised { peer, stderr, child }
}

impl Supervised {
    /// The next line of the log.
    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        self.stderr.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    /// Awaits the end of the process; its status and what is left of its log.
    pub(crate) fn wait(mut self) -> (ExitStatus, String) {
        let mut log = Vec::new();
        self.stderr.read_to_end(&mut log).unwrap();
        (self.child.wait().unwrap(), String::from_utf8_lossy(&log).into_owned())
    }

    /// Asks the worker to leave and awaits that it does, well.
    pub(crate) fn dismiss(mut self) -> String {
        self.peer.stop();
        self.peer.bye();
        let (status, log) = self.wait();
        assert_eq!(status.code(), Some(0), "{log}");
        log
    }
}

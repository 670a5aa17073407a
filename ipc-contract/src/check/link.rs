//! Frames to and from one worker process, recorded as they go. Never waits on one side only; knows no message.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::Failure;
use super::process::{Chunk, Exit, Interest, Process};
use super::tape::{Tape, keep};
use crate::frame::FrameDecoder;

/// Bytes that may wait for the worker to read them.
const OUTBOX_BYTES_MAX: usize = 160 * 1024 * 1024;
/// Chunks that are read of a pipe after the end of the process: its children may write for ever.
const LAST_CHUNKS_MAX: usize = 256;

/// What came over the channel.
pub(super) enum Incoming {
    Frame(Vec<u8>),
    /// The bytes are no frames.
    Broken(Failure),
}

pub(super) struct Link {
    process: Process,
    started: Instant,
    decoder: FrameDecoder,
    outbox: VecDeque<u8>,
    inbox: VecDeque<Incoming>,
    tape: Rc<RefCell<Tape>>,
    /// False while a case wants to see what happens to a worker whose supervisor does not read.
    reads: bool,
    /// False while a case wants whoever prints to be stuck in the middle of it.
    reads_stderr: bool,
    is_broken: bool,
}

impl Link {
    pub(super) fn new(process: Process, tape: Rc<RefCell<Tape>>) -> Self {
        let (decoder, outbox, inbox) = (FrameDecoder::new(), VecDeque::new(), VecDeque::new());
        let started = Instant::now();
        let (reads, reads_stderr, is_broken) = (true, true, false);
        Self { process, started, decoder, outbox, inbox, tape, reads, reads_stderr, is_broken }
    }

    pub(super) fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    pub(super) fn tape(&self) -> &Rc<RefCell<Tape>> {
        &self.tape
    }

    pub(super) fn note(&self, what: &str, content: Value) {
        self.tape.borrow_mut().note(self.started.elapsed(), what, content);
    }

    pub(super) fn set_reads(&mut self, reads: bool) {
        self.reads = reads;
    }

    pub(super) fn set_reads_stderr(&mut self, reads_stderr: bool) {
        self.reads_stderr = reads_stderr;
    }

    /// Puts bytes on their way.
    ///
    /// # Errors
    /// When the worker reads nothing and too much waits for it.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        keep(&mut self.tape.borrow_mut().to_worker, bytes);
        self.outbox.extend(bytes);
        self.write();
        let seen = format!("{} bytes that it has not read", self.outbox.len());
        Failure::unless(self.outbox.len() <= OUTBOX_BYTES_MAX, "a worker that reads", seen)
    }

    /// Bytes that the worker has not taken yet.
    pub(super) fn unsent_bytes(&self) -> usize {
        self.outbox.len()
    }

    pub(super) fn next(&mut self) -> Option<Incoming> {
        self.inbox.pop_front()
    }

    /// True when nothing more will come.
    pub(super) fn has_ended(&mut self) -> bool {
        self.reads && (!self.process.has_output() || self.process.exit().is_some())
    }

    pub(super) fn exit(&mut self) -> Option<Exit> {
        self.process.exit()
    }

    /// Waits for something to happen, at most so long, and takes what has come.
    ///
    /// # Errors
    /// When the system cannot wait.
    pub(super) fn turn(&mut self, at_most: Duration) -> Result<(), Failure> {
        let interest = Interest { read: self.reads, stderr: self.reads_stderr, write: !self.outbox.is_empty() };
        self.process
            .wait(interest, at_most)
            .map_err(|error| Failure::new("to wait for the worker", error.to_string()))?;
        self.take();
        Ok(())
    }

    /// Takes what is there, without waiting.
    pub(super) fn take(&mut self) {
        // Asked first: what was written before the end is in the pipes by then.
        let had_ended = self.process.exit().is_some();
        let chunks_max = if had_ended { LAST_CHUNKS_MAX } else { 1 };
        for _ in 0..chunks_max {
            if !self.reads_stderr {
                break;
            }
            let Chunk::Bytes(bytes) = self.process.read_stderr() else { break };
            self.tape.borrow_mut().stderr.push(&bytes);
        }
        self.write();
        if !self.reads {
            return;
        }
        for _ in 0..chunks_max {
            match self.process.read() {
                Chunk::Bytes(bytes) => self.received(&bytes),
                Chunk::NothingYet => break,
                Chunk::End => {
                    self.ended();
                    break;
                }
            }
        }
    }

    fn write(&mut self) {
        while !self.outbox.is_empty() {
            match self.process.write(self.outbox.as_slices().0) {
                Some(0) => return,
                Some(written) => drop(self.outbox.drain(..written)),
                None => self.outbox.clear(),
            }
        }
    }

    fn received(&mut self, bytes: &[u8]) {
        keep(&mut self.tape.borrow_mut().from_worker, bytes);
        if self.is_broken {
            return;
        }
        self.decoder.push(bytes);
        loop {
            match self.decoder.next_frame() {
                Ok(Some(payload)) => self.inbox.push_back(Incoming::Frame(payload)),
                Ok(None) => return,
                Err(error) => {
                    self.broken(error.to_string());
                    return;
                }
            }
        }
    }

    fn ended(&mut self) {
        if self.decoder.is_partial() && !self.is_broken {
            let rest = self.decoder.unread();
            let head = rest[..rest.len().min(crate::error::HEAD_BYTES_MAX)].escape_ascii();
            self.broken(format!("the end of the channel within a frame, after {} bytes: \"{head}\"", rest.len()));
        }
    }

    fn broken(&mut self, seen: String) {
        self.is_broken = true;
        self.note("from_worker_broken", json!(seen));
        self.inbox
            .push_back(Incoming::Broken(Failure::new("nothing but whole frames on the channel (SPEC 1.2, 2.1)", seen)));
    }
}

//! The channel of a rogue, wherever it is: good frames when it wants, any bytes when it does not.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write, stdin, stdout};

use ipc_contract::frame::{FrameDecoder, decode, encode};
use ipc_contract::{Done, Fail, Feature, FromWorker, Hello, PROTOCOL, Payload, Run, ToWorker};

const READ_BYTES: usize = 64 * 1024;

pub(crate) struct Channel {
    reader: Box<dyn Read>,
    writer: Box<dyn Write>,
    decoder: FrameDecoder,
}

impl Channel {
    /// By the word of the supervisor. On `stdio`, stdout is left to whatever prints to it.
    pub(crate) fn open() -> Channel {
        let (reader, writer): (Box<dyn Read>, Box<dyn Write>) = match std::env::var("MUTIRAO_CHANNEL").as_deref() {
            Ok("fd3") => {
                let writer = OpenOptions::new().write(true).open("/proc/self/fd/4").expect("there is a channel");
                (Box::new(File::open("/proc/self/fd/3").expect("there is a channel")), Box::new(writer))
            }
            _ => (Box::new(stdin()), Box::new(stdout())),
        };
        Channel { reader, writer, decoder: FrameDecoder::new() }
    }

    /// A supervisor that has stopped listening ends this process by its own means.
    pub(crate) fn say(&mut self, message: &FromWorker) {
        let frame = encode(message).expect("small messages can be encoded");
        self.raw(&frame);
    }

    pub(crate) fn raw(&mut self, bytes: &[u8]) {
        let _ = self.writer.write_all(bytes).and_then(|()| self.writer.flush());
    }

    /// The next message, or `None` at the end of the channel.
    pub(crate) fn hear(&mut self) -> Option<ToWorker> {
        let mut buffer = vec![0; READ_BYTES];
        loop {
            if let Some(body) = self.decoder.next_frame().expect("a supervisor sends frames") {
                return Some(decode(&body).expect("a supervisor sends messages"));
            }
            match self.reader.read(&mut buffer) {
                Ok(0) | Err(_) => return None,
                Ok(count) => self.decoder.push(&buffer[..count]),
            }
        }
    }
}

/// A hello that is in order.
pub(crate) fn hello(kind: &str) -> Hello {
    Hello {
        protocol_min: PROTOCOL,
        protocol_max: PROTOCOL,
        cookie: std::env::var("MUTIRAO_COOKIE").unwrap_or_default(),
        sdk: "rogue-worker".to_owned(),
        kinds: vec![kind.to_owned()],
        concurrency: 1,
        features: features(kind).iter().map(|feature| feature.name().to_owned()).collect(),
    }
}

/// Only who will be stopped promises beats, which then do not come.
fn features(kind: &str) -> &'static [Feature] {
    match kind {
        "stopped" => &[Feature::Beat],
        "follow" => &[Feature::Enqueue],
        _ => &[],
    }
}

/// A `done` that is in order. Its result is the attempt.
pub(crate) fn done(run: &Run) -> FromWorker {
    let result = Payload::of(&run.attempt).expect("a number can be encoded");
    FromWorker::Done(Done { task: run.task, epoch: run.epoch, result, ..Done::default() })
}

/// A `fail` that is in order.
pub(crate) fn fail(run: &Run, error: &str) -> FromWorker {
    let (task, epoch, error) = (run.task, run.epoch, error.to_owned());
    FromWorker::Fail(Fail { task, epoch, error, ..Fail::default() })
}

//! The channel of a rogue: good frames when it wants, any bytes when it does not.

use std::io::{Read, Write, stdin, stdout};

use ipc_contract::frame::{FrameDecoder, decode, encode};
use ipc_contract::{Done, Fail, FromWorker, Hello, PROTOCOL, Payload, Retry, Run, ToWorker};

const READ_BYTES: usize = 64 * 1024;

pub(crate) struct Channel {
    decoder: FrameDecoder,
}

impl Channel {
    pub(crate) fn new() -> Channel {
        Channel { decoder: FrameDecoder::new() }
    }

    /// A supervisor that has stopped listening ends this process by its own means.
    pub(crate) fn say(&mut self, message: &FromWorker) {
        let frame = encode(message).expect("small messages can be encoded");
        self.raw(&frame);
    }

    pub(crate) fn raw(&mut self, bytes: &[u8]) {
        let mut stdout = stdout().lock();
        let _ = stdout.write_all(bytes).and_then(|()| stdout.flush());
    }

    /// The next message, or `None` at the end of the channel.
    pub(crate) fn hear(&mut self) -> Option<ToWorker> {
        let mut buffer = vec![0; READ_BYTES];
        loop {
            if let Some(body) = self.decoder.next_frame().expect("a supervisor sends frames") {
                return Some(decode(&body).expect("a supervisor sends messages"));
            }
            match stdin().lock().read(&mut buffer) {
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
        // Only who will be stopped promises beats, which then do not come.
        features: if kind == "stopped" { vec!["beat".to_owned()] } else { Vec::new() },
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
    FromWorker::Fail(Fail { task, epoch, error, retry: Retry::Default, exit: None })
}

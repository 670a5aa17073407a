//! Frames over stdin and stdout, one message at a time.

use std::io::{Read, Write, stdin, stdout};

use ipc_contract::{FrameDecoder, FromWorker, ToWorker, decode, encode};

const READ_BYTES: usize = 64 * 1024;

#[derive(Default)]
pub(crate) struct Channel {
    decoder: FrameDecoder,
}

impl Channel {
    pub(crate) fn say(&mut self, message: &FromWorker) {
        let frame = encode(message).expect("messages of a transcript are small");
        let mut stdout = stdout().lock();
        // A supervisor that does not listen shows by what it says next.
        let _ = stdout.write_all(&frame).and_then(|()| stdout.flush());
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

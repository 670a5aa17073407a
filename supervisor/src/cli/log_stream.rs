//! The lines of a log as they come from a supervisor, in bounded memory.

use http_body_util::BodyExt;
use hyper::body::Incoming;

use super::client::ClientError;
use crate::http::dto::LogLine;

/// One line, spelled out as JSON; the log itself keeps far shorter ones.
const LINE_BYTES_MAX: usize = 1024 * 1024;

/// Dropping it ends the stream.
pub struct LogStream {
    body: Incoming,
    bytes: Vec<u8>,
    /// Of `bytes`, what is read already.
    taken: usize,
}

impl LogStream {
    pub(super) fn new(body: Incoming) -> LogStream {
        LogStream { body, bytes: Vec::new(), taken: 0 }
    }

    /// The next line, or nothing at the end.
    ///
    /// # Errors
    /// `Broken`: there was more, or may have been.
    pub async fn next(&mut self) -> Result<Option<LogLine>, ClientError> {
        loop {
            let rest = &self.bytes[self.taken..];
            if let Some(end) = rest.iter().position(|&byte| byte == b'\n') {
                let line = &rest[..end];
                self.taken += end + 1;
                if line.is_empty() {
                    // A sign of life.
                    continue;
                }
                let line = serde_json::from_slice(line);
                return line.map(Some).map_err(|error| broken(&error));
            }
            if rest.len() > LINE_BYTES_MAX {
                return Err(ClientError::Broken(format!("a line is over {LINE_BYTES_MAX} bytes")));
            }
            self.bytes.drain(..self.taken);
            self.taken = 0;
            match self.body.frame().await {
                Some(Ok(frame)) => self.bytes.extend(frame.into_data().unwrap_or_default()),
                Some(Err(error)) => return Err(broken(&error)),
                None if self.bytes.is_empty() => return Ok(None),
                None => return Err(ClientError::Broken("it ends in the middle of a line".to_owned())),
            }
        }
    }
}

fn broken(error: &dyn std::error::Error) -> ClientError {
    ClientError::Broken(error.to_string())
}

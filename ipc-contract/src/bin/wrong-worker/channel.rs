//! The channel: taking it over, reading frames from it, writing frames to it. Most wrong bytes are made here.

use std::fs::File;
use std::io::{self, Read, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};

use ipc_contract::frame::LENGTH_BYTES;
use ipc_contract::{ContractError, ErrorKind, FrameDecoder, FromWorker, Payload, ToWorker, decode, encode};
use rustix::fd::BorrowedFd;
use rustix::io::{dup, fcntl_dupfd_cloexec};
use rustix::stdio::{dup2_stdin, dup2_stdout, stderr, stdin, stdout};
use serde_json::json;

use crate::wrong::{EXIT_FAILED, Wrong, leave};

const READ_BYTES: usize = 64 * 1024;
const PRIVATE_DESCRIPTOR_MIN: i32 = 10;
const DEPTH_BYTES: usize = 70;

/// Takes the channel that the environment names.
pub(crate) fn take(name: &str, wrong: Wrong) -> io::Result<(File, File)> {
    let hands_on = wrong.is("hands-the-channel-on");
    if name == "fd3" {
        // A second description of the same pipes, closed on exec; the first ones must not stay open for children.
        let ends = (File::open("/proc/self/fd/3")?, File::options().write(true).open("/proc/self/fd/4")?);
        if !hands_on {
            nix::unistd::close(3)?;
            nix::unistd::close(4)?;
        }
        return Ok(ends);
    }
    let copied = |fd: BorrowedFd<'_>| if hands_on { dup(fd) } else { fcntl_dupfd_cloexec(fd, PRIVATE_DESCRIPTOR_MIN) };
    let (reader, writer) = (copied(stdin())?, copied(stdout())?);
    if !wrong.is("keeps-stdin") {
        dup2_stdin(File::open("/dev/null")?)?;
    }
    if !wrong.is("keeps-stdout") {
        dup2_stdout(stderr())?;
    }
    Ok((File::from(reader), File::from(writer)))
}

/// The one place that writes frames.
pub(crate) struct Writer {
    file: Mutex<File>,
    wrong: Wrong,
}

/// Nobody else writes meanwhile.
pub(crate) struct Turn<'a> {
    file: MutexGuard<'a, File>,
    wrong: Wrong,
}

impl Turn<'_> {
    pub(crate) fn write(&mut self, bytes: &[u8]) {
        if let Err(error) = self.file.write_all(bytes)
            && !self.wrong.is("writes-for-nobody")
        {
            leave(EXIT_FAILED, &format!("nobody reads what is written: {error}"));
        }
    }
}

impl Writer {
    pub(crate) fn new(file: File, wrong: Wrong) -> Self {
        Self { file: Mutex::new(file), wrong }
    }

    pub(crate) fn hold(&self) -> Turn<'_> {
        Turn { file: self.file.lock().unwrap_or_else(PoisonError::into_inner), wrong: self.wrong }
    }

    /// The bytes of a message; none for one that does not fit into a frame.
    pub(crate) fn frame(&self, message: &FromWorker) -> Vec<u8> {
        encode(message).map(|frame| self.spoiled(message, frame)).unwrap_or_default()
    }

    fn spoiled(&self, message: &FromWorker, mut frame: Vec<u8>) -> Vec<u8> {
        let is_done = matches!(message, FromWorker::Done(_));
        let length = frame.len() - LENGTH_BYTES;
        match self.wrong.0 {
            "little-endian" => frame[..LENGTH_BYTES].reverse(),
            "length-one-more" => frame[LENGTH_BYTES - 1] = frame[LENGTH_BYTES - 1].wrapping_add(1),
            "length-counts-itself" => {
                let length = u32::try_from(length + LENGTH_BYTES).unwrap_or_default();
                frame[..LENGTH_BYTES].copy_from_slice(&length.to_be_bytes());
            }
            "trailing-byte" if is_done => {
                frame.push(0xc0);
                reframe(&mut frame);
            }
            "array-bodies" if is_done => frame = framed(b"\x81\xa4done\x92\x01\x01"),
            "bare-map" if is_done => frame = framed(b"\x82\xa4task\x01\xa5epoch\x01"),
            "two-messages" if is_done => frame = framed(b"\x82\xa4beat\x80\xa4beat\x80"),
            "unknown-message" if is_done => frame = framed(b"\x81\xa5shout\x80"),
            "empty-frame" if is_done => frame.splice(0..0, [0; LENGTH_BYTES]).for_each(drop),
            "not-utf8" if is_done => frame = framed(b"\x81\xa3log\x81\xa7message\xa2\xc3\x28"),
            "extension-type" if is_done => frame = framed(b"\x81\xa3log\x81\xa7message\xd4\x01\x00"),
            "too-deep" if is_done => {
                let deep = [b"\x81\xa4beat\x81\xa1x".as_slice(), &[0x91; DEPTH_BYTES], b"\xc0"].concat();
                frame.splice(0..0, framed(&deep)).for_each(drop);
            }
            "beat-splits-frames" if length > READ_BYTES => {
                frame.splice(length / 2..length / 2, framed(b"\x81\xa4beat\x80")).for_each(drop);
            }
            "cuts-the-last-frame" if matches!(message, FromWorker::Bye(_)) => frame.truncate(LENGTH_BYTES + length / 2),
            "print-in-frame" if is_done => frame.splice(8..8, *b"half way there\n").for_each(drop),
            "print-between-frames" if is_done => frame.splice(0..0, *b"done with it\n").for_each(drop),
            _ => {}
        }
        frame
    }
}

fn framed(payload: &[u8]) -> Vec<u8> {
    let mut frame = [&[0; LENGTH_BYTES], payload].concat();
    reframe(&mut frame);
    frame
}

fn reframe(frame: &mut [u8]) {
    let length = u32::try_from(frame.len() - LENGTH_BYTES).unwrap_or_default();
    frame[..LENGTH_BYTES].copy_from_slice(&length.to_be_bytes());
}

/// What reading came to.
pub(crate) enum Read1 {
    Message(ToWorker),
    /// The end, within a frame or between two.
    End {
        is_partial: bool,
    },
    Broken(String),
}

/// Reads frames, one after the other.
pub(crate) struct Reader {
    file: File,
    decoder: FrameDecoder,
    buffer: Vec<u8>,
    wrong: Wrong,
}

impl Reader {
    pub(crate) fn new(file: File, wrong: Wrong) -> Self {
        Self { file, decoder: FrameDecoder::new(), buffer: vec![0; READ_BYTES], wrong }
    }

    pub(crate) fn next(&mut self) -> Read1 {
        loop {
            match self.decoder.next_frame() {
                Ok(Some(payload)) => {
                    if self.wrong.is("loses-second-frame") {
                        self.decoder = FrameDecoder::new();
                    }
                    match self.read(&payload) {
                        Ok(message) => return Read1::Message(message),
                        Err(error) if self.wrong.is("skips-what-it-does-not-know") => {
                            eprintln!("skipped: {error}");
                            continue;
                        }
                        Err(error) => return Read1::Broken(error.to_string()),
                    }
                }
                Ok(None) => {}
                Err(_) if self.wrong.is("searches-for-frames") => {
                    self.decoder = FrameDecoder::new();
                    continue;
                }
                Err(error) => return Read1::Broken(error.to_string()),
            }
            let piece = match self.file.read(&mut self.buffer) {
                Ok(0) | Err(_) => return Read1::End { is_partial: self.decoder.is_partial() },
                Ok(count) => &self.buffer[..count],
            };
            if self.wrong.is("needs-whole-frames") && !is_whole(piece) {
                return Read1::Broken("a part of a frame".to_owned());
            }
            self.decoder.push(piece);
        }
    }

    fn read(&self, payload: &[u8]) -> Result<ToWorker, ContractError> {
        let error = match decode(payload) {
            Ok(message) => {
                if self.wrong.is("refuses-unknown-fields") && has_unknown_field(&message, payload) {
                    return Err(ContractError {
                        kind: ErrorKind::Malformed,
                        detail: "an unknown field".to_owned(),
                        head: Vec::new(),
                    });
                }
                return Ok(message);
            }
            Err(error) => error,
        };
        let kind = error.kind.name();
        let is_forgiven = match self.wrong.0 {
            "takes-trailing-bytes" => kind == "trailing",
            "takes-deep-values" => kind == "too_deep",
            "takes-fields-twice" => kind == "body" && error.detail.contains("duplicate"),
            _ => false,
        };
        if is_forgiven {
            // A message that changes nothing.
            return decode(b"\x81\xa4stop\x83\xa3run\x82\xa4task\x00\xa5epoch\x00\xa6reason\xa6cancel\xa8grace_ms\x00");
        }
        Err(error)
    }
}

/// True when the body has a field that the message, as it was understood, does not have.
fn has_unknown_field(message: &ToWorker, payload: &[u8]) -> bool {
    let (known, sent) = (json!(message), Payload(payload.to_vec()).preview());
    let name = message.kind().name();
    sent[name].as_object().is_some_and(|body| body.keys().any(|field| known[name].get(field).is_none()))
}

/// True when the bytes begin with a whole frame.
fn is_whole(bytes: &[u8]) -> bool {
    let mut decoder = FrameDecoder::new();
    decoder.push(bytes);
    matches!(decoder.next_frame(), Ok(Some(_)))
}

//! Vectors of frames that are no message: bad lengths, bytes that are not MessagePack, wrong names.

use ipc_contract::Direction::FromWorker;

use super::vector::{Meaning, Vector, invalid};

/// Name, what it shows, the kind of error, the payload.
const BODIES: &[(&str, &str, &str, &[u8])] = &[
    ("array", "an array in place of the map", "not_a_message", b"\x92\xa4beat\x80"),
    ("empty-map", "a map that names no message", "not_a_message", b"\x80"),
    ("extension-type", "extension types are not used", "malformed", b"\x81\xa4beat\xd4\x01\x00"),
    ("invalid-byte", "0xc1 is no MessagePack", "malformed", b"\x81\xa4beat\xc1"),
    ("name-is-number", "the key must be text", "not_a_message", b"\x81\x05\x80"),
    ("name-is-unknown", "no message has this name", "unknown_message", b"\x81\xa5shout\x80"),
    ("nil", "a value that is no map", "not_a_message", b"\xc0"),
    ("text-is-not-utf8", "str must be UTF-8", "malformed", b"\x81\xa2\xc3\x28\x80"),
    ("two-messages", "a frame carries exactly one message", "not_a_message", b"\x82\xa4beat\x80\xa5ready\x80"),
    ("unfinished-value", "the payload ends within its value", "truncated", b"\x81\xa4beat"),
];

/// Name, what it shows, the kind of error, the whole stream.
const STREAMS: &[(&str, &str, &str, &[u8])] = &[
    ("length-zero", "no message is empty", "empty", b"\x00\x00\x00\x00"),
    ("length-over-limit", "16 MiB and one byte", "too_long", b"\x01\x00\x00\x01"),
    ("stray-print", "text on the channel reads as a length that is far too long", "too_long", b"Loading model...\n"),
];

pub(super) fn vectors() -> Vec<Vector> {
    let mut vectors: Vec<_> = BODIES.iter().map(|&row| invalid("frame", FromWorker, row)).collect();
    vectors.extend(STREAMS.iter().map(|&(name, about, error, stream)| Vector {
        group: "frame",
        name: name.to_owned(),
        about: about.to_owned(),
        direction: FromWorker,
        frame: stream.to_vec(),
        meaning: Meaning::Error(error),
    }));
    vectors
}

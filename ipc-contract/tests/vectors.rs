//! The golden vectors on disk, read as a decoder in another language would, and the promises that they carry.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};

use ipc_contract::frame::LENGTH_BYTES;
use ipc_contract::{ContractError, FrameDecoder, FromWorker, Kind, ToWorker, decode, encode};
use serde_json::Value;

struct Vector {
    name: String,
    group: String,
    frame: Vec<u8>,
    meaning: Value,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn sorted(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

fn vectors() -> Vec<Vector> {
    let mut vectors = Vec::new();
    for group in sorted(&root().join("spec/v1/vectors")) {
        for path in sorted(&group).into_iter().filter(|path| path.extension().is_some_and(|it| it == "json")) {
            let hex: String = fs::read_to_string(path.with_extension("hex")).unwrap().split_whitespace().collect();
            let frame = (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect();
            let group = group.file_name().unwrap().to_str().unwrap().to_owned();
            let name = format!("{group}/{}", path.file_stem().unwrap().to_str().unwrap());
            let meaning = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
            vectors.push(Vector { name, group, frame, meaning });
        }
    }
    vectors
}

/// The message as JSON, and the frame that this crate writes for it.
fn read(direction: &Value, frame: &[u8]) -> Result<(Value, Vec<u8>), ContractError> {
    let mut decoder = FrameDecoder::new();
    decoder.push(frame);
    let body = decoder.next_frame()?.unwrap();
    assert!(!decoder.is_partial());
    Ok(match direction.as_str().unwrap() {
        "from_worker" => {
            let message: FromWorker = decode(&body)?;
            (serde_json::to_value(&message).unwrap(), encode(&message)?)
        }
        _ => {
            let message: ToWorker = decode(&body)?;
            (serde_json::to_value(&message).unwrap(), encode(&message)?)
        }
    })
}

fn is_valid(vector: &Vector) -> bool {
    vector.meaning.get("message").is_some()
}

#[test]
fn valid_vectors_mean_what_they_say() {
    for vector in vectors().iter().filter(|vector| is_valid(vector)) {
        let (message, again) = read(&vector.meaning["direction"], &vector.frame).unwrap();
        assert_eq!(message, vector.meaning["message"], "{}", vector.name);
        assert_eq!(again == vector.frame, vector.meaning["canonical"].as_bool().unwrap(), "{}", vector.name);
        let rewritten = read(&vector.meaning["direction"], &again).unwrap().0;
        assert_eq!(rewritten, message, "{}", vector.name);
    }
}

#[test]
fn invalid_vectors_are_refused_for_their_reason() {
    let seen = |vector: &Vector| match read(&vector.meaning["direction"], &vector.frame) {
        Ok((message, _)) => format!("taken as {message}"),
        Err(error) => error.kind.name().to_owned(),
    };
    let vectors = vectors();
    let wrong = vectors.iter().filter(|vector| !is_valid(vector) && seen(vector) != vector.meaning["error"]);
    let wrong: Vec<_> = wrong.map(|vector| format!("{}: {}", vector.name, seen(vector))).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// They are no message at all, so that it does not matter who sends them.
#[test]
fn what_is_no_message_is_refused_in_both_directions() {
    for vector in vectors().iter().filter(|vector| vector.group == "frame") {
        for direction in ["from_worker", "to_worker"] {
            let error = read(&direction.into(), &vector.frame).unwrap_err();
            assert_eq!(error.kind.name(), vector.meaning["error"], "{} {direction}", vector.name);
        }
    }
}

/// What every message must have a vector for; those of single fields are demanded below.
const CLASSES: &[(&str, Option<&str>)] = &[
    ("unknown-field", None),
    ("body-is-array", Some("body")),
    ("body-is-nil", Some("body")),
    ("too-deep", Some("too_deep")),
    ("announced-too-much", Some("truncated")),
    ("trailing-bytes", Some("trailing")),
    ("wrong-direction", Some("wrong_direction")),
];

#[test]
fn every_kind_has_vectors_of_every_class() {
    let vectors = vectors();
    for kind in Kind::ALL {
        let of_kind = || vectors.iter().filter(|vector| vector.group == kind.name());
        assert!(of_kind().any(|vector| vector.meaning["canonical"] == true), "valid {}", kind.name());
        for (class, error) in CLASSES {
            let name = format!("{}/{class}", kind.name());
            let vector = vectors.iter().find(|vector| vector.name == name).unwrap_or_else(|| panic!("no {name}"));
            assert_eq!(vector.meaning.get("error").and_then(Value::as_str), *error, "{name}");
            let is_own_direction = vector.meaning["direction"] == kind.direction().name();
            assert_eq!(is_own_direction, *class != "wrong-direction", "{name}");
        }
    }
    assert!(vectors.iter().all(|vector| vector.group == "frame" || Kind::from_name(&vector.group).is_some()));
}

/// The rows of the tables in the section of a message: names of fields, and whether there is a default.
fn fields(section: &str) -> impl Iterator<Item = (&str, bool)> {
    section.lines().filter_map(|line| {
        let cells: Vec<_> = line.split('|').map(str::trim).collect();
        let [_, name, _, default, _, _] = cells.as_slice() else { return None };
        Some((name.strip_prefix('`')?.strip_suffix('`')?, *default == "needed"))
    })
}

/// The page says which fields there are: each has a vector of a wrong type, and each needed one a vector without it.
#[test]
fn every_field_of_the_specification_has_its_vectors() {
    let (vectors, mut count) = (vectors(), 0);
    for kind in Kind::ALL {
        let names: Vec<_> = vectors
            .iter()
            .filter(|vector| vector.group == kind.name() && vector.meaning["error"] == "body")
            .map(|vector| vector.name.rsplit('/').next().unwrap())
            .collect();
        for (field, is_needed) in fields(&section_of(kind.name())) {
            let field = field.replace('_', "-");
            let is_wrong = |name: &&str| name.contains(&format!("{field}-is-"));
            assert!(names.iter().any(is_wrong), "no wrong {field} of {}", kind.name());
            let is_missing = |name: &&str| name.starts_with("missing-") && name.ends_with(&format!("-{field}"));
            assert_eq!(names.iter().any(is_missing), is_needed, "missing {field} of {}", kind.name());
            count += 1;
        }
    }
    assert!(count > Kind::ALL.len(), "the tables were not found");
}

fn section_of(kind: &str) -> String {
    let spec = fs::read_to_string(root().join("SPEC.md")).unwrap();
    spec.split(&format!("### `{kind}`")).nth(1).unwrap().split("\n##").next().unwrap().to_owned()
}

#[test]
fn a_part_of_a_frame_is_incomplete_and_never_an_error() {
    for vector in vectors().iter().filter(|vector| is_valid(vector)) {
        for len in 0..vector.frame.len() {
            let mut decoder = FrameDecoder::new();
            decoder.push(&vector.frame[..len]);
            assert_eq!(decoder.next_frame(), Ok(None), "{} to {len}", vector.name);
            assert_eq!(decoder.is_partial(), len > 0);
        }
    }
}

#[test]
fn a_part_of_a_payload_is_refused() {
    for vector in vectors().iter().filter(|vector| is_valid(vector)) {
        let body = &vector.frame[LENGTH_BYTES..];
        for len in 1..body.len() {
            let part = &body[..len];
            let kinds = [decode::<FromWorker>(part).unwrap_err().kind, decode::<ToWorker>(part).unwrap_err().kind];
            assert!(kinds.iter().all(|kind| kind.name() == "truncated"), "{} to {len}: {kinds:?}", vector.name);
        }
    }
}

#[test]
fn body_errors_name_message_and_field() {
    let table: &[(&[u8], &str)] = &[
        (b"\x81\xa4done\x82\xa4task\xa1x\xa5epoch\x02", "done.task: invalid type: string \"x\", expected u64"),
        (b"\x81\xa4done\x81\xa4task\x07", "done: missing field `epoch`"),
        (b"\x81\xa3log\x82\xa3run\x82\xa4task\xc3\xa5epoch\x01\xa7message\xa1a", "log.run.task: invalid type: boolean"),
        (
            b"\x81\xa4fail\x83\xa4task\x07\xa5epoch\x02\xa4exit\x81\xa4code\xa1x",
            "fail.exit.code: invalid type: string \"x\", expected i32",
        ),
        (b"\x81\xa4beat\xc0", "the body of beat must be a map"),
    ];
    for (body, text) in table {
        let error = decode::<FromWorker>(body).unwrap_err();
        assert!(error.detail.starts_with(text), "{error}");
    }
}

/// Each field of each message is explained in the section of its message.
#[test]
fn the_specification_names_every_field() {
    for vector in vectors().iter().filter(|vector| is_valid(vector)) {
        let section = section_of(&vector.group);
        for field in vector.meaning["message"][&vector.group].as_object().unwrap().keys() {
            assert!(section.contains(&format!("| `{field}` |")), "{}: {field}", vector.group);
        }
    }
}

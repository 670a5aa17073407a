//! Lines and the slices that they make.

use super::*;
use crate::cli::exit::Exit;
use crate::http::ApiError;

fn error() -> CliError {
    ApiError::bad_request("limit", "max_attempts is 0", "choose one of these").of_list(1).into()
}

#[test]
fn a_slice_is_full_by_count_or_by_bytes() {
    let mut slice = Slice::default();
    for number in 1..=BULK_TASKS_MAX {
        assert!(slice.has_room_for(b"{}"), "{number}");
        slice.add(number, b"{}");
    }
    assert!(!slice.has_room_for(b"{}"));
    let mut slice = Slice::default();
    let most = vec![b' '; LINES_BYTES_MAX];
    assert!(slice.has_room_for(&most));
    slice.add(1, &most[..LINES_BYTES_MAX - 3]);
    assert!(slice.has_room_for(b"{}"));
    slice.add(2, b"{}");
    assert!(!slice.has_room_for(b""));
    assert_eq!(slice.body().len(), BODY_BYTES_MAX);
}

#[test]
fn a_slice_is_one_list() {
    let mut slice = Slice::default();
    slice.add(1, br#"{"kind":"a"}"#);
    slice.add(3, br#"{"kind":"b"}"#);
    assert_eq!(slice.body(), br#"{"tasks":[{"kind":"a"},{"kind":"b"}]}"#);
}

#[test]
fn a_refusal_names_its_line_and_what_is_in() {
    let mut first = Slice::default();
    first.add(1, b"{}");
    first.add(4, b"{}");
    let told = first.refused(error(), Some(4));
    assert_eq!(told.body.message, "line 4: max_attempts is 0");
    assert_eq!(told.body.hint, "choose one of these; nothing was added");
    assert_eq!((told.exit, told.body.index), (Exit::Refused, None));
    let mut later = Slice::default();
    later.add(1_001, b"{}");
    later.add(1_002, b"{}");
    let told = later.refused(CliError::usage("no JSON", ""), Some(1_007));
    assert_eq!(told.body.message, "line 1007: no JSON");
    assert_eq!(told.body.hint, "all before line 1001 is in, and nothing from there on");
    assert_eq!(
        Slice::default().refused(error(), Some(2_001)).body.hint.split("; ").nth(1),
        Some("all before line 2001 is in, and nothing from there on")
    );
    let unknown = later.unknown(CliError::usage("broken", "ask again"));
    assert_eq!((unknown.body.message.as_str(), unknown.body.hint.contains("lines 1001 to 1002")), ("broken", true));
}

#[test]
fn lines_are_read_within_their_limit() {
    let mut source: &[u8] = b"one\n\ntwo";
    let mut read = || next_line(&mut source, "-").unwrap();
    assert_eq!(read().unwrap(), b"one\n");
    assert_eq!(read().unwrap(), b"\n");
    assert_eq!(read().unwrap(), b"two");
    assert_eq!(read(), None);
    let long = vec![b'x'; LINES_BYTES_MAX + 1];
    assert_eq!(next_line(&mut &long[..], "-").unwrap_err().exit, Exit::Usage);
}

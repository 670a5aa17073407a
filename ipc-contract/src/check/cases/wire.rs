//! MessagePack written by hand, for forms that no encoder chooses. Pure.

use crate::frame::LENGTH_BYTES;

/// A payload with its length before it.
pub(super) fn frame(payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap_or(u32::MAX);
    [&length.to_be_bytes(), payload].concat()
}

/// `{name: {fields...}}` as a frame. Names are short; values are already written. At most 15 fields.
pub(super) fn message(name: &str, fields: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut payload = vec![0x81];
    payload.extend(text(name));
    payload.push(0x80 | fields.len() as u8);
    for (name, value) in fields {
        payload.extend(text(name));
        payload.extend(value);
    }
    frame(&payload)
}

/// Text of at most 255 bytes.
pub(super) fn text(text: &str) -> Vec<u8> {
    [&[0xd9, text.len() as u8], text.as_bytes()].concat()
}

/// A `bin` of any length, in its longest form.
pub(super) fn bin(content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len()).unwrap_or(u32::MAX);
    [&[0xc6], &length.to_be_bytes()[..], content].concat()
}

/// A number of at most 127 in every integer form of MessagePack.
pub(super) fn forms_of(number: u8) -> Vec<Vec<u8>> {
    let wide = |marker: u8, width: usize| {
        let mut form = vec![0; 1 + width];
        form[0] = marker;
        form[width] = number;
        form
    };
    let forms = [(0xcc, 1), (0xcd, 2), (0xce, 4), (0xcf, 8), (0xd0, 1), (0xd1, 2), (0xd2, 4), (0xd3, 8)];
    std::iter::once(vec![number]).chain(forms.map(|(marker, width)| wide(marker, width))).collect()
}

/// The fields that a run needs, for a task of at most 127.
pub(super) fn run_fields(task: u8, kind: &str) -> Vec<(&'static str, Vec<u8>)> {
    vec![("task", vec![task]), ("epoch", vec![1]), ("kind", text(kind))]
}

/// A `noop` run whose unknown field makes the payload of the frame exactly so long.
pub(super) fn padded_run(task: u8, payload_bytes: usize) -> Vec<u8> {
    let with = |padding: usize| {
        let mut fields = run_fields(task, "noop");
        fields.push(("padding", bin(&vec![b'.'; padding])));
        message("run", &fields)
    };
    let bare_bytes = with(0).len() - LENGTH_BYTES;
    with(payload_bytes - bare_bytes)
}

/// A `stop` of a run that is not there, whose unknown field makes it large.
pub(super) fn padded_stop(padding_bytes: usize) -> Vec<u8> {
    let mut run = vec![0x82];
    run.extend([text("task"), vec![0x7f], text("epoch"), vec![0x7f]].concat());
    let fields = [
        ("run", run),
        ("reason", text("cancel")),
        ("grace_ms", vec![0x64]),
        ("padding", bin(&vec![b'.'; padding_bytes])),
    ];
    message("stop", &fields)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::{MAX_FRAME_BYTES, decode};
    use crate::message::{Run, ToWorker};

    #[test]
    fn all_forms_mean_the_same() {
        let forms = forms_of(7);
        assert_eq!(forms.len(), 9);
        for form in forms {
            let fields = [("task", form.clone()), ("epoch", form), ("kind", text("echo"))];
            let ToWorker::Run(run) = decode(&message("run", &fields)[LENGTH_BYTES..]).unwrap() else { panic!() };
            assert_eq!((run.task, run.epoch), (7, 7));
        }
    }

    #[test]
    fn padding_fills_a_frame() {
        let frame = padded_run(7, MAX_FRAME_BYTES);
        assert_eq!(frame.len(), LENGTH_BYTES + MAX_FRAME_BYTES);
        let run = Run { task: 7, epoch: 1, kind: "noop".to_owned(), attempt: 1, ..Run::default() };
        assert_eq!(decode::<ToWorker>(&frame[LENGTH_BYTES..]), Ok(ToWorker::Run(run)));
        assert!(matches!(decode(&padded_stop(100)[LENGTH_BYTES..]), Ok(ToWorker::Stop(stop)) if stop.run.is_some()));
    }
}

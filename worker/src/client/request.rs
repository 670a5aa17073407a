//! The door's requests: what is sent for each wish. Pure.

use std::ops::Range;
use std::time::Duration;

use ipc_contract::{PrioritySpec, TaskSpec};
use serde_json::{Value, json};

use super::error::ClientError;
use super::types::{Filter, Pause};

/// Tasks of one request, at most: the supervisor's limit.
const SLICE_MAX_TASKS: usize = 1_000;
/// Bytes of one request, at most, unless a single task is larger. The supervisor's own limit is twice this.
const SLICE_MAX_BYTES: usize = 4 * 1024 * 1024;
/// Tasks asked for at once by a list: the supervisor's limit.
const PAGE_TASKS: usize = 500;

/// How long each part of an answer may take, beyond the wait that was asked for.
const ANSWER_WAIT: Duration = Duration::from_secs(30);
/// The same while a log is followed: the supervisor sends an empty line every 10 s when it has no other.
const FOLLOW_SILENCE: Duration = Duration::from_secs(60);

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Request {
    pub(super) is_post: bool,
    pub(super) path: String,
    /// JSON.
    pub(super) body: Option<Vec<u8>>,
    /// Asking twice does no more than asking once.
    pub(super) is_safe: bool,
    /// How long the supervisor may put off its answer until the task has ended.
    pub(super) wait: Duration,
    /// How long each part of the answer may take, beyond that.
    pub(super) silence: Duration,
    /// The answer may last for hours.
    pub(super) follows: bool,
}

impl Request {
    fn get(path: String) -> Self {
        Self {
            is_post: false,
            path,
            body: None,
            is_safe: true,
            wait: Duration::ZERO,
            silence: ANSWER_WAIT,
            follows: false,
        }
    }

    fn post(path: String, body: Option<Vec<u8>>) -> Self {
        Self { is_post: true, body, ..Self::get(path) }
    }

    /// The path with its wait.
    pub(super) fn target(&self) -> String {
        match self.wait.as_millis() {
            0 => self.path.clone(),
            wait_ms => format!("{}?wait={wait_ms}ms", self.path),
        }
    }
}

/// The body of an enqueue. Errors: args that JSON does not have, such as bytes.
pub(super) fn spec_json(spec: &TaskSpec, name: &str) -> Result<Vec<u8>, ClientError> {
    let refused = |error: &dyn std::fmt::Display| {
        ClientError::refused("invalid_args", format!("the args cannot travel as JSON: {error}"), "send text or numbers")
    };
    // Of bytes the JSON of a payload shows only how many there are.
    spec.args.read::<Value>().map_err(|error| refused(&error))?;
    let named = TaskSpec { name: Some(name.to_owned()), ..spec.clone() };
    serde_json::to_vec(&named).map_err(|error| refused(&error))
}

pub(super) fn enqueue(spec: Vec<u8>) -> Request {
    Request::post("/v1/tasks".to_owned(), Some(spec))
}

pub(super) fn bulk(specs: &[Vec<u8>]) -> Request {
    let body = [b"{\"tasks\":[".as_slice(), &specs.join(&b','), b"]}"].concat();
    Request::post("/v1/tasks/bulk".to_owned(), Some(body))
}

/// Cuts a bulk so that each slice is within the limits; a task over the limit of bytes goes alone.
pub(super) fn slices(sizes_bytes: impl IntoIterator<Item = usize>) -> Vec<Range<usize>> {
    let mut cut: Vec<Range<usize>> = Vec::new();
    let mut total_bytes = 0;
    for (index, size_bytes) in sizes_bytes.into_iter().enumerate() {
        match cut.last_mut() {
            Some(slice) if slice.len() < SLICE_MAX_TASKS && total_bytes + size_bytes <= SLICE_MAX_BYTES => {
                slice.end = index + 1;
                total_bytes += size_bytes;
            }
            _ => {
                cut.push(index..index + 1);
                total_bytes = size_bytes;
            }
        }
    }
    cut
}

pub(super) fn task(id: u64, wait: Duration) -> Request {
    Request { wait, ..Request::get(format!("/v1/tasks/{id}")) }
}

pub(super) fn page(filter: &Filter, cursor: Option<&str>) -> Request {
    let Filter { state, kind, queue } = filter;
    let given =
        [("state", state.as_deref()), ("kind", kind.as_deref()), ("queue", queue.as_deref()), ("cursor", cursor)];
    let path = given.into_iter().fold(format!("/v1/tasks?limit={PAGE_TASKS}"), |path, (name, value)| match value {
        Some(value) => format!("{path}&{name}={}", encoded(value)),
        None => path,
    });
    Request::get(path)
}

pub(super) fn cancel(id: u64) -> Request {
    Request::post(format!("/v1/tasks/{id}/cancel"), None)
}

/// Asked twice it could start a task again that has failed anew in between.
pub(super) fn retry(id: u64) -> Request {
    Request { is_safe: false, ..Request::post(format!("/v1/tasks/{id}/retry"), None) }
}

pub(super) fn reprioritise(id: u64, priority: &PrioritySpec) -> Request {
    Request::post(format!("/v1/tasks/{id}/priority"), Some(json!({ "priority": priority }).to_string().into_bytes()))
}

pub(super) fn pause(queue: &str, pause: &Pause) -> Request {
    let Pause { key, time, reason } = pause;
    let for_ms = time.map(|time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX));
    let body = json!({ "key": key, "for_ms": for_ms, "reason": reason });
    Request::post(format!("/v1/queues/{}/pause", encoded(queue)), Some(body.to_string().into_bytes()))
}

pub(super) fn resume(queue: &str, key: Option<&str>) -> Request {
    let body = json!({ "key": key }).to_string().into_bytes();
    Request::post(format!("/v1/queues/{}/resume", encoded(queue)), Some(body))
}

pub(super) fn explain(id: u64) -> Request {
    Request::get(format!("/v1/tasks/{id}/explain"))
}

pub(super) fn explain_queue(queue: &str) -> Request {
    Request::get(format!("/v1/queues/{}/explain", encoded(queue)))
}

pub(super) fn logs(id: u64, attempt: Option<u32>, follows: bool) -> Request {
    let attempt = attempt.map(|attempt| format!("&attempt={attempt}")).unwrap_or_default();
    let path = format!("/v1/tasks/{id}/logs?follow={follows}{attempt}");
    Request { follows, silence: if follows { FOLLOW_SILENCE } else { ANSWER_WAIT }, ..Request::get(path) }
}

/// A value as it may stand behind a `?`.
fn encoded(value: &str) -> String {
    let byte = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    value.bytes().map(byte).collect()
}

#[cfg(test)]
mod tests {
    use ipc_contract::Payload;

    use super::*;

    #[test]
    fn each_wish_has_its_path() {
        let filter = Filter { kind: Some("a b&c".into()), ..Filter::default() };
        let table = [
            (task(7, Duration::ZERO), "/v1/tasks/7", true),
            (task(7, Duration::from_millis(1_500)), "/v1/tasks/7?wait=1500ms", true),
            (page(&filter, Some("x=1")), "/v1/tasks?limit=500&kind=a%20b%26c&cursor=x%3D1", true),
            (cancel(7), "/v1/tasks/7/cancel", true),
            (retry(7), "/v1/tasks/7/retry", false),
            (logs(7, Some(2), true), "/v1/tasks/7/logs?follow=true&attempt=2", true),
        ];
        for (request, target, is_safe) in table {
            assert_eq!((request.target().as_str(), request.is_safe), (target, is_safe));
        }
    }

    #[test]
    fn a_task_is_spelled_with_its_name_and_bytes_are_refused() {
        let spec = TaskSpec { kind: "k".into(), args: Payload::of(&[1]).unwrap(), ..TaskSpec::default() };
        let body = spec_json(&spec, "n").unwrap();
        assert_eq!(serde_json::from_slice::<TaskSpec>(&body).unwrap(), TaskSpec { name: Some("n".into()), ..spec });
        let one: Value = serde_json::from_slice(&body).unwrap();
        let all: Value = serde_json::from_slice(&bulk(&[body.clone(), body]).body.unwrap()).unwrap();
        assert_eq!(all, serde_json::json!({"tasks": [one, one]}));
        let bytes = Payload::of(serde_bytes::Bytes::new(b"raw")).unwrap();
        let error = spec_json(&TaskSpec { kind: "k".into(), args: bytes, ..TaskSpec::default() }, "n").unwrap_err();
        assert_eq!(&*error.code, "invalid_args");
    }

    #[test]
    fn a_bulk_is_cut_by_count_and_by_bytes() {
        const MIB: usize = 1 << 20;
        let table: [(Vec<usize>, &[usize]); 5] = [
            (vec![], &[]),
            (vec![1; 1_000], &[1_000]),
            (vec![1; 1_001], &[1_000, 1]),
            (vec![2 * MIB, 2 * MIB, 1], &[2, 1]),
            (vec![1, 9 * MIB, 1], &[1, 1, 1]),
        ];
        for (sizes_bytes, expected) in table {
            let count = sizes_bytes.len();
            let cut = slices(sizes_bytes);
            assert_eq!(cut.iter().map(Range::len).collect::<Vec<_>>(), expected);
            assert!(cut.into_iter().flatten().eq(0..count), "each is in one slice, in order");
        }
    }
}

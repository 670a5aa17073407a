//! What is read from a request, each part within a named limit. A part that does not fit is a refusal, never a panic.

use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::http::{HeaderMap, StatusCode, header};
use http_body_util::LengthLimitError;
use ipc_contract::name::nearest;
use queue_core::state::TaskState;
use queue_core::store::LIST_MAX;
use queue_core::task::TaskId;
use serde::Deserialize;
use tokio::time::timeout;

use super::error::ApiError;

/// A body, at most.
const BODY_BYTES_MAX: usize = 8 * 1024 * 1024;
/// How long a body may take to arrive.
const BODY_READ_MS: u64 = 30_000;
/// How long an answer may be put off to wait for the end of a task.
pub const WAIT_MS_MAX: u64 = 60_000;
/// Tasks on a page when nobody says.
pub(super) const LIST_DEFAULT: i64 = 50;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TaskQuery {
    /// A duration such as `30s`.
    wait: Option<String>,
}

impl TaskQuery {
    pub(super) fn wait(&self) -> Result<Duration, ApiError> {
        let Some(text) = &self.wait else { return Ok(Duration::ZERO) };
        let refused = |message| ApiError::bad_request("invalid_query", message, "write wait=30s, at most 60s");
        let wait = humantime::parse_duration(text).map_err(|error| refused(format!("wait {text:?}: {error}")))?;
        if wait > Duration::from_millis(WAIT_MS_MAX) {
            return Err(refused(format!("wait {text:?} is over {WAIT_MS_MAX} ms")));
        }
        Ok(wait)
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ListQuery {
    state: Option<String>,
    limit: Option<i64>,
}

impl ListQuery {
    pub(super) fn state(&self) -> Result<Option<TaskState>, ApiError> {
        self.state.as_deref().map(state_named).transpose()
    }

    pub(super) fn limit(&self) -> Result<i64, ApiError> {
        let limit = self.limit.unwrap_or(LIST_DEFAULT);
        if (1..=LIST_MAX).contains(&limit) {
            return Ok(limit);
        }
        let hint = format!("choose 1 to {LIST_MAX} (by default {LIST_DEFAULT})");
        Err(ApiError::bad_request("invalid_query", format!("limit is {limit}"), hint))
    }
}

/// The state of this name.
pub fn state_named(text: &str) -> Result<TaskState, ApiError> {
    let known = TaskState::ALL.map(TaskState::name);
    TaskState::ALL.into_iter().find(|state| state.name() == text).ok_or_else(|| {
        let hint = match nearest(text, known) {
            Some(near) => format!("did you mean {near}?"),
            None => format!("states are {}", known.join(", ")),
        };
        ApiError::bad_request("invalid_query", format!("there is no state {text:?}"), hint)
    })
}

/// The id in a path.
pub(super) fn task_id(text: &str) -> Result<TaskId, ApiError> {
    match text.parse() {
        Ok(id) if id > 0 => Ok(TaskId(id)),
        _ => {
            Err(ApiError::bad_request("invalid_id", format!("{text:?} is no task"), "a task is a whole number above 0"))
        }
    }
}

/// Reads a JSON body whole.
pub(super) async fn json_body(headers: &HeaderMap, body: Body) -> Result<Bytes, ApiError> {
    if !is_json(headers) {
        let (message, hint) = ("the body is not said to be JSON", "send the header content-type: application/json");
        return Err(ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "not_json", message, hint));
    }
    match timeout(Duration::from_millis(BODY_READ_MS), to_bytes(body, BODY_BYTES_MAX)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(error)) if is_too_long(&error) => {
            let (message, hint) =
                (format!("the body is over {BODY_BYTES_MAX} bytes"), "send less, or a reference such as a path");
            Err(ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", message, hint))
        }
        Ok(Err(error)) => Err(ApiError::bad_request("broken_body", error.to_string(), "send it again")),
        Err(_) => {
            let message = format!("the body did not arrive within {BODY_READ_MS} ms");
            Err(ApiError::new(StatusCode::REQUEST_TIMEOUT, "slow_body", message, "send it at once"))
        }
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let said = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = said.split(';').next().unwrap_or_default();
    essence.trim().eq_ignore_ascii_case("application/json")
}

fn is_too_long(error: &axum::Error) -> bool {
    std::error::Error::source(error).is_some_and(|source| source.is::<LengthLimitError>())
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn queries_are_read_or_refused() {
        let wait = |text: &str| TaskQuery { wait: Some(text.to_owned()) }.wait().ok();
        assert_eq!(TaskQuery::default().wait().unwrap(), Duration::ZERO);
        for (text, seconds) in
            [("30s", Some(30)), ("1m", Some(60)), ("61s", None), ("30", None), ("-1s", None), ("", None)]
        {
            assert_eq!(wait(text), seconds.map(Duration::from_secs), "{text}");
        }
        for (limit, read) in [(None, Some(50)), (Some(500), Some(500)), (Some(0), None), (Some(501), None)] {
            assert_eq!(ListQuery { state: None, limit }.limit().ok(), read, "{limit:?}");
        }
        for state in TaskState::ALL {
            assert_eq!(state_named(state.name()), Ok(state));
        }
        assert_eq!(state_named("complete").unwrap_err().body.hint, "did you mean completed?");
    }

    #[test]
    fn ids_are_whole_and_positive() {
        assert_eq!(task_id("7"), Ok(TaskId(7)));
        for text in ["0", "-1", "x", "", "7.0", "99999999999999999999"] {
            assert_eq!(task_id(text).unwrap_err().status, StatusCode::BAD_REQUEST, "{text}");
        }
    }

    #[tokio::test]
    async fn a_body_is_json_and_has_a_limit() {
        let json = |text| HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static(text))]);
        let read = |headers: HeaderMap, size_bytes| async move {
            json_body(&headers, Body::from(vec![b' '; size_bytes])).await.map_err(|error| error.status.as_u16())
        };
        assert_eq!(
            read(json("application/json; charset=utf-8"), BODY_BYTES_MAX).await.map(|body| body.len()),
            Ok(BODY_BYTES_MAX)
        );
        assert_eq!(read(json("Application/JSON"), BODY_BYTES_MAX + 1).await, Err(413));
        assert_eq!(read(json("text/plain"), 2).await, Err(415));
        assert_eq!(read(HeaderMap::new(), 0).await, Err(415));
    }
}

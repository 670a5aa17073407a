//! The id and the body of a request, each within a named limit. What does not fit is a refusal, never a panic.

use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::http::{HeaderMap, StatusCode, header};
use http_body_util::LengthLimitError;
use queue_core::task::TaskId;
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use super::error::ApiError;

/// A body, at most.
pub const BODY_BYTES_MAX: usize = 8 * 1024 * 1024;
/// How long a body may take to arrive.
const BODY_READ_MS: u64 = 30_000;

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

/// Reads a JSON body of a few known fields. An unknown one is refused: it is a slip of a person.
pub(super) async fn json_object<T: DeserializeOwned>(headers: &HeaderMap, body: Body) -> Result<T, ApiError> {
    serde_json::from_slice(&json_body(headers, body).await?).map_err(|error| {
        let message = format!("the body cannot be read: {error}");
        ApiError::bad_request("invalid_body", message, "send one JSON object with these fields only")
    })
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

//! What the door refuses, and how: a status, and `{code, message, hint}`. Every error of the inside becomes one of these.

use std::fmt;

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use ipc_contract::ContractError;
use queue_core::store::{StoreError, StoreErrorKind};
use queue_core::task::TaskId;
use serde::{Deserialize, Serialize};

use super::reading::NoSuchRun;
use crate::config::Refusal;
use crate::shell::unavailable::Unavailable;

/// After how long a caller may try again what could not be taken now.
const RETRY_AFTER_S: u64 = 1;

/// A refusal as it leaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiError {
    pub status: StatusCode,
    pub body: ErrorBody,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorBody {
    /// For programs.
    pub code: String,
    pub message: String,
    /// The way out.
    pub hint: String,
    /// The task that is in the way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<i64>,
    /// The place in a list of what is refused, from 0; the message counts from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index: Option<usize>,
}

impl ErrorBody {
    pub fn new(code: &str, message: impl Into<String>, hint: impl Into<String>) -> ErrorBody {
        ErrorBody { code: code.to_owned(), message: message.into(), hint: hint.into(), id: None, index: None }
    }
}

impl ApiError {
    pub fn new(status: StatusCode, code: &str, message: impl Into<String>, hint: impl Into<String>) -> ApiError {
        ApiError { status, body: ErrorBody::new(code, message, hint) }
    }

    pub fn bad_request(code: &str, message: impl Into<String>, hint: impl Into<String>) -> ApiError {
        ApiError::new(StatusCode::BAD_REQUEST, code, message, hint)
    }

    pub fn no_such_task(id: TaskId) -> ApiError {
        let hint = "list the tasks to find its id; finished ones are kept for a time only";
        ApiError::new(StatusCode::NOT_FOUND, "no_such_task", format!("there is no task {id}"), hint)
    }

    pub fn no_such_attempt(id: TaskId, why: NoSuchRun) -> ApiError {
        let message = format!("task {id} has no attempt {}", why.run);
        ApiError::new(StatusCode::NOT_FOUND, "no_such_attempt", message, why.to_string())
    }

    /// The same, said of one task of a list; `index` is from 0.
    pub fn of_list(mut self, index: usize) -> ApiError {
        self.body.message = format!("task {} of the list: {}", index + 1, self.body.message);
        self.body.index = Some(index);
        self
    }

    /// What frees itself, or is freed by somebody, without a change of the request.
    fn may_be_tried_again(&self) -> bool {
        matches!(
            self.status,
            StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS | StatusCode::INSUFFICIENT_STORAGE
        )
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}", self.body.message, self.body.hint)
    }
}

impl std::error::Error for ApiError {}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let retry = self.may_be_tried_again();
        let mut response = (self.status, Json(self.body)).into_response();
        if retry {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(RETRY_AFTER_S));
        }
        response
    }
}

impl From<ContractError> for ApiError {
    fn from(error: ContractError) -> ApiError {
        let Refusal { code, message, hint } = Refusal::from(error);
        ApiError::bad_request(code, message, hint)
    }
}

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> ApiError {
        let Refusal { code, message, hint } = refusal;
        ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, code, message, hint)
    }
}

impl From<Unavailable> for ApiError {
    fn from(why: Unavailable) -> ApiError {
        let (status, code, message, hint) = match why {
            Unavailable::Stopping => {
                let text = "the supervisor is stopping".to_owned();
                (StatusCode::SERVICE_UNAVAILABLE, "stopping", text, "try again once it is up")
            }
            Unavailable::Overloaded => {
                let text = "too much is waiting to be written".to_owned();
                (StatusCode::TOO_MANY_REQUESTS, "overloaded", text, "try again in a second, with fewer at once")
            }
            Unavailable::Full(text) => {
                (StatusCode::INSUFFICIENT_STORAGE, "disk_full", text, "free some space; nothing accepted is lost")
            }
            Unavailable::Failed(text) => (
                StatusCode::INTERNAL_SERVER_ERROR,
                "failed",
                text,
                "see the supervisor's log, and run `supervisor doctor`",
            ),
        };
        ApiError::new(status, code, message, hint)
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> ApiError {
        let (status, code) = match error.kind {
            StoreErrorKind::Busy => (StatusCode::SERVICE_UNAVAILABLE, "busy"),
            StoreErrorKind::Full => (StatusCode::INSUFFICIENT_STORAGE, "disk_full"),
            _ => (StatusCode::INTERNAL_SERVER_ERROR, "database"),
        };
        ApiError::new(status, code, error.detail.as_str(), error.hint())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_refusal_has_its_status_and_says_when_to_try_again() {
        let refusal = Refusal { code: "unknown_kind", message: "m".to_owned(), hint: "h".to_owned() };
        let store = |kind| ApiError::from(StoreError { kind, detail: "d".to_owned() });
        let table = [
            (ApiError::from(Unavailable::Stopping), 503, "stopping", true),
            (ApiError::from(Unavailable::Overloaded), 429, "overloaded", true),
            (ApiError::from(Unavailable::Full("f".to_owned())), 507, "disk_full", true),
            (ApiError::from(Unavailable::Failed("f".to_owned())), 500, "failed", false),
            (store(StoreErrorKind::Busy), 503, "busy", true),
            (store(StoreErrorKind::Full), 507, "disk_full", true),
            (store(StoreErrorKind::Corrupt), 500, "database", false),
            (ApiError::from(refusal), 422, "unknown_kind", false),
            (ApiError::no_such_task(TaskId(7)), 404, "no_such_task", false),
        ];
        for (error, status, code, retry) in table {
            assert_eq!(error.body.code, code);
            let response = error.into_response();
            assert_eq!(response.status().as_u16(), status, "{code}");
            assert_eq!(response.headers().contains_key(header::RETRY_AFTER), retry, "{code}");
            assert_eq!(response.headers()[header::CONTENT_TYPE], "application/json", "{code}");
        }
    }
}

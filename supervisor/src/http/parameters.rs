//! What stands behind the `?` of a request: names that the path knows, each at most once. Pure.

use std::time::Duration;

use axum::extract::Query;
use axum::http::Uri;
use ipc_contract::name::nearest;
use queue_core::state::TaskState;
use queue_core::store::{Cursor, Filter, LIST_MAX};

use super::error::ApiError;

/// How long an answer may be put off to wait for the end of a task.
pub const WAIT_MS_MAX: u64 = 60_000;
/// Tasks on a page when nobody says.
const LIST_DEFAULT: i64 = 50;

struct Parameters(Vec<(String, String)>);

impl Parameters {
    fn read(uri: &Uri, known: &[&'static str]) -> Result<Parameters, ApiError> {
        let Query(given) = Query::<Vec<(String, String)>>::try_from_uri(uri)
            .map_err(|error| refused(error.body_text(), "write name=value&name=value"))?;
        for (at, (name, _)) in given.iter().enumerate() {
            if !known.contains(&name.as_str()) {
                return Err(unknown(uri, name, known));
            }
            if given[..at].iter().any(|(before, _)| before == name) {
                return Err(refused(format!("parameter {name} is given twice"), "give each one once"));
            }
        }
        Ok(Parameters(given))
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
    }

    fn owned(&self, name: &str) -> Option<String> {
        self.text(name).map(str::to_owned)
    }
}

fn refused(message: impl Into<String>, hint: impl Into<String>) -> ApiError {
    ApiError::bad_request("invalid_query", message, hint)
}

fn unknown(uri: &Uri, name: &str, known: &[&'static str]) -> ApiError {
    let message = format!("{} has no parameter {name:?}", uri.path());
    if known.is_empty() {
        return refused(message, "it takes none");
    }
    let near = nearest(name, known.iter().copied()).map(|near| format!("did you mean {near}? ")).unwrap_or_default();
    refused(message, format!("{near}known: {}", known.join(", ")))
}

/// A path that takes no parameters has none.
pub(super) fn none(uri: &Uri) -> Result<(), ApiError> {
    Parameters::read(uri, &[]).map(drop)
}

/// How long the answer about a task may be put off: `wait`.
pub(super) fn wait(uri: &Uri) -> Result<Duration, ApiError> {
    let parameters = Parameters::read(uri, &["wait"])?;
    let Some(text) = parameters.text("wait") else { return Ok(Duration::ZERO) };
    let refused = |message| refused(message, "write wait=30s, at most 60s");
    let wait = humantime::parse_duration(text).map_err(|error| refused(format!("wait {text:?}: {error}")))?;
    if wait > Duration::from_millis(WAIT_MS_MAX) {
        return Err(refused(format!("wait {text:?} is over {WAIT_MS_MAX} ms")));
    }
    Ok(wait)
}

/// Which tasks a page shows: `state`, `kind`, `queue`, `limit`, `cursor`.
#[derive(Debug, PartialEq)]
pub(super) struct ListQuery {
    pub(super) filter: Filter,
    pub(super) limit: i64,
    pub(super) after: Option<Cursor>,
}

impl ListQuery {
    pub(super) fn read(uri: &Uri) -> Result<ListQuery, ApiError> {
        let parameters = Parameters::read(uri, &["state", "kind", "queue", "limit", "cursor"])?;
        let state = parameters.text("state").map(state_named).transpose()?;
        let filter = Filter { state, kind: parameters.owned("kind"), queue: parameters.owned("queue") };
        let limit = parameters.text("limit").map_or(Ok(LIST_DEFAULT), list_limit)?;
        let after = parameters.text("cursor").map(cursor_named).transpose()?;
        Ok(ListQuery { filter, limit, after })
    }
}

fn list_limit(text: &str) -> Result<i64, ApiError> {
    text.parse().ok().filter(|limit| (1..=LIST_MAX).contains(limit)).ok_or_else(|| {
        refused(format!("limit is {text:?}"), format!("choose 1 to {LIST_MAX} (by default {LIST_DEFAULT})"))
    })
}

/// The place that this text names.
///
/// # Errors
/// 400: no page ended with it.
pub fn cursor_named(text: &str) -> Result<Cursor, ApiError> {
    text.parse().map_err(|_| {
        let hint = "give back what the last page had as its next, or leave it out to begin anew";
        ApiError::bad_request("invalid_cursor", format!("{text:?} is no cursor"), hint)
    })
}

/// The state of this name.
///
/// # Errors
/// 400 with the nearest name, or all of them.
pub fn state_named(text: &str) -> Result<TaskState, ApiError> {
    let known = TaskState::ALL.map(TaskState::name);
    TaskState::ALL.into_iter().find(|state| state.name() == text).ok_or_else(|| {
        let hint = match nearest(text, known) {
            Some(near) => format!("did you mean {near}?"),
            None => format!("states are {}", known.join(", ")),
        };
        refused(format!("there is no state {text:?}"), hint)
    })
}

/// Which part of a task's log is wanted: `attempt`, `follow`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct LogQuery {
    /// The epoch of the run; without it the last one.
    pub(super) attempt: Option<i64>,
    pub(super) follow: bool,
}

impl LogQuery {
    pub(super) fn read(uri: &Uri) -> Result<LogQuery, ApiError> {
        let parameters = Parameters::read(uri, &["attempt", "follow"])?;
        let attempt = parameters.text("attempt").map(|text| {
            let number = text.parse().ok().filter(|number| *number > 0);
            number.ok_or_else(|| refused(format!("attempt is {text:?}"), "an attempt is a whole number above 0"))
        });
        let follow = match parameters.text("follow") {
            None | Some("false") => false,
            Some("true") => true,
            Some(text) => return Err(refused(format!("follow is {text:?}"), "write follow=true or follow=false")),
        };
        Ok(LogQuery { attempt: attempt.transpose()?, follow })
    }
}

#[cfg(test)]
#[path = "parameters_tests.rs"]
mod tests;

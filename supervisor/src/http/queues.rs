//! `/v1/queues`: pause and resume a queue, or one key of it. Each function asks once and answers once.

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Uri};
use ipc_contract::name::check_key;
use queue_core::op::Op;
use serde::{Deserialize, Serialize};

use super::answer;
use super::door::Door;
use super::dto::QueueGate;
use super::error::ApiError;
use super::parameters;
use super::request::json_object;
use crate::config::check_served;

/// The longest pause with an end: ten years.
pub const PAUSE_MS_MAX: u64 = 10 * 365 * 24 * 60 * 60 * 1000;
/// Of the reason of a pause.
const REASON_BYTES_MAX: usize = 1024;

type Answer<T> = Result<Json<T>, ApiError>;

/// The body of a pause.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Pause {
    /// Absent: the whole queue.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Absent: until it is resumed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub for_ms: Option<u64>,
    /// For people.
    pub reason: String,
}

/// The body of a resume.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Resume {
    /// Absent: the whole queue; keys that are paused by themselves stay so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}

pub(super) async fn pause(
    State(door): State<Door>,
    Path(queue): Path<String>,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Answer<QueueGate> {
    parameters::none(&uri)?;
    let Pause { key, for_ms, mut reason } = json_object(&headers, body).await?;
    check(&door, &queue, key.as_deref())?;
    if for_ms.is_some_and(|ms| !(1..=PAUSE_MS_MAX).contains(&ms)) {
        let message = format!("for_ms must be 1 to {PAUSE_MS_MAX}");
        return Err(ApiError::bad_request("limit", message, "leave it out to pause until it is resumed"));
    }
    reason.truncate(reason.floor_char_boundary(REASON_BYTES_MAX));
    let for_us = for_ms.map(|ms| i64::try_from(ms).unwrap_or(i64::MAX).saturating_mul(1_000));
    let op = Op::Pause { queue: queue.clone(), key: key.clone(), for_us, reason };
    answer::gate(queue, key, door.handle.submit(op).await?).map(Json)
}

pub(super) async fn resume(
    State(door): State<Door>,
    Path(queue): Path<String>,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Answer<QueueGate> {
    parameters::none(&uri)?;
    let Resume { key } = json_object(&headers, body).await?;
    check(&door, &queue, key.as_deref())?;
    let op = Op::Resume { queue: queue.clone(), key: key.clone() };
    answer::gate(queue, key, door.handle.submit(op).await?).map(Json)
}

fn check(door: &Door, queue: &str, key: Option<&str>) -> Result<(), ApiError> {
    check_served(&door.handle.config(), queue)?;
    Ok(key.map_or(Ok(()), check_key)?)
}

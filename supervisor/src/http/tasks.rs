//! `/v1/tasks`: enqueue, look, wait, cancel. Each function asks once and answers once.

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use ipc_contract::TaskSpec;
use queue_core::op::Op;
use queue_core::store::Filter;
use queue_core::task::TaskId;

use super::answer;
use super::door::Door;
use super::dto::{Cancelled, Enqueued, Task, TaskList};
use super::error::ApiError;
use super::request::{ListQuery, TaskQuery, json_body, task_id};
use crate::config::route;
use crate::shell::handle::Unavailable;

/// A body that is read at once; this takes well below a millisecond.
const INLINE_JSON_BYTES_MAX: usize = 64 * 1024;

type Asked<T> = Result<Query<T>, QueryRejection>;
type Answer<T> = Result<Json<T>, ApiError>;

/// Answered after the commit.
pub(super) async fn enqueue(
    State(door): State<Door>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<Enqueued>), ApiError> {
    let spec = read_spec(json_body(&headers, body).await?).await?;
    let new = route(door.handle.config(), &door.handle.offers(), spec)?;
    let enqueued = answer::enqueued(door.handle.submit(Op::Enqueue(new)).await?)?;
    Ok((if enqueued.existing { StatusCode::OK } else { StatusCode::CREATED }, Json(enqueued)))
}

pub(super) async fn list(State(door): State<Door>, query: Asked<ListQuery>) -> Answer<TaskList> {
    let query = understood(query)?;
    let (state, limit) = (query.state()?, query.limit()?);
    let filter = Filter { state, ..Filter::default() };
    let page = door.handle.read(move |reader| reader.list(&filter, None, limit)).await?;
    Ok(Json(TaskList::of(&page)))
}

/// The task as it stands; with `wait`, as it stands once it is final or the time is over.
pub(super) async fn show(State(door): State<Door>, Path(id): Path<String>, query: Asked<TaskQuery>) -> Answer<Task> {
    let (id, wait) = (task_id(&id)?, understood(query)?.wait()?);
    if wait.is_zero() {
        return read(&door, id).await.map(Json);
    }
    let waiter = door.handle.waiter(id);
    // Enlisted before the look, so that an end in between is not missed.
    let woken = waiter.woken();
    let task = read(&door, id).await?;
    if task.summary.is_final() {
        return Ok(Json(task));
    }
    let mut stopping = door.stopping.clone();
    tokio::select! {
        () = woken => {}
        () = tokio::time::sleep(wait) => {}
        _ = stopping.changed() => {}
    }
    read(&door, id).await.map(Json)
}

/// A task that runs is answered with `stopping`; it is cancelled once its processes are gone.
pub(super) async fn cancel(State(door): State<Door>, Path(id): Path<String>) -> Answer<Cancelled> {
    let id = task_id(&id)?;
    answer::cancelled(id, door.handle.submit(Op::Cancel(id)).await?).map(Json)
}

/// Long text is read beside the event loop, which must not be kept waiting.
async fn read_spec(json: Bytes) -> Result<TaskSpec, ApiError> {
    if json.len() <= INLINE_JSON_BYTES_MAX {
        return Ok(TaskSpec::from_json(&json)?);
    }
    let read = tokio::task::spawn_blocking(move || TaskSpec::from_json(&json)).await;
    Ok(read.map_err(|error| Unavailable::Failed(error.to_string()))??)
}

async fn read(door: &Door, id: TaskId) -> Result<Task, ApiError> {
    let policies = door.handle.config().policies();
    let look = door.handle.read(move |reader| {
        let Some(view) = reader.task(id)? else { return Ok(None) };
        let attempts = reader.attempts(id)?;
        Ok(Some(Task::of(view, attempts, &policies)))
    });
    look.await?.ok_or_else(|| ApiError::no_such_task(id))
}

fn understood<T>(query: Asked<T>) -> Result<T, ApiError> {
    let known = "a task takes wait, a list takes state and limit";
    query.map(|Query(query)| query).map_err(|error| ApiError::bad_request("invalid_query", error.body_text(), known))
}

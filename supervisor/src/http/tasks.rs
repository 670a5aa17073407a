//! `/v1/tasks`: enqueue, look, wait, cancel, retry, give another priority. Each function asks once and answers once.

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, Uri};
use ipc_contract::{PrioritySpec, TaskSpec};
use queue_core::op::Op;
use queue_core::task::{NewTask, TaskId};
use serde::{Deserialize, Serialize};

use super::answer;
use super::bulk::read_bulk;
use super::door::Door;
use super::dto::{Cancelled, Enqueued, EnqueuedAll, Reprioritised, Retried, Task, TaskList};
use super::error::ApiError;
use super::parameters::{self, ListQuery};
use super::request::{json_body, json_object, task_id};
use crate::config::{priority_of, route};
use crate::shell::handle::Handle;
use crate::shell::unavailable::Unavailable;

/// A body that is read at once; this takes well below a millisecond.
const INLINE_JSON_BYTES_MAX: usize = 64 * 1024;

type Answer<T> = Result<Json<T>, ApiError>;

/// Answered after the commit.
pub(super) async fn enqueue(
    State(door): State<Door>,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<Enqueued>), ApiError> {
    parameters::none(&uri)?;
    let (handle, json) = (door.handle.clone(), json_body(&headers, body).await?);
    let new = match json.len() {
        ..=INLINE_JSON_BYTES_MAX => read_task(&handle, &json)?,
        _ => beside(move || read_task(&handle, &json)).await?,
    };
    let enqueued = answer::enqueued(door.handle.submit(Op::Enqueue(new)).await?)?;
    Ok((if enqueued.existing { StatusCode::OK } else { StatusCode::CREATED }, Json(enqueued)))
}

/// All or none, answered after the commit.
pub(super) async fn enqueue_all(
    State(door): State<Door>,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Answer<EnqueuedAll> {
    parameters::none(&uri)?;
    let (handle, json) = (door.handle.clone(), json_body(&headers, body).await?);
    let all = beside(move || read_tasks(&handle, &json)).await?;
    answer::enqueued_all(door.handle.submit(Op::EnqueueAll(all)).await?).map(Json)
}

pub(super) async fn list(State(door): State<Door>, uri: Uri) -> Answer<TaskList> {
    let ListQuery { filter, limit, after } = ListQuery::read(&uri)?;
    let page = door.handle.read(move |reader| reader.list(&filter, after.as_ref(), limit)).await?;
    Ok(Json(TaskList::of(&page)))
}

/// The task as it stands; with `wait`, as it stands once it is final or the time is over.
pub(super) async fn show(State(door): State<Door>, Path(id): Path<String>, uri: Uri) -> Answer<Task> {
    let (id, wait) = (task_id(&id)?, parameters::wait(&uri)?);
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
pub(super) async fn cancel(State(door): State<Door>, Path(id): Path<String>, uri: Uri) -> Answer<Cancelled> {
    parameters::none(&uri)?;
    let id = task_id(&id)?;
    answer::cancelled(id, door.handle.submit(Op::Cancel(id)).await?).map(Json)
}

/// A final task becomes available once more, with its budgets as new.
pub(super) async fn retry(State(door): State<Door>, Path(id): Path<String>, uri: Uri) -> Answer<Retried> {
    parameters::none(&uri)?;
    let id = task_id(&id)?;
    answer::retried(id, door.handle.submit(Op::Retry(id)).await?).map(Json)
}

/// The body of a new priority.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewPriority {
    pub priority: PrioritySpec,
}

/// A waiting task stands in line as if it had always had this priority.
pub(super) async fn reprioritise(
    State(door): State<Door>,
    Path(id): Path<String>,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Answer<Reprioritised> {
    parameters::none(&uri)?;
    let id = task_id(&id)?;
    let NewPriority { priority } = json_object(&headers, body).await?;
    let priority = priority_of(&priority)?;
    answer::reprioritised(id, priority, door.handle.submit(Op::Reprioritise { id, priority }).await?).map(Json)
}

fn read_task(handle: &Handle, json: &[u8]) -> Result<NewTask, ApiError> {
    Ok(route(&handle.config(), &handle.offers(), TaskSpec::from_json(json)?)?)
}

fn read_tasks(handle: &Handle, json: &[u8]) -> Result<Vec<NewTask>, ApiError> {
    let (config, offers) = (handle.config(), handle.offers());
    let route = |(index, spec)| route(&config, &offers, spec).map_err(|refusal| ApiError::from(refusal).of_list(index));
    read_bulk(json)?.into_iter().enumerate().map(route).collect()
}

/// Beside the event loop, which must not be kept waiting.
async fn beside<T: Send + 'static>(work: impl FnOnce() -> Result<T, ApiError> + Send + 'static) -> Result<T, ApiError> {
    tokio::task::spawn_blocking(work).await.map_err(|error| Unavailable::Failed(error.to_string()))?
}

pub(super) async fn read(door: &Door, id: TaskId) -> Result<Task, ApiError> {
    let handle = door.handle.clone();
    let look = door.handle.read(move |reader| {
        let Some(view) = reader.task(id)? else { return Ok(None) };
        let (attempts, of_kind) = (reader.attempts(id)?, handle.config().limits(&view.kind));
        Ok(Some(Task::of(view, attempts, of_kind)))
    });
    look.await?.ok_or_else(|| ApiError::no_such_task(id))
}

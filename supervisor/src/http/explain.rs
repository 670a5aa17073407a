//! `/v1/tasks/ID/explain` and `/v1/queues/QUEUE/explain`: why tasks wait. Each function asks once and answers once.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::Uri;

use super::door::Door;
use super::dto::{QueueExplanation, TaskExplanation};
use super::error::ApiError;
use super::parameters;
use super::request::task_id;
use super::sentences::{explain_queue, explain_task, not_waiting};
use super::tasks::read;
use crate::config::check_served;

type Answer<T> = Result<Json<T>, ApiError>;

pub(super) async fn task(State(door): State<Door>, Path(id): Path<String>, uri: Uri) -> Answer<TaskExplanation> {
    parameters::none(&uri)?;
    let id = task_id(&id)?;
    let told = door.handle.explain_task(id).await?;
    match &told.wait {
        Some(wait) => Ok(Json(explain_task(wait, &told.pools))),
        None => Ok(Json(not_waiting(&read(&door, id).await?))),
    }
}

pub(super) async fn queue(State(door): State<Door>, Path(queue): Path<String>, uri: Uri) -> Answer<QueueExplanation> {
    parameters::none(&uri)?;
    let told = door.handle.explain_queue(queue).await?;
    let has_tasks = told.wait.available + told.wait.running > 0;
    if !has_tasks {
        check_served(&door.handle.config(), &told.wait.queue)?;
    }
    Ok(Json(explain_queue(&told.wait, &told.pools)))
}

//! Which path is whose. What is not here is refused in the same shape as everything else.

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{Method, StatusCode, Uri};
use axum::routing::{get, post};

use super::door::Door;
use super::error::ApiError;
use super::{doctor, explain, health, logs, pools, queues, reload, stats, system, tasks};

const PATHS: &str = "/v1/tasks, /v1/tasks/bulk, /v1/tasks/ID, /v1/tasks/ID/cancel, /v1/tasks/ID/explain, /v1/tasks/ID/logs, /v1/tasks/ID/priority, \
                     /v1/tasks/ID/retry, /v1/queues/QUEUE/explain, /v1/queues/QUEUE/pause, /v1/queues/QUEUE/resume, /v1/pools, /v1/pools/NAME, \
                     /v1/pools/NAME/scale, /v1/pools/NAME/recycle, /v1/pools/NAME/quiet, /v1/pools/NAME/resume, /v1/workers/ID/stop, \
                     /v1/health/live, /v1/health/ready, /v1/reload, /v1/stats, /v1/system and /v1/doctor";

pub(super) fn routes(door: Door) -> Router {
    Router::new()
        .route("/v1/tasks", get(tasks::list).post(tasks::enqueue))
        .route("/v1/tasks/bulk", post(tasks::enqueue_all))
        .route("/v1/tasks/{id}", get(tasks::show))
        .route("/v1/tasks/{id}/cancel", post(tasks::cancel))
        .route("/v1/tasks/{id}/explain", get(explain::task))
        .route("/v1/tasks/{id}/logs", get(logs::logs))
        .route("/v1/tasks/{id}/priority", post(tasks::reprioritise))
        .route("/v1/tasks/{id}/retry", post(tasks::retry))
        .route("/v1/queues/{queue}/explain", get(explain::queue))
        .route("/v1/queues/{queue}/pause", post(queues::pause))
        .route("/v1/queues/{queue}/resume", post(queues::resume))
        .route("/v1/pools", get(pools::list))
        .route("/v1/pools/{name}", get(pools::show))
        .route("/v1/pools/{name}/scale", post(pools::scale))
        .route("/v1/pools/{name}/recycle", post(pools::recycle))
        .route("/v1/pools/{name}/quiet", post(pools::quiet))
        .route("/v1/pools/{name}/resume", post(pools::resume))
        .route("/v1/workers/{id}/stop", post(pools::stop_worker))
        .route("/v1/health/live", get(health::live))
        .route("/v1/health/ready", get(health::ready))
        .route("/v1/reload", post(reload::reload))
        .route("/v1/stats", get(stats::stats))
        .route("/v1/system", get(system::system))
        .route("/v1/doctor", get(doctor::examine))
        .method_not_allowed_fallback(wrong_method)
        .fallback(unknown_path)
        // The limit on bodies is ours, with its own refusal.
        .layer(DefaultBodyLimit::disable())
        .with_state(door)
}

async fn wrong_method(method: Method, uri: Uri) -> ApiError {
    let message = format!("{} cannot be asked with {method}", uri.path());
    let hint = "GET reads; POST enqueues, cancels, retries, says who goes first, tells pools and workers what to do, and reloads";
    ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "wrong_method", message, hint)
}

async fn unknown_path(uri: Uri) -> ApiError {
    let message = format!("there is nothing at {}", uri.path());
    ApiError::new(StatusCode::NOT_FOUND, "unknown_path", message, format!("there are {PATHS}"))
}

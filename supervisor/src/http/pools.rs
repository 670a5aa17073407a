//! `/v1/pools` and `/v1/workers`: pools as they are, and what operators want of them. Each order is answered with what is true
//! after it.

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, Uri};
use ipc_contract::name::nearest;
use queue_core::task::{PoolId, WorkerId};
use serde::{Deserialize, Serialize};

use super::door::Door;
use super::dto::{Pool, PoolList, PoolSummary, StoppedWorker};
use super::error::ApiError;
use super::parameters;
use super::request::json_object;
use crate::config::{WORKERS_MAX, Workers};
use crate::core::{Leave, Order, PoolView, WorkerView};
use crate::shell::handle::Pools;

type Answer<T> = Result<Json<T>, ApiError>;

/// The body of a new size: a number of workers, or from where to where it may go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NewScale {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workers: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max: Option<u32>,
}

/// The body of a stop of a worker.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StopWorker {
    /// Give back what it runs, instead of waiting for its end.
    pub now: bool,
}

pub(super) async fn list(State(door): State<Door>, uri: Uri) -> Answer<PoolList> {
    parameters::none(&uri)?;
    Ok(Json(PoolList::of(&door.handle.pools().await?)))
}

pub(super) async fn show(State(door): State<Door>, Path(name): Path<String>, uri: Uri) -> Answer<Pool> {
    parameters::none(&uri)?;
    let pools = door.handle.pools().await?;
    Ok(Json(Pool::of(named(&pools, &name)?, pools.now)))
}

pub(super) async fn scale(
    State(door): State<Door>,
    Path(name): Path<String>,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Answer<PoolSummary> {
    parameters::none(&uri)?;
    let workers = json_object::<NewScale>(&headers, body).await?.checked()?;
    order(&door, &name, |pool| Order::Scale(pool, workers)).await
}

pub(super) async fn recycle(State(door): State<Door>, Path(name): Path<String>, uri: Uri) -> Answer<PoolSummary> {
    parameters::none(&uri)?;
    order(&door, &name, Order::Recycle).await
}

pub(super) async fn quiet(State(door): State<Door>, Path(name): Path<String>, uri: Uri) -> Answer<PoolSummary> {
    parameters::none(&uri)?;
    order(&door, &name, |pool| Order::Quiet(pool, true)).await
}

pub(super) async fn resume(State(door): State<Door>, Path(name): Path<String>, uri: Uri) -> Answer<PoolSummary> {
    parameters::none(&uri)?;
    order(&door, &name, |pool| Order::Quiet(pool, false)).await
}

pub(super) async fn stop_worker(
    State(door): State<Door>,
    Path(id): Path<String>,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Answer<StoppedWorker> {
    parameters::none(&uri)?;
    let worker = WorkerId(id.parse().ok().filter(|id| *id > 0).ok_or_else(|| {
        ApiError::bad_request("invalid_id", format!("{id:?} is no worker"), "a worker is a whole number above 0")
    })?);
    let StopWorker { now } = json_object(&headers, body).await?;
    let before = door.handle.pools().await?;
    let Some((pool, _)) = find(&before, worker) else { return Err(no_such_worker(worker)) };
    let leave = if now { Leave::Now } else { Leave::AfterRun };
    // When it has left meanwhile, what was wanted is so.
    door.handle.order(Order::StopWorker(worker, leave)).await?;
    let after = door.handle.pools().await?;
    Ok(Json(StoppedWorker::of(worker.0, &pool.name, find(&after, worker).map(|(_, worker)| worker))))
}

async fn order(door: &Door, name: &str, wish: impl FnOnce(PoolId) -> Order) -> Answer<PoolSummary> {
    let id = named(&door.handle.pools().await?, name)?.id;
    door.handle.order(wish(id)).await?;
    Ok(Json(PoolSummary::of(named(&door.handle.pools().await?, name)?)))
}

fn named<'a>(pools: &'a Pools, name: &str) -> Result<&'a PoolView, ApiError> {
    let there = || pools.pools.iter().filter(|pool| !pool.is_gone());
    there().find(|pool| pool.name == name).ok_or_else(|| {
        let known = || there().map(|pool| pool.name.as_str());
        let hint = match nearest(name, known()) {
            Some(near) => format!("did you mean {near}?"),
            None => format!("there are {}", known().collect::<Vec<_>>().join(", ")),
        };
        ApiError::new(StatusCode::NOT_FOUND, "no_such_pool", format!("there is no pool {name:?}"), hint)
    })
}

fn find(pools: &Pools, id: WorkerId) -> Option<(&PoolView, &WorkerView)> {
    let of_pool = |pool: &&PoolView| pool.workers.iter().any(|worker| worker.id == id);
    let pool = pools.pools.iter().find(of_pool)?;
    Some((pool, pool.workers.iter().find(|worker| worker.id == id)?))
}

fn no_such_worker(id: WorkerId) -> ApiError {
    let hint = "`supervisor pool show NAME` lists the workers of a pool; each new process has a number of its own";
    ApiError::new(StatusCode::NOT_FOUND, "no_such_worker", format!("there is no worker {id}"), hint)
}

impl NewScale {
    fn checked(self) -> Result<Workers, ApiError> {
        let NewScale { workers, min, max } = self;
        let bounds = match (workers, min, max) {
            (Some(count), None, None) => Workers::fixed(count),
            (None, Some(min), Some(max)) => Workers { min, max },
            _ => {
                let message = "a size is either workers, or both min and max";
                return Err(ApiError::bad_request(
                    "invalid_body",
                    message,
                    "say {\"workers\": 4} or {\"min\": 0, \"max\": 8}",
                ));
            }
        };
        if bounds.min > bounds.max {
            let message = format!("min is {}, above max, which is {}", bounds.min, bounds.max);
            return Err(ApiError::bad_request("limit", message, "exchange the two"));
        }
        if bounds.max > WORKERS_MAX {
            let message = format!("a pool has at most {WORKERS_MAX} workers");
            return Err(ApiError::bad_request("limit", message, format!("say 0 to {WORKERS_MAX}")));
        }
        Ok(bounds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_a_number_or_a_range() {
        let size = |workers, min, max| NewScale { workers, min, max }.checked().map_err(|error| error.body.code);
        assert_eq!(size(Some(4), None, None), Ok(Workers::fixed(4)));
        assert_eq!(size(Some(0), None, None), Ok(Workers::fixed(0)));
        assert_eq!(size(None, Some(0), Some(256)), Ok(Workers { min: 0, max: 256 }));
        let refused = [
            (None, None, None, "invalid_body"),
            (Some(1), Some(0), Some(2), "invalid_body"),
            (None, Some(1), None, "invalid_body"),
            (None, Some(3), Some(2), "limit"),
            (Some(257), None, None, "limit"),
        ];
        for (workers, min, max, code) in refused {
            assert_eq!(size(workers, min, max), Err(code.to_owned()), "{workers:?} {min:?} {max:?}");
        }
    }
}

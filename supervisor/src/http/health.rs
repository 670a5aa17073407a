//! `/v1/health/live` and `/v1/health/ready`: whether event loop and writer answer, and whether everything that should be done is.

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, Uri};

use super::door::Door;
use super::dto::{Live, Readiness};
use super::error::ApiError;
use super::parameters;

type Answer<T> = Result<(StatusCode, Json<T>), ApiError>;

pub(super) async fn live(State(door): State<Door>, uri: Uri) -> Answer<Live> {
    parameters::none(&uri)?;
    let live = door.handle.condition().await.is_some();
    Ok((status(live), Json(Live { live })))
}

pub(super) async fn ready(State(door): State<Door>, uri: Uri) -> Answer<Readiness> {
    parameters::none(&uri)?;
    let readiness = Readiness::of(door.handle.condition().await);
    Ok((status(readiness.ready), Json(readiness)))
}

fn status(good: bool) -> StatusCode {
    if good { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }
}

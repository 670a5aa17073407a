//! `/v1/stats`: how many tasks and workers stand where.

use axum::Json;
use axum::extract::State;
use axum::http::Uri;

use super::door::Door;
use super::dto::Stats;
use super::error::ApiError;
use super::parameters;

pub(super) async fn stats(State(door): State<Door>, uri: Uri) -> Result<Json<Stats>, ApiError> {
    parameters::none(&uri)?;
    Ok(Json(Stats::of(door.handle.stats().await?)))
}

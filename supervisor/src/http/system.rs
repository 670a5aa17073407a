//! `/v1/system`: what this host gives.

use axum::Json;
use axum::extract::State;
use axum::http::Uri;

use super::door::Door;
use super::dto::System;
use super::error::ApiError;
use super::parameters;

pub(super) async fn system(State(door): State<Door>, uri: Uri) -> Result<Json<System>, ApiError> {
    parameters::none(&uri)?;
    Ok(Json(System::of(door.handle.facts())))
}

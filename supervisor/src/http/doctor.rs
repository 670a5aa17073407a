//! `/v1/doctor`: whether rows, book, processes and descriptors agree.

use axum::Json;
use axum::extract::State;
use axum::http::Uri;

use super::door::Door;
use super::dto::Examination;
use super::error::ApiError;
use super::parameters;

pub(super) async fn examine(State(door): State<Door>, uri: Uri) -> Result<Json<Examination>, ApiError> {
    parameters::none(&uri)?;
    let rows = door.handle.read(|reader| reader.check_rows()).await?;
    let living = door.handle.examine().await?;
    Ok(Json(Examination::of(rows.into_iter().chain(living))))
}

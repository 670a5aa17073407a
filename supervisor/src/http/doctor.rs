//! `/v1/doctor`: whether rows, book, processes and descriptors agree.

use axum::Json;
use axum::extract::State;

use super::door::Door;
use super::dto::Examination;
use super::error::ApiError;

pub(super) async fn examine(State(door): State<Door>) -> Result<Json<Examination>, ApiError> {
    let rows = door.handle.read(|reader| reader.check_rows()).await?;
    let living = door.handle.examine().await?;
    Ok(Json(Examination::of(rows.into_iter().chain(living))))
}

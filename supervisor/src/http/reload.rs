//! `/v1/reload`: reads the configuration file anew, and answers when it is in force.

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, Uri};

use super::door::Door;
use super::dto::Reloaded;
use super::error::ApiError;
use super::parameters;
use crate::shell::reload::Refused;

pub(super) async fn reload(State(door): State<Door>, uri: Uri) -> Result<Json<Reloaded>, ApiError> {
    parameters::none(&uri)?;
    Ok(Json(Reloaded { changes: door.handle.reload().await?.changes }))
}

impl From<Refused> for ApiError {
    fn from(why: Refused) -> ApiError {
        match why {
            Refused::NoFile => {
                let message = "the supervisor was started with --db alone: there is no file to read anew";
                let hint = "start it with --config FILE";
                ApiError::new(StatusCode::CONFLICT, "no_config_file", message, hint)
            }
            Refused::Unusable(report) => {
                let hint = "the old configuration stays in force; mend the file and reload";
                ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "config_refused", report, hint)
            }
            Refused::Unavailable(why) => why.into(),
        }
    }
}

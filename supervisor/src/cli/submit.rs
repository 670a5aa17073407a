//! The way in of one task: through the supervisor, or straight into the database when none is up.

use std::time::Duration;

use ipc_contract::TaskSpec;

use super::client::{Client, ClientError};
use super::exit::{CliError, Exit};
use super::output::{self, Format, note};
use super::wait;
use crate::config::Config;
use crate::http::answer;
use crate::http::dto::Enqueued;
use crate::shell::lock::{LockError, LockErrorKind, Role};
use crate::shell::offline::{self, OfflineError};

/// A supervisor holds the database a moment before it answers, and a moment after: so often is it asked again, and so
/// long is the pause.
const STARTING_TRIES_MAX: u32 = 100;
const STARTING_PAUSE_MS: u64 = 50;

/// Adds a task and says what became of that; with `wait`, what became of the task, for which a supervisor must be up.
pub async fn submit(config: &Config, spec: &TaskSpec, wait: bool, format: Format) -> Result<Exit, CliError> {
    if wait {
        let mut client = Client::connect(&config.db).await?;
        let enqueued = send(&mut client, spec).await?;
        return tell(enqueued, Some(&mut client), format).await;
    }
    tell(enqueue(config, spec).await?, None, format).await
}

/// Through the supervisor; without one, straight into the database.
async fn enqueue(config: &Config, spec: &TaskSpec) -> Result<Enqueued, CliError> {
    let mut tries_left = STARTING_TRIES_MAX;
    loop {
        if let Ok(mut client) = Client::connect(&config.db).await {
            return send(&mut client, spec).await;
        }
        tries_left -= 1;
        match offline::enqueue(config, spec.clone()) {
            Err(OfflineError::Lock(error)) if tries_left > 0 && is_held_by_supervisor(&error) => {
                tokio::time::sleep(Duration::from_millis(STARTING_PAUSE_MS)).await;
            }
            done => {
                let enqueued = answer::enqueued(done?)?;
                note("no supervisor is up: the task waits in the database for one");
                return Ok(enqueued);
            }
        }
    }
}

fn is_held_by_supervisor(error: &LockError) -> bool {
    matches!(&error.kind, LockErrorKind::Held(Some(holder)) if holder.role == Role::Supervisor)
}

/// Enqueues through a supervisor that is up. Whoever gave no name cannot simply ask again, and is told so.
async fn send(client: &mut Client, spec: &TaskSpec) -> Result<Enqueued, CliError> {
    client.enqueue(spec).await.map_err(|error| {
        let is_unknown = matches!(error, ClientError::Broken(_));
        let mut error = CliError::from(error);
        if is_unknown {
            error.body.hint =
                "it may have taken the task: look with `supervisor list`; with --name, just ask again".into();
        }
        error
    })
}

/// Says what became of an enqueue; with `wait`, what became of the task.
async fn tell(enqueued: Enqueued, waiting: Option<&mut Client>, format: Format) -> Result<Exit, CliError> {
    if enqueued.existing {
        output::note(&format!("task {} was there already", enqueued.id));
    }
    if let Some(client) = waiting {
        if !enqueued.existing {
            output::note(&format!("task {}", enqueued.id));
        }
        let task = wait::watched(client, enqueued.id, None).await?;
        return wait::tell(&task, format);
    }
    output::one(format, &enqueued, Some(enqueued.id), || enqueued.id.to_string())?;
    Ok(Exit::Done)
}

//! Where commands that only look have it from: a supervisor that is up, else the database file, read only.

use queue_core::policy::Policies;
use queue_core::state::TaskState;
use queue_core::store::{Filter, Reader};
use queue_core::task::TaskId;

use super::client::Client;
use super::exit::CliError;
use super::output::note;
use crate::config::Config;
use crate::http::ApiError;
use crate::http::dto::{Examination, Task, TaskList};

pub enum Source {
    Supervisor(Client),
    File { reader: Reader, policies: Policies },
}

impl Source {
    /// Says on stderr when it is the file.
    pub async fn open(config: &Config) -> Result<Source, CliError> {
        if let Ok(client) = Client::connect(&config.db).await {
            return Ok(Source::Supervisor(client));
        }
        let reader = Reader::open(&config.db)?;
        note(&format!("no supervisor is up: this is {} as it stands", config.db.display()));
        Ok(Source::File { reader, policies: config.policies() })
    }

    pub async fn task(&mut self, id: i64) -> Result<Task, CliError> {
        match self {
            Source::Supervisor(client) => Ok(client.task(id, Default::default()).await?),
            Source::File { reader, policies } => {
                let id = TaskId(id);
                let view = reader.task(id)?.ok_or_else(|| ApiError::no_such_task(id))?;
                Ok(Task::of(view, reader.attempts(id)?, policies))
            }
        }
    }

    pub async fn list(&mut self, state: Option<TaskState>, limit: i64) -> Result<TaskList, CliError> {
        match self {
            Source::Supervisor(client) => Ok(client.list(state, limit).await?),
            Source::File { reader, .. } => {
                let filter = Filter { state, ..Filter::default() };
                Ok(TaskList::of(&reader.list(&filter, None, limit)?))
            }
        }
    }

    pub async fn examine(&mut self) -> Result<Examination, CliError> {
        match self {
            Source::Supervisor(client) => Ok(client.examine().await?),
            Source::File { reader, .. } => Ok(Examination::of(reader.check_rows()?)),
        }
    }
}

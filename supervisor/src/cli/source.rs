//! Where commands that only look have it from: a supervisor that is up, else the database file, read only.

use queue_core::store::{Filter, Reader};
use queue_core::task::TaskId;

use super::client::Client;
use super::exit::{CliError, Exit};
use super::output::note;
use crate::config::Config;
use crate::http::dto::{Examination, LogLine, Task, TaskExplanation, TaskList};
use crate::http::sentences::explain_offline;
use crate::http::{ApiError, Next, Reading, Standing, cursor_named};

pub enum Source<'a> {
    Supervisor(Client),
    File { reader: Reader, config: &'a Config },
}

impl Source<'_> {
    /// Says on stderr when it is the file.
    pub async fn open(config: &Config) -> Result<Source<'_>, CliError> {
        if let Ok(client) = Client::connect(&config.db).await {
            return Ok(Source::Supervisor(client));
        }
        let reader = Reader::open(&config.db)?;
        note(&format!("no supervisor is up: this is {} as it stands", config.db.display()));
        Ok(Source::File { reader, config })
    }

    pub async fn task(&mut self, id: i64) -> Result<Task, CliError> {
        match self {
            Source::Supervisor(client) => Ok(client.task(id, Default::default()).await?),
            Source::File { reader, config } => {
                let id = TaskId(id);
                let view = reader.task(id)?.ok_or_else(|| ApiError::no_such_task(id))?;
                let of_kind = config.limits(&view.kind);
                Ok(Task::of(view, reader.attempts(id)?, of_kind))
            }
        }
    }

    pub async fn explain_task(&mut self, id: i64) -> Result<TaskExplanation, CliError> {
        match self {
            Source::Supervisor(client) => Ok(client.explain_task(id).await?),
            Source::File { .. } => Ok(explain_offline(&self.task(id).await?)),
        }
    }

    pub async fn list(&mut self, filter: &Filter, cursor: Option<&str>, limit: i64) -> Result<TaskList, CliError> {
        match self {
            Source::Supervisor(client) => Ok(client.list(filter, cursor, limit).await?),
            Source::File { reader, .. } => {
                let after = cursor.map(cursor_named).transpose()?;
                Ok(TaskList::of(&reader.list(filter, after.as_ref(), limit)?))
            }
        }
    }

    /// Gives each line of a log to `put` until that wants no more. Only a supervisor can be followed.
    pub async fn log(
        &mut self,
        id: i64,
        attempt: Option<i64>,
        follow: bool,
        mut put: impl FnMut(&LogLine) -> Result<bool, CliError>,
    ) -> Result<(), CliError> {
        match self {
            Source::Supervisor(client) => {
                let mut lines = client.log(id, attempt, follow).await?;
                while let Some(line) = lines.next().await? {
                    if !put(&line)? {
                        break;
                    }
                }
                Ok(())
            }
            Source::File { .. } if follow => {
                let (message, hint) =
                    ("nothing can be followed while no supervisor is up", "leave -f out to see what is there");
                Err(CliError::new(Exit::NotReachable, "not_reachable", message, hint))
            }
            Source::File { reader, .. } => read_log(reader, TaskId(id), attempt, put),
        }
    }

    pub async fn examine(&mut self) -> Result<Examination, CliError> {
        match self {
            Source::Supervisor(client) => Ok(client.examine().await?),
            Source::File { reader, .. } => Ok(Examination::of(reader.check_rows()?)),
        }
    }
}

fn read_log(
    reader: &mut Reader,
    id: TaskId,
    attempt: Option<i64>,
    mut put: impl FnMut(&LogLine) -> Result<bool, CliError>,
) -> Result<(), CliError> {
    let standing = Standing::of(&reader.summary(id)?.ok_or_else(|| ApiError::no_such_task(id))?);
    let mut reading = Reading::begin(attempt, false, standing).map_err(|why| ApiError::no_such_attempt(id, why))?;
    loop {
        let (run, later, after) = reading.place();
        let parts = reader.log(id, run, later, after)?;
        for line in reading.take(&parts) {
            if !put(&line)? {
                return Ok(());
            }
        }
        if reading.next(standing, parts.len()) != Next::Look {
            return Ok(());
        }
    }
}

//! What is said of the work when it is done: results on stdout, what to type next on stderr.

use std::path::Path;

use queue_core::store::Reader;

use super::drive::Driven;
use super::next::Subject;
use super::programs::{self, DIGEST_PROGRAM};
use super::table;
use super::workspace::Workspace;
use crate::cli::describe::describe;
use crate::cli::exit::{CliError, Exit};
use crate::cli::output;
use crate::text::printable;

/// Ended tasks that the table counts.
pub(super) const ROWS_MAX: i64 = 100_000;

/// Everything that was asked for has ended.
pub(super) struct Done {
    pub(super) driven: Driven,
    /// What the application printed; absent without a Python part.
    pub(super) application: Option<Vec<u8>>,
    /// All that the application asked for is completed.
    pub(super) application_succeeded: bool,
}

impl Done {
    pub(super) fn exit(&self) -> Exit {
        let is_good = self.driven.unsuccessful == 0 && self.application_succeeded;
        if is_good { Exit::Done } else { Exit::TaskFailed }
    }

    /// What came of it; the rates are of what ended after `since_us`, in microseconds since 1970.
    pub(super) fn tell(&self, db: &Path, since_us: i64) -> Result<(), CliError> {
        if let Some(said) = &self.application {
            output::data(&format!("\nWhat the application in Python printed:\n{}", indented(said)))?;
        }
        let ended = Reader::open(db)?.ended_runs(ROWS_MAX)?;
        output::data(&format!("\n{}", output::table(&table::HEADING, table::rows(&ended, since_us))))?;
        if let Some(task) = &self.driven.digest {
            let said: String = task.result.read()?;
            let said = indented(said.as_bytes());
            output::data(&format!("\nA digest, as {DIGEST_PROGRAM} printed it:\n{said}"))?;
        }
        if let Some(task) = &self.driven.crash {
            output::data(&format!("\nA task that took its worker down, and was run again:\n{}", describe(task)))?;
        }
        if let Some(task) = &self.driven.failure {
            let count = self.driven.unsuccessful;
            output::data(&format!("\n{count} tasks are not completed. One of them:\n{}", describe(task)))?;
        }
        Ok(())
    }

    /// What to type while the supervisor is up.
    pub(super) fn tell_while_it_is_up(&self, db: &Path, file: Option<String>) {
        let subject = Subject { file, ..self.subject("--db", db) };
        let lines = subject.while_it_is_up();
        output::note(&format!("\nThe queue is up at {}. Type in another terminal\n{lines}", db.display()));
        output::note("\nCtrl-C ends it.");
    }

    /// What to type when it has ended.
    pub(super) fn tell_afterwards(&self, workspace: &Workspace) {
        let is_kept = workspace.is_kept();
        let lines = self.subject("--config", &workspace.config_file()).afterwards(is_kept);
        let queue = if is_kept { "The queue is kept" } else { "The queue is gone; with --keep DIR it stays" };
        output::note(&format!(
            "\n{queue}. What to type next:\n{lines}\n\nREADME.md begins with the smallest configuration."
        ));
    }

    fn subject(&self, option: &str, file: &Path) -> Subject {
        let Driven { unsuccessful, digest, crash, .. } = &self.driven;
        let id = |task: &Option<crate::http::dto::Task>| task.as_ref().map(|task| task.summary.id);
        Subject {
            program: programs::own(),
            place: [option.to_owned(), file.display().to_string()],
            file: None,
            has_python: self.application.is_some(),
            has_failed: *unsuccessful > 0 || !self.application_succeeded,
            crash: id(crash),
            digest: id(digest),
        }
    }
}

fn indented(said: &[u8]) -> String {
    let said = printable(said.trim_ascii_end());
    let lines: Vec<String> = said.lines().map(|line| format!("  {line}")).collect();
    lines.join("\n")
}

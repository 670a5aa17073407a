//! What an earlier demo left in a queue that is kept.

use std::path::Path;

use queue_core::state::TaskState;
use queue_core::store::{Filter, LIST_MAX, Reader, StoreErrorKind};

use super::report::ROWS_MAX;
use crate::cli::exit::CliError;
use crate::cli::output;

#[derive(Default)]
pub(super) struct FormerLife {
    ended: usize,
    running: usize,
}

impl FormerLife {
    pub(super) fn read(db: &Path) -> Result<FormerLife, CliError> {
        let mut reader = match Reader::open(db) {
            // What an older version left can be counted only once the supervisor has brought it up to date.
            Err(error) if matches!(error.kind, StoreErrorKind::Missing | StoreErrorKind::Older) => {
                return Ok(FormerLife::default());
            }
            opened => opened?,
        };
        let running = Filter { state: Some(TaskState::Running), ..Filter::default() };
        let running = reader.list(&running, None, LIST_MAX)?.tasks.len();
        Ok(FormerLife { ended: reader.ended_runs(ROWS_MAX)?.len(), running })
    }

    /// To be called once the supervisor has recovered.
    pub(super) fn tell(&self) {
        let FormerLife { ended, running } = self;
        if ended + running > 0 {
            output::note(&format!("recovered: {ended} tasks had ended, {running} were cut off and run again"));
        }
    }
}

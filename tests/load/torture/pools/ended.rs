//! Waiting for the ends of many tasks, over one connection.

use std::time::Duration;

use anyhow::Result;
use supervisor::cli::client::{Client, blocking};
use supervisor::http::dto::Task;

use crate::harness::{HANG_GUARD_S, Sandbox};

/// One wait for the end of a task.
const WAIT: Duration = Duration::from_secs(30);
const WAITS_MAX: u64 = HANG_GUARD_S / WAIT.as_secs();

/// Each as it is in the end, or after a long time.
pub(super) fn ended(sandbox: &Sandbox, ids: impl IntoIterator<Item = i64>) -> Result<Vec<Task>> {
    blocking(async {
        let mut client = Client::connect(&sandbox.db()).await?;
        let mut tasks = Vec::new();
        for id in ids {
            let mut task = client.task(id, WAIT).await?;
            for _ in 1..WAITS_MAX {
                if task.summary.is_final() {
                    break;
                }
                task = client.task(id, WAIT).await?;
            }
            tasks.push(task);
        }
        Ok(tasks)
    })?
}

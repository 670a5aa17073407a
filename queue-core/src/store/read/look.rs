//! Who may look: the writer between its turns, and readers beside it. The same questions for both.

use diesel::prelude::*;

use super::cursor::Cursor;
use super::list::{Filter, Page, page};
use super::log::{LogPart, log};
use super::task::{AttemptView, Depth, EndedRun, TaskView, attempts, ended_runs, task};
use crate::store::error::StoreError;
use crate::store::open::{Reader, Store};
use crate::store::schema;
use crate::task::TaskId;

type Result<T> = std::result::Result<T, StoreError>;

impl Reader {
    /// All that one look reads is of one moment, whatever the writer commits meanwhile.
    fn look<T>(&mut self, look: impl FnOnce(&mut SqliteConnection) -> Result<T>) -> Result<T> {
        self.conn.transaction(look)
    }
}

impl Store {
    /// Nobody else writes.
    fn look<T>(&mut self, look: impl FnOnce(&mut SqliteConnection) -> Result<T>) -> Result<T> {
        look(&mut self.conn)
    }
}

macro_rules! views {
    ($($who:ty),*) => { $(
        impl $who {
            pub fn task(&mut self, id: TaskId) -> Result<Option<TaskView>> {
                self.look(|conn| task(conn, id, Depth::Whole))
            }

            /// Without args, result and spend: where the task stands.
            pub fn summary(&mut self, id: TaskId) -> Result<Option<TaskView>> {
                self.look(|conn| task(conn, id, Depth::Summary))
            }

            /// The runs of a task that ended, oldest first. A first run that succeeded is not among them, unless the task
            /// was retried since.
            pub fn attempts(&mut self, id: TaskId) -> Result<Vec<AttemptView>> {
                self.look(|conn| attempts(conn, id))
            }

            /// Tasks that pass `filter`, without args and results: the claimable by queue and rank, the waiting by time,
            /// all others newest first. At most `limit` (1 to [`super::LIST_MAX`]), from behind `after`. A task that stays
            /// where it is meanwhile is on exactly one page, whatever comes and goes between them.
            pub fn list(&mut self, filter: &Filter, after: Option<&Cursor>, limit: i64) -> Result<Page> {
                self.look(|conn| page(conn, filter, after, limit))
            }

            /// What a task printed, at most [`super::LOG_PARTS_MAX`] parts in the order of runs and parts, from behind
            /// `after` (run, part); of `run` alone, or of that and all later ones with `later`.
            pub fn log(&mut self, id: TaskId, run: i64, later: bool, after: (i64, i64)) -> Result<Vec<LogPart>> {
                self.look(|conn| log(conn, id, run, later, after))
            }

            /// (pool, kind): what each pool's workers said that they can run, in their last hello.
            pub fn offers(&mut self) -> Result<Vec<(String, String)>> {
                use schema::offer::dsl;
                Ok(dsl::offer.select((dsl::pool, dsl::kind)).order((dsl::pool, dsl::kind)).load(&mut self.conn)?)
            }

            /// The final tasks, at most `limit`.
            pub fn ended_runs(&mut self, limit: i64) -> Result<Vec<EndedRun>> {
                self.look(|conn| ended_runs(conn, limit))
            }
        }
    )* };
}

views!(Store, Reader);

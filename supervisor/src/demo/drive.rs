//! Asks for tasks and waits for their ends: through the socket, as everybody does, on a bounded number of connections.

use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;

use ipc_contract::TaskSpec;
use tokio::task::{JoinSet, LocalSet};

use super::plan::{CRASH, DIGEST};
use super::progress::Progress;
use crate::cli::client::Client;
use crate::cli::exit::{CliError, Exit};
use crate::cli::wait::until_final;
use crate::http::dto::Task;

/// Connections at once; the door takes several times as many.
const LANES_MAX: usize = 32;

/// What came of it.
#[derive(Debug, Default)]
pub(super) struct Driven {
    pub(super) count: usize,
    /// Tasks that were there before.
    pub(super) existing: usize,
    /// Ends other than `completed`.
    pub(super) unsuccessful: usize,
    /// The first of those.
    pub(super) failure: Option<Task>,
    /// A file's digest.
    pub(super) digest: Option<Task>,
    /// A task that took its worker down.
    pub(super) crash: Option<Task>,
}

/// Enqueues all tasks, then waits until all are final.
pub(super) async fn drive(db: &Path, tasks: Vec<TaskSpec>) -> Result<Driven, CliError> {
    let mut enqueued =
        on_lanes(db, "enqueued", tasks, async |client, task: TaskSpec| Ok(client.enqueue(&task).await?)).await?;
    enqueued.sort_unstable_by_key(|enqueued| enqueued.id);
    let existing = enqueued.iter().filter(|enqueued| enqueued.existing).count();
    let driven = Rc::new(RefCell::new(Driven { count: enqueued.len(), existing, ..Driven::default() }));
    let notes = driven.clone();
    let wait = async move |client: &mut Client, id| {
        let task = until_final(client, id, None).await?;
        notes.borrow_mut().note(task);
        Ok(())
    };
    on_lanes(db, "done", enqueued.iter().map(|enqueued| enqueued.id).collect(), wait).await?;
    Ok(driven.take())
}

impl Driven {
    fn note(&mut self, task: Task) {
        let is_completed = task.summary.state == "completed";
        self.unsuccessful += usize::from(!is_completed);
        let place = match task.summary.kind.as_str() {
            _ if !is_completed => &mut self.failure,
            DIGEST => &mut self.digest,
            CRASH if task.attempts.iter().any(|attempt| attempt.signal.is_some()) => &mut self.crash,
            _ => return,
        };
        place.get_or_insert(task);
    }
}

/// Does `work` for each item, and shows how many are `what`. Ends at the first error.
async fn on_lanes<I: 'static, T: 'static>(
    db: &Path,
    what: &'static str,
    items: Vec<I>,
    work: impl AsyncFn(&mut Client, I) -> Result<T, CliError> + 'static,
) -> Result<Vec<T>, CliError> {
    let count = items.len();
    let shared = Rc::new((RefCell::new(items.into_iter()), RefCell::new(Progress::new(what, count)), work));
    let (here, mut lanes) = (LocalSet::new(), JoinSet::new());
    for _ in 0..LANES_MAX.min(count) {
        let (mut client, shared) = (Client::connect(db).await?, shared.clone());
        let lane = async move {
            let (items, progress, work) = &*shared;
            let mut done = Vec::new();
            while let Some(item) = next(items) {
                done.push(work(&mut client, item).await?);
                progress.borrow_mut().step();
            }
            Ok::<_, CliError>(done)
        };
        lanes.spawn_local_on(lane, &here);
    }
    let mut all = Vec::with_capacity(count);
    let gather = async {
        while let Some(lane) = lanes.join_next().await {
            let broken =
                |error| CliError::new(Exit::Unexpected, "failed", format!("a connection's task broke: {error}"), "");
            all.extend(lane.map_err(broken)??);
        }
        Ok(all)
    };
    here.run_until(gather).await
}

/// The borrow must end before anything is waited for.
fn next<I>(items: &RefCell<impl Iterator<Item = I>>) -> Option<I> {
    items.borrow_mut().next()
}

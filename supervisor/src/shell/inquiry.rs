//! What only the writer can tell, between two turns of the queue: how many tasks stand where, and why tasks wait. Each question
//! is answered to whoever asked it, on the writer's thread. Changes nothing.

use queue_core::book::Book;
use queue_core::explain::{QueueWait, TaskWait, explain_queue, explain_task};
use queue_core::store::{Store, StoreError};
use queue_core::task::{Now, TaskId};
use tokio::sync::oneshot;

use super::stats::{PoolStats, Stats};
use super::unavailable::Unavailable;

type Caller<T> = oneshot::Sender<Result<T, Unavailable>>;

pub enum Inquiry {
    Stats(Caller<Stats>),
    /// `None` when the task waits for nothing.
    Task(TaskId, Caller<Explained<Option<TaskWait>>>),
    Queue(String, Caller<Explained<QueueWait>>),
}

/// Why something waits, and the pools for which it may wait.
#[derive(Clone, Debug)]
pub struct Explained<T> {
    pub wait: T,
    /// In the order of the configuration, as ids of pools count them.
    pub pools: Vec<PoolStats>,
}

/// What the event loop knows at the moment of the questions.
#[derive(Clone, Debug)]
pub struct Scene {
    pub now: Now,
    /// Since the start of the supervisor.
    pub up_us: i64,
    pub pools: Vec<PoolStats>,
}

impl Inquiry {
    /// Who has hung up does not need an answer.
    pub fn answer(self, store: &mut Store, book: &Book, scene: &Scene) {
        let Scene { now, up_us, pools } = scene.clone();
        match self {
            Inquiry::Stats(caller) => drop(caller.send(Ok(Stats { up_us, tasks: book.census(), pools }))),
            Inquiry::Task(id, caller) => explained(caller, explain_task(store, book, id, now), pools),
            Inquiry::Queue(queue, caller) => explained(caller, explain_queue(store, book, &queue, now), pools),
        }
    }
}

fn explained<T>(caller: Caller<Explained<T>>, wait: Result<T, StoreError>, pools: Vec<PoolStats>) {
    let told = wait.map(|wait| Explained { wait, pools });
    drop(caller.send(told.map_err(|error| Unavailable::Failed(error.to_string()))));
}

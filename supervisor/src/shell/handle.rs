//! What the door (`http`) has of the engine: hand in an op, read, wait for an end, have it examined. All bounded.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use queue_core::explain::{QueueWait, TaskWait};
use queue_core::op::{Op, Reply};
use queue_core::store::{Finding, Reader, StoreError, StoreErrorKind};
use queue_core::task::{Now, TaskId};
use tokio::sync::{Notify, Semaphore, mpsc, oneshot};

use super::change::{self, Change};
use super::host::Facts;
use super::inquiry::{Explained, Inquiry};
use super::pulse::Pulse;
use super::reload::Wish;
use super::stats::Stats;
use super::unavailable::Unavailable;
use crate::config::{Config, Offers};
use crate::core::{Order, PoolView};

/// Requests that wait to be taken up: each connection has one at most.
pub const REQUESTS_MAX: usize = 256;
/// Connections that read beside the writer.
pub const READERS_MAX: usize = 4;

/// Something that only the event loop can do.
pub enum Request {
    Submit(Box<Op>, oneshot::Sender<Result<Reply, Unavailable>>),
    Examine(oneshot::Sender<Result<Vec<Finding>, Unavailable>>),
    Inquire(Inquiry),
    /// Another configuration is to come into force.
    Change(Box<Change>, change::Caller),
    /// Somebody reads the log of this task as it is written.
    Follow(TaskId),
    /// False when there is no such pool or worker.
    Order(Order, oneshot::Sender<Result<bool, Unavailable>>),
    Pools(oneshot::Sender<Result<Pools, Unavailable>>),
}

/// Every pool at a moment.
#[derive(Clone, Debug)]
pub struct Pools {
    pub now: Now,
    /// What all workers together may have in memory, by what their pools declare, and what those that are there count for.
    pub memory_budget_bytes: u64,
    pub memory_reserved_bytes: u64,
    pub pools: Vec<PoolView>,
}

#[derive(Clone)]
pub struct Handle(Arc<Shared>);

pub(super) struct Shared {
    config: RwLock<Arc<Config>>,
    pub(super) offers: Mutex<Offers>,
    facts: Facts,
    /// Of ends.
    pub(super) waiters: Waiters,
    /// Of logs.
    pub(super) followers: Waiters,
    requests: mpsc::Sender<Request>,
    pub(super) wishes: mpsc::Sender<Wish>,
    pub(super) pulses: mpsc::Sender<Pulse>,
    readers: Mutex<Vec<Reader>>,
    free_readers: Semaphore,
}

impl Handle {
    pub(super) fn new(config: Config, offers: Offers, facts: Facts, asked: Asked) -> Handle {
        let Asked { requests, wishes, pulses } = asked;
        Handle(Arc::new(Shared {
            config: RwLock::new(Arc::new(config)),
            offers: Mutex::new(offers),
            facts,
            waiters: Waiters::default(),
            followers: Waiters::default(),
            requests,
            wishes,
            pulses,
            readers: Mutex::default(),
            free_readers: Semaphore::new(READERS_MAX),
        }))
    }

    pub(super) fn shared(&self) -> &Shared {
        &self.0
    }

    /// The one that is in force now.
    pub fn config(&self) -> Arc<Config> {
        self.0.config.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Of the host, at the start of this life.
    pub fn facts(&self) -> &Facts {
        &self.0.facts
    }

    pub fn offers(&self) -> Offers {
        lock(&self.0.offers).clone()
    }

    /// Returns after the commit.
    pub async fn submit(&self, op: Op) -> Result<Reply, Unavailable> {
        self.ask(|reply| Request::Submit(Box::new(op), reply)).await
    }

    /// Book against rows, and processes and descriptors against worker rows.
    pub async fn examine(&self) -> Result<Vec<Finding>, Unavailable> {
        self.ask(Request::Examine).await
    }

    /// How many tasks and workers stand where.
    pub async fn stats(&self) -> Result<Stats, Unavailable> {
        self.ask(|caller| Request::Inquire(Inquiry::Stats(caller))).await
    }

    /// Why a task waits; nothing when there is no such task, or it waits for nothing.
    pub async fn explain_task(&self, id: TaskId) -> Result<Explained<Option<TaskWait>>, Unavailable> {
        self.ask(|caller| Request::Inquire(Inquiry::Task(id, caller))).await
    }

    /// Why a queue as a whole waits.
    pub async fn explain_queue(&self, queue: String) -> Result<Explained<QueueWait>, Unavailable> {
        self.ask(|caller| Request::Inquire(Inquiry::Queue(queue, caller))).await
    }

    /// Every pool, as it is now.
    pub async fn pools(&self) -> Result<Pools, Unavailable> {
        self.ask(Request::Pools).await
    }

    /// Returns when the machine has heard it; false when there is no such pool or worker.
    pub async fn order(&self, order: Order) -> Result<bool, Unavailable> {
        self.ask(|caller| Request::Order(order, caller)).await
    }

    /// Has the log of a task kept as it is written for the next seconds; to be renewed every second. Nothing is lost when
    /// this is not heard: the log is kept every 5 s anyway.
    pub fn follow(&self, id: TaskId) {
        let _ = self.0.requests.try_send(Request::Follow(id));
    }

    /// As [`Handle::waiter`], woken whenever there is more of the task's log, and at its end.
    pub fn follower(&self, id: TaskId) -> Waiter {
        Waiters::enlist(&self.0, |shared| &shared.followers, id)
    }

    pub(super) async fn ask<T>(
        &self,
        request: impl FnOnce(oneshot::Sender<Result<T, Unavailable>>) -> Request,
    ) -> Result<T, Unavailable> {
        let (reply, answer) = oneshot::channel();
        self.0.requests.try_send(request(reply)).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => Unavailable::Overloaded,
            mpsc::error::TrySendError::Closed(_) => Unavailable::Stopping,
        })?;
        answer.await.unwrap_or(Err(Unavailable::Stopping))
    }

    /// Looks at the rows on a connection of its own.
    pub async fn read<T: Send + 'static>(
        &self,
        look: impl FnOnce(&mut Reader) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let _turn = self.0.free_readers.acquire().await;
        let (shared, db) = (self.0.clone(), self.config().db.clone());
        let looked = tokio::task::spawn_blocking(move || {
            let idle = lock(&shared.readers).pop();
            let mut reader = match idle {
                Some(reader) => reader,
                None => Reader::open(&db)?,
            };
            // After an error the connection is not trusted again.
            let seen = look(&mut reader)?;
            lock(&shared.readers).push(reader);
            Ok(seen)
        });
        looked.await.unwrap_or_else(|error| {
            Err(StoreError { kind: StoreErrorKind::Other, detail: format!("reading was broken off: {error}") })
        })
    }

    /// To be taken *before* the task is looked at, so that its end is not missed.
    pub fn waiter(&self, id: TaskId) -> Waiter {
        Waiters::enlist(&self.0, |shared| &shared.waiters, id)
    }
}

/// The ways in of everything that can be asked.
pub(super) struct Asked {
    pub(super) requests: mpsc::Sender<Request>,
    pub(super) wishes: mpsc::Sender<Wish>,
    pub(super) pulses: mpsc::Sender<Pulse>,
}

impl Shared {
    pub(super) fn set_config(&self, config: Config) {
        *self.config.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(config);
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Who waits for something of which task.
#[derive(Default)]
pub(super) struct Waiters(Mutex<HashMap<TaskId, (Arc<Notify>, usize)>>);

impl Waiters {
    fn enlist(shared: &Arc<Shared>, list: fn(&Shared) -> &Waiters, id: TaskId) -> Waiter {
        let mut waiting = lock(&list(shared).0);
        let (bell, count) = waiting.entry(id).or_default();
        *count += 1;
        Waiter { shared: shared.clone(), list, id, bell: bell.clone() }
    }

    pub(super) fn wake(&self, id: TaskId) {
        if let Some((bell, _)) = lock(&self.0).get(&id) {
            bell.notify_waiters();
        }
    }
}

pub struct Waiter {
    shared: Arc<Shared>,
    list: fn(&Shared) -> &Waiters,
    id: TaskId,
    bell: Arc<Notify>,
}

impl Waiter {
    /// A future that is enlisted from its creation on: create it, look at the task, then await it.
    pub fn woken(&self) -> impl Future<Output = ()> + '_ {
        let mut bell = Box::pin(self.bell.notified());
        bell.as_mut().enable();
        bell
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        let mut waiting = lock(&(self.list)(&self.shared).0);
        if let Some((_, count)) = waiting.get_mut(&self.id) {
            *count -= 1;
            if *count == 0 {
                waiting.remove(&self.id);
            }
        }
    }
}

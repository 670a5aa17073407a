//! `Client`: asks, asks again, and waits. What is sent, what an answer means and what follows is decided by the pure modules.

use std::path::Path;
use std::time::Duration;

use ipc_contract::{PrioritySpec, TaskSpec};
use serde::de::{DeserializeOwned, IgnoredAny};
use tokio::time::{Instant, sleep};

use super::answer::{self, Answer, EnqueuedAll, Outcome};
use super::error::{ClientError, ClientErrorKind};
use super::place::Place;
use super::request::{self, Request};
use super::retry::{Lost, RETRY_FOR, after};
use super::streams::{LogLines, Tasks};
use super::types::{Cancelled, Enqueued, Explanation, Filter, Pause, TaskInfo};
use super::wire::{Arriving, Wire};

/// One request for the end of a task, at most; the supervisor's limit is twice this.
const WAIT_SLICE: Duration = Duration::from_secs(30);
/// The pause after a task that had not ended was answered before the time, as a supervisor does that stops.
const EARLY_ANSWER_PAUSE: Duration = Duration::from_millis(100);
/// Longer waits are without a limit: the clock of the system ends somewhere.
const TIMEOUT_MAX: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

/// Asks the supervisor of a database. Nothing is opened before the first request. To be used within a runtime of tokio; one
/// client serves any number of tasks of that runtime.
///
/// A request that finds nobody, breaks off, or is answered with "not now" is sent again for 30 s, since a supervisor may be
/// restarting. Every task has a name, so this never adds one twice.
pub struct Client {
    wire: Wire,
    retry_for: Duration,
}

impl Client {
    /// That of a database, at the socket that its lock file names.
    pub fn of_db(db: impl AsRef<Path>) -> Self {
        Self::new(Place::Db(db.as_ref().to_owned()))
    }

    /// The one that listens at this socket.
    pub fn at_socket(socket: impl AsRef<Path>) -> Self {
        Self::new(Place::Socket(socket.as_ref().to_owned()))
    }

    /// The one that the environment names: `MUTIRAO_SOCKET`, then `MUTIRAO_DB`, else that of `./queue.db`.
    pub fn from_env() -> Self {
        Self::new(Place::from_env())
    }

    fn new(place: Place) -> Self {
        Self { wire: Wire::new(place), retry_for: RETRY_FOR }
    }

    /// How long a request is tried again; zero is never. 30 s by default.
    pub fn retry_for(mut self, time: Duration) -> Self {
        self.retry_for = time.min(TIMEOUT_MAX);
        self
    }

    /// Adds a task; returns once it is on the disk. Under a `name` that the same task has already, nothing is added.
    ///
    /// # Errors
    /// As all that follow: `Unreachable`, `Refused`, `Unavailable`, `Unreadable`. Another task's name is `Refused`.
    pub async fn enqueue(&self, task: &TaskSpec) -> Result<Enqueued, ClientError> {
        let name = name_of(task)?;
        let added: Enqueued = self.value(&request::enqueue(request::spec_json(task, &name)?)).await?;
        Ok(Enqueued { name, ..added })
    }

    /// Adds any number of tasks, in slices of at most 1,000 and 4 MiB. Each slice is all or nothing.
    ///
    /// # Errors
    /// As `enqueue`; it has the `index` of the task that is at fault, and what earlier slices have `added`.
    pub async fn bulk(&self, tasks: &[TaskSpec]) -> Result<Vec<Enqueued>, ClientError> {
        let (mut names, mut specs) = (Vec::new(), Vec::new());
        for (index, task) in tasks.iter().enumerate() {
            let name = name_of(task)?;
            specs.push(request::spec_json(task, &name).map_err(|error| error.at(index))?);
            names.push(name);
        }
        let mut all = Vec::new();
        for slice in request::slices(specs.iter().map(Vec::len)) {
            match self.value::<EnqueuedAll>(&request::bulk(&specs[slice.clone()])).await {
                Ok(added) if added.tasks.len() == slice.len() => {
                    let named = added.tasks.into_iter().zip(&names[slice]);
                    all.extend(named.map(|(added, name)| Enqueued { name: name.clone(), ..added }));
                }
                Ok(_) => return Err(ClientError::unreadable("the answer is about other tasks").of_bulk(0, all)),
                Err(error) => return Err(error.of_bulk(slice.start, all)),
            }
        }
        Ok(all)
    }

    /// The task as it stands.
    pub async fn get(&self, id: u64) -> Result<TaskInfo, ClientError> {
        self.value(&request::task(id, Duration::ZERO)).await
    }

    /// The task once it has ended, however it did. Asks in slices, so that a supervisor that goes away and comes back is only a
    /// pause.
    ///
    /// # Errors
    /// Also `WaitTimeout` once `timeout` is over; without one it waits for ever.
    pub async fn wait(&self, id: u64, timeout: Option<Duration>) -> Result<TaskInfo, ClientError> {
        let until = Instant::now() + timeout.unwrap_or(TIMEOUT_MAX).min(TIMEOUT_MAX);
        loop {
            let asked = Instant::now();
            let slice = WAIT_SLICE.min(until - asked);
            let answer = self.ask(&request::task(id, slice), until).await?;
            let info: TaskInfo = answer::read(&answer.body)?;
            if info.is_final() {
                return Ok(info);
            }
            let now = Instant::now();
            if now >= until {
                let message = format!("task {id} is still {}", info.state);
                let kind = ClientErrorKind::WaitTimeout(Box::new(info));
                return Err(ClientError::new(kind, "wait_timeout", message, "wait longer, or see `supervisor show`"));
            }
            if now < asked + slice {
                sleep(EARLY_ANSWER_PAUSE.min(until - now)).await;
            }
        }
    }

    /// Waits, and gives the result.
    ///
    /// # Errors
    /// Also `TaskFailed`, `TaskCancelled`, and `WaitTimeout` once `timeout` is over.
    pub async fn result<T: DeserializeOwned>(&self, id: u64, timeout: Option<Duration>) -> Result<T, ClientError> {
        answer::result(self.wait(id, timeout).await?)
    }

    /// Cancels a task.
    pub async fn cancel(&self, id: u64) -> Result<Cancelled, ClientError> {
        self.value(&request::cancel(id)).await.map(answer::cancelled)
    }

    /// Makes a final task available again, with new budgets. One that is not final is `Refused`.
    pub async fn retry(&self, id: u64) -> Result<(), ClientError> {
        self.value::<Outcome>(&request::retry(id)).await.map(drop)
    }

    /// Gives a waiting task another priority, as if it had always had it. One that runs or has ended is `Refused`.
    pub async fn reprioritise(&self, id: u64, priority: &PrioritySpec) -> Result<(), ClientError> {
        self.value::<IgnoredAny>(&request::reprioritise(id, priority)).await.map(drop)
    }

    /// Starts no further tasks of a queue, or of one key of it, for a time or until it is resumed; what runs goes on.
    pub async fn pause(&self, queue: &str, pause: &Pause) -> Result<(), ClientError> {
        self.value::<IgnoredAny>(&request::pause(queue, pause)).await.map(drop)
    }

    /// Starts tasks of a queue or key again, whatever closed it. Keys that are paused by themselves stay so.
    pub async fn resume(&self, queue: &str, key: Option<&str>) -> Result<(), ClientError> {
        self.value::<IgnoredAny>(&request::resume(queue, key)).await.map(drop)
    }

    /// Why a task waits.
    pub async fn explain(&self, id: u64) -> Result<Explanation, ClientError> {
        self.value(&request::explain(id)).await
    }

    /// Why a queue as a whole waits.
    pub async fn explain_queue(&self, queue: &str) -> Result<Explanation, ClientError> {
        self.value(&request::explain_queue(queue)).await
    }

    /// The tasks that fit, fetched page by page as they are taken.
    pub fn list(&self, filter: Filter) -> Tasks<'_> {
        Tasks::new(self, filter)
    }

    /// What the task printed and logged, in all its runs or in one; with `follow`, until it has ended.
    pub async fn logs(&self, id: u64, attempt: Option<u32>, follow: bool) -> Result<LogLines, ClientError> {
        let request = request::logs(id, attempt, follow);
        let good = self.persist(&request, Instant::now() + TIMEOUT_MAX, async |arriving| Ok(arriving)).await?;
        Ok(LogLines::new(request, good))
    }

    pub(super) async fn value<T: DeserializeOwned>(&self, request: &Request) -> Result<T, ClientError> {
        answer::read(&self.ask(request, Instant::now() + TIMEOUT_MAX).await?.body)
    }

    async fn ask(&self, request: &Request, until: Instant) -> Result<Answer, ClientError> {
        self.persist(request, until, Arriving::whole).await
    }

    /// What `take` makes of the good answer. Tries until the time for that is over, or `until` has come.
    async fn persist<T>(
        &self,
        request: &Request,
        until: Instant,
        take: impl AsyncFn(Arriving) -> Result<T, Lost>,
    ) -> Result<T, ClientError> {
        let give_up_at = until.min(Instant::now() + self.retry_for);
        let mut failures = 0;
        loop {
            let wait = request.wait.min(until.saturating_duration_since(Instant::now()));
            let reply = match self.wire.send(&Request { wait, ..request.clone() }).await {
                Ok(arriving) if arriving.is_good() => match take(arriving).await {
                    Ok(taken) => return Ok(taken),
                    Err(lost) => Err(lost),
                },
                Ok(arriving) => arriving.whole().await,
                Err(lost) => Err(lost),
            };
            let left = give_up_at.saturating_duration_since(Instant::now());
            sleep(after(request, reply.as_ref(), failures, left)?).await;
            failures += 1;
        }
    }
}

/// The task's own name, or one that nobody else has: with it, an enqueue that was sent twice adds one task.
fn name_of(task: &TaskSpec) -> Result<String, ClientError> {
    task.name.clone().map_or_else(new_name, Ok)
}

fn new_name() -> Result<String, ClientError> {
    let mut number = [0; 16];
    rustix::rand::getrandom(&mut number, rustix::rand::GetRandomFlags::empty()).map_err(|error| {
        ClientError::refused("no_name", format!("cannot make a name: {error}"), "give the task one")
    })?;
    Ok(format!("rs-{:032x}", u128::from_ne_bytes(number)))
}

//! A life of the supervisor: take the lock, kill what a former life left, recover, open the door, run, close.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use queue_core::recover::recover;
use queue_core::store::{Durability, Place, Store, StoreError};
use tokio::net::UnixListener;
use tokio::sync::{Semaphore, mpsc};

use super::clock::Clock;
use super::event_loop::{EventLoop, Inputs};
use super::examine::Examination;
use super::former_life::kill_remains;
use super::handle::{Handle, REQUESTS_MAX};
use super::launch::Recipe;
use super::lock::{Lock, LockError, Role};
use super::pending::Pending;
use super::socket::{listen, socket_path};
use super::spawner::Spawner;
use super::stats::Inquiry;
use super::worker_io::Inbox;
use super::writer::Writer;
use super::{procfs, signals};
use crate::config::{Config, Offers};
use crate::core::{Machine, PoolSpec};
use crate::{http, observe};

const EVENTS_MAX: usize = 1024;
const TOLD_MAX: usize = 1024;
/// Bytes of frames that are read and not yet handled, of all workers.
const FRAMES_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Answers that are on their way out when everything else has ended.
const DOOR_GRACE: Duration = Duration::from_secs(1);

#[derive(Debug, thiserror::Error)]
pub enum RunError {
    #[error(transparent)]
    Lock(#[from] LockError),
    #[error("the database {path} cannot be used: {error}")]
    Store { path: String, error: StoreError },
    #[error("{what}: {error}")]
    Io { what: String, error: io::Error },
}

fn failed(what: impl Into<String>) -> impl FnOnce(io::Error) -> RunError {
    move |error| RunError::Io { what: what.into(), error }
}

/// Who may stop a running supervisor from outside of it: one message for "stop", a second for "at once".
pub type Stops = (mpsc::Sender<()>, mpsc::Receiver<()>);

pub fn stops() -> Stops {
    mpsc::channel(4)
}

/// Runs until it is stopped by a signal or through `stops`. `ready` is called once, when the door is open.
pub fn run(config: Config, stops: Stops, ready: impl FnOnce(&Handle)) -> Result<(), RunError> {
    let store_failed = |error| RunError::Store { path: config.db.display().to_string(), error };
    let socket = socket_path(&config.db).map_err(failed("no socket can be made for the database"))?;
    let lock = Lock::take(&config.db, Role::Supervisor, Some(&socket))?;
    let clock = Clock::start();
    let mut store = Store::open(Place::File(config.db.clone()), Durability::Full).map_err(store_failed)?;
    let uid: String = store.uid().map_err(store_failed)?.iter().map(|byte| format!("{byte:02x}")).collect();
    let left = store.workers().map_err(store_failed)?;
    let killed = kill_remains(&left, &uid).map_err(failed("a process of a former life cannot be killed"))?;
    let mut book = store.book(config.policies(), clock.now()).map_err(store_failed)?;
    let mut random = fastrand::Rng::new();
    let recovered = recover(&mut store, &mut book, clock.now(), &mut || random.u64(..)).map_err(store_failed)?;
    observe::recovered(&config, killed, recovered);
    let offers: Offers = store.offers().map_err(store_failed)?.into_iter().collect();
    nix::sys::prctl::set_child_subreaper(true).map_err(|error| failed("cannot become a subreaper")(error.into()))?;

    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(failed("no runtime can be started"))?;
    let ended = runtime.block_on(async {
        let listener =
            listen(&socket).and_then(UnixListener::from_std).map_err(failed("the socket cannot be opened"))?;
        let (stop, stopped) = stops;
        signals::forward(stop).map_err(failed("signals cannot be received"))?;
        let (told_sender, told) = mpsc::channel(TOLD_MAX);
        let (answer_sender, answers) = mpsc::channel(1);
        let (event_sender, events) = mpsc::channel(EVENTS_MAX);
        let (request_sender, requests) = mpsc::channel(REQUESTS_MAX);
        let handle = Handle::new(config.clone(), offers, request_sender);
        let next_worker = book.rows().next_worker;
        let event_loop = EventLoop {
            machine: Machine::new(pool_specs(&config), next_worker, uid.clone()),
            links: Default::default(),
            inbox: Inbox { events: event_sender, budget: Arc::new(Semaphore::new(FRAMES_BYTES_MAX)) },
            spawner: Spawner::start(told_sender).map_err(failed("the spawner cannot be started"))?,
            writer: Writer::start(store, book, answer_sender).map_err(failed("the writer cannot be started"))?,
            handle: handle.clone(),
            pending: Pending::default(),
            recipes: Recipe::all(&config),
            uid,
            clock,
            random,
            examination: Examination::new(procfs::descriptors("pipe:")),
            inquiry: Inquiry::default(),
            next_due: Some(i64::MIN),
            turn_at: None,
            in_trouble: false,
            stopping: false,
            until_empty: false,
            failed: 0,
            finished: false,
        };
        let (close, closed) = tokio::sync::oneshot::channel::<()>();
        let door = tokio::spawn(open_door(listener, handle.clone(), closed));
        observe::ready(&socket);
        ready(&handle);
        let ended = event_loop.run(Inputs { events, told, answers, requests, stops: stopped }).await;
        drop(close);
        let _ = tokio::time::timeout(DOOR_GRACE, door).await;
        ended.map_err(store_failed)
    });
    // Before the lock is given up: the path may be the next one's.
    let _ = std::fs::remove_file(&socket);
    drop(lock);
    observe::ended(&ended);
    ended
}

async fn open_door(listener: UnixListener, handle: Handle, closed: tokio::sync::oneshot::Receiver<()>) {
    let stop = async {
        // Either way it is time to close.
        let _ = closed.await;
    };
    http::serve(listener, handle, stop).await;
}

fn pool_specs(config: &Config) -> Vec<PoolSpec> {
    let required = |pool: &crate::config::Pool| {
        let routed = |kind: &crate::config::Kind| kind.queue.as_ref().is_some_and(|queue| pool.queues.contains(queue));
        config.kinds.iter().filter(|(_, kind)| routed(kind)).map(|(name, _)| name.clone()).collect()
    };
    let spec = |pool: &crate::config::Pool| PoolSpec {
        name: pool.name.clone(),
        workers: pool.workers,
        required_kinds: required(pool),
    };
    config.pools.iter().map(spec).collect()
}

//! A life of the supervisor: take the lock, put in order what a former life left, open the door, run, close.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use queue_core::store::StoreError;
use tokio::net::UnixListener;
use tokio::sync::{Semaphore, mpsc};

use super::change::Changing;
use super::event_loop::{EventLoop, Inputs, Inquiring, Life};
use super::examine::Examination;
use super::handle::{Asked, Handle, REQUESTS_MAX, Request};
use super::launch::Recipe;
use super::lock::{Lock, LockError, Role};
use super::notify::ServiceManager;
use super::parent::{Lifeline, Parent};
use super::pending::Pending;
use super::pulse::{PULSES_MAX, Pulse};
use super::ready_file::{ReadyFile, Whereabouts};
use super::reload::{self, WISHES_MAX, Wish};
use super::sample::Sampler;
use super::socket::{listen, socket_path};
use super::spawner::Spawner;
use super::start::{InOrder, Taken, put_in_order};
use super::watch::Watch;
use super::worker_io::Inbox;
use super::writer::Writer;
use super::{procfs, signals};
use crate::config::{Config, Problem, in_words};
use crate::core::machine::SHUTDOWN_GRACE_US;
use crate::core::{Left, Machine};
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
    #[error("{}", in_words(.0))]
    Host(Vec<Problem>),
    #[error("{what}: {error}")]
    Io { what: String, error: io::Error },
}

pub(super) fn failed(what: impl Into<String>) -> impl FnOnce(io::Error) -> RunError {
    move |error| RunError::Io { what: what.into(), error }
}

/// Who may stop a running supervisor from outside of it: one message for "stop", a second for "at once".
pub type Stops = (mpsc::Sender<()>, mpsc::Receiver<()>);

pub fn stops() -> Stops {
    mpsc::channel(4)
}

/// Who is told how the supervisor is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Manager {
    #[default]
    Nobody,
    /// The one whose socket is named in the environment, if any is.
    OfEnvironment,
}

/// Where the configuration came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigFile {
    pub path: PathBuf,
    /// Read anew by itself when it has changed.
    pub is_watched: bool,
}

/// How one life is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunOptions {
    /// Says where the supervisor is, from the opening of the door to the end.
    pub ready_file: Option<PathBuf>,
    /// When this process ends, the supervisor stops.
    pub parent: Option<Parent>,
    /// From the first wish to stop to the SIGKILL of what still runs.
    pub shutdown_grace: Duration,
    /// Ends once no task is left that is not final, or none that any pool can run.
    pub until_empty: bool,
    /// Read anew when that is wished.
    pub config_file: Option<ConfigFile>,
    pub manager: Manager,
}

impl Default for RunOptions {
    fn default() -> RunOptions {
        let shutdown_grace = Duration::from_micros(SHUTDOWN_GRACE_US.unsigned_abs());
        let (ready_file, parent, config_file, manager) = (None, None, None, Manager::default());
        RunOptions { ready_file, parent, shutdown_grace, until_empty: false, config_file, manager }
    }
}

/// Runs until it is stopped by a signal or through `stops`. `ready` is called once, when the door is open.
///
/// # Errors
/// What stands in the way, before any worker was started; a database that can no longer be used.
pub fn run(config: Config, options: RunOptions, stops: Stops, ready: impl FnOnce(&Handle)) -> Result<Life, RunError> {
    let lifeline = options.parent.map(Lifeline::open).transpose().map_err(failed("cannot end with its parent"))?;
    let socket = socket_path(&config.db).map_err(failed("no socket can be made for the database"))?;
    let whereabouts = Whereabouts { pid: std::process::id(), socket: socket.clone(), db: config.db.clone() };
    let prepared = |path: &PathBuf| ReadyFile::prepare(path, whereabouts).map_err(failed(unwritable(path)));
    let mut ready_file = options.ready_file.as_ref().map(prepared).transpose()?;
    let lock = Lock::take(&config.db, Role::Supervisor, Some(&socket))?;
    ready_file.iter().for_each(ReadyFile::forget_former);
    let manager = match options.manager {
        Manager::Nobody => Ok(ServiceManager::default()),
        Manager::OfEnvironment => ServiceManager::of_environment(|name| std::env::var_os(name)),
    };
    let manager = Arc::new(manager.map_err(failed("the service manager cannot be told"))?);
    let in_order = put_in_order(&config)?;
    let host = Taken::of(&config, &in_order.uid)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(failed("no runtime can be started"))?;
    let ended = runtime.block_on(async {
        let listener =
            listen(&socket).and_then(UnixListener::from_std).map_err(failed("the socket cannot be opened"))?;
        let _socket = RemovedAtEnd(&socket);
        let (stop, stopped) = stops;
        if let Some(lifeline) = lifeline {
            lifeline.forward(stop.clone()).map_err(failed("the parent cannot be watched"))?;
        }
        let (wishes, wished) = mpsc::channel(WISHES_MAX);
        signals::forward(stop, wishes.clone()).map_err(failed("signals cannot be received"))?;
        let (request_sender, requests) = mpsc::channel(REQUESTS_MAX);
        let (pulse_sender, pulses) = mpsc::channel(PULSES_MAX);
        let asked = Asked { requests: request_sender, wishes: wishes.clone(), pulses: pulse_sender };
        let handle = Handle::new(config.clone(), in_order.offers.clone(), host.facts.clone(), asked);
        let inbox = (requests, pulses, stopped);
        let (event_loop, inputs) = assemble(in_order, &host, &options, &handle, inbox, manager.clone())?;
        let _watch = attend(&options, &handle, &manager, (wishes, wished))?;
        let (close, closed) = tokio::sync::oneshot::channel::<()>();
        let door = tokio::spawn(open_door(listener, handle.clone(), closed));
        if let Some(file) = &mut ready_file {
            file.publish().map_err(failed(unwritable(file.path())))?;
        }
        observe::ready(&socket);
        manager.ready();
        ready(&handle);
        let ended = event_loop.run(inputs).await;
        drop(close);
        let _ = tokio::time::timeout(DOOR_GRACE, door).await;
        ended.map_err(|error| RunError::Store { path: config.db.display().to_string(), error })
    });
    // Before the lock is given up: the paths may be the next one's.
    host.give_back();
    drop(ready_file);
    drop(lock);
    observe::ended(&ended);
    ended
}

fn unwritable(ready_file: &Path) -> String {
    format!("the ready file {} cannot be written", ready_file.display())
}

/// The file of a socket that was opened, and of no other.
struct RemovedAtEnd<'a>(&'a Path);

impl Drop for RemovedAtEnd<'_> {
    fn drop(&mut self) {
        // One that is left is replaced at the next start.
        let _ = std::fs::remove_file(self.0);
    }
}

fn assemble(
    in_order: InOrder,
    host: &Taken,
    options: &RunOptions,
    handle: &Handle,
    (requests, pulses, stops): (mpsc::Receiver<Request>, mpsc::Receiver<Pulse>, mpsc::Receiver<()>),
    manager: Arc<ServiceManager>,
) -> Result<(EventLoop, Inputs), RunError> {
    let InOrder { store, book, clock, random, uid, offers } = in_order;
    let config = handle.config();
    let next_worker = book.rows().next_worker;
    let (told_sender, told) = mpsc::channel(TOLD_MAX);
    let (answer_sender, answers) = mpsc::channel(1);
    let (event_sender, events) = mpsc::channel(EVENTS_MAX);
    let left = Left { counts: book.rows().counts, available: book.rows().ready.clone() };
    let spawner = Spawner::start(host.groups.clone(), host.folders.clone(), told_sender);
    let sampler = Sampler::start(event_sender.clone());
    let grace_us = i64::try_from(options.shutdown_grace.as_micros()).unwrap_or(i64::MAX);
    let event_loop = EventLoop {
        machine: Machine::new(Config::clone(&config), offers, next_worker, uid.clone(), grace_us)
            .on(host.facts.for_machine()),
        links: Default::default(),
        inbox: Inbox { events: event_sender, budget: Arc::new(Semaphore::new(FRAMES_BYTES_MAX)) },
        spawner: spawner.map_err(failed("the spawner cannot be started"))?,
        sampler: sampler.map_err(failed("the measuring thread cannot be started"))?,
        writer: Writer::start(store, book, answer_sender).map_err(failed("the writer cannot be started"))?,
        handle: handle.clone(),
        pending: Pending::default(),
        recipes: Recipe::all(&config).map_err(RunError::Host)?,
        uid,
        clock,
        random,
        examination: Examination::new(procfs::descriptors("pipe:")),
        inquiries: Vec::new(),
        inquiring: Inquiring::No,
        changing: Changing::default(),
        pulses: Default::default(),
        manager,
        next_due: Some(i64::MIN),
        turn_at: None,
        in_trouble: false,
        stopping: false,
        until_empty: options.until_empty,
        left,
        failed: 0,
        stuck: None,
        finished: false,
    };
    Ok((event_loop, Inputs { events, told, answers, requests, pulses, stops }))
}

const UNWATCHED: &str = "the configuration cannot be watched";

/// What goes on beside the event loop: wishes for another configuration, and what the service manager hears.
fn attend(
    options: &RunOptions,
    handle: &Handle,
    manager: &Arc<ServiceManager>,
    (wishes, wished): (mpsc::Sender<Wish>, mpsc::Receiver<Wish>),
) -> Result<Option<Watch>, RunError> {
    let absolute = |file: &ConfigFile| std::path::absolute(&file.path).map_err(failed(UNWATCHED));
    let file = options.config_file.as_ref().map(absolute).transpose()?;
    tokio::spawn(reload::serve(file.clone(), wished, handle.clone(), manager.clone()));
    let (told, asked) = (manager.clone(), handle.clone());
    tokio::spawn(async move { told.keep_told(&asked).await });
    // A full line means that the file is going to be read.
    let changed = move || drop(wishes.try_send(Wish::FileChanged));
    let is_watched = options.config_file.as_ref().is_some_and(|file| file.is_watched);
    let watch = file.filter(|_| is_watched).map(|file| Watch::start(file, changed)).transpose();
    watch.map_err(failed(UNWATCHED))
}

async fn open_door(listener: UnixListener, handle: Handle, closed: tokio::sync::oneshot::Receiver<()>) {
    let stop = async {
        // Either way it is time to close.
        let _ = closed.await;
    };
    http::serve(listener, handle, stop).await;
}

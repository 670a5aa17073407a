//! Reads the configuration anew when that is wished: by a signal, by a command, or because the file has changed. One after the
//! other; wishes that come meanwhile are one. A file that cannot be used changes nothing, and says why.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};

use super::change::Change;
use super::handle::{Handle, Request};
use super::launch::Recipe;
use super::notify::ServiceManager;
use super::unavailable::Unavailable;
use crate::config::{Config, Diff, in_words};
use crate::observe;

/// Wishes that wait. One that finds no room is not lost: those that wait are served by a look at the file that comes later.
pub const WISHES_MAX: usize = 256;

/// Why the configuration is to be read anew.
pub enum Wish {
    Signal,
    FileChanged,
    /// Somebody waits for the answer.
    Asked(oneshot::Sender<Result<Reloaded, Refused>>),
}

/// It is in force.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reloaded {
    /// What has changed, in lines; none when nothing has.
    pub changes: Vec<String>,
}

/// The old one stays in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The supervisor was started without a file.
    NoFile,
    /// All that is wrong with it.
    Unusable(String),
    Unavailable(Unavailable),
}

impl Handle {
    /// Reads the configuration file anew; returns when it is in force.
    pub async fn reload(&self) -> Result<Reloaded, Refused> {
        let (caller, answer) = oneshot::channel();
        self.shared()
            .wishes
            .try_send(Wish::Asked(caller))
            .map_err(|_| Refused::Unavailable(Unavailable::Overloaded))?;
        answer.await.unwrap_or(Err(Refused::Unavailable(Unavailable::Stopping)))
    }
}

/// Serves wishes as long as there is somebody to have them.
pub(super) async fn serve(
    file: Option<PathBuf>,
    mut wishes: mpsc::Receiver<Wish>,
    handle: Handle,
    manager: Arc<ServiceManager>,
) {
    while let Some(first) = wishes.recv().await {
        let mut together = vec![first];
        while let Ok(wish) = wishes.try_recv() {
            together.push(wish);
        }
        let is_told = together.iter().any(|wish| !matches!(wish, Wish::FileChanged));
        let reloaded = reload(file.as_deref(), &handle, &manager, is_told).await;
        for wish in together {
            if let Wish::Asked(caller) = wish {
                // Who has hung up does not need it.
                let _ = caller.send(reloaded.clone());
            }
        }
    }
}

/// `is_told`: also when nothing has changed, the service manager and the log are to know.
async fn reload(
    file: Option<&Path>,
    handle: &Handle,
    manager: &ServiceManager,
    is_told: bool,
) -> Result<Reloaded, Refused> {
    if is_told {
        manager.reloading();
    }
    let reloaded = match file {
        Some(file) => follow(file, handle).await,
        None => Err(Refused::NoFile),
    };
    match &reloaded {
        Ok(Reloaded { changes }) if is_told || !changes.is_empty() => observe::reloaded(changes),
        Ok(_) => {}
        Err(Refused::Unavailable(_)) => {}
        Err(Refused::NoFile) => observe::config_refused("there is no configuration file to read: --db was given alone"),
        Err(Refused::Unusable(report)) => observe::config_refused(report),
    }
    if is_told {
        manager.ready();
    }
    reloaded
}

async fn follow(file: &Path, handle: &Handle) -> Result<Reloaded, Refused> {
    let (file, was) = (file.to_owned(), handle.config());
    let prepared = tokio::task::spawn_blocking(move || prepare(&file, &was)).await;
    let broken_off = |error: tokio::task::JoinError| Refused::Unusable(format!("reading was broken off: {error}"));
    let (change, diff) = prepared.map_err(broken_off)?.map_err(Refused::Unusable)?;
    if !diff.now.is_empty() {
        let changed = handle.ask(|caller| Request::Change(Box::new(change), caller)).await;
        changed.map_err(Refused::Unavailable)?;
    }
    Ok(Reloaded { changes: diff.lines() })
}

/// Off the event loop: files and programs are looked at.
fn prepare(file: &Path, was: &Config) -> Result<(Change, Diff), String> {
    let (read, _) = Config::load_to_run(Some(file), None).map_err(|error| error.to_string())?;
    let diff = Diff::of(was, &read);
    let config = read.following(was)?;
    let recipes = Recipe::all(&config).map_err(|problems| in_words(&problems))?;
    Ok((Change { recipes, config }, diff))
}

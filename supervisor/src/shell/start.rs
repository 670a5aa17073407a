//! What comes before the first event: what a former life left is killed, its rows are put in order, and what the host gives is
//! taken.

use std::io;

use queue_core::book::Book;
use queue_core::recover::recover;
use queue_core::store::{Durability, Place, Store};

use super::cgroup::{Groups, end_former};
use super::clock::Clock;
use super::former_life::kill_remains;
use super::host::Facts;
use super::run::{RunError, failed};
use super::temp::TempFolders;
use crate::config::{Config, Offers};
use crate::observe;

/// A queue in which nothing runs.
pub(super) struct InOrder {
    pub(super) store: Store,
    pub(super) book: Book,
    pub(super) clock: Clock,
    pub(super) random: fastrand::Rng,
    /// Of the database, in hexadecimal digits.
    pub(super) uid: String,
    pub(super) offers: Offers,
}

/// To be called under the lock of the database.
pub(super) fn put_in_order(config: &Config) -> Result<InOrder, RunError> {
    let store_failed = |error| RunError::Store { path: config.db.display().to_string(), error };
    let clock = Clock::start();
    let mut store = Store::open(Place::File(config.db.clone()), Durability::Full).map_err(store_failed)?;
    let uid: String = store.uid().map_err(store_failed)?.iter().map(|byte| format!("{byte:02x}")).collect();
    let left = store.workers().map_err(store_failed)?;
    let grouped = end_former(&uid).map_err(failed("a cgroup of a former life cannot be ended"))?;
    let killed = kill_remains(&left, &uid).map_err(failed("a process of a former life cannot be killed"))?;
    let mut book = store.book(config.policies(), clock.now()).map_err(store_failed)?;
    let mut random = fastrand::Rng::new();
    let recovered = recover(&mut store, &mut book, clock.now(), &mut || random.u64(..)).map_err(store_failed)?;
    observe::recovered(config, grouped + killed, recovered);
    let offers = store.offers().map_err(store_failed)?.into_iter().collect();
    nix::sys::prctl::set_child_subreaper(true).map_err(|error| failed("cannot become a subreaper")(error.into()))?;
    Ok(InOrder { store, book, clock, random, uid, offers })
}

/// What is taken from the host for this life.
pub(super) struct Taken {
    pub(super) groups: Option<Groups>,
    pub(super) folders: TempFolders,
    pub(super) facts: Facts,
}

impl Taken {
    /// To be called under the lock of the database.
    pub(super) fn of(config: &Config, uid: &str) -> Result<Taken, RunError> {
        let (groups, verdict) = Groups::open(&config.host.cgroup, uid)
            .map_err(|why| failed("no cgroups can be had where [host] cgroup names a place")(io::Error::other(why)))?;
        let parent = std::env::temp_dir();
        let alert = |text: String| observe::alert("temp_folder", &text);
        let what = format!("no folders for the workers can be made in {}; set another TMPDIR", parent.display());
        let folders = TempFolders::open(&parent, uid, alert).map_err(failed(what))?;
        let facts = Facts::here(config, verdict);
        observe::host(&facts);
        Ok(Taken { groups, folders, facts })
    }

    /// No worker is left.
    pub(super) fn give_back(&self) {
        self.folders.close();
        self.groups.iter().for_each(Groups::close);
    }
}

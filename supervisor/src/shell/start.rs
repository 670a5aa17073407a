//! What comes before the first event: what a former life left is killed, and its rows are put in order.

use queue_core::book::Book;
use queue_core::recover::recover;
use queue_core::store::{Durability, Place, Store};

use super::clock::Clock;
use super::former_life::kill_remains;
use super::run::{RunError, failed};
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
    let killed = kill_remains(&left, &uid).map_err(failed("a process of a former life cannot be killed"))?;
    let mut book = store.book(config.policies(), clock.now()).map_err(store_failed)?;
    let mut random = fastrand::Rng::new();
    let recovered = recover(&mut store, &mut book, clock.now(), &mut || random.u64(..)).map_err(store_failed)?;
    observe::recovered(config, killed, recovered);
    let offers = store.offers().map_err(store_failed)?.into_iter().collect();
    nix::sys::prctl::set_child_subreaper(true).map_err(|error| failed("cannot become a subreaper")(error.into()))?;
    Ok(InOrder { store, book, clock, random, uid, offers })
}

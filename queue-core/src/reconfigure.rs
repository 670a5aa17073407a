//! Other policies for a queue that goes on: between two turns, step by step, so that no step is longer than a turn and whoever
//! watches sees it go on. A death in between loses nothing: the rows say how far it is, and the next start goes on.

use crate::book::Book;
use crate::policy::Policies;
use crate::store::{Store, StoreError};
use crate::task::Now;
use crate::tick::{Rng, line_up};

/// Whether there is more to do. Until there is not, no other turn may run: book and rows do not agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    More,
    Done,
}

/// One step; to be repeated with the same policies until it is done, also after an error that passes. The pools of `policies`
/// must have the places that they had, since credits and demand name pools by them; new ones come behind.
pub fn reconfigure(
    store: &mut Store,
    book: &mut Book,
    policies: &Policies,
    now: Now,
    rng: Rng<'_>,
) -> Result<Progress, StoreError> {
    if book.policies != *policies {
        if !store.leave_old_slice(policies)? {
            *book = store.book_under(book, policies.clone(), now)?;
        }
        return Ok(Progress::More);
    }
    let moved = line_up(store, book, now, rng)?;
    Ok(if moved > 0 { Progress::More } else { Progress::Done })
}

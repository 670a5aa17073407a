//! How this library takes its locks. Nothing else.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Takes a lock, poisoned or not: handlers never run under a lock of this library, so no panic leaves one half changed.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

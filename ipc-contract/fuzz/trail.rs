//! What an execution has shown: the cheap stand-in for coverage. An input that shows something new is worth keeping.

use std::hash::{DefaultHasher, Hash, Hasher};

/// Hashes of what happened, such as (error, message, depth). Its parts are chosen so that they are few.
#[derive(Clone, Debug, Default)]
pub struct Trail(Vec<u64>);

impl Trail {
    pub fn mark(&mut self, what: impl Hash) {
        let mut hasher = DefaultHasher::new();
        what.hash(&mut hasher);
        self.0.push(hasher.finish());
    }

    pub fn marks(&self) -> &[u64] {
        &self.0
    }
}

/// The number of binary digits: sizes that differ little are the same.
pub fn bucket(size: usize) -> u32 {
    usize::BITS - size.leading_zeros()
}

/// Fails with a sentence unless `holds`.
pub fn ensure(holds: bool, sentence: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(sentence()) }
}

//! Why a case failed: what the rule expects, and what was seen instead. Pure.

use serde::Serialize;

/// How a case ends.
pub type Verdict<T = ()> = Result<T, Failure>;

/// What was expected and what was seen, each a frame as JSON or a few words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Failure {
    pub expected: String,
    pub seen: String,
}

impl Failure {
    pub fn new(expected: impl Into<String>, seen: impl Into<String>) -> Self {
        Self { expected: expected.into(), seen: seen.into() }
    }

    /// Fails unless `is_so`.
    ///
    /// # Errors
    /// What was expected, and what was seen.
    pub fn unless(is_so: bool, expected: impl Into<String>, seen: impl Into<String>) -> Verdict {
        if is_so { Ok(()) } else { Err(Self::new(expected, seen)) }
    }
}

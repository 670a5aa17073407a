//! Why a run failed, in the words of its handler, and whether it may be tried again. How it is sent lives in `answer`.

use std::fmt::Display;
use std::time::Duration;

use ipc_contract::{Exit, Retry, Scope};

/// The bad end of a run. Any error that can be displayed becomes one by `?`, and is then retried by the policy of the task.
///
/// It is deliberately not an error type itself, which is what lets `?` convert everything else.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    pub(crate) error: String,
    pub(crate) retry: Retry,
    pub(crate) scope: Scope,
    pub(crate) exit: Option<Exit>,
}

impl Failure {
    /// A failure with a sentence for people, retried by the policy of the task.
    pub fn new(error: impl Into<String>) -> Self {
        Self { error: error.into(), retry: Retry::Default, scope: Scope::Task, exit: None }
    }

    /// Not to be tried again before `delay` from now, whatever the back-off says. Precision: 1 ms.
    pub fn retry_after(self, delay: Duration) -> Self {
        let delay_ms = u64::try_from(delay.as_millis()).unwrap_or(u64::MAX);
        self.with_retry(Retry::AfterMs(delay_ms))
    }

    /// As [`retry_after`](Self::retry_after), for all tasks of the same key: none of them starts before. For what is limited by
    /// customer or host.
    pub fn key_after(self, delay: Duration) -> Self {
        self.retry_after(delay).with_scope(Scope::Key)
    }

    /// As [`retry_after`](Self::retry_after), for all tasks of the queue: none of them starts before. For a service that says
    /// "too many requests".
    pub fn queue_after(self, delay: Duration) -> Self {
        self.retry_after(delay).with_scope(Scope::Queue)
    }

    /// Never to be tried again: the task has failed for good.
    pub fn never(self) -> Self {
        self.with_retry(Retry::Never)
    }

    /// What it tells people.
    pub fn error(&self) -> &str {
        &self.error
    }

    /// Whether and when the task may be tried again.
    pub fn retry(&self) -> Retry {
        self.retry
    }

    pub(crate) fn with_retry(self, retry: Retry) -> Self {
        Self { retry, ..self }
    }

    /// Who waits for [`Retry::AfterMs`].
    pub fn scope(&self) -> Scope {
        self.scope
    }

    pub(crate) fn with_scope(self, scope: Scope) -> Self {
        Self { scope, ..self }
    }

    pub(crate) fn with_exit(self, exit: Exit) -> Self {
        Self { exit: Some(exit), ..self }
    }
}

impl<E: Display> From<E> for Failure {
    /// The alternate form, so that an error which keeps its causes (as `anyhow` does) tells them all.
    fn from(error: E) -> Self {
        Self::new(format!("{error:#}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_displayable_error_becomes_a_failure_that_may_be_retried() {
        fn parse(text: &str) -> Result<u32, Failure> {
            Ok(text.parse::<u32>()?)
        }
        let failure = parse("x").unwrap_err();
        assert_eq!(failure, Failure::new("invalid digit found in string"));
        assert_eq!(failure.retry, Retry::Default);
    }

    #[test]
    fn each_form_of_retry_is_kept() {
        let base = || Failure::new("no");
        assert_eq!(base().never().retry, Retry::Never);
        assert_eq!(base().retry_after(Duration::from_millis(1500)).retry, Retry::AfterMs(1500));
        let second = Duration::from_secs(1);
        let said = |failure: Failure| (failure.retry(), failure.scope());
        assert_eq!(said(base().key_after(second)), (Retry::AfterMs(1_000), Scope::Key));
        assert_eq!(said(base().queue_after(second)), (Retry::AfterMs(1_000), Scope::Queue));
        assert_eq!(base().retry_after(Duration::MAX).retry, Retry::AfterMs(u64::MAX));
    }
}

//! Figures, and what was violated, in words. Decides nothing.

use std::fmt;

/// What has come out. Good is what has no violations.
#[derive(Debug, Default)]
pub struct Report {
    pub violations: Vec<String>,
    figures: Vec<(&'static str, String)>,
}

impl Report {
    pub(super) fn figure(&mut self, name: &'static str, value: String) {
        self.figures.push((name, value));
    }

    /// Demands what holds; `what` says what does not.
    pub(super) fn claim(&mut self, holds: bool, what: impl FnOnce() -> String) {
        if !holds {
            self.violations.push(what());
        }
    }

    pub(super) fn join(&mut self, other: Report) {
        self.violations.extend(other.violations);
        self.figures.extend(other.figures);
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, value) in &self.figures {
            writeln!(f, "{name:<34}{value}")?;
        }
        for violation in &self.violations {
            writeln!(f, "VIOLATION  {violation}")?;
        }
        Ok(())
    }
}

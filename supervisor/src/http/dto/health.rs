//! How the supervisor is. Values only.

use serde::{Deserialize, Serialize};

use crate::shell::pulse::Condition;

/// The answer to `/v1/health/live`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Live {
    /// Its event loop and its writer have answered just now.
    pub live: bool,
}

/// The answer to `/v1/health/ready`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Readiness {
    pub ready: bool,
    /// Why it is not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<String>,
}

impl Readiness {
    /// Of nobody who answers there is no condition.
    pub fn of(condition: Option<Condition>) -> Readiness {
        let silent = || vec!["the event loop or the writer does not answer".to_owned()];
        let reasons = condition.map_or_else(silent, |condition| condition.reasons);
        Readiness { ready: reasons.is_empty(), reasons }
    }
}

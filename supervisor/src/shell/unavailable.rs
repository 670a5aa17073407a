//! Why the engine has not done what it was asked. Values only.

/// Why nothing was done. None of these loses anything that was accepted before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unavailable {
    /// The supervisor is being stopped.
    Stopping,
    /// Too many requests wait.
    Overloaded,
    /// The disk is full.
    Full(String),
    /// Everything else, in a sentence.
    Failed(String),
}

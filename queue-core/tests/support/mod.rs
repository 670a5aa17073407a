//! What the suites share: a queue whose clocks and random words are in the hand of the test. No case of its own.

pub(crate) mod border;
pub(crate) mod rig;
pub(crate) mod values;

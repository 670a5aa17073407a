//! What the suites of the tick share: a queue whose clocks and random words are in the hand of the test. No case of its own.

mod rig;
mod values;

pub use rig::Rig;
pub use values::{FIRST_WALL_US, HELPER, MAIN, MS, SECOND, SIDE, claims, demand, finish, put, task};

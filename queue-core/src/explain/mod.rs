//! Why tasks wait, for people: what holds them back, asked of the very functions by which lanes and claims decide, how many
//! stand before them, and when they may start. Looks at book and rows between two turns, and changes nothing.
//!
//! - `task`: one task. `queue`: a queue as a whole. `holds`: what is closed on the way to a claim. `before`: the place in line.

mod before;
mod holds;
mod queue;
mod task;

pub use before::{BEFORE_MAX, Before, LANES_MAX};
pub use holds::Held;
pub use queue::{HELD_KEYS_MAX, HeldKey, QueueWait, explain_queue};
pub use task::{TaskWait, explain_task};

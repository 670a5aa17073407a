//! Control groups of version 2: by them the system itself limits what a worker uses with all that it starts, and kills all of it
//! at once, whatever sessions and environments it has given itself.
//!
//! - `layout`: where the groups of this process are. `level`: what can be had there, and in words. `groups`: the groups of one
//!   database, and their taking. `group`: that of one worker. `former`: those of a former life.

mod former;
mod group;
mod groups;
mod layout;
mod level;
#[cfg(test)]
mod tests;

pub use former::end_former;
pub use group::Group;
pub use groups::Groups;
pub use layout::{Layout, memory_limit_bytes};
pub use level::{Controllers, Level, Verdict, look};

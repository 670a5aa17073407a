//! What pools promise, at length: `deaths` of workers that leave daemons behind, `leaks` that recycling outruns, and `memory` that
//! is short. `all` is the whole with its options, `report` what each part comes to, `ended` a wait.

mod all;
mod deaths;
mod ended;
mod leaks;
mod memory;
mod report;

pub use all::{Pools, pools};
pub use report::Report;

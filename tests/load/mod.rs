//! What the load programs are made of; a program itself only reads its arguments and prints.
//!
//! - `bench`: measures the whole path beside plain SQLite. `torture`: kills under load, and counts what is lost.
//! - `monotonic`: the one clock that all processes of a machine share. `percentile`: what both say of many values.

pub mod bench;
mod monotonic;
mod percentile;
pub mod torture;

use percentile::percentile;

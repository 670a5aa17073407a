//! What the system tests and the load programs share. Nothing of the product lives here.

pub mod harness;
#[path = "../load/mod.rs"]
pub mod load;

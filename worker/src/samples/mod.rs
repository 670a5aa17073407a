//! The sample handlers: those that the contract's checker expects of every library, and a real one. No product code lives here.

mod crash;
mod handlers;
mod print;
mod tell;
mod text_stats;
mod worker;

pub use worker::samples;

//! What a check found, and the ways to print it. Pure: values in, text out.

mod human;
mod json;
mod junit;
mod outcome;
mod words;

pub use human::{Painter, case_line, cases_listed, channel_lines, summary};
pub use json::json;
pub use junit::junit;
pub use outcome::{CaseReport, ChannelReport, Counts, Failing, Outcome, Report, Spoken};
pub use words::{alone, quoted};

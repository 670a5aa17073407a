//! `run`: the supervisor itself, in this process, until it is stopped. Its log goes to stderr, one JSON object a line.

use std::io;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

use super::exit::{CliError, Exit};
use super::place::Place;
use crate::shell;

pub fn run(place: &Place) -> Result<Exit, CliError> {
    let config = place.load()?;
    let filter = EnvFilter::builder().with_default_directive(LevelFilter::INFO.into()).from_env_lossy();
    tracing_subscriber::fmt().json().flatten_event(true).with_env_filter(filter).with_writer(io::stderr).init();
    shell::run(config, shell::stops(), |_| ())?;
    Ok(Exit::Done)
}

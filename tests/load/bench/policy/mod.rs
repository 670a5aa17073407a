//! Who waits how long under each policy, at three times the load that the pool can carry: simulated with the real tick from a
//! seed, so that the figure is the same on every machine.
//!
//! - `scene`: a policy, and who sends what. `overload`: the simulation of one scene. `figure`: the drawing of all.

mod figure;
mod overload;
mod scene;

use std::path::PathBuf;

use anyhow::{Context, Result};

/// Where the figure goes.
#[derive(Clone, Debug, clap::Args)]
pub struct PolicyOptions {
    /// The file to write
    #[arg(long, default_value = "supervisor/docs/policy.svg")]
    svg: PathBuf,
}

/// Simulates and draws; gives what became of it in words.
///
/// # Errors
/// Those of the database, and of the file.
pub fn policy(options: &PolicyOptions) -> Result<String> {
    let svg = drawn()?;
    std::fs::write(&options.svg, svg).with_context(|| format!("{} cannot be written", options.svg.display()))?;
    Ok(format!("{} is drawn", options.svg.display()))
}

/// The figure.
///
/// # Errors
/// Those of the database.
pub fn drawn() -> Result<String> {
    let played: Result<Vec<_>> = scene::all().into_iter().map(|scene| Ok((overload::play(&scene)?, scene))).collect();
    figure::draw(&played?)
}

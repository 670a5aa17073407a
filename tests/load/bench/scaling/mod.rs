//! How a pool follows a load that steps from nothing to full and back: workers, backlog and wait over time, drawn.
//!
//! - `step`: the load, through a real supervisor with real workers. `seen`: what was observed, and what it comes to. Pure.
//!   `figure`: the drawing.

mod figure;
mod seen;
mod step;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// The load, and where the figure goes.
#[derive(Clone, Debug, clap::Args)]
pub struct ScalingOptions {
    /// Tasks a second while the load lasts
    #[arg(long, default_value_t = 200)]
    rate: u32,
    /// How long each task takes, in milliseconds
    #[arg(long, default_value_t = 50)]
    task_ms: u64,
    /// How long the load lasts, in seconds
    #[arg(long, default_value_t = 20)]
    seconds: u64,
    /// Workers, at most
    #[arg(long, default_value_t = 20)]
    max: u32,
    /// The file to write
    #[arg(long, default_value = "target/scaling.svg")]
    svg: PathBuf,
}

/// Runs the load and draws what came of it; gives the figures and decisions in words. `program` is the bench itself.
///
/// # Errors
/// Those of the load, and of the file.
pub fn scaling(options: &ScalingOptions, program: &Path) -> Result<String> {
    let seen = step::play(options, program)?;
    let svg = figure::draw(&seen, options)?;
    if let Some(folder) = options.svg.parent() {
        std::fs::create_dir_all(folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    }
    std::fs::write(&options.svg, svg).with_context(|| format!("{} cannot be written", options.svg.display()))?;
    Ok(format!("{}\n{} is drawn", seen.words(options), options.svg.display()))
}

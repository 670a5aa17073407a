//! `pool`: pools of workers as they are, and what they are to do.

use clap::{Args as ClapArgs, Subcommand};

use super::client::{Client, blocking};
use super::exit::{CliError, Exit};
use super::output::{self, Format};
use super::place::Place;
use super::pool_text::{after_order, list, show};
use crate::config::WORKERS_MAX;
use crate::http::NewScale;

#[derive(ClapArgs, Debug)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// List the pools, with how many workers each has, and what holds it
    #[command(after_help = "Examples:\n  supervisor pool list\n  supervisor pool list -o json")]
    List,
    /// Show a pool: its state and why, its workers, what its tasks take, and what was decided about it
    #[command(after_help = "Examples:\n  supervisor pool show images\n  supervisor pool show images -o json")]
    Show(Named),
    /// Set how many workers there are, until the configuration says something else or the supervisor ends
    #[command(after_help = "Examples:\n  supervisor pool scale images 4\n  supervisor pool scale images 0..8")]
    Scale(ScaleArgs),
    /// Replace all workers, few at a time, each after its run; try a broken pool again
    #[command(after_help = "Examples:\n  supervisor pool recycle images\n  supervisor pool recycle images -o json")]
    Recycle(Named),
    /// Start no further tasks in this pool; what runs goes on
    #[command(after_help = "Examples:\n  supervisor pool quiet images\n  supervisor pool quiet images -o json")]
    Quiet(Named),
    /// Start tasks in this pool again
    #[command(after_help = "Examples:\n  supervisor pool resume images\n  supervisor pool resume images -o json")]
    Resume(Named),
}

#[derive(ClapArgs, Debug)]
struct Named {
    /// The pool
    name: String,
}

#[derive(ClapArgs, Debug)]
struct ScaleArgs {
    /// The pool
    name: String,
    /// How many workers, or from where to where their number may go: 4, or 0..8
    #[arg(value_name = "WORKERS", value_parser = size)]
    size: NewScale,
}

pub fn run(args: &Args, place: &Place, format: Format) -> Result<Exit, CliError> {
    let config = place.load()?;
    let connected = || Client::connect(&config.db);
    let order = |name: &str, order: &'static str| -> Result<(), CliError> {
        let pool = blocking(async { connected().await?.order(name, order).await })??;
        output::one(format, &pool, None, || after_order(&pool))
    };
    match &args.command {
        Command::List => {
            let pools = blocking(async { connected().await?.pools().await })??;
            output::one(format, &pools, None, || list(&pools))?;
        }
        Command::Show(Named { name }) => {
            let pool = blocking(async { connected().await?.pool(name).await })??;
            output::one(format, &pool, None, || show(&pool))?;
        }
        Command::Scale(ScaleArgs { name, size }) => {
            let pool = blocking(async { connected().await?.scale(name, size).await })??;
            output::one(format, &pool, None, || after_order(&pool))?;
        }
        Command::Recycle(Named { name }) => order(name, "recycle")?,
        Command::Quiet(Named { name }) => order(name, "quiet")?,
        Command::Resume(Named { name }) => order(name, "resume")?,
    }
    Ok(Exit::Done)
}

/// `N` or `MIN..MAX`.
fn size(text: &str) -> Result<NewScale, String> {
    let count = |text: &str| text.parse::<u32>().ok().filter(|count| *count <= WORKERS_MAX);
    let size = match text.split_once("..") {
        None => count(text).map(|workers| NewScale { workers: Some(workers), ..NewScale::default() }),
        Some((min, max)) => match (count(min), count(max)) {
            (Some(min), Some(max)) if min <= max => {
                Some(NewScale { min: Some(min), max: Some(max), ..NewScale::default() })
            }
            _ => None,
        },
    };
    size.ok_or_else(|| format!("say how many, 0 to {WORKERS_MAX}, such as 4, or from where to where, such as 0..8"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_typed_as_it_is_printed() {
        assert_eq!(size("4").unwrap(), NewScale { workers: Some(4), ..NewScale::default() });
        assert_eq!(size("0..8").unwrap(), NewScale { min: Some(0), max: Some(8), ..NewScale::default() });
        for text in ["", "-1", "257", "3..2", "1..", "..4", "1...4", "x"] {
            assert!(size(text).unwrap_err().contains("0..8"), "{text}");
        }
    }
}

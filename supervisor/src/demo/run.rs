//! One demo from beginning to end, and what is said of it: results on stdout, everything else on stderr.

use std::io;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use nix::unistd::{AccessFlags, access};
use queue_core::state::TaskState;
use queue_core::store::{LIST_MAX, Reader};
use tracing::level_filters::LevelFilter;

use super::drive::{Driven, drive};
use super::engine::{Engine, stopped};
use super::files::{FILES_MAX, Found, find};
use super::plan::{Plan, plan};
use super::table;
use super::workspace::Workspace;
use crate::cli::client::blocking;
use crate::cli::describe::describe;
use crate::cli::exit::{CliError, Exit};
use crate::cli::output;
use crate::config::Config;
use crate::http::text::printable;

/// The program of the plain commands.
const PROGRAM: &str = "sha256sum";
/// Ended tasks that the table counts.
const ROWS_MAX: i64 = 100_000;

/// Real work for every file below `path` (the current folder without it), in a queue in `keep` or in a temporary folder.
/// `Done` only when every task is completed.
///
/// # Errors
/// What stands in the way; a stop by a signal, after which a kept queue can be gone on with.
pub fn run(path: Option<&Path>, keep: Option<&Path>) -> Result<Exit, CliError> {
    check_program()?;
    let root = existing_folder(path.unwrap_or(Path::new(".")))?;
    let workspace = Workspace::open(keep).map_err(|error| {
        let place = keep.map_or_else(std::env::temp_dir, Path::to_owned);
        CliError::new(
            Exit::Unexpected,
            "folder",
            format!("cannot use {}: {error}", place.display()),
            "choose another --keep",
        )
    })?;
    if root == workspace.folder() {
        let message = format!("{} cannot hold both the files and the queue", root.display());
        return Err(CliError::usage(message, "choose another --keep"));
    }
    let config = Config::load(Some(&workspace.config_file()), None)?;
    let plan = look(&root, workspace.folder())?;
    let former = FormerLife::read(&config.db)?;
    log_to_stderr();
    let (db, since_us) = (config.db.clone(), now_us());
    let engine = Engine::start(config)?;
    former.tell();
    let driven = work(engine, &db, plan)?;
    let ended = Reader::open(&db)?.ended_runs(ROWS_MAX)?;
    output::data(&format!("\n{}", output::table(&table::HEADING, table::rows(&ended, since_us))))?;
    tell(&driven, &workspace)?;
    Ok(if driven.unsuccessful == 0 { Exit::Done } else { Exit::TaskFailed })
}

/// Asks for everything that is planned and waits for its end, then stops the engine.
fn work(mut engine: Engine, db: &Path, plan: Plan) -> Result<Driven, CliError> {
    let count = plan.tasks.len();
    let driven = blocking(async {
        tokio::select! {
            driven = drive(db, plan.tasks) => Some(driven),
            () = engine.ended() => None,
        }
    })?;
    engine.stop()?;
    match driven {
        Some(Err(error)) if error.exit != Exit::NotReachable => Err(error),
        Some(Ok(driven)) => {
            output::note(&format!("{count} tasks asked for, {} of them were there before", driven.existing));
            Ok(driven)
        }
        // The supervisor has ended well and was not told to by us, or is about to.
        _ => Err(stopped()),
    }
}

fn check_program() -> Result<(), CliError> {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let is_there = |folder: PathBuf| access(&folder.join(PROGRAM), AccessFlags::X_OK).is_ok();
    if std::env::split_paths(&folders).any(is_there) {
        return Ok(());
    }
    let message = format!("there is no {PROGRAM} in PATH, which the demo runs for every file");
    Err(CliError::new(Exit::Unexpected, "no_program", message, "install it: on most systems it is part of coreutils"))
}

fn existing_folder(path: &Path) -> Result<PathBuf, CliError> {
    let wrong = |reason: &dyn std::fmt::Display| {
        CliError::usage(format!("cannot read {}: {reason}", path.display()), "name a folder with --path")
    };
    let folder = path.canonicalize().map_err(|error| wrong(&error))?;
    if folder.is_dir() { Ok(folder) } else { Err(wrong(&"it is no folder")) }
}

fn look(root: &Path, own: &Path) -> Result<Plan, CliError> {
    let Found { files, skipped, is_cut } = find(root, own);
    output::note(&format!("{} files below {}", files.len(), root.display()));
    if is_cut {
        output::note(&format!("  there are more: the demo takes the first {FILES_MAX} by name"));
    }
    let plan = plan(&files, skipped)?;
    if plan.skipped.count > 0 {
        output::note(&format!("  {} skipped, such as", plan.skipped.count));
        plan.skipped.named.iter().for_each(|named| output::note(&format!("    {}", printable(named.as_bytes()))));
    }
    Ok(plan)
}

/// What an earlier demo left in the queue.
#[derive(Default)]
struct FormerLife {
    ended: usize,
    running: usize,
}

impl FormerLife {
    fn read(db: &Path) -> Result<FormerLife, CliError> {
        if !db.exists() {
            return Ok(FormerLife::default());
        }
        let mut reader = Reader::open(db)?;
        let running = reader.list(Some(TaskState::Running), LIST_MAX)?.len();
        Ok(FormerLife { ended: reader.ended_runs(ROWS_MAX)?.len(), running })
    }

    /// To be called once the supervisor has recovered.
    fn tell(&self) {
        let FormerLife { ended, running } = self;
        if ended + running > 0 {
            output::note(&format!("recovered: {ended} tasks had ended, {running} were cut off and run again"));
        }
    }
}

fn tell(driven: &Driven, workspace: &Workspace) -> Result<(), CliError> {
    if let Some(task) = &driven.digest {
        let said: String = task.result.read()?;
        output::data(&format!("\nA digest, as {PROGRAM} printed it:\n  {}", printable(said.trim_end().as_bytes())))?;
    }
    if let Some(task) = &driven.crash {
        output::data(&format!("\nA task that took its worker down, and was run again:\n{}", describe(task)))?;
    }
    if let Some(task) = &driven.failure {
        let count = driven.unsuccessful;
        output::data(&format!("\n{count} tasks are not completed. One of them:\n{}", describe(task)))?;
    }
    if workspace.is_kept() {
        let file = workspace.config_file();
        let file = file.display();
        output::note(&format!(
            "\nThe queue is kept. Go on with\n  supervisor list --config {file}\n  supervisor show 1 --config {file}\n  \
             supervisor run --config {file}"
        ));
    } else {
        output::note("\nNothing is kept of it. With --keep DIR the queue stays there to look at, and to go on with.");
    }
    Ok(())
}

/// Only what somebody should know: the demo itself says the rest.
fn log_to_stderr() {
    let log = tracing_subscriber::fmt().with_max_level(LevelFilter::WARN).without_time().with_target(false);
    // It would tell of a stderr that is gone by a panic.
    let log = log.log_internal_errors(false);
    log.with_writer(io::stderr).init();
}

/// Microseconds since 1970.
fn now_us() -> i64 {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since_1970.as_micros()).unwrap_or(i64::MAX)
}

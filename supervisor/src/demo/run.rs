//! One demo from beginning to end: what is done in which order, and what stands in the way.

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::{SystemTime, UNIX_EPOCH};

use tracing::level_filters::LevelFilter;

use super::application::{Application, EXIT_TASK_FAILED};
use super::drive::{Driven, drive};
use super::engine::{Engine, stopped};
use super::files::{FILES_MAX, Found, find};
use super::former::FormerLife;
use super::plan::{Plan, plan};
use super::report::Done;
use super::workspace::Workspace;
use super::{programs, python};
use crate::cli::client::blocking;
use crate::cli::exit::{CliError, Exit};
use crate::cli::output;
use crate::config::Config;
use crate::text::printable;

/// What the user wants of it.
#[derive(Debug)]
pub struct Options<'a> {
    /// The folder whose files are worked on; without it, the current one.
    pub path: Option<&'a Path>,
    /// Where the queue stays; without it, it goes with the demo.
    pub keep: Option<&'a Path>,
    /// Stay up when the work is done.
    pub serve: bool,
}

/// Real work for every file below a folder, in a queue of its own. `Done` only when every task is completed.
///
/// # Errors
/// What stands in the way; a stop by a signal before the end, after which a kept queue can be gone on with.
pub fn run(options: &Options<'_>) -> Result<Exit, CliError> {
    programs::check()?;
    let root = existing_folder(options.path.unwrap_or(Path::new(".")))?;
    let python = python::look();
    let workspace = open_workspace(options.keep, &root, python.is_ok())?;
    let mut config = Config::load(Some(&workspace.config_file()), None)?;
    let python = python::settle(&mut config, python);
    if let Err(why) = &python {
        output::note(&format!("without its Python part: {why}"));
    }
    let Plan { tasks, files, .. } = look(&root, workspace.folder())?;
    let former = FormerLife::read(&config.db)?;
    log_to_stderr();
    let (db, since_us) = (config.db.clone(), now_us());
    let application = match python {
        Ok(()) if !files.is_empty() => Some(Application::start(&workspace, &config, &files)?),
        _ => None,
    };
    let mut engine = Engine::start(config)?;
    former.tell();
    let told = work(&mut engine, drive(&db, tasks), application).and_then(|done| {
        done.tell(&db, since_us)?;
        if options.serve {
            done.tell_while_it_is_up(&db, files.into_iter().next());
            blocking(engine.ended())?;
        }
        Ok(done)
    });
    engine.stop()?;
    let done = told?;
    done.tell_afterwards(&workspace);
    Ok(done.exit())
}

/// Waits until all that this program and the application have asked for has ended.
fn work(
    engine: &mut Engine,
    drive: impl Future<Output = Result<Driven, CliError>>,
    application: Option<Application>,
) -> Result<Done, CliError> {
    let all = async {
        let driven = drive.await?;
        output::note(&format!("{} tasks asked for, {} of them were there before", driven.count, driven.existing));
        match application {
            Some(application) => await_application(driven, application).await,
            None => Ok(Done { driven, application: None, application_succeeded: true }),
        }
    };
    let done = blocking(async {
        tokio::select! {
            done = all => Some(done),
            () = engine.ended() => None,
        }
    })?;
    match done {
        Some(Err(error)) if error.exit == Exit::NotReachable => Err(stopped()),
        Some(done) => done,
        // It was not told to by us.
        None => Err(stopped()),
    }
}

async fn await_application(driven: Driven, mut application: Application) -> Result<Done, CliError> {
    let status = application.ended().await?;
    let said = application.said()?;
    if !matches!(status.code(), Some(0 | EXIT_TASK_FAILED)) {
        return Err(application_failed(status, &said));
    }
    Ok(Done { driven, application: Some(said), application_succeeded: status.success() })
}

fn application_failed(status: ExitStatus, said: &[u8]) -> CliError {
    let said = printable(said.trim_ascii_end());
    let message = format!("client.py ended with {status}; it printed\n{said}");
    CliError::new(Exit::Unexpected, "application", message, "see what python3 says above")
}

fn open_workspace(keep: Option<&Path>, root: &Path, has_python: bool) -> Result<Workspace, CliError> {
    let workspace = Workspace::open(keep, has_python).map_err(|error| {
        let place = keep.map_or_else(std::env::temp_dir, Path::to_owned);
        let message = format!("cannot use {}: {error}", place.display());
        CliError::new(Exit::Unexpected, "folder", message, "choose another --keep")
    })?;
    if root == workspace.folder() {
        let message = format!("{} cannot hold both the files and the queue", root.display());
        return Err(CliError::usage(message, "choose another --keep"));
    }
    Ok(workspace)
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

//! Which kinds the stock worker offers, and with which command each is run. How a command runs lives in `command`.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Arc;

use ipc_contract::{CommandArgs, CommandTemplate};

use crate::error::ErrorKind;
use crate::exit::EXIT_IO;
use crate::failure::Failure;
use crate::handler::{Handler, read_args};
use crate::worker::{Worker, leave};

use super::command;
use super::keeper::Keeper;

/// The built-in kind, whose args are the whole command line.
pub const COMMAND_KIND: &str = "command";

/// Runs commands until the supervisor says stop: the kind `command`, and each kind of `templates` with the command that its
/// args complete. The code is for `main` to return.
pub fn run(templates: BTreeMap<String, CommandTemplate>) -> ExitCode {
    let worker = Worker::new();
    let keeper = match Keeper::start() {
        Ok(keeper) => Arc::new(keeper),
        Err(error) => return leave(EXIT_IO, &ErrorKind::Commands(error).to_string()),
    };
    offer(worker, &keeper, templates).run()
}

fn offer(worker: Worker, keeper: &Arc<Keeper>, templates: BTreeMap<String, CommandTemplate>) -> Worker {
    let own = Arc::clone(keeper);
    let worker = worker.add(
        COMMAND_KIND,
        Handler::raw(move |context, args| {
            command::run(context, &own, &read_args::<CommandArgs>(context.kind(), args)?)
        }),
    );
    templates.into_iter().fold(worker, |worker, (kind, template)| {
        let own = Arc::clone(keeper);
        worker.add(
            &kind,
            Handler::raw(move |context, args| {
                let argv = template.render(args).map_err(|error| Failure::from(error).never())?;
                command::run(context, &own, &CommandArgs { argv, ..CommandArgs::default() })
            }),
        )
    })
}

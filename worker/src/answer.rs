//! One run, from its args to its answer: the handler is called, and however it ends there is exactly one `done` or `fail`.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use ipc_contract::limits;
use ipc_contract::{Done, Fail, FromWorker, Run};

use crate::context::Context;
use crate::failure::Failure;
use crate::handler::{Handlers, Output};
use crate::text::clip;

/// The text of a failure; the rest is cut off.
const ERROR_MAX_BYTES: usize = 64 * 1024;

/// Calls the handler of a run and words its answer.
pub(crate) fn answer(handlers: &Handlers, run: &Run, context: &Context) -> FromWorker {
    let outcome = match handlers.get(&run.kind) {
        // The handler's own state may be half changed by a panic; that is its author's to know, as with any thread.
        Some(handler) => catch_unwind(AssertUnwindSafe(|| handler(context, &run.args)))
            .unwrap_or_else(|panic| Err(Failure::new(panic_text(panic.as_ref())))),
        None => Err(Failure::new(format!(
            "this worker has no handler for the kind `{}`; it offers {}",
            run.kind,
            handlers.kinds().join(", ")
        ))),
    };
    word(run, outcome.and_then(within_limit))
}

fn within_limit(output: Output) -> Result<Output, Failure> {
    // The supervisor may be configured to less. What is over the maximum can never be taken.
    limits::RESULT_BYTES
        .check_at(output.result.0.len(), limits::RESULT_BYTES.max)
        .map(|()| output)
        .map_err(|error| Failure::from(error).never())
}

fn word(run: &Run, outcome: Result<Output, Failure>) -> FromWorker {
    let (task, epoch) = (run.task, run.epoch);
    match outcome {
        Ok(Output { result, cut }) => FromWorker::Done(Done { task, epoch, result, cut, ..Done::default() }),
        Err(Failure { error, retry, exit }) => {
            let error = clip(&error, ERROR_MAX_BYTES).to_owned();
            FromWorker::Fail(Fail { task, epoch, error, retry, exit })
        }
    }
}

fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("a value that is no text");
    format!("the handler panicked: {text}")
}

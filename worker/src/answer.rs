//! The answer of one run: however its handler ends, there is exactly one `done` or `fail`.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use ipc_contract::limits;
use ipc_contract::{Done, Fail, FromWorker, RunRef, TaskSpec};

use crate::failure::Failure;
use crate::follow_ups::FollowUps;
use crate::handler::{Handlers, Output};
use crate::text::clip;

/// The text of a failure; the rest is cut off.
const ERROR_MAX_BYTES: usize = 64 * 1024;

/// How a run ended.
pub(crate) type Conclusion = Result<(Output, Vec<TaskSpec>), Failure>;

/// What a panic is said to come from.
pub(crate) const HANDLER: &str = "the handler";

/// Calls what may panic. The handler's own state may be half changed then; that is its author's to know, as with any thread.
/// `what` is called, for the sentence.
pub(crate) fn caught<T>(what: &str, call: impl FnOnce() -> T) -> Result<T, Failure> {
    catch_unwind(AssertUnwindSafe(call))
        .map_err(|panic| Failure::new(format!("{what} panicked: {}", panic_text(panic.as_ref()))))
}

/// A kind that this worker does not have. Trying again cannot mend that.
pub(crate) fn unknown_kind(kind: &str, handlers: &Handlers) -> Failure {
    let offered = handlers.kinds().join(", ");
    Failure::new(format!("this worker has no handler for the kind `{kind}`; it offers {offered}")).never()
}

/// What the run comes to, with the follow-ups of a good end.
pub(crate) fn conclude(outcome: Result<Output, Failure>, follow_ups: FollowUps, may_enqueue: bool) -> Conclusion {
    let output = outcome?;
    limits::RESULT_BYTES.check(output.result.0.len()).map_err(|error| Failure::from(error).never())?;
    let tasks = follow_ups.finish(may_enqueue).map_err(|sentence| Failure::new(sentence).never())?;
    Ok((output, tasks))
}

pub(crate) fn word(run: RunRef, conclusion: Conclusion) -> FromWorker {
    let RunRef { task, epoch } = run;
    match conclusion {
        Ok((Output { result, cut }, enqueue)) => FromWorker::Done(Done { task, epoch, result, cut, enqueue }),
        Err(Failure { error, retry, scope, exit }) => {
            let error = clip(&error, ERROR_MAX_BYTES).to_owned();
            FromWorker::Fail(Fail { task, epoch, error, retry, scope, exit })
        }
    }
}

fn panic_text(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("a value that is no text")
}

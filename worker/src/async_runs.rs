//! Async handlers: how one is wrapped, and the runtime that they share. When one is started is not decided here.

use std::io;
use std::pin::{Pin, pin};
use std::task::Poll;

use ipc_contract::Payload;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::runtime::{Builder, Runtime};

use crate::answer::{HANDLER, caught};
use crate::context::Context;
use crate::failure::Failure;
use crate::handler::{Handler, Output, read_args, write_result};

pub(crate) type Outcome = Pin<Box<dyn Future<Output = Result<Output, Failure>> + Send>>;

pub(crate) type AsyncHandler = dyn Fn(Context, &Payload) -> Outcome + Send + Sync;

/// Wraps a typed async function: decodes its args, encodes its result.
pub(crate) fn typed<A, R, E, F, O>(handler: F) -> Handler
where
    A: DeserializeOwned,
    R: Serialize,
    E: Into<Failure>,
    F: Fn(Context, A) -> O + Send + Sync + 'static,
    O: Future<Output = Result<R, E>> + Send + 'static,
{
    Handler::Async(Box::new(move |context: Context, args: &Payload| -> Outcome {
        let kind = context.kind().to_owned();
        let called = read_args(&kind, args).and_then(|args| caught(HANDLER, || handler(context, args)));
        Box::pin(async move {
            let result = unpanicked(called?).await?.map_err(Into::into)?;
            write_result(&kind, &result)
        })
    }))
}

/// Polls what may panic.
async fn unpanicked<T>(work: impl Future<Output = T>) -> Result<T, Failure> {
    let mut work = pin!(work);
    std::future::poll_fn(|context| match caught(HANDLER, || work.as_mut().poll(context)) {
        Ok(Poll::Pending) => Poll::Pending,
        Ok(Poll::Ready(value)) => Poll::Ready(Ok(value)),
        Err(failure) => Poll::Ready(Err(failure)),
    })
    .await
}

/// The runtime of a worker: as many threads as it can use, one at least.
pub(crate) fn runtime(concurrency: u32) -> io::Result<Runtime> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = cores.min(usize::try_from(concurrency).unwrap_or(cores)).max(1);
    Builder::new_multi_thread().worker_threads(threads).thread_name("mutirao-async").enable_all().build()
}

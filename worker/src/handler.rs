//! The registry: which kind is run by which code. When and where a handler is called is not decided here.

use std::collections::BTreeMap;

use ipc_contract::Payload;
use ipc_contract::name::check_name;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::context::Context;
use crate::error::{ErrorKind, WorkerError};
use crate::failure::Failure;

/// What a run that ended well hands back.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Output {
    pub(crate) result: Payload,
    /// True when `result` is only the last part of what there was.
    pub(crate) cut: bool,
}

impl Output {
    pub(crate) fn whole(result: Payload) -> Self {
        Self { result, cut: false }
    }
}

type SyncHandler = dyn Fn(&Context, &Payload) -> Result<Output, Failure> + Send + Sync;

/// The code of one kind.
pub(crate) enum Handler {
    /// Runs on a thread of its own for as long as it likes.
    Sync(Box<SyncHandler>),
    /// Shares the threads of a runtime.
    #[cfg(feature = "tokio")]
    Async(Box<crate::async_runs::AsyncHandler>),
}

impl Handler {
    /// A sync handler of undecoded args.
    pub(crate) fn raw(handler: impl Fn(&Context, &Payload) -> Result<Output, Failure> + Send + Sync + 'static) -> Self {
        Self::Sync(Box::new(handler))
    }

    pub(crate) fn is_sync(&self) -> bool {
        matches!(self, Self::Sync(_))
    }
}

/// The handlers of a worker, by kind.
#[derive(Default)]
pub struct Handlers {
    by_kind: BTreeMap<String, Handler>,
}

impl Handlers {
    /// Adds a handler. Errors: an illegal name, or a kind that already has one.
    pub(crate) fn add(&mut self, kind: &str, handler: Handler) -> Result<(), WorkerError> {
        check_name("kind", kind).map_err(|error| ErrorKind::IllegalKind(error.to_string()))?;
        if self.by_kind.contains_key(kind) {
            return Err(ErrorKind::DuplicateKind(kind.to_owned()).into());
        }
        self.by_kind.insert(kind.to_owned(), handler);
        Ok(())
    }

    pub(crate) fn get(&self, kind: &str) -> Option<&Handler> {
        self.by_kind.get(kind)
    }

    /// The kinds on offer, in alphabetical order.
    pub fn kinds(&self) -> Vec<String> {
        self.by_kind.keys().cloned().collect()
    }

    /// True when there is nothing that this worker could run.
    pub fn is_empty(&self) -> bool {
        self.by_kind.is_empty()
    }

    /// How many of the handlers are sync, and how many are async.
    pub(crate) fn count(&self) -> (usize, usize) {
        let sync = self.by_kind.values().filter(|handler| handler.is_sync()).count();
        (sync, self.by_kind.len() - sync)
    }
}

/// Wraps a typed function: decodes its args, encodes its result.
pub(crate) fn typed<A, R, E, F>(handler: F) -> Handler
where
    A: DeserializeOwned,
    R: Serialize,
    E: Into<Failure>,
    F: Fn(&Context, A) -> Result<R, E> + Send + Sync + 'static,
{
    Handler::raw(move |context, args| {
        let args = read_args(context.kind(), args)?;
        write_result(context.kind(), &handler(context, args).map_err(Into::into)?)
    })
}

/// Encodes a result. Failing here is final: the same value cannot be written another time.
pub(crate) fn write_result<R: Serialize>(kind: &str, result: &R) -> Result<Output, Failure> {
    let written = Payload::of(result);
    written
        .map(Output::whole)
        .map_err(|error| Failure::new(format!("the result of `{kind}` cannot be encoded: {error}")).never())
}

/// MessagePack's map without entries.
const EMPTY_MAP: u8 = 0x80;

/// Decodes args. No args at all fit whatever takes nothing and whatever takes fields that may all be missing. Failing here is
/// final: the same bytes cannot fit another time.
pub(crate) fn read_args<A: DeserializeOwned>(kind: &str, args: &Payload) -> Result<A, Failure> {
    let read = match args.read() {
        Err(_) if args.read::<()>().is_ok() => Payload(vec![EMPTY_MAP]).read(),
        read => read,
    };
    read.map_err(|error| Failure::new(format!("the args do not fit the handler of `{kind}`: {error}")).never())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Default, PartialEq, serde::Deserialize)]
    #[serde(default)]
    struct Optional {
        text: Option<String>,
    }

    #[derive(Debug, serde::Deserialize)]
    struct Required {
        #[allow(dead_code)]
        text: String,
    }

    #[test]
    fn no_args_are_nothing_or_no_fields() {
        let none = Payload::default();
        assert!(read_args::<()>("k", &none).is_ok());
        assert_eq!(read_args::<Option<u8>>("k", &none).unwrap(), None);
        for none in [&none, &Payload(vec![0xc0])] {
            assert_eq!(read_args::<Optional>("k", none).unwrap(), Optional::default());
        }
        assert!(read_args::<Required>("k", &none).unwrap_err().error.contains("text"), "names what is missing");
    }
}

//! The other end of the door: asks a supervisor over its socket. For the command line, tests and load programs.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use axum::http::header::{CONTENT_TYPE, HOST};
use axum::http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use ipc_contract::{PrioritySpec, TaskSpec};
use queue_core::store::Filter;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::net::UnixStream;

use super::log_stream::LogStream;
use crate::http::dto::{
    Cancelled, Enqueued, EnqueuedAll, Examination, Live, Pool, PoolList, PoolSummary, QueueExplanation, QueueGate,
    Readiness, Reloaded, Reprioritised, Retried, Stats, StoppedWorker, System, Task, TaskExplanation, TaskList,
};
use crate::http::{ApiError, NewPriority, NewScale, Pause, Resume, StopWorker};
use crate::shell::lock::Holder;

/// An answer, at most: the largest result, spelled out as JSON, is far below.
const ANSWER_BYTES_MAX: usize = 64 * 1024 * 1024;
/// An idle connection may be closed by the other side: so often is a request that has not left tried on a new one.
const SEND_TRIES_MAX: usize = 3;

/// One connection, opened again when the supervisor has closed it.
pub struct Client {
    socket: PathBuf,
    sender: SendRequest<Full<Bytes>>,
}

#[derive(Debug)]
pub enum ClientError {
    /// No supervisor, or none that listens; nothing was asked.
    NotReachable {
        socket: Option<PathBuf>,
        error: io::Error,
    },
    /// The question left, and no whole answer came: whether it took effect is unknown.
    Broken(String),
    Refused(ApiError),
}

impl Client {
    /// Connects to the supervisor of a database, at the socket that its lock file names.
    ///
    /// # Errors
    /// `NotReachable`.
    pub async fn connect(db: &Path) -> Result<Client, ClientError> {
        let Some(socket) = Holder::read(db).and_then(|holder| holder.socket) else {
            return Err(ClientError::NotReachable { socket: None, error: io::ErrorKind::NotFound.into() });
        };
        let sender = open(&socket).await?;
        Ok(Client { socket, sender })
    }

    /// Asks and reads the answer, whatever its status. `body` is JSON.
    ///
    /// # Errors
    /// `NotReachable` and `Broken`.
    pub async fn request(
        &mut self,
        method: Method,
        path: &str,
        body: Option<Vec<u8>>,
    ) -> Result<(StatusCode, Value), ClientError> {
        let (status, bytes) = self.exchange(method, path, body).await?;
        Ok((status, read(&bytes)?))
    }

    /// Enqueues a task; returns once it is committed.
    ///
    /// # Errors
    /// As all that follow: every kind of [`ClientError`].
    pub async fn enqueue(&mut self, spec: &TaskSpec) -> Result<Enqueued, ClientError> {
        self.post("/v1/tasks", spec).await
    }

    /// A task as it stands, or once it is final, or after `wait` (at most [`crate::http::WAIT_MS_MAX`]).
    pub async fn task(&mut self, id: i64, wait: Duration) -> Result<Task, ClientError> {
        self.ask(Method::GET, &format!("/v1/tasks/{id}?wait={}ms", wait.as_millis()), None).await
    }

    /// Enqueues all of a list or none; returns once they are committed. `body` is JSON: `{"tasks": [...]}` with at most
    /// [`crate::http::BULK_TASKS_MAX`] of them, of at most [`crate::http::BODY_BYTES_MAX`] in all.
    pub async fn enqueue_all(&mut self, body: Vec<u8>) -> Result<EnqueuedAll, ClientError> {
        self.ask(Method::POST, "/v1/tasks/bulk", Some(body)).await
    }

    /// A page of at most `limit` tasks, from behind the `next` of another page.
    pub async fn list(&mut self, filter: &Filter, cursor: Option<&str>, limit: i64) -> Result<TaskList, ClientError> {
        let mut path = format!("/v1/tasks?limit={limit}");
        let state = filter.state.map(|state| state.name());
        let (kind, queue) = (filter.kind.as_deref(), filter.queue.as_deref());
        for (name, value) in [("state", state), ("kind", kind), ("queue", queue), ("cursor", cursor)] {
            if let Some(value) = value {
                path.push_str(&format!("&{name}={}", encoded(value)));
            }
        }
        self.ask(Method::GET, &path, None).await
    }

    pub async fn cancel(&mut self, id: i64) -> Result<Cancelled, ClientError> {
        self.ask(Method::POST, &format!("/v1/tasks/{id}/cancel"), None).await
    }

    pub async fn retry(&mut self, id: i64) -> Result<Retried, ClientError> {
        self.ask(Method::POST, &format!("/v1/tasks/{id}/retry"), None).await
    }

    /// Gives a waiting task another priority.
    pub async fn reprioritise(&mut self, id: i64, priority: &PrioritySpec) -> Result<Reprioritised, ClientError> {
        self.post(&format!("/v1/tasks/{id}/priority"), &NewPriority { priority: priority.clone() }).await
    }

    /// Why a task waits.
    pub async fn explain_task(&mut self, id: i64) -> Result<TaskExplanation, ClientError> {
        self.ask(Method::GET, &format!("/v1/tasks/{id}/explain"), None).await
    }

    /// Why a queue as a whole waits.
    pub async fn explain_queue(&mut self, queue: &str) -> Result<QueueExplanation, ClientError> {
        self.ask(Method::GET, &format!("/v1/queues/{}/explain", encoded(queue)), None).await
    }

    pub async fn pause(&mut self, queue: &str, pause: &Pause) -> Result<QueueGate, ClientError> {
        self.post(&format!("/v1/queues/{}/pause", encoded(queue)), pause).await
    }

    pub async fn resume(&mut self, queue: &str, resume: &Resume) -> Result<QueueGate, ClientError> {
        self.post(&format!("/v1/queues/{}/resume", encoded(queue)), resume).await
    }

    /// What one run printed, or the last one; with `follow` also what is printed from now on.
    pub async fn log(&mut self, id: i64, attempt: Option<i64>, follow: bool) -> Result<LogStream, ClientError> {
        let attempt = attempt.map(|attempt| format!("&attempt={attempt}")).unwrap_or_default();
        let response = self.send(Method::GET, &format!("/v1/tasks/{id}/logs?follow={follow}{attempt}"), None).await?;
        if response.status().is_success() {
            return Ok(LogStream::new(response.into_body()));
        }
        let (status, bytes) = finish(response).await?;
        Err(refused(status, &bytes))
    }

    pub async fn pools(&mut self) -> Result<PoolList, ClientError> {
        self.ask(Method::GET, "/v1/pools", None).await
    }

    pub async fn pool(&mut self, name: &str) -> Result<Pool, ClientError> {
        self.ask(Method::GET, &format!("/v1/pools/{}", encoded(name)), None).await
    }

    pub async fn scale(&mut self, pool: &str, size: &NewScale) -> Result<PoolSummary, ClientError> {
        self.post(&format!("/v1/pools/{}/scale", encoded(pool)), size).await
    }

    /// `order` is `recycle`, `quiet` or `resume`.
    pub async fn order(&mut self, pool: &str, order: &str) -> Result<PoolSummary, ClientError> {
        self.ask(Method::POST, &format!("/v1/pools/{}/{order}", encoded(pool)), None).await
    }

    pub async fn stop_worker(&mut self, id: i64, stop: &StopWorker) -> Result<StoppedWorker, ClientError> {
        self.post(&format!("/v1/workers/{id}/stop"), stop).await
    }

    pub async fn stats(&mut self) -> Result<Stats, ClientError> {
        self.ask(Method::GET, "/v1/stats", None).await
    }

    pub async fn system(&mut self) -> Result<System, ClientError> {
        self.ask(Method::GET, "/v1/system", None).await
    }

    pub async fn examine(&mut self) -> Result<Examination, ClientError> {
        self.ask(Method::GET, "/v1/doctor", None).await
    }

    /// Has the configuration file read anew; returns once it is in force.
    pub async fn reload(&mut self) -> Result<Reloaded, ClientError> {
        self.ask(Method::POST, "/v1/reload", None).await
    }

    pub async fn live(&mut self) -> Result<Live, ClientError> {
        self.either("/v1/health/live").await
    }

    pub async fn readiness(&mut self) -> Result<Readiness, ClientError> {
        self.either("/v1/health/ready").await
    }

    /// An answer that is the same in form, good or bad.
    async fn either<T: DeserializeOwned>(&mut self, path: &str) -> Result<T, ClientError> {
        let (status, bytes) = self.exchange(Method::GET, path, None).await?;
        read(&bytes).map_err(|_| refused(status, &bytes))
    }

    async fn post<T: DeserializeOwned>(&mut self, path: &str, body: &impl Serialize) -> Result<T, ClientError> {
        let body = serde_json::to_vec(body).map_err(|error| ClientError::Broken(error.to_string()))?;
        self.ask(Method::POST, path, Some(body)).await
    }

    async fn ask<T: DeserializeOwned>(
        &mut self,
        method: Method,
        path: &str,
        body: Option<Vec<u8>>,
    ) -> Result<T, ClientError> {
        let (status, bytes) = self.exchange(method, path, body).await?;
        if status.is_success() { read(&bytes) } else { Err(refused(status, &bytes)) }
    }

    async fn exchange(
        &mut self,
        method: Method,
        path: &str,
        body: Option<Vec<u8>>,
    ) -> Result<(StatusCode, Bytes), ClientError> {
        finish(self.send(method, path, body).await?).await
    }

    async fn send(
        &mut self,
        method: Method,
        path: &str,
        body: Option<Vec<u8>>,
    ) -> Result<Response<Incoming>, ClientError> {
        let mut request = Request::builder().method(method).uri(path).header(HOST, "localhost");
        if body.is_some() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        let mut request = request
            .body(Full::from(body.unwrap_or_default()))
            .map_err(|error| ClientError::Broken(error.to_string()))?;
        for _ in 0..SEND_TRIES_MAX {
            if self.sender.ready().await.is_err() {
                self.sender = open(&self.socket).await?;
            }
            match self.sender.try_send_request(request).await {
                Ok(response) => return Ok(response),
                Err(mut failed) => match failed.take_message() {
                    Some(unsent) => request = unsent,
                    None => return Err(ClientError::Broken(failed.into_error().to_string())),
                },
            }
        }
        let error = io::Error::other("it closes each connection before a request has left");
        Err(ClientError::NotReachable { socket: Some(self.socket.clone()), error })
    }
}

async fn open(socket: &Path) -> Result<SendRequest<Full<Bytes>>, ClientError> {
    let not_reachable = |error| ClientError::NotReachable { socket: Some(socket.to_owned()), error };
    let stream = UnixStream::connect(socket).await.map_err(not_reachable)?;
    let (sender, connection) =
        handshake(TokioIo::new(stream)).await.map_err(|error| not_reachable(io::Error::other(error)))?;
    // It ends with the sender, and its errors reach whoever has sent.
    tokio::spawn(connection);
    Ok(sender)
}

async fn finish(response: Response<Incoming>) -> Result<(StatusCode, Bytes), ClientError> {
    let status = response.status();
    match Limited::new(response.into_body(), ANSWER_BYTES_MAX).collect().await {
        Ok(body) => Ok((status, body.to_bytes())),
        Err(error) => Err(ClientError::Broken(error.to_string())),
    }
}

fn refused(status: StatusCode, bytes: &[u8]) -> ClientError {
    read(bytes).map_or_else(|error| error, |body| ClientError::Refused(ApiError { status, body }))
}

/// A value as it may stand behind a `?`.
fn encoded(value: &str) -> String {
    let byte = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    value.bytes().map(byte).collect()
}

fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ClientError> {
    serde_json::from_slice(bytes).map_err(|error| ClientError::Broken(format!("it cannot be read: {error}")))
}

impl ClientError {
    pub fn is_not_reachable(&self) -> bool {
        matches!(self, ClientError::NotReachable { .. })
    }
}

impl fmt::Display for ClientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ClientError::NotReachable { error, .. } => write!(f, "no supervisor answers: {error}"),
            ClientError::Broken(text) => write!(f, "the answer was broken off: {text}"),
            ClientError::Refused(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for ClientError {}

/// Runs a conversation with a supervisor from code that blocks.
///
/// # Errors
/// The system has no descriptors for a runtime.
pub fn blocking<T>(conversation: impl Future<Output = T>) -> io::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    Ok(runtime.block_on(conversation))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_cannot_break_out_of_its_place() {
        assert_eq!(encoded("text.stats_2-a"), "text.stats_2-a");
        assert_eq!(encoded("a b&limit=1#\u{e9}"), "a%20b%26limit%3D1%23%C3%A9");
    }
}

//! Connections: how many, how long, and how they end. What is asked over them is in `routes`.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::door::Door;
use super::routes::routes;
use crate::shell::handle::Handle;

/// Connections at once; more wait in the kernel's queue.
const CONNECTIONS_MAX: usize = 256;
/// How long a connection may be idle or half-way through the head of a request.
const HEAD_READ_MS: u64 = 30_000;
/// What a request's head may take in memory.
const HEAD_BYTES_MAX: usize = 64 * 1024;
/// How long answers under way may take once the door closes.
const CLOSE_MS: u64 = 5_000;
/// The pause after a connection could not be accepted, for want of descriptors mostly.
const ACCEPT_RETRY_MS: u64 = 100;

/// Answers until `stop` is there; then takes no more, lets nobody wait, and returns when the last answer is out.
pub async fn serve(listener: UnixListener, handle: Handle, stop: impl Future<Output = ()>) {
    let (close, stopping) = watch::channel(());
    let router = routes(Door::new(handle, stopping.clone()));
    let mut connections = JoinSet::new();
    let mut stop = pin!(stop);
    loop {
        tokio::select! {
            () = &mut stop => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept(), if connections.len() < CONNECTIONS_MAX => match accepted {
                Ok((stream, _)) => drop(connections.spawn(talk(stream, router.clone(), stopping.clone()))),
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection");
                    sleep(Duration::from_millis(ACCEPT_RETRY_MS)).await;
                }
            },
        }
    }
    drop(close);
    let all = async { while connections.join_next().await.is_some() {} };
    if timeout(Duration::from_millis(CLOSE_MS), all).await.is_err() {
        tracing::warn!(connections = connections.len(), "connections are cut off at the stop");
    }
}

async fn talk(stream: UnixStream, router: Router, mut stopping: watch::Receiver<()>) {
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_millis(HEAD_READ_MS))
        .max_buf_size(HEAD_BYTES_MAX);
    let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(router)));
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        _ = stopping.changed() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection broke");
    }
}

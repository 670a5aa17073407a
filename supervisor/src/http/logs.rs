//! `/v1/tasks/ID/logs`: what runs printed, one JSON object a line, read page by page and sent as it is taken. A body that
//! ends is whole; one that is broken off is not. What is read next and when it ends is decided in `reading`.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use hyper::body::Frame;
use queue_core::store::StoreError;
use queue_core::task::TaskId;
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval};

use super::door::{Door, LOG_STREAMS_MAX};
use super::error::ApiError;
use super::parameters::LogQuery;
use super::reading::{Next, Reading, Standing};
use super::request::task_id;
use crate::shell::handle::Handle;

/// Pages that wait for the client; each is what one look found.
const PAGES_MAX: usize = 1;
/// Looks without a new line after which an empty one is sent, so that a client can tell silence from a broken stream.
const SILENT_LOOKS_MAX: u32 = 10;
/// How often the wish to follow is renewed, and the log looked at even if nothing has woken us.
const FOLLOW_EVERY: Duration = Duration::from_secs(1);

type Page = Result<Bytes, io::Error>;

pub(super) async fn logs(State(door): State<Door>, Path(id): Path<String>, uri: Uri) -> Result<Response, ApiError> {
    let (id, query) = (task_id(&id)?, LogQuery::read(&uri)?);
    let turn = door.log_streams.clone().try_acquire_owned().map_err(|_| too_many())?;
    let view = door.handle.read(move |reader| reader.summary(id)).await?;
    let standing = Standing::of(&view.ok_or_else(|| ApiError::no_such_task(id))?);
    let reading =
        Reading::begin(query.attempt, query.follow, standing).map_err(|why| ApiError::no_such_attempt(id, why))?;
    let (pages, body) = mpsc::channel(PAGES_MAX);
    tokio::spawn(async move {
        stream(door, id, reading, pages).await;
        drop(turn);
    });
    Ok(([(header::CONTENT_TYPE, "application/x-ndjson")], Body::new(Pages(body))).into_response())
}

fn too_many() -> ApiError {
    let message = format!("{LOG_STREAMS_MAX} logs are being read already, which is the most at once");
    ApiError::new(StatusCode::TOO_MANY_REQUESTS, "too_many_streams", message, "end one of them, or try again later")
}

/// Until all is read, the client has hung up, or the door closes.
async fn stream(mut door: Door, id: TaskId, reading: Reading, pages: mpsc::Sender<Page>) {
    let ended = tokio::select! {
        ended = read(&door.handle, id, reading, &pages) => ended.map_err(|error| error.to_string()),
        _ = door.stopping.changed() => Err("the supervisor is stopping".to_owned()),
    };
    if let Err(why) = ended {
        // A client that has hung up does not need it.
        let _ = pages.send(Err(io::Error::other(why))).await;
    }
}

async fn read(handle: &Handle, id: TaskId, mut reading: Reading, pages: &mpsc::Sender<Page>) -> Result<(), StoreError> {
    let follower = handle.follower(id);
    let mut renewal = interval(FOLLOW_EVERY);
    renewal.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut silent_looks = 0;
    loop {
        // First a place for the page, so that a slow client holds no more than that.
        let Ok(place) = pages.reserve().await else { return Ok(()) };
        // Enlisted before the look, so that nothing in between is missed.
        let woken = follower.woken();
        let seen = handle.read(move |reader| {
            let Some(view) = reader.summary(id)? else { return Ok(None) };
            let (run, later, after) = reading.place();
            let parts = reader.log(id, run, later, after)?;
            let lines = reading.take(&parts);
            Ok(Some((reading, reading.next(Standing::of(&view), parts.len()), page(&lines))))
        });
        let Some((read, next, page)) = seen.await? else { return Ok(()) };
        reading = read;
        silent_looks = if page.is_empty() { silent_looks + 1 } else { 0 };
        if !page.is_empty() {
            place.send(Ok(page));
        } else if silent_looks >= SILENT_LOOKS_MAX {
            silent_looks = 0;
            place.send(Ok(Bytes::from_static(b"\n")));
        }
        match next {
            Next::Look => {}
            Next::End => return Ok(()),
            Next::Wait => tokio::select! {
                () = woken => {}
                _ = renewal.tick() => handle.follow(id),
            },
        }
    }
}

fn page(lines: &[super::dto::LogLine]) -> Bytes {
    let mut page = Vec::new();
    for line in lines {
        // Text and numbers are always JSON, and writing to memory cannot fail.
        let _ = serde_json::to_writer(&mut page, line);
        page.push(b'\n');
    }
    page.into()
}

/// A body that comes through a channel; dropped when the client hangs up.
struct Pages(mpsc::Receiver<Page>);

impl hyper::body::Body for Pages {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        self.0.poll_recv(context).map(|page| page.map(|page| page.map(Frame::data)))
    }
}

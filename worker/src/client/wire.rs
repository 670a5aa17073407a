//! The shell of the client: sends requests over the Unix socket and reads the answers. Decides nothing.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::Request as HttpRequest;
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{CONTENT_TYPE, HOST, RETRY_AFTER};
use hyper::{Method, Response};
use hyper_util::rt::TokioIo;
use tokio::net::UnixStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::answer::Answer;
use super::place::Place;
use super::request::Request;
use super::retry::Lost;
use crate::sync::lock;

/// Requests of one client under way at once; more wait for their turn. The supervisor takes 256 from all.
const CONNECTIONS_MAX: usize = 32;
/// An answer, at most: the largest result, spelled out as JSON, is far below.
const ANSWER_MAX_BYTES: usize = 64 * 1024 * 1024;
/// An idle connection may be closed by the other side: so often is a request that has not left tried on another one.
const SEND_TRIES_MAX: usize = CONNECTIONS_MAX + 1;

type Sender = SendRequest<Full<Bytes>>;

/// The connections of one client. Idle ones are kept.
pub(super) struct Wire {
    place: Place,
    idle: Arc<Mutex<Vec<Sender>>>,
    turns: Arc<Semaphore>,
}

/// An answer that is still arriving.
pub(super) struct Arriving {
    pub(super) status: u16,
    retry_after_s: Option<u64>,
    body: Incoming,
    silence: Duration,
    /// Goes back to the others once all is read.
    sender: Option<Sender>,
    idle: Arc<Mutex<Vec<Sender>>>,
    _turn: Option<OwnedSemaphorePermit>,
}

impl Wire {
    pub(super) fn new(place: Place) -> Self {
        Self { place, idle: Arc::default(), turns: Arc::new(Semaphore::new(CONNECTIONS_MAX)) }
    }

    /// Sends a request; returns once the head of the answer is there. What may last for hours takes no turn.
    pub(super) async fn send(&self, request: &Request) -> Result<Arriving, Lost> {
        let turn = match request.follows {
            false => Arc::clone(&self.turns).acquire_owned().await.ok(),
            true => None,
        };
        let silence = request.silence + request.wait;
        let (response, sender) = match timeout(silence, self.exchange(request)).await {
            Ok(exchanged) => exchanged?,
            Err(_) => return Err(silent(silence)),
        };
        let retry_after = response.headers().get(RETRY_AFTER);
        Ok(Arriving {
            status: response.status().as_u16(),
            retry_after_s: retry_after.and_then(|value| value.to_str().ok()?.parse().ok()),
            body: response.into_body(),
            silence,
            sender: Some(sender),
            idle: Arc::clone(&self.idle),
            _turn: turn,
        })
    }

    async fn exchange(&self, request: &Request) -> Result<(Response<Incoming>, Sender), Lost> {
        let mut unsent = http(request)?;
        for _ in 0..SEND_TRIES_MAX {
            let mut sender = self.sender().await?;
            match sender.try_send_request(unsent).await {
                Ok(response) => return Ok((response, sender)),
                Err(mut failed) => match failed.take_message() {
                    Some(message) => unsent = message,
                    None => return Err(broken(failed.error())),
                },
            }
        }
        Err(self.nobody(&io::Error::other("it closes each connection before a request has left")))
    }

    /// An idle connection, or a new one.
    async fn sender(&self) -> Result<Sender, Lost> {
        loop {
            let Some(mut sender) = lock(&self.idle).pop() else { break };
            if sender.ready().await.is_ok() {
                return Ok(sender);
            }
        }
        let path = self.place.socket_path().map_err(|error| self.nobody(&error))?;
        let stream = UnixStream::connect(path).await.map_err(|error| self.nobody(&error))?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await.map_err(|error| broken(&error))?;
        // It ends with the sender, and its errors reach whoever has sent.
        tokio::spawn(connection);
        Ok(sender)
    }

    fn nobody(&self, error: &io::Error) -> Lost {
        let (message, hint) = self.place.missing(error);
        let is_lasting = matches!(error.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::InvalidInput);
        let hint = match error.kind() {
            io::ErrorKind::PermissionDenied => {
                "the socket is for the user who runs the supervisor: be that user".into()
            }
            _ => hint,
        };
        Lost { message, hint, may_have_acted: false, is_lasting }
    }
}

impl Arriving {
    pub(super) fn is_good(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// What is new of the body; `None` at its end.
    pub(super) async fn more(&mut self) -> Result<Option<Bytes>, Lost> {
        loop {
            match timeout(self.silence, self.body.frame()).await {
                Err(_) => return Err(silent(self.silence)),
                Ok(Some(Err(error))) => return Err(broken(&error)),
                Ok(Some(Ok(frame))) => {
                    if let Ok(data) = frame.into_data() {
                        return Ok(Some(data));
                    }
                }
                Ok(None) => {
                    let mut idle = lock(&self.idle);
                    idle.extend(self.sender.take().filter(|_| self._turn.is_some()));
                    return Ok(None);
                }
            }
        }
    }

    pub(super) async fn whole(mut self) -> Result<Answer, Lost> {
        let mut body = Vec::new();
        while let Some(data) = self.more().await? {
            body.extend_from_slice(&data);
            if body.len() > ANSWER_MAX_BYTES {
                let message = format!("the answer is over {ANSWER_MAX_BYTES} bytes");
                return Err(Lost { is_lasting: true, ..broken(&message) });
            }
        }
        Ok(Answer { status: self.status, retry_after_s: self.retry_after_s, body })
    }
}

fn http(request: &Request) -> Result<HttpRequest<Full<Bytes>>, Lost> {
    let method = if request.is_post { Method::POST } else { Method::GET };
    let mut http = HttpRequest::builder().method(method).uri(request.target()).header(HOST, "localhost");
    if request.body.is_some() {
        http = http.header(CONTENT_TYPE, "application/json");
    }
    let body = Full::from(request.body.clone().unwrap_or_default());
    http.body(body).map_err(|error| Lost { may_have_acted: false, is_lasting: true, ..broken(&error) })
}

fn silent(silence: Duration) -> Lost {
    broken(&format!("nothing came for {} s", silence.as_secs_f64()))
}

fn broken(error: &dyn std::fmt::Display) -> Lost {
    Lost {
        message: format!("the answer broke off: {error}"),
        hint: "see what the supervisor does, then ask again".to_owned(),
        may_have_acted: true,
        is_lasting: false,
    }
}

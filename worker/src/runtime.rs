//! The threads of a worker over any reader and writer: one reads, one beats, the calling one executes handlers in order.
//! What to do next is decided by `desk`; where the bytes come from is decided by the caller.

use std::io::{self, ErrorKind, Read, Write};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use ipc_contract::frame::{self, FrameDecoder};
use ipc_contract::{Bye, FromWorker, Hello, PROTOCOL, Ready, ToWorker};

use crate::answer::answer;
use crate::context::Context;
use crate::desk::{BEAT, Ended, Next};
use crate::handler::Handlers;
use crate::post::Post;

/// Name and version of this library, as `hello` tells them.
pub const SDK: &str = concat!("mutirao-rust/", env!("CARGO_PKG_VERSION"));

/// How often a worker says that its process lives.
pub const BEAT_INTERVAL_MS: u64 = 5_000;

/// What is read from the channel at once.
const READ_CHUNK_BYTES: usize = 64 * 1024;

/// What a worker knows of itself before it speaks.
#[derive(Clone, Debug)]
pub struct Identity {
    /// The value of `MUTIRAO_COOKIE`.
    pub cookie: String,
    /// Runs that are accepted at once, 1 to 1,024. They are executed one after the other all the same.
    pub concurrency: u32,
    /// Milliseconds from one beat to the next.
    pub beat_interval_ms: u64,
}

impl Identity {
    /// One run at a time, and a beat every 5 s.
    pub fn new(cookie: impl Into<String>) -> Self {
        Self { cookie: cookie.into(), concurrency: 1, beat_interval_ms: BEAT_INTERVAL_MS }
    }
}

/// Plays a whole worker, from `hello` to its end, and executes handlers on the calling thread.
///
/// The reading thread may outlive this call: it ends with its reader.
pub fn run<R, W>(reader: R, writer: W, handlers: &Handlers, identity: &Identity) -> Ended
where
    R: Read + Send + 'static,
    W: Write + Send + 'static,
{
    let post = Arc::new(Post::new(writer));
    // The greeting leaves before anything else can: the other threads do not exist yet.
    post.send(FromWorker::Hello(hello(handlers, identity)));
    if let Err(error) = start_threads(reader, &post, identity) {
        return Ended::Io(format!("cannot start a thread: {error}"));
    }
    let ended = execute(&post, handlers);
    if ended == Ended::Drained {
        post.send(FromWorker::Bye(Bye::default()));
    }
    post.change(|desk| desk.close());
    ended
}

fn hello(handlers: &Handlers, identity: &Identity) -> Hello {
    Hello {
        protocol_min: PROTOCOL,
        protocol_max: PROTOCOL,
        cookie: identity.cookie.clone(),
        sdk: SDK.to_owned(),
        kinds: handlers.kinds(),
        concurrency: identity.concurrency,
        features: vec![BEAT.to_owned()],
    }
}

fn start_threads<R>(reader: R, post: &Arc<Post>, identity: &Identity) -> io::Result<()>
where
    R: Read + Send + 'static,
{
    let reading = Arc::clone(post);
    thread::Builder::new().name("mutirao-reader".into()).spawn(move || read(reader, &reading))?;
    let beating = Arc::clone(post);
    let beat_interval = Duration::from_millis(identity.beat_interval_ms);
    thread::Builder::new().name("mutirao-beat".into()).spawn(move || beating.attend(beat_interval))?;
    Ok(())
}

fn execute(post: &Arc<Post>, handlers: &Handlers) -> Ended {
    loop {
        match post.next() {
            Next::Ready => post.send(FromWorker::Ready(Ready::default())),
            Next::Back(back) => post.send(back),
            Next::Run(run, stop) => {
                let context = Context::new(&run, Instant::now(), stop, Arc::clone(post));
                post.send(answer(handlers, &run, &context));
            }
            Next::Over(ended) => return ended,
        }
    }
}

/// Reads to the end of the channel. The end is like an order to stop: whoever sent runs may still read their answers.
fn read(mut reader: impl Read, post: &Post) {
    let mut decoder = FrameDecoder::new();
    let mut chunk = vec![0; READ_CHUNK_BYTES];
    loop {
        match reader.read(&mut chunk) {
            Ok(0) if decoder.is_partial() => {
                return post.change(|desk| desk.end(Ended::Protocol("the supervisor's last frame is cut off".into())));
            }
            Ok(0) => return post.change(|desk| desk.drain()),
            Ok(length) => {
                if let Err(violation) = take(&mut decoder, &chunk[..length], post) {
                    return post.change(|desk| desk.end(Ended::Protocol(violation)));
                }
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => {
                return post.change(|desk| desk.end(Ended::Io(format!("cannot read from the supervisor: {error}"))));
            }
        }
    }
}

fn take(decoder: &mut FrameDecoder, bytes: &[u8], post: &Post) -> Result<(), String> {
    decoder.push(bytes);
    while let Some(body) = decoder.next_frame().map_err(|error| error.to_string())? {
        let message: ToWorker = frame::decode(&body).map_err(|error| error.to_string())?;
        post.change(|desk| desk.received(message))?;
    }
    Ok(())
}

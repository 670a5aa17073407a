//! A whole worker over any reader and writer, from `hello` to its end: one thread reads, one beats, a crew executes.
//! What to do next is decided by `desk`; where the bytes come from is decided by the caller.

use std::io::{self, ErrorKind, Read, Write};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use ipc_contract::frame::{self, FrameDecoder};
use ipc_contract::{Feature, FromWorker, Hello, PROTOCOL, ToWorker};

use crate::answer::caught;
use crate::crew::Crew;
use crate::desk::OFFERED;
use crate::ended::Ended;
use crate::failure::Failure;
use crate::handler::Handlers;
use crate::outlet::Start;
use crate::post::Post;

/// Name and version of this library, as `hello` tells them.
pub const SDK: &str = concat!("mutirao-rust/", env!("CARGO_PKG_VERSION"));

/// What is read from the channel at once.
const READ_CHUNK_BYTES: usize = 64 * 1024;

/// How long handlers that were told to stop are waited for when nobody takes their answers: time to end what they started.
const FAREWELL_MAX_MS: u64 = 1_000;

/// What is done between the welcome and the first run.
pub(crate) type Preparation = Box<dyn FnOnce(&Start<'_>) -> Result<(), Failure> + Send>;

/// What a worker is, before it speaks.
pub(crate) struct Plan {
    pub(crate) handlers: Handlers,
    /// In this order.
    pub(crate) preparations: Vec<Preparation>,
    /// 1 to 1,024.
    pub(crate) concurrency: u32,
    /// The value of `MUTIRAO_COOKIE`.
    pub(crate) cookie: String,
}

/// Plays a worker to its end. Preparations run on the calling thread.
///
/// The reading thread may outlive this call: it ends with its reader. So may a handler that does not stop when the
/// supervisor is gone.
pub(crate) fn play<R, W>(reader: R, writer: W, plan: Plan) -> Ended
where
    R: Read + Send + 'static,
    W: Write + Send + 'static,
{
    let post = Arc::new(Post::new(writer, Instant::now()));
    // The greeting leaves before anything else can: the other threads do not exist yet.
    post.send(FromWorker::Hello(hello(&plan)));
    let crew = match start_threads(reader, &post, plan.handlers, plan.concurrency) {
        Ok(crew) => crew,
        Err(error) => return Ended::Io(format!("cannot start a thread: {error}")),
    };
    if post.welcomed() {
        match prepare(plan.preparations, &Start(&post)) {
            Ok(()) => post.change(|desk, _| desk.prepared()),
            Err(failure) => post.change(|desk, _| desk.end(Ended::NotReady(failure.error))),
        }
    }
    let ended = post.ended();
    crew.leave((ended != Ended::Drained).then_some(Duration::from_millis(FAREWELL_MAX_MS)));
    ended
}

fn hello(plan: &Plan) -> Hello {
    Hello {
        protocol_min: PROTOCOL,
        protocol_max: PROTOCOL,
        cookie: plan.cookie.clone(),
        sdk: SDK.to_owned(),
        kinds: plan.handlers.kinds(),
        concurrency: plan.concurrency,
        features: OFFERED.map(Feature::name).map(str::to_owned).to_vec(),
    }
}

fn prepare(preparations: Vec<Preparation>, start: &Start<'_>) -> Result<(), Failure> {
    preparations.into_iter().try_for_each(|preparation| caught("the preparation", || preparation(start)).flatten())
}

fn start_threads<R>(reader: R, post: &Arc<Post>, handlers: Handlers, concurrency: u32) -> io::Result<Crew>
where
    R: Read + Send + 'static,
{
    let reading = Arc::clone(post);
    thread::Builder::new().name("mutirao-reader".into()).spawn(move || read(reader, &reading))?;
    let beating = Arc::clone(post);
    thread::Builder::new().name("mutirao-beat".into()).spawn(move || beating.attend())?;
    Crew::start(post, handlers, concurrency)
}

/// Reads to the end of the channel, or to the first byte that breaks the contract.
fn read(mut reader: impl Read, post: &Post) {
    let mut decoder = FrameDecoder::new();
    let mut chunk = vec![0; READ_CHUNK_BYTES];
    loop {
        match reader.read(&mut chunk) {
            Ok(0) if decoder.is_partial() => {
                return post
                    .change(|desk, _| desk.end(Ended::Protocol("the supervisor's last frame is cut off".into())));
            }
            Ok(0) => return post.change(|desk, _| desk.channel_ended()),
            Ok(length) => {
                if let Err(violation) = take(&mut decoder, &chunk[..length], post) {
                    return post.change(|desk, _| desk.end(Ended::Protocol(violation)));
                }
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => {
                let text = format!("cannot read from the supervisor: {error}");
                return post.change(|desk, _| desk.end(Ended::Io(text)));
            }
        }
    }
}

fn take(decoder: &mut FrameDecoder, bytes: &[u8], post: &Post) -> Result<(), String> {
    decoder.push(bytes);
    while let Some(body) = decoder.next_frame().map_err(|error| error.to_string())? {
        let message: ToWorker = frame::decode(&body).map_err(|error| error.to_string())?;
        post.change(|desk, now_ms| desk.received(message, now_ms))?;
    }
    Ok(())
}

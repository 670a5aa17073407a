//! The channel of one worker, from our side: a reader, a writer and the output, each its own task. Bytes become events,
//! messages become bytes; nothing is decided here. The reader never waits for the writer.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ipc_contract::frame::{FrameDecoder, decode};
use ipc_contract::message::{FromWorker, Level};
use queue_core::task::{LogParts, WorkerId};
use tokio::io::AsyncWriteExt;
use tokio::net::unix::pipe;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until, timeout};

use super::clock::wall_us;
use super::tail::Tail;
use crate::core::log_line::Source;
use crate::core::run_log::RunLog;
use crate::core::{Event, WorkerExit};

/// Frames on their way to one worker.
const OUTBOX_FRAMES_MAX: usize = 16;
/// A frame that has begun must be whole within this.
const FRAME_TIMEOUT: Duration = Duration::from_secs(60);
/// A worker that takes nothing of what we write for this long has stopped reading.
const WRITE_STALL: Duration = Duration::from_secs(30);
/// From the end of its channel to the end of its process.
const CLOSED_GRACE: Duration = Duration::from_secs(5);
const READ_BYTES: usize = 64 * 1024;
/// Output taken in one go before others get their turn.
const DRAIN_BYTES_MAX: usize = 1024 * 1024;
/// What is shown of bytes that are no frame.
const EVIDENCE_BYTES_MAX: usize = 4 * 1024;

/// What the tasks of all workers say to the event loop. Holds its share of the byte budget until it is handled.
pub struct Incoming {
    pub event: Event,
    pub _share: Option<OwnedSemaphorePermit>,
}

/// Where the tasks of all workers report to.
#[derive(Clone)]
pub struct Inbox {
    pub events: mpsc::Sender<Incoming>,
    /// Bytes of frames that are read and not yet handled.
    pub budget: Arc<Semaphore>,
}

/// Our ends of a worker's pipes.
pub struct Pipes {
    pub stdin: OwnedFd,
    pub stdout: OwnedFd,
    pub stderr: OwnedFd,
}

/// A worker's channel as the event loop holds it. Dropping it closes the worker's stdin.
pub struct Link {
    outbox: mpsc::Sender<Vec<u8>>,
    output: Arc<Output>,
    exited: Option<oneshot::Sender<WorkerExit>>,
}

impl Link {
    /// Must be called on the runtime.
    pub fn open(worker: WorkerId, pipes: Pipes, inbox: &Inbox) -> io::Result<Link> {
        let stdin = pipe::Sender::from_owned_fd(pipes.stdin)?;
        let stdout = pipe::Receiver::from_owned_fd(pipes.stdout)?;
        let stderr = pipe::Receiver::from_owned_fd(pipes.stderr)?;
        let output = Arc::new(Output { pipe: stderr, kept: Mutex::default() });
        let (outbox, frames) = mpsc::channel(OUTBOX_FRAMES_MAX);
        let (exited, exit) = oneshot::channel();
        let others = [tokio::spawn(write(worker, stdin, frames, inbox.clone())), tokio::spawn(collect(output.clone()))];
        let (decoder, inbox, mine) = (FrameDecoder::new(), inbox.clone(), output.clone());
        tokio::spawn(Reader { worker, pipe: stdout, decoder, begun: None, inbox, output: mine, others }.run(exit));
        Ok(Link { outbox, output, exited: Some(exited) })
    }

    /// Errs when the worker has stopped reading long ago.
    pub fn send(&self, frame: Vec<u8>) -> Result<(), &'static str> {
        match self.outbox.try_send(frame) {
            Err(mpsc::error::TrySendError::Full(_)) => Err("it does not read what is sent to it"),
            // Without a reader its process is at its end, which tells itself.
            Err(mpsc::error::TrySendError::Closed(_)) | Ok(()) => Ok(()),
        }
    }

    /// What was printed until now belongs to no run.
    pub fn begin_output(&self) {
        self.output.drain(read_now);
        *self.output.kept() = Kept::default();
    }

    pub fn take_output(&self) -> Vec<u8> {
        self.output.drain(read_now);
        self.output.kept().tail.take()
    }

    /// A line of the worker's library.
    pub fn add_line(&self, level: Level, text: &str) {
        // What was printed before it comes before it.
        self.output.drain(read_now);
        self.output.kept().log.push(wall_us(), Source::Log(level), text.as_bytes());
    }

    /// What is new in the log of the run.
    pub fn take_log(&self, is_last: bool) -> Option<LogParts> {
        self.output.drain(read_now);
        self.output.kept().log.flush(wall_us(), is_last)
    }

    /// The process and its orphans are dead: read out what is left and report.
    pub fn exited(&mut self, exit: WorkerExit) {
        if let Some(exited) = self.exited.take() {
            // The reader lives until it has this.
            let _ = exited.send(exit);
        }
    }
}

/// Reads what is there. `try_read` only asks what the runtime has noticed, which may be less: the last words of a process
/// would be lost when its death is told first.
fn read_now(pipe: &pipe::Receiver, buffer: &mut [u8]) -> io::Result<usize> {
    Ok(rustix::io::retry_on_intr(|| rustix::io::read(pipe, &mut *buffer))?)
}

/// What a worker prints.
struct Output {
    pipe: pipe::Receiver,
    kept: Mutex<Kept>,
}

/// What is kept of it since its run began: the last part, to be shown with the end; and the log.
#[derive(Default)]
struct Kept {
    tail: Tail,
    log: RunLog,
}

impl Output {
    fn kept(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes what is there now; true at the end of the stream.
    fn drain(&self, read: impl Fn(&pipe::Receiver, &mut [u8]) -> io::Result<usize>) -> bool {
        let mut buffer = [0; READ_BYTES];
        let mut taken = 0;
        while taken < DRAIN_BYTES_MAX {
            match read(&self.pipe, &mut buffer) {
                Ok(0) => return true,
                Ok(count) => {
                    let mut kept = self.kept();
                    kept.tail.push(&buffer[..count]);
                    kept.log.push(wall_us(), Source::Output, &buffer[..count]);
                }
                Err(error) => return error.kind() != io::ErrorKind::WouldBlock,
            }
            taken += READ_BYTES;
        }
        false
    }
}

async fn collect(output: Arc<Output>) {
    while output.pipe.readable().await.is_ok() {
        if output.drain(pipe::Receiver::try_read) {
            return;
        }
        tokio::task::yield_now().await;
    }
}

async fn write(worker: WorkerId, mut pipe: pipe::Sender, mut frames: mpsc::Receiver<Vec<u8>>, inbox: Inbox) {
    while let Some(frame) = frames.recv().await {
        let mut rest = frame.as_slice();
        while !rest.is_empty() {
            match timeout(WRITE_STALL, pipe.write(rest)).await {
                Ok(Ok(count)) => rest = &rest[count..],
                // Nobody reads any more: the end of its process will be told by the process.
                Ok(Err(_)) => return,
                Err(_) => {
                    let why = format!("it has read nothing for {} s", WRITE_STALL.as_secs());
                    return inbox.report(Event::Broken(worker, why)).await;
                }
            }
        }
    }
}

impl Inbox {
    /// A lost receiver means that the supervisor is ending: then nobody needs to know.
    async fn report(&self, event: Event) {
        let _ = self.events.send(Incoming { event, _share: None }).await;
    }
}

fn unreadable(error: io::Error) -> String {
    format!("its channel cannot be read: {error}")
}

struct Reader {
    worker: WorkerId,
    pipe: pipe::Receiver,
    decoder: FrameDecoder,
    /// Since when a frame is unfinished.
    begun: Option<Instant>,
    inbox: Inbox,
    output: Arc<Output>,
    /// Who holds the other pipes.
    others: [JoinHandle<()>; 2],
}

impl Reader {
    async fn run(mut self, mut exit: oneshot::Receiver<WorkerExit>) {
        let mut buffer = vec![0; READ_BYTES];
        let exited = match self.converse(&mut exit, &mut buffer).await {
            Ok(exited) => {
                if let Err(why) = self.read_out(&mut buffer).await {
                    self.inbox.report(Event::Broken(self.worker, why)).await;
                }
                exited
            }
            Err(why) => {
                self.inbox.report(Event::Broken(self.worker, why)).await;
                exit.await.ok()
            }
        };
        let Some(mut exited) = exited else { return };
        self.output.drain(read_now);
        exited.output = self.output.kept().tail.take();
        let Reader { pipe, inbox, output, others, .. } = self;
        drop((pipe, output));
        // Once it is told to be gone, none of its pipes is open but the one in the link: what is open is what is known.
        for other in others {
            other.abort();
            let _ = other.await;
        }
        inbox.report(Event::Gone(exited)).await;
    }

    /// Frames become events until the process is dead; an error is the first bad byte.
    async fn converse(
        &mut self,
        exit: &mut oneshot::Receiver<WorkerExit>,
        buffer: &mut [u8],
    ) -> Result<Option<WorkerExit>, String> {
        loop {
            let overdue = self.begun.map(|begun| begun + FRAME_TIMEOUT);
            tokio::select! {
                biased;
                ready = self.pipe.readable() => ready.map_err(unreadable)?,
                exited = &mut *exit => return Ok(exited.ok()),
                () = sleep_until(overdue.unwrap_or_else(Instant::now)), if overdue.is_some() => {
                    return Err(format!("a frame was not finished within {} s", FRAME_TIMEOUT.as_secs()));
                }
            }
            match self.pipe.try_read(buffer) {
                Ok(0) => {
                    self.whole()?;
                    let late = || format!("it closed its channel and still lived {} s later", CLOSED_GRACE.as_secs());
                    return Ok(timeout(CLOSED_GRACE, exit).await.map_err(|_| late())?.ok());
                }
                Ok(count) => self.take(&buffer[..count]).await?,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(unreadable(error)),
            }
        }
    }

    /// The process is dead; what it has written counts all the same.
    async fn read_out(&mut self, buffer: &mut [u8]) -> Result<(), String> {
        loop {
            match read_now(&self.pipe, buffer) {
                Ok(0) => return self.whole(),
                Ok(count) => self.take(&buffer[..count]).await?,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return self.whole(),
                Err(error) => return Err(unreadable(error)),
            }
        }
    }

    fn whole(&self) -> Result<(), String> {
        if self.decoder.is_partial() { Err("it ended in the middle of a frame".to_owned()) } else { Ok(()) }
    }

    async fn take(&mut self, bytes: &[u8]) -> Result<(), String> {
        self.decoder.push(bytes);
        let before = self.begun.take();
        let mut whole = 0;
        while let Some(body) = self.next_frame()? {
            let message: FromWorker = decode(&body).map_err(|error| error.to_string())?;
            let weight = u32::try_from(body.len()).unwrap_or(u32::MAX);
            let share = self.inbox.budget.clone().acquire_many_owned(weight).await.ok();
            let event = Event::Frame(self.worker, message);
            let _ = self.inbox.events.send(Incoming { event, _share: share }).await;
            whole += 1;
        }
        if self.decoder.is_partial() {
            self.begun = before.filter(|_| whole == 0).or_else(|| Some(Instant::now()));
        }
        Ok(())
    }

    fn next_frame(&mut self) -> Result<Option<Vec<u8>>, String> {
        self.decoder.next_frame().map_err(|error| {
            let unread = self.decoder.unread();
            let shown = String::from_utf8_lossy(&unread[..unread.len().min(EVIDENCE_BYTES_MAX)]);
            format!(
                "it printed to the protocol channel, or sent no frame ({error}); \
                 load the worker's library before anything prints: {shown:?}"
            )
        })
    }
}

#[cfg(test)]
#[path = "worker_io_tests.rs"]
mod tests;

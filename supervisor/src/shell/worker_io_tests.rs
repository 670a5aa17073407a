//! A worker's death is told before the runtime has noticed what it wrote: nothing of that is lost.

use std::io::{PipeReader, PipeWriter, Write, pipe};

use ipc_contract::frame::encode;
use ipc_contract::message::Ready;

use super::*;
use crate::core::Exit;

/// The worker's ends.
struct Worker {
    _stdin: PipeReader,
    stdout: PipeWriter,
    stderr: PipeWriter,
}

fn open() -> (Worker, Link, mpsc::Receiver<Incoming>) {
    let (child_stdin, stdin) = pipe().unwrap();
    let (stdout, child_stdout) = pipe().unwrap();
    let (stderr, child_stderr) = pipe().unwrap();
    let (events, incoming) = mpsc::channel(8);
    let inbox = Inbox { events, budget: Arc::new(Semaphore::new(1024)) };
    let pipes = Pipes { stdin: stdin.into(), stdout: stdout.into(), stderr: stderr.into() };
    let link = Link::open(WorkerId(1), pipes, &inbox).unwrap();
    (Worker { _stdin: child_stdin, stdout: child_stdout, stderr: child_stderr }, link, incoming)
}

fn exit() -> WorkerExit {
    WorkerExit { worker: WorkerId(1), exit: Exit::Code(0), peak_rss_bytes: None, cpu_ms: None, output: Vec::new() }
}

#[tokio::test]
async fn last_words_count() {
    let (mut worker, mut link, mut incoming) = open();
    let ready = FromWorker::Ready(Ready {});
    worker.stdout.write_all(&encode(&ready).unwrap()).unwrap();
    worker.stderr.write_all(b"last words").unwrap();
    link.exited(exit());
    assert_eq!(incoming.recv().await.unwrap().event, Event::Frame(WorkerId(1), ready));
    assert_eq!(
        incoming.recv().await.unwrap().event,
        Event::Gone(WorkerExit { output: b"last words".to_vec(), ..exit() })
    );
}

#[tokio::test]
async fn half_a_frame_is_told_and_then_the_death() {
    let (mut worker, mut link, mut incoming) = open();
    worker.stdout.write_all(&[0, 0]).unwrap();
    link.exited(exit());
    let Event::Broken(_, why) = incoming.recv().await.unwrap().event else { panic!("no breach") };
    assert_eq!(why, "it ended in the middle of a frame");
    assert_eq!(incoming.recv().await.unwrap().event, Event::Gone(exit()));
}

#[tokio::test]
async fn output_is_taken_as_it_is_now() {
    let (mut worker, link, _incoming) = open();
    worker.stderr.write_all(b"of no run").unwrap();
    link.begin_output();
    worker.stderr.write_all(b"of the run").unwrap();
    assert_eq!(link.take_output(), b"of the run");
}

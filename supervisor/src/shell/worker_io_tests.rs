//! What a worker writes counts even when its death is told first, and a frame that is never finished is a breach.

use std::io::{PipeReader, PipeWriter, Read, Write, pipe};

use ipc_contract::frame::encode;
use ipc_contract::message::Ready;

use super::*;
use crate::core::Exit;

/// The worker's ends.
struct Worker {
    stdin: PipeReader,
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
    (Worker { stdin: child_stdin, stdout: child_stdout, stderr: child_stderr }, link, incoming)
}

fn exit() -> WorkerExit {
    WorkerExit {
        worker: WorkerId(1),
        exit: Exit::Code(0),
        peak_rss_bytes: None,
        cpu_ms: None,
        oom: false,
        output: Vec::new(),
    }
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
async fn with_the_death_its_pipes_are_closed() {
    let (mut worker, mut link, mut incoming) = open();
    rustix::fs::fcntl_setfl(&worker.stdin, rustix::fs::OFlags::NONBLOCK).unwrap();
    link.exited(exit());
    assert_eq!(incoming.recv().await.unwrap().event, Event::Gone(exit()));
    drop(link);
    assert_eq!(worker.stdin.read(&mut [0]).unwrap(), 0, "the end of the stream, since nobody holds the other end");
    for pipe in [&mut worker.stdout, &mut worker.stderr] {
        assert_eq!(pipe.write(&[0]).unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    }
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

/// Under virtual time, which runs to the next deadline whenever nothing else is to be done.
#[tokio::test(start_paused = true)]
async fn a_frame_that_is_never_finished_is_a_breach() {
    let (mut worker, _link, mut incoming) = open();
    worker.stdout.write_all(&[0, 0, 0, 9, 1]).unwrap();
    let begun = Instant::now();
    let Event::Broken(_, why) = incoming.recv().await.unwrap().event else { panic!("no breach") };
    assert_eq!(why, "a frame was not finished within 60 s");
    assert!(begun.elapsed() >= FRAME_TIMEOUT);
}

/// A byte now and then does not prolong the time that a frame has.
#[tokio::test(start_paused = true)]
async fn a_dripping_frame_is_a_breach_as_well() {
    let (mut worker, _link, mut incoming) = open();
    worker.stdout.write_all(&[0, 0, 0, 99]).unwrap();
    let begun = Instant::now();
    let mut drops = 0;
    let why = loop {
        match timeout(FRAME_TIMEOUT / 6, incoming.recv()).await {
            Ok(Some(Incoming { event: Event::Broken(_, why), .. })) => break why,
            Ok(_) => panic!("no breach"),
            Err(_) => worker.stdout.write_all(&[1]).unwrap(),
        }
        drops += 1;
        assert!(drops < 10, "{drops} drops in {:?}", begun.elapsed());
    };
    assert_eq!(why, "a frame was not finished within 60 s");
}

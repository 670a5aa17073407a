//! The writer thread: owns the only write connection and the book, and runs one turn of the queue for each batch.
//!
//! One batch is in flight at most, and each gets exactly one answer: two full bounded channels would wait for each other.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use queue_core::book::{Book, Running};
use queue_core::op::{Demand, Op, RunKey, WorkerRow};
use queue_core::policy::Policies;
use queue_core::reconfigure::{Progress, reconfigure};
use queue_core::store::{Finding, Store, StoreError};
use queue_core::task::{Now, TaskId};
use queue_core::tick::{Turn, tick};
use tokio::sync::mpsc;

use super::inquiry::{Inquiry, Scene};

/// What one turn is to do.
#[derive(Debug, Default)]
pub struct Batch {
    pub ops: Vec<Op>,
    pub demand: Vec<Demand>,
    pub now: Now,
}

pub enum Job {
    Turn(Batch),
    /// Book against rows.
    Examine,
    /// Questions of callers, and what is known of pools.
    Inquire(Vec<Inquiry>, Scene),
    /// One step towards other policies.
    Reconfigure(Arc<Policies>, Now),
    /// Only to answer.
    Pulse,
}

pub enum Answer {
    /// On an error the batch comes back: nothing of it was done.
    Turn(Result<Turn, (StoreError, Batch)>),
    Examined(Result<Examined, StoreError>),
    /// Each to whom it asked.
    Inquired,
    Reconfigured(Result<Progress, StoreError>),
    Pulse,
}

/// What only the writer can see.
pub struct Examined {
    /// Where book and rows differ.
    pub findings: Vec<Finding>,
    pub workers: Vec<WorkerRow>,
    /// Every run that is leased.
    pub runs: Vec<RunKey>,
}

/// The thread's door. Dropping it ends the thread, which closes the database.
pub struct Writer {
    jobs: SyncSender<Job>,
    thread: std::thread::JoinHandle<()>,
}

impl Writer {
    pub fn start(mut store: Store, mut book: Book, answers: mpsc::Sender<Answer>) -> io::Result<Writer> {
        let (jobs, inbox): (_, Receiver<Job>) = sync_channel(1);
        let mut random = fastrand::Rng::new();
        let thread = std::thread::Builder::new().name("writer".into()).spawn(move || {
            for job in inbox {
                let answer = match job {
                    Job::Turn(batch) => Answer::Turn(turn(&mut store, &mut book, batch, &mut random)),
                    Job::Examine => Answer::Examined(examine(&mut store, &book)),
                    Job::Inquire(inquiries, scene) => {
                        inquiries.into_iter().for_each(|inquiry| inquiry.answer(&mut store, &book, &scene));
                        Answer::Inquired
                    }
                    Job::Reconfigure(policies, now) => {
                        let step = reconfigure(&mut store, &mut book, &policies, now, &mut || random.u64(..));
                        Answer::Reconfigured(step)
                    }
                    Job::Pulse => Answer::Pulse,
                };
                if answers.blocking_send(answer).is_err() {
                    return;
                }
            }
        })?;
        Ok(Writer { jobs, thread })
    }

    /// Only to be called when the last job is answered.
    pub fn ask(&self, job: Job) {
        if self.jobs.try_send(job).is_err() {
            panic!("the writer thread is gone, or was asked twice");
        }
    }

    /// Ends the thread and waits until the database is closed.
    pub fn close(self) {
        drop(self.jobs);
        if self.thread.join().is_err() {
            panic!("the writer thread panicked");
        }
    }
}

fn turn(
    store: &mut Store,
    book: &mut Book,
    batch: Batch,
    random: &mut fastrand::Rng,
) -> Result<Turn, (StoreError, Batch)> {
    let done = tick(store, book, &batch.ops, &batch.demand, batch.now, &mut || random.u64(..));
    done.map_err(|error| (error, batch))
}

fn examine(store: &mut Store, book: &Book) -> Result<Examined, StoreError> {
    let key = |(id, run): (&TaskId, &Running)| RunKey { task: *id, epoch: run.tally.epoch };
    let runs = book.rows().running.iter().map(key).collect();
    Ok(Examined { findings: store.check_book(book)?, workers: store.workers()?, runs })
}

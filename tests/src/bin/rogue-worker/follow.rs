//! No misdeed: runs that bring tasks along with their result, and a worker that leaves by itself between two runs.

use std::path::PathBuf;
use std::process::exit;

use ipc_contract::{Bye, Done, FromWorker, Payload, Run, TaskSpec};
use serde::{Deserialize, Serialize};

use crate::InRun;
use crate::channel::{Channel, done};

pub(crate) const MISDEEDS: &[(&str, InRun)] = &[
    ("follow", run),
    ("prints", |channel, run, _| {
        println!("printed on stdout");
        channel.say(&done(run));
    }),
    // Answered, and then it says good-bye: whatever was sent to it meanwhile is not read.
    ("retires", |channel, run, _| {
        channel.say(&done(run));
        channel.say(&FromWorker::Bye(Bye::default()));
        exit(0);
    }),
];

#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(default)]
struct Args {
    /// So many links follow, each with a leaf beside it.
    links: u64,
    /// What the leaf is, when it is no task of the same kind.
    leaf: Option<String>,
    /// A file that is told the number of links once the answer is given.
    answered: Option<PathBuf>,
}

fn run(channel: &mut Channel, run: &Run, _: &[String]) {
    let args = run.args.read::<Args>().unwrap_or_default();
    let of = |kind: &str, args: &Args| {
        let args = Payload::of(args).expect("small args can be encoded");
        TaskSpec { kind: kind.to_owned(), args, ..TaskSpec::default() }
    };
    let mut enqueue = Vec::new();
    if let Some(links) = args.links.checked_sub(1) {
        enqueue.push(of(&run.kind, &Args { links, ..args.clone() }));
        enqueue.push(of(args.leaf.as_deref().unwrap_or(&run.kind), &Args::default()));
    }
    let result = Payload::of(&args.links).expect("a number can be encoded");
    channel.say(&FromWorker::Done(Done { task: run.task, epoch: run.epoch, result, enqueue, ..Done::default() }));
    if let Some(path) = args.answered {
        std::fs::write(path, format!("{}\n", args.links)).expect("the file is writable");
    }
}

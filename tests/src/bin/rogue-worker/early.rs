//! Misdeeds before a worker is ready. One that returns lets the worker go on.

use std::process::exit;

use ipc_contract::{FromWorker, Hello, Run};

use crate::behaviour::hang;
use crate::channel::{Channel, done, hello};
use crate::greet;

type Early = fn(&mut Channel, &[String]);

pub(crate) const MISDEEDS: &[(&str, Early)] = &[
    // Before it has said who it is.
    ("early-death", |_, _| exit(3)),
    ("early-78", |_, _| exit(78)),
    ("early-text", |channel, _| channel.raw(b"Starting worker v1.0 ...\n")),
    ("early-done", |channel, _| channel.say(&done(&Run { task: 1, epoch: 1, ..Run::default() }))),
    ("early-silence", |_, _| hang()),
    // Ready, and from then on it reads nothing.
    ("unread", |channel, _| {
        greet(channel, "unread");
        hang();
    }),
    // A hello that is not in order; then it waits for the answer and leaves as the SDK does.
    ("wrong-cookie", |channel, _| rejected(channel, Hello { cookie: "guessed".to_owned(), ..hello("wrong-cookie") })),
    ("wrong-protocol", |channel, _| {
        rejected(channel, Hello { protocol_min: 99, protocol_max: 99, ..hello("wrong-protocol") });
    }),
    ("no-kinds", |channel, _| rejected(channel, Hello { kinds: Vec::new(), ..hello("no-kinds") })),
    ("bad-kind", |channel, _| rejected(channel, hello("No Name"))),
];

fn rejected(channel: &mut Channel, hello: Hello) {
    channel.say(&FromWorker::Hello(hello));
    let answer = channel.hear();
    eprintln!("{answer:?}");
    exit(78);
}

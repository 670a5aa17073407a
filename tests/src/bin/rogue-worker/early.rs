//! Misdeeds before a worker is ready. One that returns lets the worker go on.

use std::process::exit;
use std::thread::sleep;
use std::time::Duration;

use ipc_contract::{Booting, FromWorker, Hello, Run};

use crate::behaviour::hang;
use crate::channel::{Channel, done, hello};
use crate::greet;

/// Two seconds in all.
const BOOT_FRAMES: u32 = 20;
const BOOT_FRAME_MS: u64 = 100;

type Early = fn(&mut Channel, &[String]);

pub(crate) const MISDEEDS: &[(&str, Early)] = &[
    // Before it has said who it is.
    ("early-death", |_, _| exit(3)),
    ("early-78", |_, _| exit(78)),
    ("early-text", |channel, _| channel.raw(b"Starting worker v1.0 ...\n")),
    ("early-done", |channel, _| channel.say(&done(&Run { task: 1, epoch: 1, ..Run::default() }))),
    ("early-silence", |_, _| hang()),
    // Welcome, and then nothing.
    ("never-ready", |channel, _| {
        channel.say(&FromWorker::Hello(hello("never-ready")));
        channel.hear();
        hang();
    }),
    // No misdeed: it has much to load, and says so.
    ("boots", |channel, _| {
        for _ in 0..BOOT_FRAMES {
            channel.say(&FromWorker::Booting(Booting {}));
            sleep(Duration::from_millis(BOOT_FRAME_MS));
        }
    }),
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

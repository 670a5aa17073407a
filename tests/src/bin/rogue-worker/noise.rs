//! Wrong bytes, and right frames at the wrong time, in answer to a run.

use std::process::exit;
use std::thread::sleep;
use std::time::Duration;

use ipc_contract::frame::{MAX_FRAME_BYTES, encode};
use ipc_contract::{Done, FromWorker, Payload, Run, Save};

use crate::InRun;
use crate::channel::{done, hello};

/// Between two bytes of a drip.
const DRIP_MS: u64 = 1_000;

pub(crate) const MISDEEDS: &[(&str, InRun)] = &[
    ("text", |channel, _, _| channel.raw(b"Traceback (most recent call last):\n")),
    ("garbage", |channel, _, _| channel.raw(&framed(b"\xc1\xff\x00 no MessagePack"))),
    ("length-zero", |channel, _, _| channel.raw(&[0; 4])),
    ("length-huge", |channel, _, _| channel.raw(&u32::MAX.to_be_bytes())),
    ("length-over", |channel, _, _| channel.raw(&(MAX_FRAME_BYTES as u32 + 1).to_be_bytes())),
    ("half-header", |channel, _, _| {
        channel.raw(&[0, 0]);
        exit(0);
    }),
    ("half-payload", |channel, run, _| {
        let frame = frame(run);
        channel.raw(&frame[..frame.len() / 2]);
        exit(0);
    }),
    // Each byte in its time, but the frame is never whole in its own.
    ("drip", |channel, run, _| {
        for byte in frame(run) {
            channel.raw(&[byte]);
            sleep(Duration::from_millis(DRIP_MS));
        }
    }),
    ("trailing", |channel, run, _| channel.raw(&framed(&[&frame(run)[4..], b"\0"].concat()))),
    ("deep", |channel, _, _| channel.raw(&framed(&[b"\x81\xa4done".to_vec(), vec![0x91; 1_000]].concat()))),
    // An array that announces 4 G items, and a binary of as many bytes.
    ("bomb-array", |channel, _, _| channel.raw(&framed(b"\x81\xa4done\x81\xa6result\xdd\xff\xff\xff\xff"))),
    ("bomb-bytes", |channel, _, _| channel.raw(&framed(b"\x81\xa4done\x81\xa6result\xc6\xff\xff\xff\xff"))),
    ("unknown-message", |channel, _, _| channel.raw(&framed(b"\x81\xa5dance\x80"))),
    ("save-unasked", |channel, run, _| {
        let (task, epoch, value) = (run.task, run.epoch, Payload::default());
        channel.say(&FromWorker::Save(Save { task, epoch, step: None, value, seq: 1 }));
    }),
    ("wrong-way", |channel, _, _| channel.raw(&framed(b"\x81\xa3run\x80"))),
    ("hello-twice", |channel, _, _| channel.say(&FromWorker::Hello(hello("hello-twice")))),
    ("done-unknown", |channel, run, _| channel.say(&answer(run.task + 1_000, run.epoch))),
    ("done-stale", |channel, run, _| channel.say(&answer(run.task, run.epoch - 1))),
    ("done-twice", |channel, run, _| channel.raw(&[frame(run), frame(run)].concat())),
];

fn answer(task: u64, epoch: u64) -> FromWorker {
    FromWorker::Done(Done { task, epoch, ..Done::default() })
}

fn frame(run: &Run) -> Vec<u8> {
    encode(&done(run)).expect("a small message can be encoded")
}

/// A length that is right, before a body that need not be.
fn framed(body: &[u8]) -> Vec<u8> {
    [&(body.len() as u32).to_be_bytes(), body].concat()
}

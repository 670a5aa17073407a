//! Properties of frames: nothing panics, everything comes back, chunks do not matter.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use ipc_contract::frame::{LENGTH_BYTES, MAX_FRAME_BYTES};
use ipc_contract::scan::MAX_DEPTH;
use ipc_contract::{
    Ack, Back, Beat, Booting, Bye, ContractError, Done, ErrorKind, Exit, Fail, FrameDecoder, FromWorker, Hello, Level,
    Log, Note, Park, Payload, PrioritySpec, Ready, Reject, Retry, Run, RunRef, Save, Scope, Stop, StopReason, TaskSpec,
    ToWorker, Until, Welcome, decode, encode,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

fn text() -> impl Strategy<Value = String> {
    ".{0,30}"
}

fn payload() -> impl Strategy<Value = Payload> {
    vec(any::<u8>(), 0..300).prop_map(Payload)
}

fn run_ref() -> impl Strategy<Value = RunRef> {
    any::<(u64, u64)>().prop_map(|(task, epoch)| RunRef { task, epoch })
}

fn level() -> impl Strategy<Value = Level> {
    prop_oneof![Just(Level::Debug), Just(Level::Info), Just(Level::Warn), Just(Level::Error)]
}

fn retry() -> impl Strategy<Value = Retry> {
    prop_oneof![Just(Retry::Default), any::<u64>().prop_map(Retry::AfterMs), Just(Retry::Never)]
}

fn exit() -> impl Strategy<Value = Exit> {
    any::<(Option<i32>, Option<i32>, bool, Option<u64>, Option<u64>)>()
        .prop_map(|(code, signal, oom, peak_rss_bytes, cpu_ms)| Exit { code, signal, oom, peak_rss_bytes, cpu_ms })
}

fn hello() -> impl Strategy<Value = Hello> {
    (any::<(u16, u16, u32)>(), text(), text(), vec(text(), 0..5), vec(text(), 0..5)).prop_map(
        |((protocol_min, protocol_max, concurrency), cookie, sdk, kinds, features)| Hello {
            protocol_min,
            protocol_max,
            cookie,
            sdk,
            kinds,
            concurrency,
            features,
        },
    )
}

/// Steps or facts.
fn saved() -> impl Strategy<Value = BTreeMap<String, Payload>> {
    prop::collection::btree_map(text(), payload(), 0..3)
}

fn priority() -> impl Strategy<Value = PrioritySpec> {
    prop_oneof![(-100_i8..=100).prop_map(PrioritySpec::Number), text().prop_map(PrioritySpec::Name)]
}

fn task_spec() -> impl Strategy<Value = TaskSpec> {
    let names = (text(), option::of(text()), option::of(text()));
    let numbers = any::<(Option<u64>, Option<u64>, Option<u32>, Option<u32>)>();
    let amounts = || prop::collection::btree_map(text(), any::<u64>(), 0..3);
    (names, payload(), option::of(priority()), numbers, (option::of(text()), amounts(), amounts())).prop_map(
        |(
            (kind, queue, name),
            args,
            priority,
            (delay_ms, timeout_ms, max_attempts, max_crashes),
            (key, cost, budget),
        )| TaskSpec {
            kind,
            queue,
            args,
            priority,
            delay_ms,
            name,
            timeout_ms,
            max_attempts,
            max_crashes,
            key,
            cost,
            budget,
        },
    )
}

fn done() -> impl Strategy<Value = Done> {
    (run_ref(), payload(), any::<bool>(), vec(task_spec(), 0..3))
        .prop_map(|(RunRef { task, epoch }, result, cut, enqueue)| Done { task, epoch, result, cut, enqueue })
}

fn note() -> impl Strategy<Value = Note> {
    let number = || option::of(prop::num::f64::ANY.prop_filter("a NaN equals nothing", |number| !number.is_nan()));
    let spend = prop::collection::btree_map(text(), any::<u64>(), 0..3);
    (run_ref(), number(), number(), option::of(text()), spend, any::<u64>()).prop_map(
        |(RunRef { task, epoch }, done, total, message, spend, seq)| Note {
            task,
            epoch,
            done,
            total,
            message,
            spend,
            seq,
        },
    )
}

fn save() -> impl Strategy<Value = Save> {
    (run_ref(), option::of(text()), payload(), any::<u64>())
        .prop_map(|(RunRef { task, epoch }, step, value, seq)| Save { task, epoch, step, value, seq })
}

fn until() -> impl Strategy<Value = Until> {
    prop_oneof![any::<u64>().prop_map(Until::AfterMs), vec(text(), 0..5).prop_map(Until::Facts), Just(Until::Children)]
}

fn scope() -> impl Strategy<Value = Scope> {
    prop::sample::select(vec![Scope::Task, Scope::Key, Scope::Queue])
}

fn from_worker() -> impl Strategy<Value = FromWorker> {
    prop_oneof![
        hello().prop_map(FromWorker::Hello),
        Just(FromWorker::Booting(Booting {})),
        Just(FromWorker::Ready(Ready {})),
        Just(FromWorker::Beat(Beat {})),
        (option::of(run_ref()), level(), text()).prop_map(|(run, level, message)| FromWorker::Log(Log {
            run,
            level,
            message
        })),
        note().prop_map(FromWorker::Note),
        save().prop_map(FromWorker::Save),
        done().prop_map(FromWorker::Done),
        (run_ref(), until(), any::<Option<u64>>()).prop_map(|(RunRef { task, epoch }, until, timeout_ms)| {
            FromWorker::Park(Park { task, epoch, until, timeout_ms })
        }),
        (run_ref(), text(), retry(), scope(), option::of(exit())).prop_map(
            |(RunRef { task, epoch }, error, retry, scope, exit)| {
                FromWorker::Fail(Fail { task, epoch, error, retry, scope, exit })
            }
        ),
        run_ref().prop_map(|RunRef { task, epoch }| FromWorker::Back(Back { task, epoch })),
        option::of(text()).prop_map(|spawn_error| FromWorker::Bye(Bye { spawn_error })),
    ]
}

fn stop_reason() -> impl Strategy<Value = StopReason> {
    use StopReason::*;
    prop::sample::select(vec![
        Cancel, Timeout, Shutdown, Scaling, Recycling, Reload, Sibling, Budget, Memory, Recall, Unknown,
    ])
}

fn to_worker() -> impl Strategy<Value = ToWorker> {
    prop_oneof![
        (any::<(u16, u64, u64)>(), vec(text(), 0..5)).prop_map(|((protocol, worker, beat_ms), features)| {
            ToWorker::Welcome(Welcome { protocol, worker, features, beat_ms })
        }),
        text().prop_map(|reason| ToWorker::Reject(Reject { reason })),
        (run_ref(), text(), payload(), any::<(u32, Option<u64>)>(), text(), saved(), saved()).prop_map(
            |(RunRef { task, epoch }, kind, args, (attempt, time_left_ms), effect_key, steps, facts)| ToWorker::Run(
                Run {
                    task,
                    epoch,
                    kind,
                    args,
                    attempt,
                    effect_key,
                    time_left_ms,
                    checkpoint: steps.values().next().cloned().unwrap_or_default(),
                    steps,
                    facts,
                }
            )
        ),
        (option::of(run_ref()), stop_reason(), any::<u64>()).prop_map(|(run, reason, grace_ms)| ToWorker::Stop(Stop {
            run,
            reason,
            grace_ms
        })),
        (run_ref(), any::<u64>()).prop_map(|(RunRef { task, epoch }, seq)| ToWorker::Ack(Ack { task, epoch, seq })),
    ]
}

/// All frames of a stream that arrives in these chunks, and the error that ended it.
fn frames_of<'a>(chunks: impl IntoIterator<Item = &'a [u8]>) -> (Vec<Vec<u8>>, Option<ContractError>, bool) {
    let mut decoder = FrameDecoder::new();
    let mut frames = Vec::new();
    for chunk in chunks {
        decoder.push(chunk);
        loop {
            match decoder.next_frame() {
                Ok(Some(frame)) => frames.push(frame),
                Ok(None) => break,
                Err(error) => return (frames, Some(error), decoder.is_partial()),
            }
        }
    }
    (frames, None, decoder.is_partial())
}

fn body_of(frame: &[u8]) -> &[u8] {
    &frame[LENGTH_BYTES..]
}

proptest! {
    #[test]
    fn messages_of_a_worker_come_back(message in from_worker()) {
        let frame = encode(&message).unwrap();
        let (frames, error, is_partial) = frames_of([frame.as_slice()]);
        prop_assert_eq!((error, is_partial), (None, false));
        prop_assert_eq!(decode::<FromWorker>(&frames[0]).unwrap(), message.clone());
        prop_assert_eq!(decode::<ToWorker>(&frames[0]).unwrap_err().kind,
            ErrorKind::WrongDirection(message.kind().name().to_owned()));
    }

    #[test]
    fn messages_to_a_worker_come_back(message in to_worker()) {
        let frame = encode(&message).unwrap();
        prop_assert_eq!(decode::<ToWorker>(body_of(&frame)).unwrap(), message);
    }

    #[test]
    fn chunks_do_not_matter(messages in vec(from_worker(), 1..8), cuts in vec(0_usize..2_000, 0..12)) {
        let stream: Vec<u8> = messages.iter().flat_map(|message| encode(message).unwrap()).collect();
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut % stream.len()).chain([0, stream.len()]).collect();
        cuts.sort_unstable();
        let chunks = cuts.windows(2).map(|pair| &stream[pair[0]..pair[1]]);
        let (frames, error, is_partial) = frames_of(chunks);
        prop_assert_eq!((error, is_partial), (None, false));
        let decoded: Vec<FromWorker> = frames.iter().map(|frame| decode(frame).unwrap()).collect();
        prop_assert_eq!(decoded, messages);
    }

    #[test]
    fn any_bytes_are_survived(bytes in vec(any::<u8>(), 0..400)) {
        let (frames, _, _) = frames_of([bytes.as_slice()]);
        for frame in frames.iter().chain([&bytes]) {
            let _ = decode::<FromWorker>(frame);
            let _ = decode::<ToWorker>(frame);
        }
    }

    /// Nearly right bytes reach further into the decoder than random ones.
    #[test]
    fn damaged_messages_are_survived(message in from_worker(), at in any::<usize>(), byte in any::<u8>()) {
        let mut body = body_of(&encode(&message).unwrap()).to_vec();
        let at = at % body.len();
        body[at] = byte;
        if let Ok(other) = decode::<FromWorker>(&body) {
            encode(&other).unwrap();
        }
        prop_assert!(decode::<FromWorker>(&body[..at]).is_err());
    }
}

#[test]
fn a_bad_length_is_refused_once_its_four_bytes_are_there() {
    let mut decoder = FrameDecoder::new();
    decoder.push(b"Hel");
    assert_eq!(decoder.next_frame(), Ok(None));
    assert!(decoder.is_partial());
    decoder.push(b"l");
    let error = decoder.next_frame().unwrap_err();
    assert_eq!(error.kind, ErrorKind::TooLong { len: 0x4865_6c6c, max: MAX_FRAME_BYTES as u64 });
    assert_eq!(error.head, b"Hell");
    // No resynchronising: a whole frame after it changes nothing.
    decoder.push(&encode(&FromWorker::Beat(Beat {})).unwrap());
    assert!(decoder.next_frame().is_err());
    assert!(decoder.unread().starts_with(b"Hell"));
}

#[test]
fn lengths_are_accepted_up_to_the_limit() {
    let max = u32::try_from(MAX_FRAME_BYTES).unwrap();
    for (len, expected) in
        [(0, Some("empty")), (1, None), (max, None), (max + 1, Some("too_long")), (u32::MAX, Some("too_long"))]
    {
        let (frames, error, is_partial) = frames_of([len.to_be_bytes().as_slice()]);
        assert_eq!(error.map(|error| error.kind.name()), expected, "{len}");
        assert!(frames.is_empty() && is_partial);
    }
}

/// What the scan lets through, the decoders behind it survive: they do recurse.
#[test]
fn the_deepest_legal_value_fits_a_small_stack() {
    const SMALL_STACK_BYTES: usize = 256 * 1024;
    let decode_deepest = || {
        let body = [b"\x81\xa4beat\x81\xa1x".as_slice(), &[0x91; MAX_DEPTH - 2], b"\xc0"].concat();
        assert_eq!(decode::<FromWorker>(&body).unwrap(), FromWorker::Beat(Beat {}));
        let payload = Payload([[0x91; MAX_DEPTH].as_slice(), b"\xc0"].concat());
        assert_eq!(serde_json::to_string(&payload).unwrap().len(), 2 * MAX_DEPTH + "null".len());
        payload.read::<serde_json::Value>().unwrap();
        payload.preview();
    };
    std::thread::Builder::new().stack_size(SMALL_STACK_BYTES).spawn(decode_deepest).unwrap().join().unwrap();
}

#[test]
fn a_frame_over_the_limit_is_not_sent() {
    let done = |size_bytes| FromWorker::Done(Done { result: Payload(vec![0; size_bytes]), ..Done::default() });
    let around = encode(&done(0)).unwrap().len() - LENGTH_BYTES + 3;
    let frame = encode(&done(MAX_FRAME_BYTES - around)).unwrap();
    assert_eq!(frame.len() - LENGTH_BYTES, MAX_FRAME_BYTES);
    assert_eq!(frames_of(frame.chunks(60_000)).0.len(), 1);
    let error = encode(&done(MAX_FRAME_BYTES - around + 1)).unwrap_err();
    assert_eq!(error.kind, ErrorKind::TooLong { len: MAX_FRAME_BYTES as u64 + 1, max: MAX_FRAME_BYTES as u64 });
}

#[test]
fn a_list_of_kinds_stops_at_its_limit() {
    let hello = |kinds| FromWorker::Hello(Hello { kinds: vec!["k".to_owned(); kinds], ..Hello::default() });
    assert!(decode::<FromWorker>(body_of(&encode(&hello(1_024)).unwrap())).is_ok());
    let error = decode::<FromWorker>(body_of(&encode(&hello(1_025)).unwrap())).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Body { message: "hello".to_owned(), field: Some("kinds".to_owned()) });
}

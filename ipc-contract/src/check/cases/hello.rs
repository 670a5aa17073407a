//! HELLO: who a worker says it is, and how it takes the answer.

use std::collections::BTreeSet;

use serde_json::json;

use crate::check::case::{Case, case};
use crate::check::hear::Exits;
use crate::check::peer::shown;
use crate::check::probe::KINDS;
use crate::check::stage::{plain_welcome, welcome};
use crate::check::{Channel, Failure, Stage, Verdict};
use crate::feature::Feature;
use crate::frame::encode;
use crate::message::{PROTOCOL, ToWorker, Welcome};

/// Handlers that go with a feature.
const KINDS_OF: &[(Feature, &[&str])] =
    &[(Feature::Beat, &["busy"]), (Feature::Note, &["progress", "spend"]), (Feature::Enqueue, &["enqueue"])];

/// How long a worker is watched that must not speak.
const QUIET_MS: u64 = 400;

pub(super) fn cases() -> Vec<Case> {
    vec![
        case("HELLO/first", "4.1", "the first frame is `hello`, or `booting` before it", first).without_greeting(),
        case("HELLO/cookie", "1.1", "`hello` carries the value of MUTIRAO_COOKIE", |stage| {
            cookie(stage, "b7f3-0000-cookie")
        }),
        case("HELLO/any-cookie", "1.1", "the cookie is text, and echoed as it is", |stage| {
            cookie(stage, "a b='c'\"\\n\u{e9}\u{4e16}")
        }),
        case("HELLO/versions", "3", "`hello` names a range of versions that has this one", versions),
        case("HELLO/values", "3", "concurrency, names of kinds and counts are within their limits", |stage| {
            stage.greeted().map(|_| ())
        })
        .without_greeting(),
        case("HELLO/kinds", "9", "a worker under test has every handler of the first table", kinds),
        case("HELLO/kinds-of-features", "9", "a worker has the handlers of a feature that it names", kinds_of_features),
        case("HELLO/waits", "4.1", "after `hello` a worker says nothing before the answer comes", waits),
        case("HELLO/ready", "4.1", "after `welcome` comes `ready`, once, and runs are taken", ready),
        case("HELLO/least-welcome", "3", "a `welcome` of its needed field alone is enough", least_welcome),
        case("HELLO/unknown-feature", "3", "features that a worker does not know are ignored", unknown_feature),
        case("HELLO/no-feature", "3", "what needs a feature that is not agreed is not said", no_feature),
        case("HELLO/version-too-high", "3", "a version that the worker did not offer is refused", version_too_high),
        case("HELLO/version-too-low", "3", "a version that the worker did not offer is refused", version_too_low),
        case("HELLO/reject", "4.1", "after `reject` the reason is on stderr, and the exit code is 78", reject),
        case("HELLO/second-welcome", "5", "a `welcome` after the first is an error", |stage| {
            broken(stage, &ToWorker::Welcome(welcome()), true)
        }),
        case("HELLO/late-reject", "5", "a `reject` after `welcome` is an error", |stage| {
            broken(stage, &ToWorker::Reject(crate::message::Reject { reason: "too late".to_owned() }), true)
        }),
        case("HELLO/early-run", "5", "a `run` before `welcome` is an error", |stage| {
            let run = crate::message::Run { task: 1, epoch: 1, kind: "noop".to_owned(), ..Default::default() };
            broken(stage, &ToWorker::Run(run), false)
        }),
        case("HELLO/early-ack", "5", "an `ack` before `welcome` is an error", |stage| {
            broken(stage, &ToWorker::Ack(crate::message::Ack { task: 1, epoch: 1, seq: 1 }), false)
        }),
        case(
            "HELLO/unknown-channel",
            "1.1",
            "an unknown channel is told on stderr, and the exit code is 78",
            |stage| {
                let mut peer = stage.start_with(&[("MUTIRAO_CHANNEL", Some("pigeon"))])?;
                peer.exits(Exits::Code(78))?;
                peer.log_has("that it does not know the channel", |log| log.total_bytes() > 0)
            },
        ),
        case("HELLO/no-channel", "1.1", "without MUTIRAO_CHANNEL the channel is `stdio`", |stage| {
            let mut peer = stage.ready_with(&[("MUTIRAO_CHANNEL", None)], &welcome())?;
            peer.goes_on()?;
            peer.farewell()
        })
        .channel(Channel::Stdio),
    ]
}

fn first(stage: &Stage<'_>) -> Verdict {
    stage.start()?.expect_any(&[json!({ "hello": {} }), json!({ "booting": {} })]).map(|_| ())
}

fn cookie(stage: &Stage<'_>, cookie: &str) -> Verdict {
    let mut peer = stage.start_with(&[("MUTIRAO_COOKIE", Some(cookie))])?;
    let hello = peer.hello()?;
    Failure::unless(hello.cookie == cookie, format!("the cookie {cookie:?}"), format!("the cookie {:?}", hello.cookie))
}

fn versions(stage: &Stage<'_>) -> Verdict {
    let (_peer, hello) = stage.greeted()?;
    let has = (hello.protocol_min..=hello.protocol_max).contains(&PROTOCOL);
    Failure::unless(has, format!("a range that has {PROTOCOL}"), shown(&hello).to_string())
}

fn kinds(stage: &Stage<'_>) -> Verdict {
    let (_peer, hello) = stage.greeted()?;
    let missing: Vec<_> = KINDS.iter().filter(|kind| !hello.kinds.iter().any(|name| name == *kind)).collect();
    Failure::unless(missing.is_empty(), format!("kinds with {KINDS:?}"), format!("kinds without {missing:?}"))
}

fn kinds_of_features(stage: &Stage<'_>) -> Verdict {
    let (_peer, hello) = stage.greeted()?;
    let offered: BTreeSet<&str> = hello.kinds.iter().map(String::as_str).collect();
    for (feature, kinds) in KINDS_OF {
        if hello.features.iter().any(|name| name == feature.name()) {
            let has_all = kinds.iter().all(|kind| offered.contains(kind));
            Failure::unless(
                has_all,
                format!("the kinds {kinds:?} with the feature `{}`", feature.name()),
                format!("the kinds {offered:?}"),
            )?;
        }
    }
    Ok(())
}

fn waits(stage: &Stage<'_>) -> Verdict {
    let (mut peer, _) = stage.greeted()?;
    let heard = peer.listen(QUIET_MS)?;
    Failure::unless(heard.is_empty(), "nothing", shown(&heard).to_string())?;
    peer.send(&ToWorker::Welcome(welcome()))?;
    peer.expect(&json!({ "ready": {} })).map(|_| ())
}

fn ready(stage: &Stage<'_>) -> Verdict {
    let mut peer = stage.ready()?;
    peer.goes_on()?;
    peer.farewell()
}

fn least_welcome(stage: &Stage<'_>) -> Verdict {
    let (mut peer, _) = stage.greeted()?;
    let frame = super::wire::message("welcome", &[("protocol", vec![1])]);
    peer.send_as(&ToWorker::Welcome(Welcome::default()), &frame)?;
    peer.expect(&json!({ "ready": {} }))?;
    peer.goes_on()?;
    peer.farewell()
}

fn unknown_feature(stage: &Stage<'_>) -> Verdict {
    let mut with_more = welcome();
    with_more.features.push("teleport".to_owned());
    let mut peer = stage.ready_with(&[], &with_more)?;
    peer.goes_on()?;
    peer.farewell()
}

/// Asks for what would be said with a feature. The session tells what must not be said.
fn no_feature(stage: &Stage<'_>) -> Verdict {
    let mut peer = stage.ready_with(&[], &plain_welcome())?;
    for (kind, args) in [
        ("progress", json!({ "done": 1, "total": 2, "message": "half" })),
        ("spend", json!({ "unit": "tokens", "amount": 5 })),
        ("enqueue", json!({ "tasks": [{ "kind": "echo" }] })),
    ] {
        let run = peer.run(kind, args)?;
        peer.expect_any(&["done", "fail"].map(|kind| crate::check::calls::answer(kind, run)))?;
    }
    peer.goes_on()?;
    peer.farewell()
}

fn version_too_high(stage: &Stage<'_>) -> Verdict {
    let (mut peer, hello) = stage.greeted()?;
    let protocol = hello.protocol_max.saturating_add(1);
    peer.send(&ToWorker::Welcome(Welcome { protocol, ..welcome() }))?;
    peer.exits(Exits::Refusing)
}

fn version_too_low(stage: &Stage<'_>) -> Verdict {
    let (mut peer, hello) = stage.greeted()?;
    let protocol = hello.protocol_min.saturating_sub(1);
    peer.send(&ToWorker::Welcome(Welcome { protocol, ..welcome() }))?;
    peer.exits(Exits::Refusing)
}

fn reject(stage: &Stage<'_>) -> Verdict {
    let (mut peer, _) = stage.greeted()?;
    peer.reject("no pool wants this worker: name its queue in supervisor.toml")?;
    peer.logs("no pool wants this worker: name its queue in supervisor.toml")?;
    peer.exits(Exits::Code(78))
}

/// A message where it is not legal.
fn broken(stage: &Stage<'_>, message: &ToWorker, after_ready: bool) -> Verdict {
    let mut peer = if after_ready { stage.ready()? } else { stage.greeted()?.0 };
    let frame = encode(message).map_err(|error| Failure::new("a frame", error.to_string()))?;
    peer.send_raw(&frame)?;
    peer.exits(Exits::Refusing)
}

//! The report for programs: one JSON document.

use serde_json::{Value, json};

use super::outcome::{CaseReport, ChannelReport, Counts, Outcome, Report, Spoken};

/// The version of this format. A reader may rely on what is there; more may come.
const FORMAT: u32 = 1;

/// The whole report.
pub fn json(report: &Report) -> Value {
    json!({
        "format": FORMAT,
        "command": report.command,
        "passed": report.is_good(),
        "counts": Counts::of(&report.cases),
        "channels": report.channels.iter().map(channel).collect::<Vec<_>>(),
        "cases": report.cases.iter().map(case).collect::<Vec<_>>(),
    })
}

fn channel(report: &ChannelReport) -> Value {
    let mut value = json!({ "channel": report.channel });
    match &report.spoken {
        Spoken::Yes { sdk, concurrency, features, kinds, variables } => {
            value["spoken"] = json!(true);
            value["sdk"] = json!(sdk);
            value["concurrency"] = json!(concurrency);
            value["features"] = json!(features);
            value["kinds"] = json!(kinds);
            value["variables"] = json!(variables);
        }
        Spoken::Mute => value["spoken"] = json!(true),
        Spoken::No { reason } => {
            value["spoken"] = json!(false);
            value["reason"] = json!(reason);
        }
    }
    value
}

fn case(report: &CaseReport) -> Value {
    let mut value = json!({
        "name": report.name,
        "channel": report.channel,
        "section": report.section,
        "rule": report.rule,
        "duration_ms": u64::try_from(report.duration.as_millis()).unwrap_or(u64::MAX),
        "was_played_again": report.was_played_again,
        "outcome": report.outcome.word(),
    });
    match &report.outcome {
        Outcome::Failed(failing) | Outcome::ExpectedFailure(failing) => {
            value["expected"] = json!(failing.failure.expected);
            value["seen"] = json!(failing.failure.seen);
            value["stderr"] = json!(failing.stderr);
            value["saved"] = json!(failing.saved);
            value["alone"] = json!(failing.alone);
        }
        Outcome::Skipped(reason) => value["reason"] = json!(reason),
        Outcome::Passed | Outcome::UnexpectedPass => {}
    }
    value
}

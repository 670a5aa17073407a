//! The report for build servers: JUnit XML, one suite for each channel.

use std::fmt::Write;
use std::time::Duration;

use super::outcome::{CaseReport, Counts, Failing, Outcome, Report, Spoken};

/// The whole report.
pub fn junit(report: &Report) -> String {
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"contract-test\">\n");
    for channel in &report.channels {
        let cases: Vec<_> = report.cases.iter().filter(|case| case.channel == channel.channel).collect();
        let counts = Counts::of(cases.iter().copied());
        let failures = counts.failed + counts.unexpected_passes;
        let seconds = cases.iter().map(|case| case.duration).sum::<Duration>().as_secs_f64();
        let _ = writeln!(
            xml,
            "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{failures}\" skipped=\"{}\" time=\"{seconds:.3}\">",
            channel.channel.name(),
            cases.len(),
            counts.skipped + counts.expected_failures,
        );
        if let Spoken::No { reason } = &channel.spoken {
            let _ = writeln!(xml, "    <system-out>not spoken: {}</system-out>", escaped(reason));
        }
        for case in cases {
            xml.push_str(&testcase(case));
        }
        xml.push_str("  </testsuite>\n");
    }
    xml.push_str("</testsuites>\n");
    xml
}

fn testcase(case: &CaseReport) -> String {
    let (area, name) = case.name.split_once('/').unwrap_or(("", &case.name));
    let head = format!(
        "    <testcase classname=\"{}.{}\" name=\"{}\" time=\"{:.3}\"",
        case.channel.name(),
        escaped(area),
        escaped(name),
        case.duration.as_secs_f64()
    );
    let inner = match &case.outcome {
        Outcome::Passed => return format!("{head}/>\n"),
        Outcome::Failed(failing) => failure(case, failing),
        Outcome::Skipped(reason) => format!("      <skipped message=\"{}\"/>\n", escaped(reason)),
        Outcome::ExpectedFailure(failing) => {
            format!("      <skipped message=\"fails, as expected: {}\"/>\n", escaped(&failing.failure.seen))
        }
        Outcome::UnexpectedPass => "      <failure message=\"passes, though it is listed as failing\"/>\n".to_owned(),
    };
    format!("{head}>\n{inner}    </testcase>\n")
}

fn failure(case: &CaseReport, failing: &Failing) -> String {
    let rule = format!("SPEC {}: {}", case.section, case.rule);
    let mut text = format!("expected: {}\nseen: {}\n", failing.failure.expected, failing.failure.seen);
    for line in &failing.stderr {
        text.push_str(&format!("stderr: {line}\n"));
    }
    text.push_str(&format!("frames: {}\nalone: {}\n", failing.saved, failing.alone));
    format!("      <failure message=\"{}\">{}</failure>\n", escaped(&rule), escaped(&text))
}

/// Text that XML may hold: what it has no character for is shown as one that says so.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' | '\t' => escaped.push(c),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}

//! The report for people: a line for each case as it ends, then each failure in full, then the counts.

use super::outcome::{CaseReport, ChannelReport, Counts, Failing, Outcome, Report, Spoken};
use super::words::quoted;
use crate::check::case::Case;
use crate::check::spec::section_title;

/// Whether words are coloured.
#[derive(Clone, Copy, Debug)]
pub struct Painter {
    pub has_colors: bool,
}

const RED: &str = "31";
const GREEN: &str = "32";
const YELLOW: &str = "33";
const DIM: &str = "2";

impl Painter {
    fn paint(self, color: &str, text: &str) -> String {
        if self.has_colors { format!("\x1b[{color}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

/// What is known before the first case is played.
pub fn channel_lines(command: &[String], channels: &[ChannelReport]) -> String {
    let command: Vec<_> = command.iter().map(|word| quoted(word)).collect();
    let mut text = format!("worker  {}\n", command.join(" "));
    for ChannelReport { channel, spoken } in channels {
        let words = match spoken {
            Spoken::Yes { sdk, concurrency, features, kinds, variables } => {
                let sdk = if sdk.is_empty() { "a worker without a name" } else { sdk };
                let list = |items: &[String]| if items.is_empty() { "none".to_owned() } else { items.join(" ") };
                format!(
                    "{sdk}, concurrency {concurrency}, {kinds} kinds; features: {}; variables: {}",
                    list(features),
                    list(variables)
                )
            }
            Spoken::Mute => "the worker says no hello".to_owned(),
            Spoken::No { reason } => format!("does not speak {}: {reason}", channel.name()),
        };
        text.push_str(&format!("{:<7} {words}\n", channel.name()));
    }
    text
}

/// One line.
pub fn case_line(case: &CaseReport, painter: Painter) -> String {
    let (color, word) = match &case.outcome {
        Outcome::Passed => (GREEN, "ok"),
        Outcome::Failed(_) => (RED, "FAILED"),
        Outcome::Skipped(_) => (DIM, "skipped"),
        Outcome::ExpectedFailure(_) => (YELLOW, "fails, as expected"),
        Outcome::UnexpectedPass => (RED, "PASSES, though listed as failing"),
    };
    let again = if case.was_played_again { ", played again alone" } else { "" };
    let reason = if let Outcome::Skipped(reason) = &case.outcome { format!(": {reason}") } else { String::new() };
    format!("{:<5} {:<40} {}{again}{reason}\n", case.channel.name(), case.name, painter.paint(color, word))
}

/// Each failure in full, then the counts.
pub fn summary(report: &Report, painter: Painter) -> String {
    let mut text = String::new();
    for case in &report.cases {
        if let Outcome::Failed(failing) = &case.outcome {
            text.push_str(&failure(case, failing, painter));
        }
    }
    text.push('\n');
    for ChannelReport { channel, spoken } in &report.channels {
        if matches!(spoken, Spoken::No { .. }) {
            text.push_str(&format!("{:<6} not spoken\n", channel.name()));
            continue;
        }
        let counts = Counts::of(report.cases.iter().filter(|case| case.channel == *channel));
        let mut parts = vec![format!("{} passed", counts.passed), format!("{} failed", counts.failed)];
        parts.push(format!("{} skipped", counts.skipped));
        if counts.expected_failures > 0 {
            parts.push(format!("{} failed as expected", counts.expected_failures));
        }
        if counts.unexpected_passes > 0 {
            parts.push(format!("{} passed, though listed as failing", counts.unexpected_passes));
        }
        let again = report.cases.iter().filter(|case| case.channel == *channel && case.was_played_again).count();
        if again > 0 {
            parts.push(format!("{again} played again alone"));
        }
        text.push_str(&format!("{:<6} {}\n", channel.name(), parts.join(", ")));
    }
    text
}

fn failure(case: &CaseReport, failing: &Failing, painter: Painter) -> String {
    let title = section_title(&case.section).unwrap_or_default();
    let heading = format!("{} on {}", case.name, case.channel.name());
    let mut text = format!("\n{}\n", painter.paint(RED, &heading));
    let mut line = |label: &str, words: &str| text.push_str(&format!("  {label:<9} {words}\n"));
    line("rule", &format!("SPEC {}, {title}: {}", case.section, case.rule));
    line("expected", &failing.failure.expected);
    line("seen", &failing.failure.seen);
    if failing.stderr.is_empty() {
        line("stderr", "(nothing)");
    }
    for (place, words) in failing.stderr.iter().enumerate() {
        line(if place == 0 { "stderr" } else { "" }, words);
    }
    line("frames", &failing.saved);
    line("alone", &failing.alone);
    text
}

/// The cases with their sections and rules.
pub fn cases_listed(cases: &[&Case]) -> String {
    let width = cases.iter().map(|case| case.name.len()).max().unwrap_or_default();
    cases.iter().map(|case| format!("{:<width$}  {:<4} {}\n", case.name, case.section, case.rule)).collect()
}

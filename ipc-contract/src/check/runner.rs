//! Plays the chosen cases: some at a time, each in processes of its own, and those that need a calm machine once more.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use super::case::Case;
use super::report::{CaseReport, Failing, Outcome, alone};
use super::save::save;
use super::select::ExpectedFailures;
use super::{Profile, Stage};

/// Last lines of stderr in a report.
const STDERR_LINES_MAX: usize = 12;
/// Reports that wait to be printed.
const REPORTS_WAITING_MAX: usize = 256;

/// The case of a worker that has not every handler it needs.
const ALL_KINDS: &str = "HELLO/kinds";

/// What does not change from case to case.
pub(super) struct Plan<'a> {
    pub(super) command: &'a [OsString],
    /// How the checker was called.
    pub(super) program: &'a str,
    pub(super) timeout: Duration,
    pub(super) jobs: usize,
    pub(super) expected: &'a ExpectedFailures,
    /// Where failed cases are kept.
    pub(super) folder: PathBuf,
}

/// A case on one channel.
pub(super) struct Part<'a> {
    pub(super) case: &'a Case,
    pub(super) profile: &'a Profile,
}

impl Plan<'_> {
    /// Plays all and gives their reports in order. `tell` is shown each as soon as it and all before it are known.
    pub(super) fn play(&self, parts: &[Part<'_>], mut tell: impl FnMut(&CaseReport)) -> Vec<CaseReport> {
        let next = AtomicUsize::new(0);
        let (sender, receiver) = mpsc::sync_channel(REPORTS_WAITING_MAX);
        let mut reports: Vec<Option<CaseReport>> = parts.iter().map(|_| None).collect();
        let mut told = 0;
        thread::scope(|scope| {
            for _ in 0..self.jobs.min(parts.len()) {
                let (sender, next) = (sender.clone(), &next);
                scope.spawn(move || {
                    loop {
                        let place = next.fetch_add(1, Ordering::Relaxed);
                        let Some(part) = parts.get(place) else { return };
                        if sender.send((place, self.report(part, parts))).is_err() {
                            return;
                        }
                    }
                });
            }
            drop(sender);
            for (place, report) in receiver {
                reports[place] = Some(report);
                while let Some(Some(report)) = reports.get(told) {
                    if may_change(report, parts[told].case) {
                        break;
                    }
                    tell(report);
                    told += 1;
                }
            }
        });
        let mut reports: Vec<_> = reports.into_iter().flatten().collect();
        for (place, report) in reports.iter_mut().enumerate().skip(told) {
            if may_change(report, parts[place].case) {
                *report = CaseReport { was_played_again: true, ..self.report(&parts[place], parts) };
            }
            tell(report);
        }
        reports
    }

    fn report(&self, part: &Part<'_>, parts: &[Part<'_>]) -> CaseReport {
        let Part { case, profile } = part;
        let started = Instant::now();
        let is_expected = self.expected.has(&case.name, profile.channel);
        let outcome = match case.skip_reason(profile) {
            Some(reason) => Outcome::Skipped(reason),
            None => match (self.play_one(part, parts), is_expected) {
                (Outcome::Passed, true) => Outcome::UnexpectedPass,
                (Outcome::Failed(failing), true) => Outcome::ExpectedFailure(failing),
                (outcome, _) => outcome,
            },
        };
        CaseReport {
            name: case.name.to_string(),
            channel: profile.channel,
            section: case.section.to_string(),
            rule: case.rule.to_string(),
            duration: started.elapsed(),
            was_played_again: false,
            outcome,
        }
    }

    fn play_one(&self, part: &Part<'_>, parts: &[Part<'_>]) -> Outcome {
        let Part { case, profile } = part;
        let stage = Stage::new(self.command, profile.channel, self.timeout);
        let Err(failure) = case.play(&stage) else {
            return stage.skipped().map_or(Outcome::Passed, Outcome::Skipped);
        };
        let tapes = stage.into_tapes();
        // Told once, by the case that is for it, when that is among those that are played.
        let is_told = parts.iter().any(|other| other.case.name == ALL_KINDS);
        let missing = tapes.iter().flat_map(|tape| &tape.kinds).find(|kind| is_told && profile.lacks(kind));
        if let Some(kind) = missing {
            return Outcome::Skipped(format!("the worker has no handler `{kind}`: see {ALL_KINDS}"));
        }
        let stderr = tapes.last().map(|tape| tape.stderr.last_lines(STDERR_LINES_MAX)).unwrap_or_default();
        let saved = match save(&self.folder, &case.name, profile.channel, &tapes) {
            Ok(folder) => folder.display().to_string(),
            Err(error) => format!("not kept: {error}"),
        };
        let command: Vec<_> = self.command.iter().map(|word| word.to_string_lossy().into_owned()).collect();
        let alone = alone(self.program, &case.name, profile.channel, &command);
        Outcome::Failed(Failing { failure, stderr, saved, alone })
    }
}

/// True for a failure that does not count yet.
fn may_change(report: &CaseReport, case: &Case) -> bool {
    case.is_timed && matches!(report.outcome, Outcome::Failed(_))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::case::case;
    use crate::check::{Channel, Failure};

    fn plan<'a>(folder: &tempfile::TempDir, expected: &'a ExpectedFailures) -> Plan<'a> {
        let folder = folder.path().to_owned();
        Plan { command: &[], program: "contract-test", timeout: Duration::ZERO, jobs: 2, expected, folder }
    }

    fn profile() -> Profile {
        Profile { channel: Channel::Stdio, hello: None, variables: Vec::new() }
    }

    #[test]
    fn what_is_timed_fails_only_when_it_fails_twice_and_the_second_time_alone() {
        let plays = [const { AtomicUsize::new(0) }; 3];
        let plays: &'static [AtomicUsize; 3] = Box::leak(Box::new(plays));
        let failing = |place: usize, times: usize| {
            move |_: &Stage<'_>| {
                let played = plays[place].fetch_add(1, Ordering::Relaxed) + 1;
                Failure::unless(played > times, "a calm machine", "a busy one")
            }
        };
        let cases = [
            case("BEAT/once", "3", "fails once", failing(0, 1)).timed().without_greeting(),
            case("BEAT/twice", "3", "fails twice", failing(1, 2)).timed().without_greeting(),
            case("BEAT/plain", "3", "is not timed", failing(2, 1)).without_greeting(),
        ];
        let (folder, expected, profile) = (tempfile::tempdir().unwrap(), ExpectedFailures::default(), profile());
        let parts: Vec<_> = cases.iter().map(|case| Part { case, profile: &profile }).collect();
        let mut told = Vec::new();
        let reports = plan(&folder, &expected).play(&parts, |report| told.push(report.name.clone()));
        let seen: Vec<_> = reports.iter().map(|report| (report.outcome.word(), report.was_played_again)).collect();
        assert_eq!(seen, [("passed", true), ("failed", true), ("failed", false)]);
        assert_eq!(told, ["BEAT/once", "BEAT/twice", "BEAT/plain"]);
        assert_eq!([0, 1, 2].map(|place| plays[place].load(Ordering::Relaxed)), [2, 2, 1]);
    }

    #[test]
    fn a_case_may_find_out_that_it_cannot_be_played() {
        let play = |stage: &Stage<'_>| {
            stage.skip("the worker has no hands");
            Ok(())
        };
        let cases =
            [case("PURE/hands", "1.2", "a rule", play).without_greeting(), case("PURE/mute", "1.2", "a rule", play)];
        let (folder, expected, profile) = (tempfile::tempdir().unwrap(), ExpectedFailures::default(), profile());
        let parts: Vec<_> = cases.iter().map(|case| Part { case, profile: &profile }).collect();
        let reports = plan(&folder, &expected).play(&parts, |_| ());
        let reason = |report: &CaseReport| match &report.outcome {
            Outcome::Skipped(reason) => reason.clone(),
            other => other.word().to_owned(),
        };
        let reasons: Vec<_> = reports.iter().map(reason).collect();
        assert_eq!(reasons, ["the worker has no hands", "the worker says no hello: see HELLO/first"]);
    }
}

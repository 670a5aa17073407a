//! `contract-test`: reads the command line, looks at the worker, plays the cases, prints the report.

use std::ffi::OsString;
use std::fmt;
use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;

use super::case::Case;
use super::options::{Format, Options};
use super::probe::{Probed, Profile, probe};
use super::report::{self, CaseReport, ChannelReport, Painter, Report, Spoken};
use super::runner::{Part, Plan};
use super::select::{ExpectedFailures, select};

const EXIT_USAGE: u8 = 2;
const EXIT_NOT_TESTED: u8 = 3;
const EXIT_FAILED: u8 = 100;

/// The case of a worker that says nothing.
const HELLO: &str = "HELLO/first";

/// The longest wait for any one thing.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Why there is no report.
enum Trouble {
    Usage(String),
    NotTested(String),
}

/// The whole program. `args` begins with how it was called, such as `contract-test`.
///
/// The exit code is 0 when all is well, 2 for wrong usage, 3 when the worker cannot be tested, 100 when cases have
/// failed.
pub fn main(args: Vec<OsString>) -> ExitCode {
    let program = args.first().map(|name| called(&name.to_string_lossy())).unwrap_or_default();
    let options = match Options::try_parse_from(args) {
        Ok(options) => options,
        Err(error) => {
            // What is left to do when even this cannot be printed?
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { EXIT_USAGE } else { 0 });
        }
    };
    match check(&program, &options) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(EXIT_FAILED),
        Err(trouble) => {
            let (code, sentence) = match trouble {
                Trouble::Usage(sentence) => (EXIT_USAGE, sentence),
                Trouble::NotTested(sentence) => (EXIT_NOT_TESTED, sentence),
            };
            eprintln!("{program}: {sentence}");
            ExitCode::from(code)
        }
    }
}

/// The name without the folder it is in; a subcommand stays behind it.
fn called(name: &str) -> String {
    name.rsplit('/').next().unwrap_or(name).to_owned()
}

/// True when all is well.
fn check(program: &str, options: &Options) -> Result<bool, Trouble> {
    let cases = super::cases::all();
    let names: Vec<&str> = cases.iter().map(|case| &*case.name).collect();
    let chosen: Vec<&Case> =
        select(&options.cases, &names).map_err(Trouble::Usage)?.into_iter().map(|place| &cases[place]).collect();
    if options.list {
        say(&report::cases_listed(&chosen));
        return Ok(true);
    }
    if options.command.is_empty() {
        return Err(Trouble::Usage(format!("what is to be tested? {program} -- COMMAND...")));
    }
    let expected = expected_failures(options, &names)?;
    super::interrupt::attend().map_err(|error| Trouble::NotTested(format!("cannot attend to signals: {error}")))?;
    let timeout = TIMEOUT.mul_f64(options.timeout_scale);
    let (channels, profiles) = look_at(options, timeout)?;

    let has_no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let painter = Painter { has_colors: options.color.is_on(std::io::stdout().is_terminal(), has_no_color) };
    let is_for_people = options.format == Format::Human;
    let command: Vec<_> = options.command.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    if is_for_people {
        say(&report::channel_lines(&command, &channels));
    }
    let parts = parts(&cases, &chosen, &profiles);
    let jobs = usize::try_from(options.jobs).unwrap_or(1);
    let folder = folder(options)?;
    let plan = Plan { command: &options.command, program, timeout, jobs, expected: &expected, folder };
    let tell = |case: &CaseReport| {
        if is_for_people {
            say(&report::case_line(case, painter));
        }
    };
    let report = Report { command, channels, cases: plan.play(&parts, tell) };
    match options.format {
        Format::Human => say(&report::summary(&report, painter)),
        Format::Json => say(&format!("{:#}\n", report::json(&report))),
        Format::Junit => say(&report::junit(&report)),
    }
    if options.save.is_none() {
        // Only an empty folder can be removed: one with failed cases stays.
        let _ = std::fs::remove_dir(&plan.folder);
    }
    Ok(report.is_good())
}

/// What is played, where. A worker that says no hello has its first case played even unasked: with nothing but skipped cases
/// it would seem well.
fn parts<'c>(all: &'c [Case], chosen: &[&'c Case], profiles: &'c [Profile]) -> Vec<Part<'c>> {
    let mut parts = Vec::new();
    for profile in profiles {
        let is_unasked = |case: &&Case| case.name == HELLO && !chosen.iter().any(|other| other.name == HELLO);
        let unasked = all.iter().filter(|case| profile.hello.is_none() && is_unasked(case));
        parts.extend(unasked.chain(chosen.iter().copied()).map(|case| Part { case, profile }));
    }
    parts
}

/// Finds out what the worker has on each channel that is asked for.
fn look_at(options: &Options, timeout: Duration) -> Result<(Vec<ChannelReport>, Vec<Profile>), Trouble> {
    let mut channels = Vec::new();
    let mut profiles = Vec::new();
    for &channel in options.channel.list() {
        let program = options.command.first().map(|word| word.to_string_lossy()).unwrap_or_default();
        let probed = probe(&options.command, channel, timeout)
            .map_err(|error| Trouble::NotTested(format!("cannot start {program}: {error}")))?;
        let spoken = match probed {
            Probed::Refuses(reason) => Spoken::No { reason },
            Probed::Speaks(profile) => {
                let spoken = spoken(&profile);
                profiles.push(profile);
                spoken
            }
        };
        channels.push(ChannelReport { channel, spoken });
    }
    if profiles.is_empty() {
        let reasons = report::channel_lines(&[], &channels);
        let reasons: Vec<_> = reasons.lines().skip(1).collect();
        return Err(Trouble::NotTested(format!("the worker speaks over none of the channels\n{}", reasons.join("\n"))));
    }
    Ok((channels, profiles))
}

fn spoken(profile: &Profile) -> Spoken {
    profile.hello.as_ref().map_or(Spoken::Mute, |hello| Spoken::Yes {
        sdk: hello.sdk.clone(),
        concurrency: hello.concurrency,
        features: hello.features.clone(),
        kinds: hello.kinds.len(),
        variables: profile.variables.iter().map(ToString::to_string).collect(),
    })
}

fn expected_failures(options: &Options, names: &[&str]) -> Result<ExpectedFailures, Trouble> {
    let Some(path) = &options.expected_failures else { return Ok(ExpectedFailures::default()) };
    let trouble = |why: &dyn fmt::Display| Trouble::NotTested(format!("{}: {why}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|error| trouble(&error))?;
    ExpectedFailures::parse(&text, names).map_err(|error| trouble(&error))
}

fn folder(options: &Options) -> Result<PathBuf, Trouble> {
    let trouble = |error| Trouble::NotTested(format!("cannot keep what failed: {error}; name a folder by --save"));
    match &options.save {
        Some(folder) => std::fs::create_dir_all(folder).map(|()| folder.clone()).map_err(trouble),
        None => {
            tempfile::Builder::new().prefix("contract-test-").tempdir().map(tempfile::TempDir::keep).map_err(trouble)
        }
    }
}

/// Prints; whoever closes the pipe has read enough.
fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

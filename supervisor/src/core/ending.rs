//! How the end of a run is told: outcome and a sentence, from what a worker said or from how it died. Pure.

use ipc_contract::TaskSpec;
use ipc_contract::limits::FOLLOW_UPS_BYTES;
use ipc_contract::message::{Done, Fail, Retry, Scope};
use queue_core::task::{Ending, NewTask, Outcome, RetryScope, RetryWish, WorkerId};

use super::event::{Exit, WorkerExit};
use crate::config::Refusal;
use crate::text::printable;

/// Of the last words of a process.
const LAST_WORDS_BYTES_MAX: usize = 300;

/// Why a run is being stopped, and what its end will therefore count as, unless it is done first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    pub outcome: Outcome,
    pub detail: String,
}

/// A worker said that its run is done. `route` gives a follow-up its queue, or says why there is none.
pub fn of_done(done: Done, route: impl Fn(TaskSpec) -> Result<NewTask, Refusal>) -> Ending {
    let ending = Ending { result: done.result.0, cut: done.cut, ..Ending::bare(Outcome::Ok, "") };
    let count = done.enqueue.len();
    let (mut follow_ups, mut args_bytes) = (Vec::with_capacity(count), 0);
    for (index, spec) in done.enqueue.into_iter().enumerate() {
        args_bytes += spec.args.0.len();
        match FOLLOW_UPS_BYTES.check(args_bytes).map_err(Refusal::from).and_then(|()| route(spec)) {
            Ok(new) => follow_ups.push(new),
            Err(refusal) => return ending.refused(index, count, refusal),
        }
    }
    Ending { follow_ups, ..ending }
}

/// A worker said that its run failed. A stop that was under way explains more than the failure that it caused.
pub fn of_fail(fail: Fail, verdict: Option<Verdict>) -> Ending {
    let exit = fail.exit.unwrap_or_default();
    let outcome = match (exit.oom, exit.signal) {
        (true, _) => Outcome::Oom,
        (false, Some(_)) => Outcome::Signal,
        (false, None) => Outcome::Error,
    };
    let (outcome, detail) = match verdict {
        Some(verdict) if fail.error.is_empty() => (verdict.outcome, verdict.detail),
        Some(verdict) => (verdict.outcome, format!("{}; it said: {}", verdict.detail, fail.error)),
        None => (outcome, fail.error),
    };
    let retry = match fail.retry {
        Retry::Default => RetryWish::ByPolicy,
        Retry::AfterMs(ms) => RetryWish::AfterMs(ms),
        Retry::Never => RetryWish::Never,
    };
    Ending {
        // A stop says nothing about whether the work can succeed another time.
        retry: if outcome == Outcome::Error { retry } else { RetryWish::ByPolicy },
        scope: match fail.scope {
            Scope::Task => RetryScope::Task,
            Scope::Key => RetryScope::Key,
            Scope::Queue => RetryScope::Queue,
        },
        code: exit.code,
        signal: exit.signal,
        peak_rss_bytes: exit.peak_rss_bytes.and_then(|bytes| i64::try_from(bytes).ok()),
        cpu_ms: exit.cpu_ms.and_then(|ms| i64::try_from(ms).ok()),
        ..Ending::bare(outcome, detail)
    }
}

/// The worker ended with the run in its hands.
pub fn of_death(gone: &WorkerExit, verdict: Option<Verdict>) -> Ending {
    let (code, signal) = match gone.exit {
        Exit::Code(code) => (Some(code), None),
        Exit::Signal(signal) => (None, Some(signal)),
        Exit::NotStarted(_) => (None, None),
    };
    let out_of_memory = || {
        let detail = "the system killed it: it had more in memory than its group may".to_owned();
        gone.oom.then_some(Verdict { outcome: Outcome::Oom, detail })
    };
    let verdict = verdict.or_else(out_of_memory).unwrap_or_else(|| Verdict {
        outcome: if signal.is_some() { Outcome::Signal } else { Outcome::Exit },
        detail: format!("the worker {} in the middle of the run", how(&gone.exit)),
    });
    Ending {
        code,
        signal,
        peak_rss_bytes: gone.peak_rss_bytes,
        cpu_ms: gone.cpu_ms,
        output: gone.output.clone(),
        ..Ending::bare(verdict.outcome, verdict.detail)
    }
}

/// The worker said good-bye with the run in its hands.
pub fn never_read() -> Verdict {
    let detail = "its worker said good-bye and had not answered the run, which counts as never read".to_owned();
    Verdict { outcome: Outcome::Lost, detail }
}

/// How a process ended, as the predicate of a sentence.
pub fn how(exit: &Exit) -> String {
    match exit {
        Exit::Code(code) => format!("left with exit code {code}"),
        Exit::Signal(signal) => format!("died by signal {signal}{}", signal_name(*signal)),
        Exit::NotStarted(why) => format!("could not be started: {why}"),
    }
}

/// The last line of what a process printed, to be put behind [`how`]; nothing when it printed nothing.
pub fn last_words(output: &[u8]) -> String {
    let text = String::from_utf8_lossy(output);
    let Some(line) = text.lines().map(str::trim).rfind(|line| !line.is_empty()) else { return String::new() };
    let end = line.floor_char_boundary(LAST_WORDS_BYTES_MAX);
    format!(", its last words were {:?}", printable(&line.as_bytes()[..end]))
}

fn signal_name(signal: i32) -> String {
    nix::sys::signal::Signal::try_from(signal).map(|signal| format!(" ({})", signal.as_str())).unwrap_or_default()
}

/// What is kept with every end: who ran it and for how long.
pub fn stamped(ending: Ending, worker: WorkerId, pid: Option<i32>, run_us: i64) -> Ending {
    Ending { worker: Some(worker), pid, run_us, ..ending }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ipc_contract::message;

    fn gone(exit: Exit) -> WorkerExit {
        let (peak_rss_bytes, output) = (Some(7), b"last words".to_vec());
        WorkerExit { worker: WorkerId(1), exit, peak_rss_bytes, cpu_ms: None, oom: false, output }
    }

    fn stopped() -> Option<Verdict> {
        Some(Verdict { outcome: Outcome::Timeout, detail: "ran longer than 1s".into() })
    }

    #[test]
    fn deaths_are_told_by_their_cause() {
        let by_signal = of_death(&gone(Exit::Signal(11)), None);
        assert_eq!((by_signal.outcome, by_signal.signal), (Outcome::Signal, Some(11)));
        assert_eq!(by_signal.detail, "the worker died by signal 11 (SIGSEGV) in the middle of the run");
        assert_eq!(by_signal.output, b"last words");
        let by_exit = of_death(&gone(Exit::Code(0)), None);
        assert_eq!((by_exit.outcome, by_exit.code), (Outcome::Exit, Some(0)));
        let by_stop = of_death(&gone(Exit::Signal(9)), stopped());
        assert_eq!((by_stop.outcome, by_stop.detail.as_str()), (Outcome::Timeout, "ran longer than 1s"));
    }

    #[test]
    fn the_last_words_are_one_line() {
        let table: [(&[u8], &str); 4] = [
            (b"", ""),
            (b" \n\n", ""),
            (b"Traceback\n  File\nModuleNotFoundError: No module named 'mutirao'\n\n", "No module named 'mutirao'\""),
            (b"caf\xc3\xa9 \xff \x1b[2J", "café"),
        ];
        for (output, part) in table {
            let words = last_words(output);
            assert_eq!((words.is_empty(), words.contains(part)), (part.is_empty(), true), "{words}");
        }
        assert!(last_words(&[b'x'; 9_000]).len() < 400);
    }

    #[test]
    fn failures_are_told_by_their_exit_and_stops_explain_them() {
        let fail = |exit| Fail { error: "no".into(), retry: Retry::Never, exit, ..Fail::default() };
        let exit = message::Exit { signal: Some(9), ..message::Exit::default() };
        let oom = message::Exit { oom: true, ..exit };
        assert_eq!(of_fail(fail(None), None).outcome, Outcome::Error);
        assert_eq!(of_fail(fail(None), None).retry, RetryWish::Never);
        assert_eq!(of_fail(fail(Some(exit)), None).outcome, Outcome::Signal);
        assert_eq!(of_fail(fail(Some(oom)), None).outcome, Outcome::Oom);
        let stopped = of_fail(fail(Some(exit)), stopped());
        assert_eq!((stopped.outcome, stopped.retry), (Outcome::Timeout, RetryWish::ByPolicy));
        assert_eq!(stopped.detail, "ran longer than 1s; it said: no");
    }
}

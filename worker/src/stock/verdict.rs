//! From how a command ended to the answer of its run. Pure.

use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use ipc_contract::{Exit, StopReason};
use wait4::ResUse;

use crate::failure::Failure;
use crate::handler::Output;
use crate::stop;

use super::capture::Captured;

/// How the first process of a command ended.
pub(super) struct End {
    pub(super) usage: ResUse,
    /// True when it was asked to end while it ran.
    pub(super) told_to_stop: bool,
    /// Why, when the order named this run; a worker that is shut down has none.
    pub(super) reason: Option<StopReason>,
}

/// Exit code 0 is success, unless the command was told to stop: then it has ended, but nobody can say that it is done.
pub(super) fn judge(end: &End, stdout: &Captured) -> Result<Output, Failure> {
    let status = end.usage.status;
    if status.success() && !end.told_to_stop {
        return Ok(Output { result: stdout.payload()?, cut: stdout.cut });
    }
    Err(Failure::new(sentence(end)).with_exit(exit(&end.usage)))
}

fn sentence(end: &End) -> String {
    let how = how(end.usage.status);
    match (end.told_to_stop, end.reason) {
        (false, _) => how,
        (true, Some(reason)) => format!("told to stop ({}), then {how}", stop::name(reason)),
        (true, None) => format!("told to stop, then {how}"),
    }
}

fn how(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exited with code {code}"),
        (None, Some(signal)) => {
            let name = signal_hook::low_level::signal_name(signal).unwrap_or("a signal without a name");
            format!("killed by signal {signal} ({name})")
        }
        (None, None) => format!("ended with {status}"),
    }
}

fn exit(usage: &ResUse) -> Exit {
    let cpu = usage.rusage.utime.saturating_add(usage.rusage.stime);
    Exit {
        code: usage.status.code(),
        signal: usage.status.signal(),
        oom: false,
        peak_rss_bytes: Some(usage.rusage.maxrss),
        cpu_ms: u64::try_from(cpu.as_millis()).ok(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use wait4::ResourceUsage;

    use super::*;

    fn end(raw_status: i32, told_to_stop: bool, reason: Option<StopReason>) -> End {
        let rusage =
            ResourceUsage { utime: Duration::from_millis(3), stime: Duration::from_millis(4), maxrss: 5 << 20 };
        End { usage: ResUse { status: ExitStatus::from_raw(raw_status), rusage }, told_to_stop, reason }
    }

    #[test]
    fn each_end_has_its_sentence() {
        let table = [
            (end(1 << 8, false, None), "exited with code 1"),
            (end(75 << 8, false, None), "exited with code 75"),
            (end(11, false, None), "killed by signal 11 (SIGSEGV)"),
            (end(40, false, None), "killed by signal 40 (a signal without a name)"),
            (end(15, true, Some(StopReason::Cancel)), "told to stop (cancel), then killed by signal 15 (SIGTERM)"),
            (end(0, true, Some(StopReason::Timeout)), "told to stop (timeout), then exited with code 0"),
            (end(0, true, None), "told to stop, then exited with code 0"),
        ];
        for (end, error) in table {
            let failure = judge(&end, &Captured { bytes: vec![], cut: false }).unwrap_err();
            assert_eq!(failure.error, error);
            let exit = failure.exit.unwrap();
            assert_eq!((exit.code, exit.signal), (end.usage.status.code(), end.usage.status.signal()));
            assert_eq!((exit.peak_rss_bytes, exit.cpu_ms, exit.oom), (Some(5 << 20), Some(7), false));
        }
    }

    #[test]
    fn success_hands_back_stdout() {
        let stdout = Captured { bytes: b"ok".to_vec(), cut: true };
        let output = judge(&end(0, false, None), &stdout).unwrap();
        assert_eq!(output.result.read::<String>().unwrap(), "ok");
        assert!(output.cut);
    }
}

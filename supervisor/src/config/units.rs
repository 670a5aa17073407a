//! Numbers with units as the file spells them: durations, sizes, counts. What is wrong is told at its key. Pure.

use ipc_contract::limits::TIMEOUT_MS;

use super::problem::Problems;

/// The least memory in which a worker is worth a try.
const MEMORY_BYTES_MIN: u64 = 4 * 1024 * 1024;
/// The longest of the durations here.
const DURATION_MS_MAX: u64 = 365 * 24 * 60 * 60 * 1000;
/// Open files, processes, tasks until a worker is replaced.
const COUNT_MAX: i64 = 1 << 40;

pub(super) fn millis(key: &str, text: &str, problems: &mut Problems) -> Option<u64> {
    let read = humantime::parse_duration(text);
    let said = |error| format!("{text:?} is not a duration ({error}); write 90s, 2m or 1h 30m");
    let duration = problems.keep(key, read.map_err(said))?;
    Some(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
}

pub(super) fn timeout_ms(key: &str, text: &str, problems: &mut Problems) -> Option<i64> {
    let ms = millis(key, text, problems)?;
    problems.keep(key, TIMEOUT_MS.check(ms));
    Some(i64::try_from(ms).unwrap_or(i64::MAX))
}

pub(super) fn count(key: &str, value: Option<i64>, least: i64, problems: &mut Problems) -> Option<u64> {
    let value = value?;
    if !(least..=COUNT_MAX).contains(&value) {
        problems.add(key, format_args!("must be {least} to {COUNT_MAX}; without a limit leave it out"));
    }
    Some(value.unsigned_abs())
}

pub(super) fn duration_us(key: &str, text: Option<&str>, problems: &mut Problems) -> Option<i64> {
    let ms = millis(key, text?, problems)?;
    if !(1..=DURATION_MS_MAX).contains(&ms) {
        problems.add(key, "must be 1ms to 365days");
    }
    Some(i64::try_from(ms.min(DURATION_MS_MAX)).unwrap_or(1) * 1_000)
}

pub(super) fn memory(key: &str, text: Option<&str>, problems: &mut Problems) -> Option<u64> {
    let size = bytes(key, text?, problems)?;
    if size < MEMORY_BYTES_MIN {
        problems.add(key, "must be 4MiB or more: less holds no worker");
    }
    Some(size)
}

pub(super) fn bytes(key: &str, text: &str, problems: &mut Problems) -> Option<u64> {
    let said = |_| format!("{text:?} is not a size; write 512MiB, 2GiB or 500MB");
    let size: bytesize::ByteSize = problems.keep(key, text.parse().map_err(said))?;
    Some(size.as_u64())
}

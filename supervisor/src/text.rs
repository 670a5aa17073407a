//! Numbers and foreign bytes as text: times in RFC 3339, sizes, signals by name, output without control characters. Pure.

use std::fmt::Write;
use std::time::{Duration, UNIX_EPOCH};

use nix::sys::signal::Signal;

/// The end of the year 9999, the last moment that RFC 3339 can say.
const TIME_US_MAX: i64 = 253_402_300_799_999_999;

/// A time in microseconds since 1970 as RFC 3339 in UTC, to the millisecond.
pub fn time(at_us: i64) -> String {
    let since = Duration::from_micros(at_us.clamp(0, TIME_US_MAX).unsigned_abs());
    humantime::format_rfc3339_millis(UNIX_EPOCH + since).to_string()
}

/// A time that is only guessed, to two figures or so.
pub fn about(ms: u64) -> String {
    match ms {
        ..1_000 => "1 s".to_owned(),
        1_000..120_000 => format!("{} s", (ms + 500) / 1_000),
        120_000..7_200_000 => format!("{} min", (ms + 30_000) / 60_000),
        7_200_000..172_800_000 => format!("{} h", (ms + 1_800_000) / 3_600_000),
        _ => format!("{} days", ms.saturating_add(43_200_000) / 86_400_000),
    }
}

/// A size as people say it, in powers of 1024.
pub fn bytes(bytes: u64) -> String {
    bytesize::ByteSize(bytes).display().iec().to_string()
}

/// The name of a signal, such as `SIGSEGV`; those without one are named by number.
pub fn signal_name(number: i32) -> String {
    Signal::try_from(number).map_or_else(|_| format!("signal {number}"), |signal| signal.as_str().to_owned())
}

/// Bytes of a program as text that cannot move a cursor, ring a bell or reorder a line; new lines and tabs stay.
pub fn printable(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for c in String::from_utf8_lossy(bytes).chars() {
        if matches!(c, '\n' | '\t') || !is_control(c) {
            text.push(c);
        } else {
            // Writing to a string cannot fail.
            let _ = write!(text, "{}", c.escape_default());
        }
    }
    text
}

/// Control characters, line and paragraph separators, and the marks that turn the direction of writing.
fn is_control(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_utc_and_never_out_of_range() {
        assert_eq!(time(1_795_437_296_000_123), "2026-11-23T12:34:56.000Z");
        assert_eq!(time(i64::MIN), "1970-01-01T00:00:00.000Z");
        assert_eq!(time(i64::MAX), "9999-12-31T23:59:59.999Z");
    }

    #[test]
    fn guesses_are_round() {
        let table =
            [(3, "1 s"), (39_700, "40 s"), (200_000, "3 min"), (9_000_000, "3 h"), (u64::MAX, "213503982334 days")];
        for (ms, text) in table {
            assert_eq!(about(ms), text);
        }
    }

    #[test]
    fn sizes_have_their_units() {
        assert_eq!(
            (bytes(512), bytes(600 << 20), bytes(3 << 30)),
            ("512 B".into(), "600.0 MiB".into(), "3.0 GiB".into())
        );
    }

    #[test]
    fn signals_have_names() {
        assert_eq!((signal_name(11).as_str(), signal_name(77).as_str()), ("SIGSEGV", "signal 77"));
    }

    #[test]
    fn foreign_bytes_become_harmless_text() {
        let table: [(&[u8], &str); 6] = [
            (b"plain\n\ttext", "plain\n\ttext"),
            (b"\x1b[31mred\x07", "\\u{1b}[31mred\\u{7}"),
            (b"10%\r20%", "10%\\r20%"),
            (b"caf\xc3\xa9 \xff", "café \u{fffd}"),
            ("\u{202e}gpj".as_bytes(), "\\u{202e}gpj"),
            ("\u{9b}2J".as_bytes(), "\\u{9b}2J"),
        ];
        for (bytes, text) in table {
            assert_eq!(printable(bytes), text);
        }
    }
}

//! Looks at a log, and what is decided after each.

use super::*;

const WAITS: Standing = Standing { epoch: 2, is_running: false, is_final: false };
const RUNS: Standing = Standing { epoch: 2, is_running: true, is_final: false };
const ENDED: Standing = Standing { epoch: 2, is_running: false, is_final: true };

fn part(epoch: i64, part: i64, text: &str) -> LogPart {
    LogPart { epoch, part, bytes: text.as_bytes().to_vec() }
}

#[test]
fn which_run_is_read() {
    let never = Standing { epoch: 0, ..WAITS };
    let table = [
        (None, false, RUNS, Ok((2, false))),
        (None, true, RUNS, Ok((2, true))),
        (None, true, never, Ok((0, true))),
        (None, false, never, Ok((0, false))),
        (Some(1), false, RUNS, Ok((1, false))),
        (Some(2), true, RUNS, Ok((2, false))),
        (Some(3), true, RUNS, Err("its attempts are 1 to 2")),
        (Some(0), true, RUNS, Err("its attempts are 1 to 2")),
        (Some(2), true, Standing { epoch: 1, ..ENDED }, Err("its only attempt is 1")),
        (Some(1), true, never, Err("it has not run yet")),
    ];
    for (attempt, follow, standing, expected) in table {
        let begun = Reading::begin(attempt, follow, standing);
        let place = begun.map(|reading| reading.place()).map_err(|error| error.to_string());
        let expected = expected.map(|(run, later)| (run, later, (run, -1))).map_err(str::to_owned);
        assert_eq!(place, expected, "{attempt:?} {follow} {standing:?}");
    }
}

#[test]
fn when_it_ends() {
    let of = |attempt, follow| Reading::begin(attempt, follow, RUNS).unwrap();
    let third = Standing { epoch: 3, ..RUNS };
    let table = [
        ("what is there is read to its end", of(None, false), RUNS, 4, Next::Look),
        ("even of a final task", of(None, true), ENDED, 1, Next::Look),
        ("nobody follows", of(None, false), RUNS, 0, Next::End),
        ("it runs", of(None, true), RUNS, 0, Next::Wait),
        ("it will run again", of(None, true), WAITS, 0, Next::Wait),
        ("it is final", of(None, true), ENDED, 0, Next::End),
        ("the run goes on", of(Some(2), true), RUNS, 0, Next::Wait),
        ("the run has ended", of(Some(2), true), WAITS, 0, Next::End),
        ("another run goes on", of(Some(2), true), third, 0, Next::End),
        ("the run ended long ago", of(Some(1), true), RUNS, 0, Next::End),
    ];
    for (why, reading, standing, found, next) in table {
        assert_eq!(reading.next(standing, found), next, "{why}");
    }
}

#[test]
fn parts_become_lines_and_each_is_read_once() {
    let mut reading = Reading::begin(None, true, RUNS).unwrap();
    let lines = reading.take(&[part(2, 0, "1000 o a\n2000 w b\n"), part(2, 1, "3000 o c\n"), part(3, 0, "4000 e d\n")]);
    let told = |line: &LogLine| (line.run, line.source.clone(), line.level.clone(), line.text.clone());
    let line = |run, source: &str, level: Option<&str>, text: &str| {
        (run, source.to_owned(), level.map(str::to_owned), text.to_owned())
    };
    let expected = [
        line(2, "output", None, "a"),
        line(2, "log", Some("warning"), "b"),
        line(2, "output", None, "c"),
        line(3, "log", Some("error"), "d"),
    ];
    assert_eq!(lines.iter().map(told).collect::<Vec<_>>(), expected);
    assert_eq!(reading.place(), (2, true, (3, 0)));
    assert_eq!(reading.take(&[]), []);
    assert_eq!(reading.place(), (2, true, (3, 0)));
}

#[test]
fn what_was_missed_is_said() {
    let table: [(&[LogPart], bool); 6] = [
        (&[part(2, 0, "1 o a\n"), part(2, 1, "2 o b\n")], false),
        // The place of what is left out, which is empty.
        (&[part(2, 0, "1 o a\n"), part(2, 2, "2 o b\n")], false),
        (&[part(2, 0, "1 o a\n"), part(2, 1, "2 s about 7 bytes are left out here\n"), part(2, 9, "3 o b\n")], false),
        (&[part(2, 0, "1 o a\n"), part(3, 0, "2 o b\n")], false),
        (&[part(2, 0, "1 o a\n"), part(2, 9, "2 o b\n")], true),
        (&[part(2, 1, "2 s gap\n"), part(2, 5, "3 o a\n"), part(2, 9, "4 o b\n")], true),
    ];
    for (parts, is_said) in table {
        let lines = Reading::begin(None, true, RUNS).unwrap().take(parts);
        let said = |line: &LogLine| line.source == "supervisor" && line.text.starts_with("some lines are left out");
        assert_eq!(lines.iter().any(said), is_said, "{parts:?}");
    }
}

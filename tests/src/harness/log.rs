//! What a supervisor says on stderr, line by line, kept within a limit, to be waited for: its lines are the named signals
//! of the tests.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use serde_json::Value;

use super::guard::Guard;

/// Older lines are dropped.
const LINES_MAX: usize = 20_000;
/// Lines shown when a wait is given up.
const SHOWN_LINES: usize = 60;

/// One line of the log.
#[derive(Clone, Debug)]
pub struct Line {
    /// From 0, in the order in which they came.
    pub number: usize,
    pub text: String,
    json: Value,
}

impl Line {
    pub fn is(&self, message: &str) -> bool {
        self.field("message") == message
    }

    /// Null when it is not there.
    pub fn field(&self, name: &str) -> &Value {
        self.json.get(name).unwrap_or(&Value::Null)
    }

    /// An alert of this name.
    pub fn is_alert(&self, name: &str) -> bool {
        self.is("alert") && self.field("name") == name
    }
}

#[derive(Default)]
struct Lines {
    kept: VecDeque<Line>,
    count: usize,
    ended: bool,
}

#[derive(Clone, Default)]
pub struct Log {
    shared: Arc<(Mutex<Lines>, Condvar)>,
}

impl Log {
    pub(super) fn read(stream: impl Read + Send + 'static) -> Log {
        let log = Log::default();
        let mine = log.clone();
        thread::spawn(move || {
            for text in BufReader::new(stream).lines().map_while(Result::ok) {
                mine.push(text);
            }
            mine.lines().ended = true;
            mine.shared.1.notify_all();
        });
        log
    }

    fn lines(&self) -> MutexGuard<'_, Lines> {
        self.shared.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, text: String) {
        let json = serde_json::from_str(&text).unwrap_or(Value::Null);
        let mut lines = self.lines();
        let number = lines.count;
        lines.count += 1;
        lines.kept.push_back(Line { number, text, json });
        if lines.kept.len() > LINES_MAX {
            lines.kept.pop_front();
        }
        drop(lines);
        self.shared.1.notify_all();
    }

    /// Waits for the first line that fits, from the beginning on.
    pub fn wait_for(&self, what: &str, fits: impl Fn(&Line) -> bool) -> Line {
        self.wait_for_from(0, what, fits)
    }

    /// Waits for the first line that fits, from line number `from` on.
    pub fn wait_for_from(&self, from: usize, what: &str, fits: impl Fn(&Line) -> bool) -> Line {
        let guard = Guard::start();
        let mut lines = self.lines();
        let mut seen = from;
        loop {
            if let Some(line) = lines.kept.iter().find(|line| line.number >= seen && fits(line)) {
                return line.clone();
            }
            seen = seen.max(lines.count);
            if lines.ended || guard.left().is_zero() {
                drop(lines);
                panic!("the supervisor never said {what:?}; it said:\n{}", self.end());
            }
            let waited = self.shared.1.wait_timeout(lines, guard.left());
            lines = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// The lines so far that fit.
    pub fn find(&self, fits: impl Fn(&Line) -> bool) -> Vec<Line> {
        self.lines().kept.iter().filter(|line| fits(line)).cloned().collect()
    }

    /// The number that the next line will have.
    pub fn mark(&self) -> usize {
        self.lines().count
    }

    /// The last lines, for a panic's message.
    pub fn end(&self) -> String {
        let lines = self.lines();
        let skipped = lines.kept.len().saturating_sub(SHOWN_LINES);
        lines.kept.iter().skip(skipped).map(|line| line.text.as_str()).collect::<Vec<_>>().join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_found_from_a_mark_on() {
        let text = "{\"message\":\"alert\",\"name\":\"a\"}\nplain\n{\"message\":\"ready\"}\n";
        let log = Log::read(text.as_bytes());
        assert_eq!(log.wait_for("ready", |line| line.is("ready")).number, 2);
        assert!(log.wait_for("alert", |line| line.is_alert("a")).number == 0);
        assert_eq!(log.find(|line| line.text == "plain").len(), 1);
        assert_eq!(log.mark(), 3);
    }

    #[test]
    #[should_panic(expected = "never said \"ready\"; it said:\none")]
    fn a_log_that_ends_is_not_waited_for() {
        Log::read("one\n".as_bytes()).wait_for("ready", |line| line.is("ready"));
    }
}

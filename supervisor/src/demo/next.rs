//! What to type next, word for word, and what it does. Pure.

use super::plan::{DIGEST, WORDS};

/// What the command lines are about.
#[derive(Debug, Default)]
pub(super) struct Subject {
    /// How this program is started from here.
    pub(super) program: String,
    /// The option that names the queue, with its file.
    pub(super) place: [String; 2],
    /// A file that was worked on.
    pub(super) file: Option<String>,
    /// Whether there is a Python worker.
    pub(super) has_python: bool,
    pub(super) has_failed: bool,
    /// A task that took its worker down.
    pub(super) crash: Option<i64>,
    /// A digest.
    pub(super) digest: Option<i64>,
}

impl Subject {
    /// While the supervisor is up: each can be copied as it stands.
    pub(super) fn while_it_is_up(&self) -> String {
        let state = if self.has_failed { "failed" } else { "completed" };
        let kind = if self.has_python { WORDS } else { DIGEST };
        let enqueue = |file: &String| format!("enqueue {kind} {} --wait", word(&format!("path={file}")));
        let lines = [
            (Some("stats".to_owned()), "how many tasks and workers stand where"),
            (Some(format!("list --state {state} --limit 5")), "some of the tasks"),
            (self.crash.map(|id| format!("show {id}")), "one that took its worker down, and every run of it"),
            (self.crash.map(|id| format!("logs {id} --attempt 1")), "what it printed before"),
            (self.file.as_ref().map(enqueue), "the same work again, and its result"),
            (self.digest.map(|id| format!("retry {id}")), "a task that has ended, once more"),
            (Some("doctor".to_owned()), "every promise that can be checked"),
        ];
        let place = format!("{} {}", self.place[0], word(&self.place[1]));
        table(lines.into_iter().filter_map(|(rest, does)| Some((format!("{place} {}", rest?), does))), &self.program)
    }

    /// Once it has ended, with its queue gone or kept.
    pub(super) fn afterwards(&self, is_kept: bool) -> String {
        let place = format!("{} {}", self.place[0], word(&self.place[1]));
        let shown = self.crash.or(self.digest).unwrap_or(1);
        let kept = [
            (format!("{place} list"), "the tasks of this queue, which is kept"),
            (format!("{place} show {shown}"), "one of them, and every run of it"),
            (format!("{place} run"), "goes on with it, until Ctrl-C"),
        ];
        let next = [
            ("demo --serve".to_owned(), "the same, and stays up to be looked at"),
            ("init app".to_owned(), "a configuration to begin with, in a folder app"),
        ];
        table(kept.into_iter().filter(|_| is_kept).chain(next), &self.program)
    }
}

/// As a comment of the shell, what a line does may be copied with it.
fn table<'a>(lines: impl Iterator<Item = (String, &'a str)>, program: &str) -> String {
    let program = word(program);
    let lines: Vec<String> = lines.map(|(rest, does)| format!("\n  # {does}\n  {program} {rest}")).collect();
    lines.concat()
}

/// As one word of a shell.
fn word(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+=:,@%".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subject() -> Subject {
        Subject {
            program: "target/release/supervisor".to_owned(),
            place: ["--db".to_owned(), "/tmp/my queue/queue.db".to_owned()],
            file: Some("/it's/a".to_owned()),
            has_python: true,
            has_failed: false,
            crash: Some(1),
            digest: Some(5),
        }
    }

    fn commands(text: &str) -> Vec<&str> {
        text.lines().filter_map(|line| line.strip_prefix("  target/release/supervisor ")).collect()
    }

    #[test]
    fn each_line_can_be_copied() {
        let place = "--db '/tmp/my queue/queue.db'";
        let expected = [
            "stats",
            "list --state completed --limit 5",
            "show 1",
            "logs 1 --attempt 1",
            r"enqueue words 'path=/it'\''s/a' --wait",
            "retry 5",
            "doctor",
        ];
        let told = subject().while_it_is_up();
        assert_eq!(commands(&told), expected.map(|rest| format!("{place} {rest}")), "{told}");
    }

    #[test]
    fn there_is_no_line_about_what_is_not_there() {
        let bare = Subject { file: None, digest: None, has_python: false, has_failed: true, ..subject() };
        let told = bare.while_it_is_up();
        assert_eq!(commands(&told).len(), 5, "{told}");
        assert!(told.contains("list --state failed") && !told.contains("enqueue"), "{told}");
        let digest = Subject { has_python: false, ..subject() }.while_it_is_up();
        assert!(digest.contains("enqueue digest"), "{digest}");
        assert_eq!(commands(&subject().afterwards(false)), ["demo --serve", "init app"]);
        assert_eq!(commands(&subject().afterwards(true)).len(), 5);
    }

    #[test]
    fn a_word_stays_one_word() {
        for (text, expected) in
            [("a/b-c=1.d", "a/b-c=1.d"), ("", "''"), ("$a", "'$a'"), ("a b", "'a b'"), ("'", r"''\'''")]
        {
            assert_eq!(word(text), expected);
        }
    }
}

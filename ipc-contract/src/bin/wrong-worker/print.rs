//! The handler `print`: from the handler, a thread, and a child process that has inherited the descriptors.

use std::io::{Write, stderr, stdout};
use std::process::Command;

use serde::Deserialize;

use crate::wrong::Wrong;

#[derive(Deserialize)]
#[serde(default)]
pub(crate) struct Print {
    text: String,
    lines: u32,
    to: To,
    from: From,
}

#[derive(Clone, Copy, Default, Deserialize, PartialEq)]
#[serde(rename_all = "snake_case")]
enum To {
    Stdout,
    Stderr,
    #[default]
    Both,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum From {
    #[default]
    Handler,
    Thread,
    Child,
}

impl Default for Print {
    fn default() -> Self {
        Self { text: "hello".to_owned(), lines: 1, to: To::default(), from: From::default() }
    }
}

/// Prints and counts the lines.
pub(crate) fn print(args: &Print, wrong: Wrong) -> Result<u32, String> {
    let mut count = 0;
    for to in [To::Stdout, To::Stderr].into_iter().filter(|to| args.to == To::Both || args.to == *to) {
        let lines = format!("{}\n", args.text).repeat(args.lines as usize);
        match args.from {
            From::Handler => write(to, &lines),
            From::Thread => std::thread::scope(|scope| scope.spawn(|| write(to, &lines)).join())
                .map_err(|_| "the thread has panicked".to_owned())?,
            From::Child => by_child(to, &args.text, args.lines, wrong)?,
        }
        count += args.lines;
    }
    Ok(count)
}

fn write(to: To, text: &str) {
    // A log that nobody reads is no error of the handler.
    let _ = match to {
        To::Stderr => stderr().write_all(text.as_bytes()),
        To::Stdout | To::Both => stdout().write_all(text.as_bytes()).and_then(|()| stdout().flush()),
    };
}

fn by_child(to: To, text: &str, lines: u32, wrong: Wrong) -> Result<(), String> {
    let redirection = if to == To::Stderr { ">&2" } else { "" };
    let script = format!("i=0; while [ $i -lt {lines} ]; do printf '%s\\n' \"$0\" {redirection}; i=$((i+1)); done");
    let mut child = Command::new("sh");
    child.args(["-c", &script, text]);
    if !wrong.is("hands-the-cookie-on") {
        child.env_remove("MUTIRAO_COOKIE").env_remove("MUTIRAO_CHANNEL");
    }
    let status = child.status().map_err(|error| error.to_string())?;
    status.success().then_some(()).ok_or_else(|| format!("the child has failed: {status}"))
}

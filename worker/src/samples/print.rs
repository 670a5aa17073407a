//! The sample that prints where it should not: on stdout, from the handler, a thread or a child process.

use std::io::{self, Write};
use std::process::Command;
use std::thread;

use serde::Deserialize;

use crate::context::Context;
use crate::failure::Failure;
use crate::stdio::without_channel;

#[derive(Deserialize)]
pub(super) struct Print {
    #[serde(default = "Print::text")]
    text: String,
    #[serde(default = "Print::lines")]
    lines: u32,
    #[serde(default)]
    to: To,
    #[serde(default)]
    from: From,
}

impl Print {
    fn text() -> String {
        "hello".to_owned()
    }

    fn lines() -> u32 {
        1
    }
}

#[derive(Clone, Copy, Default, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum To {
    Stdout,
    Stderr,
    #[default]
    Both,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum From {
    #[default]
    Handler,
    Thread,
    Child,
}

/// Prints the lines to each place and returns how many lines that were in all.
pub(super) fn print(_: &Context, args: Print) -> Result<u64, Failure> {
    let printed = match args.from {
        From::Handler => from_here(&args),
        From::Thread => thread::scope(|scope| scope.spawn(|| from_here(&args)).join())
            .unwrap_or_else(|_| Err(io::Error::other("the printing thread panicked"))),
        From::Child => from_child(&args),
    };
    Ok(printed?)
}

fn from_here(args: &Print) -> io::Result<u64> {
    let mut printed = 0;
    for _ in 0..args.lines {
        if args.to != To::Stderr {
            writeln!(io::stdout(), "{}", args.text)?;
            printed += 1;
        }
        if args.to != To::Stdout {
            writeln!(io::stderr(), "{}", args.text)?;
            printed += 1;
        }
    }
    Ok(printed)
}

/// The child inherits stdout and stderr as they are now.
fn from_child(args: &Print) -> io::Result<u64> {
    let (script, places) = match args.to {
        To::Stdout => ("echo \"$0\"", 1),
        To::Stderr => ("echo \"$0\" >&2", 1),
        To::Both => ("echo \"$0\"; echo \"$0\" >&2", 2),
    };
    for _ in 0..args.lines {
        let status = without_channel(Command::new("sh").args(["-c", script, &args.text])).status()?;
        if !status.success() {
            return Err(io::Error::other(format!("the printing child ended with {status}")));
        }
    }
    Ok(u64::from(args.lines) * places)
}

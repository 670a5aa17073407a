//! A worker that follows a transcript to the letter: it says what the worker says there, and demands what the supervisor says
//! there. It tells how that goes, line by line, to a fifo: `cause N` where step N is to be done to the supervisor, at the end
//! `played`, or `wrong` with a sentence.
//!
//! - `channel`: frames in and out. `names`: numbers and texts that are other ones in each play.

mod channel;
mod names;

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::process::ExitCode;

use ipc_contract::transcript::{Transcript, What};
use ipc_contract::{Bye, FromWorker};

use channel::Channel;
use names::Names;

/// "Do not start me again": a transcript is played once.
const EXIT_FINAL: u8 = 78;
/// `EX_USAGE` of sysexits.h.
const EXIT_USAGE: u8 = 64;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [transcript, fifo, played] = args.as_slice() else {
        eprintln!("usage: scripted-worker TRANSCRIPT FIFO PLAYED\nPLAYED is a file that is made by the first play");
        return ExitCode::from(EXIT_USAGE);
    };
    match File::create_new(played) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => return ExitCode::from(EXIT_FINAL),
        file => file.expect("the folder is writable"),
    };
    let json = std::fs::read_to_string(transcript).expect("the transcript can be read");
    let transcript = Transcript::from_json(&json).expect("a transcript");
    let mut tell = OpenOptions::new().write(true).open(fifo).expect("the fifo is there");
    // One write, so that the line comes whole.
    let mut tell = |line: String| tell.write_all(format!("{line}\n").as_bytes()).expect("the fifo is open");
    match play(&transcript, &mut tell) {
        Ok(()) => tell("played".to_owned()),
        Err((step, sentence)) => tell(format!("wrong at step {step}: {sentence}")),
    }
    match transcript.steps.last().map(|step| &step.what) {
        Some(What::FromWorker(FromWorker::Bye(Bye { spawn_error: None }))) => ExitCode::SUCCESS,
        _ => ExitCode::from(EXIT_FINAL),
    }
}

/// Errors: the step at which the supervisor said something else, and what.
fn play(transcript: &Transcript, tell: &mut impl FnMut(String)) -> Result<(), (usize, String)> {
    let mut channel = Channel::default();
    let mut names = Names::new(std::env::var("MUTIRAO_COOKIE").unwrap_or_default());
    // What was heard in place of a message that may be left out.
    let mut heard = None;
    for (number, step) in transcript.steps.iter().enumerate() {
        match &step.what {
            What::FromWorker(message) => channel.say(&names.outgoing(message)),
            What::Cause(_) => tell(format!("cause {number}")),
            What::ToWorker(expected) => {
                let Some(seen) = heard.take().or_else(|| channel.hear()) else {
                    return Err((number, "the channel has ended".to_owned()));
                };
                match names.check(expected, &seen) {
                    Ok(()) => {}
                    Err(_) if step.optional => heard = Some(seen),
                    Err(sentence) => return Err((number, sentence)),
                }
            }
        }
    }
    heard.map_or(Ok(()), |seen| Err((transcript.steps.len(), format!("there is more: {seen:?}"))))
}

//! What a library's half of the channel costs: empty runs there and back, beside a process that hands bytes back unread.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitCode, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use ipc_contract::frame::LENGTH_BYTES;
use ipc_contract::{FrameDecoder, FromWorker, Run, ToWorker, Welcome, decode, encode};

use super::report::Report;

/// Subcommands of the bench program that play the other end.
pub const PIPE: &str = "pipe";
pub const SAMPLES: &str = "samples";

const BARE: &str = "bare pipe";
/// Runs under way at once, in the two ways of measuring.
const CREDITS: [u32; 2] = [1, 16];
const READ_BYTES: usize = 64 * 1024;

/// What to measure.
#[derive(Clone, Debug, clap::Args)]
pub struct ChannelOptions {
    /// Empty runs of one measurement
    #[arg(long, default_value_t = 5_000)]
    tasks: u64,
    /// Rounds; the more there are, the surer is the median
    #[arg(long, default_value_t = 5)]
    runs: usize,
}

/// Measures the sample worker of each library. `program` is this program.
///
/// # Errors
/// A worker that cannot be started or breaks the contract.
pub fn channels(options: &ChannelOptions, program: &Path) -> Result<Report> {
    ensure!(options.tasks > 0, "there must be at least one task");
    let libraries = libraries(program);
    let mut report = Report::default();
    for round in 0..options.runs {
        eprintln!("round {} of {}", round + 1, options.runs);
        for credits in CREDITS {
            let bare = format!("{BARE}, {credits} at once");
            let (frames_per_s, _) = bare_pipe(program, options.tasks, credits)?;
            report.note(&bare, "frames/s", frames_per_s, None);
            for (name, command) in &libraries {
                let mut talk = Talk::begin(command, credits).with_context(|| format!("the worker of {name}"))?;
                let (frames_per_s, bytes_per_frame) = talk.measure(options.tasks, credits)?;
                report.note(&format!("{name}, {credits} at once"), "frames/s", frames_per_s, Some(&bare));
                if credits == 1 {
                    report.note(&format!("{name}, size"), "bytes/frame", bytes_per_frame, None);
                }
            }
        }
    }
    Ok(report)
}

fn libraries(program: &Path) -> [(&'static str, Vec<PathBuf>); 3] {
    let tree = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let python = "import runpy, sys; sys.path.insert(0, sys.argv.pop()); runpy.run_module('mutirao.samples', run_name='__main__')";
    [
        ("rust", vec![program.into(), SAMPLES.into()]),
        ("python", vec!["python3".into(), "-c".into(), python.into(), tree.join("worker/python/src")]),
        ("node", vec!["node".into(), tree.join("worker/node/dist/samples.js")]),
    ]
}

/// Hands whole frames back as they came.
pub fn play_pipe() -> ExitCode {
    let (mut stdin, mut stdout) = (std::io::stdin().lock(), std::io::stdout().lock());
    let mut buffer = [0; READ_BYTES];
    loop {
        match stdin.read(&mut buffer) {
            Ok(0) | Err(_) => return ExitCode::SUCCESS,
            Ok(count) if stdout.write_all(&buffer[..count]).and_then(|()| stdout.flush()).is_err() => {
                return ExitCode::FAILURE;
            }
            Ok(_) => {}
        }
    }
}

fn bare_pipe(program: &Path, tasks: u64, credits: u32) -> Result<(f64, f64)> {
    Talk::open(&[program.into(), PIPE.into()], credits)?.measure(tasks, credits)
}

/// The supervisor's half of a conversation.
struct Talk {
    child: Child,
    stdin: ChildStdin,
    stdout: ChildStdout,
    decoder: FrameDecoder,
    buffer: Vec<u8>,
}

impl Talk {
    fn open(command: &[PathBuf], credits: u32) -> Result<Talk> {
        let [program, args @ ..] = command else { bail!("an empty command") };
        let mut child = Command::new(program)
            .args(args)
            .env("MUTIRAO_COOKIE", "bench")
            .env("SAMPLE_CONCURRENCY", credits.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("{} cannot be started", program.display()))?;
        let (Some(stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else { bail!("no pipes") };
        Ok(Talk { child, stdin, stdout, decoder: FrameDecoder::new(), buffer: vec![0; READ_BYTES] })
    }

    fn begin(command: &[PathBuf], credits: u32) -> Result<Talk> {
        let mut talk = Self::open(command, credits)?;
        // Without features: no beat comes between.
        talk.stdin.write_all(&encode(&ToWorker::Welcome(Welcome::default()))?)?;
        let (hello, ready) = (talk.receive()?, talk.receive()?);
        let FromWorker::Hello(hello) = decode(&hello)? else { bail!("no hello came first") };
        ensure!(hello.concurrency >= credits, "{} runs at once are offered, not {credits}", hello.concurrency);
        let FromWorker::Ready(_) = decode(&ready)? else { bail!("no ready came after the welcome") };
        Ok(talk)
    }

    /// Frames in both directions in a second, and their mean size with the length.
    fn measure(&mut self, tasks: u64, credits: u32) -> Result<(f64, f64)> {
        let mut bytes = 0;
        let start = Instant::now();
        for task in 1..=tasks + u64::from(credits) {
            // An answer first: a run beyond the credits breaks the contract.
            if task > u64::from(credits) {
                bytes += self.receive()?.len() + LENGTH_BYTES;
            }
            if task <= tasks {
                let frame = encode(&ToWorker::Run(Run { task, epoch: 1, kind: "noop".into(), ..Run::default() }))?;
                bytes += frame.len();
                self.stdin.write_all(&frame)?;
            }
        }
        let frames = 2.0 * tasks as f64;
        Ok((frames / start.elapsed().as_secs_f64(), bytes as f64 / frames))
    }

    fn receive(&mut self) -> Result<Vec<u8>> {
        loop {
            if let Some(frame) = self.decoder.next_frame()? {
                return Ok(frame);
            }
            let count = self.stdout.read(&mut self.buffer)?;
            ensure!(count > 0, "the worker has closed the channel");
            self.decoder.push(&self.buffer[..count]);
        }
    }
}

impl Drop for Talk {
    fn drop(&mut self) {
        // It is the end of a measurement, not of a conversation.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

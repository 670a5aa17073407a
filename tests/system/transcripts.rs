//! The supervisor's part in every transcript of the contract that it can be made to play, against a worker that follows the
//! script.

use std::fs;
use std::path::{Path, PathBuf};

use ipc_contract::transcript::{Cause, Player, Transcript, What};
use nix::sys::signal::Signal;
use serde_json::json;
use tests::harness::{Sandbox, Supervisor, programs};

/// Every file whose players include the supervisor.
fn transcripts() -> Vec<(PathBuf, Transcript)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ipc-contract/spec/v1/transcripts");
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    paths.sort();
    let read = |path: PathBuf| {
        let transcript = Transcript::from_json(&fs::read_to_string(&path).unwrap()).unwrap();
        transcript.players.contains(&Player::Supervisor).then_some((path, transcript))
    };
    paths.into_iter().filter_map(read).collect()
}

/// One pool of one scripted worker, which has the kinds of the transcript.
fn config(path: &Path, transcript: &Transcript) -> String {
    let command = [programs().scripted_worker.as_path(), path, Path::new("told"), Path::new("begun")];
    let mut config = format!("[pools.scripted]\ncommand = {}\nworkers = 1\n", json!(command));
    for step in &transcript.steps {
        if let What::Cause(Cause::Enqueue(task)) = &step.what {
            let table = format!("[kinds.{}]\nqueue = \"scripted\"\n", task.kind);
            config.push_str(if config.contains(&table) { "" } else { &table });
        }
    }
    config
}

#[test]
fn the_supervisor_plays_its_part_in_every_transcript() {
    let transcripts = transcripts();
    assert!(!transcripts.is_empty());
    for (path, transcript) in transcripts {
        println!("{}: {}", path.display(), transcript.about);
        let sandbox = Sandbox::new(&config(&path, &transcript));
        let told = sandbox.fifo("told");
        let supervisor = sandbox.start();
        let mut last_task = None;
        let mut is_stopping = false;
        loop {
            let line = told.line();
            if line == "played" {
                break;
            }
            let step = line.strip_prefix("cause ").and_then(|number| number.parse::<usize>().ok());
            let step = step.unwrap_or_else(|| panic!("{}: {line}", path.display()));
            let What::Cause(cause) = &transcript.steps[step].what else { panic!("step {step} is no cause") };
            is_stopping |= *cause == Cause::Shutdown;
            bring_about(cause, &sandbox, &supervisor, &mut last_task);
        }
        if is_stopping {
            sandbox.ended(supervisor);
        } else {
            // The worker has left by itself, and its successor at once: then nothing moves any more.
            supervisor.log().wait_for("the end of the pool", |line| line.is_alert("pool_broken"));
            sandbox.finish(supervisor);
        }
    }
}

fn bring_about(cause: &Cause, sandbox: &Sandbox, supervisor: &Supervisor, last_task: &mut Option<i64>) {
    match cause {
        Cause::Enqueue(task) => {
            let (status, answer) = sandbox.http("POST", "/v1/tasks", Some(&json!(task)));
            assert!(status < 300, "{status}: {answer}");
            *last_task = answer["id"].as_i64();
        }
        Cause::Cancel => {
            let path = format!("/v1/tasks/{}/cancel", last_task.expect("a task was enqueued before"));
            let (status, answer) = sandbox.http("POST", &path, None);
            assert!(status < 300, "{status}: {answer}");
        }
        Cause::Shutdown => supervisor.signal(Signal::SIGTERM),
    }
}

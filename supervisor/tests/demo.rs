//! `supervisor demo` as a user runs it: the built binary on a folder of real files.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};

use ipc_contract::Payload;
use nix::sys::signal::Signal;
use nix::sys::stat::Mode;
use nix::unistd::Pid;
use queue_core::state::TaskState;
use queue_core::store::{Durability, Filter, LIST_MAX, Place, Reader, Store, TaskView};
use queue_core::task::{Outcome, TaskId};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use supervisor::shell::procfs;
use tempfile::TempDir;

const CRASHES: usize = 4;
/// With Python.
const KINDS_PER_FILE: usize = 3;

/// A folder of files, and beside it one for the queue.
struct Bed {
    outer: TempDir,
    files: Vec<PathBuf>,
}

impl Bed {
    fn with_files<'a>(names: impl IntoIterator<Item = &'a str>) -> Bed {
        let outer = tempfile::tempdir().unwrap();
        let write = |name: &str| {
            let file = outer.path().join("files").join(name);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(&file, format!("what is in {name}\n")).unwrap();
            file.canonicalize().unwrap()
        };
        let files = names.into_iter().map(write).collect();
        Bed { outer, files }
    }

    fn keep(&self) -> PathBuf {
        self.outer.path().join("queue")
    }

    fn db(&self) -> PathBuf {
        self.keep().join("queue.db")
    }

    /// A folder for PATH with what the demo needs, and this as its `python3`.
    fn programs(&self, python3: Option<&str>) -> PathBuf {
        let folder = tempfile::tempdir_in(self.outer.path()).unwrap().keep();
        let path = std::env::var_os("PATH").unwrap();
        let found = std::env::split_paths(&path).map(|place| place.join("sha256sum")).find(|file| file.exists());
        std::os::unix::fs::symlink(found.unwrap(), folder.join("sha256sum")).unwrap();
        if let Some(script) = python3 {
            // By another process: one that is written here may be open in a child of another test, and then cannot be run.
            let made = Command::new("sh")
                .args(["-c", "printf '#!/bin/sh\n%s\n' \"$1\" > \"$2\" && chmod 755 \"$2\"", "sh", script])
                .arg(folder.join("python3"))
                .status();
            assert!(made.unwrap().success());
        }
        folder
    }

    fn tasks(&self) -> usize {
        CRASHES + KINDS_PER_FILE * self.files.len()
    }

    fn demo(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_supervisor"));
        command.arg("demo").arg("--path").arg(self.outer.path().join("files")).arg("--keep").arg(self.keep());
        command.stdin(Stdio::null());
        command
    }

    /// Every task of the queue, after checking that its rows are sound.
    fn all(&self) -> Vec<TaskView> {
        let mut reader = Reader::open(&self.db()).unwrap();
        assert_eq!(reader.check_rows().unwrap(), []);
        let listed = reader.list(&Filter::default(), None, LIST_MAX).unwrap();
        listed.tasks.iter().map(|task| reader.task(task.id).unwrap().unwrap()).collect()
    }

    fn result<T: DeserializeOwned>(&self, all: &[TaskView], kind: &str, file: &Path) -> T {
        let name = format!("{kind}:{}", file.display());
        let task = all.iter().find(|task| task.name.as_ref() == Some(&name)).unwrap();
        Payload(task.result.clone()).read().unwrap()
    }

    /// Each task is there once and completed, and each result is that of its file.
    fn check_results(&self) {
        let all = self.all();
        let names: BTreeSet<_> = all.iter().map(|task| task.name.clone().unwrap()).collect();
        assert_eq!((all.len(), names.len()), (self.tasks(), self.tasks()));
        assert!(all.iter().all(|task| task.state == TaskState::Completed), "{all:?}");
        for file in &self.files {
            let printed = Command::new("sha256sum").arg("--").arg(file).output().unwrap().stdout;
            let digest: String = self.result(&all, "digest", file);
            assert_eq!(digest.as_bytes(), printed, "{}", file.display());
            let words: Words = self.result(&all, "words", file);
            let text = std::fs::read_to_string(file).unwrap();
            assert_eq!(words.count, text.split_whitespace().count(), "{}", file.display());
            assert!(words.most.contains(&("what".to_owned(), 1)), "{:?}", words.most);
        }
    }

    fn outcomes(&self, id: TaskId) -> Vec<Outcome> {
        let attempts = Reader::open(&self.db()).unwrap().attempts(id).unwrap();
        attempts.into_iter().map(|attempt| attempt.outcome).collect()
    }
}

/// A result of the worker in Python.
#[derive(Deserialize)]
struct Words {
    count: usize,
    most: Vec<(String, u64)>,
}

/// The first columns of the row of a kind.
fn row(said: &str, kind: &str) -> Vec<String> {
    let line = said.lines().find(|line| line.starts_with(kind)).unwrap_or_else(|| panic!("no {kind} in {said}"));
    line.split_whitespace().take(4).map(str::to_owned).collect()
}

#[test]
fn real_files_are_worked_on_and_asking_again_adds_nothing() {
    let bed = Bed::with_files(["a", "b/-dash", "b/{path}", "b/back\\slash", "é ü", "z"]);
    let out = bed.demo().output().unwrap();
    let (said, noted) = (String::from_utf8(out.stdout).unwrap(), String::from_utf8(out.stderr).unwrap());
    assert!(out.status.success() && !noted.contains("without its Python part"), "{said}{noted}");
    bed.check_results();
    assert_eq!(row(&said, "digest"), ["digest", "6", "0", "6"]);
    assert_eq!(row(&said, "text_stats"), ["text_stats", "6", "0", "6"]);
    assert_eq!(row(&said, "words"), ["words", "6", "0", "6"]);
    assert_eq!(row(&said, "crash"), ["crash", "4", "0", "8"]);
    for part in ["client.py: 6 tasks of kind words asked for, 0 of them were there before", "client.py: 6 results: "] {
        assert!(said.contains(part), "{part:?} is not in {said}");
    }
    for part in ["attempt 1: died by signal 11 (SIGSEGV)", "| crashing on attempt 1", "attempt 2: succeeded"] {
        assert!(said.contains(part), "{part:?} is not in {said}");
    }
    let again = bed.demo().output().unwrap();
    let (said, noted) = (String::from_utf8(again.stdout).unwrap(), String::from_utf8(again.stderr).unwrap());
    let (all, own) = (bed.tasks(), bed.tasks() - bed.files.len());
    assert!(again.status.success() && noted.contains(&format!("recovered: {all} tasks had ended, 0 ")), "{noted}");
    assert!(noted.contains(&format!("{own} tasks asked for, {own} of them were there before")), "{noted}");
    assert!(said.contains("client.py: 6 tasks of kind words asked for, 6 of them were there before"), "{said}");
    bed.check_results();
}

#[test]
fn what_cannot_be_completed_is_shown_and_gives_another_exit_code() {
    let bed = Bed::with_files(["a"]);
    std::fs::create_dir(bed.keep()).unwrap();
    let config = CONFIG.replace("gate.sh", "gone.sh");
    std::fs::write(bed.keep().join("supervisor.toml"), config).unwrap();
    let out = bed.demo().output().unwrap();
    let said = String::from_utf8(out.stdout).unwrap();
    assert_eq!(out.status.code(), Some(20), "{said}");
    assert!(said.contains("1 tasks are not completed") && said.contains("its last allowed attempt failed"), "{said}");
}

#[test]
fn without_a_python_that_will_do_it_says_why_and_goes_on() {
    let table = [
        (None, "there is no python3 on PATH; install Python 3.10 or newer"),
        (Some("echo 3.8"), "python3 is Python 3.8; install Python 3.10 or newer"),
        (Some("echo broken >&2; exit 1"), "python3 does not run: broken; install Python 3.10 or newer"),
    ];
    for (script, sentence) in table {
        let bed = Bed::with_files(["a", "b"]);
        let out = bed.demo().env("PATH", bed.programs(script)).output().unwrap();
        let (said, noted) = (String::from_utf8(out.stdout).unwrap(), String::from_utf8(out.stderr).unwrap());
        assert!(out.status.success() && noted.contains(sentence), "{said}{noted}");
        assert_eq!(row(&said, "digest"), ["digest", "2", "0", "2"]);
        assert!(!said.contains("words"), "{said}");
        assert_eq!(bed.all().len(), CRASHES + 2 * bed.files.len());
        assert!(!bed.keep().join("worker.py").exists());
    }
}

#[test]
fn a_queue_that_is_kept_goes_on_without_python_and_with_it_again() {
    let bed = Bed::with_files(["a"]);
    assert!(bed.demo().output().unwrap().status.success());
    let without = bed.demo().env("PATH", bed.programs(None)).output().unwrap();
    let noted = String::from_utf8(without.stderr).unwrap();
    assert!(without.status.success() && noted.contains("there is no python3 on PATH"), "{noted}");
    assert!(bed.demo().output().unwrap().status.success());
    bed.check_results();
}

#[test]
fn an_application_that_fails_is_told_with_what_it_printed() {
    for (script, code, part) in [("sys.exit(20)", 20, "printed:\n  mine\n"), ("sys.exit(3)", 1, "it printed\nmine\n")] {
        let bed = Bed::with_files(["a"]);
        std::fs::create_dir(bed.keep()).unwrap();
        std::fs::write(bed.keep().join("client.py"), format!("import sys\nprint('mine')\n{script}\n")).unwrap();
        let out = bed.demo().output().unwrap();
        let told = [out.stdout, out.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
        assert_eq!(out.status.code(), Some(code), "{told}");
        assert!(told.contains(part), "{part:?} is not in {told}");
    }
}

#[test]
fn it_stays_up_until_ctrl_c_and_every_command_that_it_names_works_as_printed() {
    let bed = Bed::with_files(["a", "it's"]);
    let mut life = Life::start(bed.demo().arg("--serve"));
    life.until("Ctrl-C");
    let program = format!("  {} ", env!("CARGO_BIN_EXE_supervisor"));
    let commands: Vec<&str> = life.seen.lines().filter(|line| line.starts_with(&program)).collect();
    assert!((5..=7).contains(&commands.len()), "{}", life.seen);
    for command in commands {
        let out = Command::new("sh").args(["-c", command]).stdin(Stdio::null()).output().unwrap();
        assert!(out.status.success(), "{command}: {out:?}");
        assert!(out.stdout.len() > 1, "{command} says nothing");
    }
    life.signal(Signal::SIGINT);
    let (status, noted) = life.end();
    assert!(status.success() && noted.contains("The queue is kept"), "{noted}");
    assert_eq!(left_of(&bed.db()), Vec::<i32>::new());
}

/// The files `slow-*` wait at a gate that only this test opens: a digest at `gate`, their words at `python-gate`.
const CONFIG: &str = r#"
db = "queue.db"
[pools.commands]
stock = true
[pools.samples]
command = ["/proc/self/exe", "worker", "--samples"]
[kinds.digest]
run = ["sh", "gate.sh", "{path}"]
queue = "commands"
max_attempts = 1
[kinds.text_stats]
queue = "samples"
[kinds.crash]
queue = "samples"
[pools.python]
command = ["python3", "worker.py"]
[kinds.words]
queue = "python"
"#;
/// The worker of the demo, behind its gate.
const WORKER: &str = r#"
import os
import mutirao, shipped
app = mutirao.Worker()
@app.task
def words(cx: mutirao.Context, path: str):
    if "/slow-" in path and not os.path.exists("open"):
        open("python-gate").readline()
    return shipped.words(cx, path)
app.run()
"#;
const SHIPPED: &str = include_str!("../src/demo/python/worker.py");
const GATE: &str = r#"
case "$1" in */slow-*) test -e open || read -r line < gate ;; esac
exec sha256sum -- "$1"
"#;

/// A demo under way.
struct Life {
    child: Child,
    notes: BufReader<ChildStderr>,
    seen: String,
}

impl Life {
    fn start(demo: &mut Command) -> Life {
        let mut child = demo.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let notes = BufReader::new(child.stderr.take().unwrap());
        Life { child, notes, seen: String::new() }
    }

    fn until(&mut self, start: &str) -> String {
        loop {
            let mut line = String::new();
            assert!(self.notes.read_line(&mut line).unwrap() > 0, "no {start:?} in {}", self.seen);
            self.seen.push_str(&line);
            if line.starts_with(start) {
                return line;
            }
        }
    }

    fn signal(&self, signal: Signal) {
        nix::sys::signal::kill(Pid::from_raw(self.child.id().cast_signed()), signal).unwrap();
    }

    fn kill(mut self) {
        self.child.kill().unwrap();
        assert_eq!(self.child.wait().unwrap().signal(), Some(Signal::SIGKILL as i32), "{}", self.seen);
    }

    fn end(mut self) -> (ExitStatus, String) {
        self.notes.read_to_string(&mut self.seen).unwrap();
        (self.child.wait().unwrap(), self.seen)
    }
}

#[test]
fn killed_at_any_moment_and_started_again_it_loses_nothing_and_does_nothing_twice() {
    let names: Vec<String> = (0..40).map(|n| format!("a-{n}")).chain((0..4).map(|n| format!("slow-{n}"))).collect();
    let bed = Bed::with_files(names.iter().map(String::as_str));
    let keep = bed.keep();
    std::fs::create_dir(&keep).unwrap();
    std::fs::write(keep.join("supervisor.toml"), CONFIG).unwrap();
    std::fs::write(keep.join("gate.sh"), GATE).unwrap();
    std::fs::write(keep.join("worker.py"), WORKER).unwrap();
    std::fs::write(keep.join("shipped.py"), SHIPPED).unwrap();
    for gate in ["gate", "python-gate"] {
        nix::unistd::mkfifo(&keep.join(gate), Mode::S_IRUSR | Mode::S_IWUSR).unwrap();
    }

    for start in ["enqueued", "done", "recovered"] {
        let mut life = Life::start(&mut bed.demo());
        life.until(start);
        life.kill();
    }
    let mut gates = Vec::new();
    for _ in 0..2 {
        let mut life = Life::start(&mut bed.demo());
        life.until("done");
        for gate in ["gate", "python-gate"] {
            // Returns once a task waits at the gate, and holds it there for as long as it is open.
            gates.push(File::options().write(true).open(keep.join(gate)).unwrap());
        }
        life.kill();
    }
    std::fs::write(keep.join("open"), "").unwrap();
    let mut life = Life::start(&mut bed.demo());
    let recovered = life.until("recovered");
    assert!(!recovered.contains(" 0 were cut off"), "{recovered}");
    let (status, noted) = life.end();
    assert!(status.success(), "{noted}");

    bed.check_results();
    for kind in ["digest", "words"] {
        let tasks = bed.all().into_iter().filter(|task| task.kind == kind);
        let outcomes: Vec<Vec<Outcome>> = tasks.map(|task| bed.outcomes(task.id)).collect();
        assert!(outcomes.iter().any(|of_one| of_one.contains(&Outcome::Lost)), "{kind}: {outcomes:?}");
        let results = |of_one: &Vec<Outcome>| of_one.iter().filter(|outcome| **outcome == Outcome::Ok).count();
        assert!(outcomes.iter().all(|of_one| results(of_one) <= 1), "{kind}: {outcomes:?}");
    }
    assert_eq!(left_of(&bed.db()), Vec::<i32>::new());
}

/// The processes that still carry the tag of a queue, and the applications that use it.
fn left_of(db: &Path) -> Vec<i32> {
    let mut store = Store::open(Place::File(db.to_owned()), Durability::Full).unwrap();
    let uid: String = store.uid().unwrap().iter().map(|byte| format!("{byte:02x}")).collect();
    let tag = format!("MUTIRAO_TAG={uid}");
    let all = procfs::all().into_iter().map(|stat| stat.pid);
    let application = format!("MUTIRAO_DB={}", db.display());
    let marks = [tag, application];
    all.filter(|pid| marks.iter().any(|mark| procfs::environment_has(*pid, mark.as_bytes()))).collect()
}

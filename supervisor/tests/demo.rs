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
use queue_core::state::TaskState;
use queue_core::store::{Durability, Filter, LIST_MAX, Place, Reader, Store, TaskView};
use queue_core::task::{Outcome, TaskId};
use supervisor::shell::procfs;
use tempfile::TempDir;

const CRASHES: usize = 4;
const KINDS_PER_FILE: usize = 2;

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

    /// Each task is there once and completed, and each digest is what the program prints for that file.
    fn check_results(&self) {
        let all = self.all();
        let names: BTreeSet<_> = all.iter().map(|task| task.name.clone().unwrap()).collect();
        assert_eq!((all.len(), names.len()), (self.tasks(), self.tasks()));
        assert!(all.iter().all(|task| task.state == TaskState::Completed), "{all:?}");
        for file in &self.files {
            let name = format!("digest:{}", file.display());
            let task = all.iter().find(|task| task.name.as_ref() == Some(&name)).unwrap();
            let printed = Command::new("sha256sum").arg("--").arg(file).output().unwrap().stdout;
            let result: String = Payload(task.result.clone()).read().unwrap();
            assert_eq!(result.as_bytes(), printed, "{name}");
        }
    }

    fn outcomes(&self, id: TaskId) -> Vec<Outcome> {
        let attempts = Reader::open(&self.db()).unwrap().attempts(id).unwrap();
        attempts.into_iter().map(|attempt| attempt.outcome).collect()
    }
}

#[test]
fn real_files_are_worked_on_and_asking_again_adds_nothing() {
    let bed = Bed::with_files(["a", "b/-dash", "b/{path}", "b/back\\slash", "é ü", "z"]);
    let out = bed.demo().output().unwrap();
    let (said, noted) = (String::from_utf8(out.stdout).unwrap(), String::from_utf8(out.stderr).unwrap());
    assert!(out.status.success(), "{said}{noted}");
    bed.check_results();
    let row = |kind: &str| {
        let line = said.lines().find(|line| line.starts_with(kind)).unwrap();
        line.split_whitespace().take(4).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(row("digest"), ["digest", "6", "0", "6"]);
    assert_eq!(row("text_stats"), ["text_stats", "6", "0", "6"]);
    assert_eq!(row("crash"), ["crash", "4", "0", "8"]);
    for part in ["attempt 1: died by signal 11 (SIGSEGV)", "| crashing on attempt 1", "attempt 2: succeeded"] {
        assert!(said.contains(part), "{part:?} is not in {said}");
    }
    let again = bed.demo().output().unwrap();
    let noted = String::from_utf8(again.stderr).unwrap();
    let all = bed.tasks();
    assert!(again.status.success() && noted.contains(&format!("recovered: {all} tasks had ended, 0 ")), "{noted}");
    assert!(noted.contains(&format!("{all} tasks asked for, {all} of them were there before")), "{noted}");
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

/// Digests of the files `slow-*` wait at a gate that only this test opens.
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
"#;
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
    fn start(bed: &Bed) -> Life {
        let mut child = bed.demo().stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
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
    nix::unistd::mkfifo(&keep.join("gate"), Mode::S_IRUSR | Mode::S_IWUSR).unwrap();

    for start in ["enqueued", "done", "recovered"] {
        let mut life = Life::start(&bed);
        life.until(start);
        life.kill();
    }
    let mut gates = Vec::new();
    for _ in 0..2 {
        let mut life = Life::start(&bed);
        life.until("done");
        // Returns once a digest waits at the gate, and holds it there for as long as it is open.
        gates.push(File::options().write(true).open(keep.join("gate")).unwrap());
        life.kill();
    }
    std::fs::write(keep.join("open"), "").unwrap();
    let mut life = Life::start(&bed);
    let recovered = life.until("recovered");
    assert!(!recovered.contains(" 0 were cut off"), "{recovered}");
    let (status, noted) = life.end();
    assert!(status.success(), "{noted}");

    bed.check_results();
    let digests = bed.all().into_iter().filter(|task| task.kind == "digest");
    let outcomes: Vec<Vec<Outcome>> = digests.map(|task| bed.outcomes(task.id)).collect();
    assert!(outcomes.iter().any(|of_one| of_one.contains(&Outcome::Lost)), "{outcomes:?}");
    let results = |of_one: &Vec<Outcome>| of_one.iter().filter(|outcome| **outcome == Outcome::Ok).count();
    assert!(outcomes.iter().all(|of_one| results(of_one) <= 1), "{outcomes:?}");
    assert_eq!(left_of(&bed.db()), Vec::<i32>::new());
}

/// The processes that still carry the tag of a queue.
fn left_of(db: &Path) -> Vec<i32> {
    let mut store = Store::open(Place::File(db.to_owned()), Durability::Full).unwrap();
    let uid: String = store.uid().unwrap().iter().map(|byte| format!("{byte:02x}")).collect();
    let tag = format!("MUTIRAO_TAG={uid}");
    let all = procfs::all().into_iter().map(|stat| stat.pid);
    all.filter(|pid| procfs::environment_has(*pid, tag.as_bytes())).collect()
}

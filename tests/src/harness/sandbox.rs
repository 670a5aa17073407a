//! One folder with a configuration and a queue, the commands that are run on it, and the proof at the end that nothing is
//! left of them.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::time::Duration;

use nix::sys::signal::Signal;
use queue_core::store::{Durability, Place, Store};
use serde_json::{Value, json};
use supervisor::cli::client::{Client, blocking};
use supervisor::http::dto::{Enqueued, Examination, Task};
use supervisor::shell::cgroup::Layout;
use tempfile::TempDir;

use super::fifo::Fifo;
use super::guard::HANG_GUARD_S;
use super::output::Output;
use super::process::{kill_all, living};
use super::programs::programs;
use super::supervisor::Supervisor;

/// Everything that was started in it is killed when it is dropped.
pub struct Sandbox {
    folder: TempDir,
    /// Of the workers that are known to have been.
    sessions: Mutex<BTreeSet<i32>>,
}

impl Sandbox {
    /// `config` is the text of its `supervisor.toml`.
    pub fn new(config: &str) -> Sandbox {
        let folder = tempfile::tempdir().expect("a folder for temporary files");
        fs::create_dir(folder.path().join("tmp")).expect("a new folder is empty");
        let sandbox = Sandbox { folder, sessions: Mutex::default() };
        sandbox.write("supervisor.toml", config);
        sandbox
    }

    /// With one worker of samples beside the built-in pool of commands, and these lines of configuration.
    pub fn with_samples(config: &str) -> Sandbox {
        Sandbox::new(&format!("{}{config}", Sandbox::samples_pool()))
    }

    /// A pool `samples` of one worker.
    pub fn samples_pool() -> String {
        Sandbox::pool("samples", &[&programs().supervisor.to_string_lossy(), "worker", "--samples"])
    }

    /// A pool of one rogue worker, named as the kind that it offers, which is its misdeed; the kind is tried again at once,
    /// and has these further lines of configuration.
    pub fn rogue_pool(misdeed: &[&str], kind: &str) -> String {
        Sandbox::rogue_pool_with(misdeed, "", kind)
    }

    /// The same, with these further lines of the pool.
    pub fn rogue_pool_with(misdeed: &[&str], pool: &str, kind: &str) -> String {
        let (program, name) = (programs().rogue_worker.to_string_lossy(), misdeed[0]);
        let pool = Sandbox::pool(name, &[&[&*program], misdeed].concat()) + pool;
        format!("{pool}\n[kinds.{name}]\nqueue = \"{name}\"\nbackoff = {{ base = \"1ms\", cap = \"1ms\" }}\n{kind}\n")
    }

    fn pool(name: &str, command: &[&str]) -> String {
        // JSON text is text in TOML as well.
        format!("[pools.{name}]\ncommand = {}\nworkers = 1\n", json!(command))
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).expect("the sandbox is writable");
    }

    /// Lets any user enter, as a worker of another user must.
    pub fn open_to_all(&self) {
        for folder in ["", "tmp"] {
            fs::set_permissions(self.path(folder), fs::Permissions::from_mode(0o755)).expect("it is ours");
        }
    }

    /// A new signal.
    pub fn fifo(&self, name: &str) -> Fifo {
        Fifo::create(self.path(name))
    }

    pub fn db(&self) -> PathBuf {
        self.path("queue.db")
    }

    /// A supervisor whose door is open.
    pub fn start(&self) -> Supervisor {
        self.spawn(&[]).await_ready()
    }

    /// A supervisor that may not be ready yet, with these variables in its environment.
    pub fn spawn(&self, env: &[(&str, &str)]) -> Supervisor {
        let mut command = self.command(&["run"]);
        command.envs(env.iter().copied());
        Supervisor::spawn(command)
    }

    /// The same, with these options of `run`.
    pub fn spawn_with(&self, options: &[&str]) -> Supervisor {
        Supervisor::spawn(self.command(&[&["run"], options].concat()))
    }

    /// A supervisor of the database alone, without the configuration.
    pub fn start_on_db(&self) -> Supervisor {
        let mut command = Command::new(&programs().supervisor);
        command.arg("--db").arg(self.db()).arg("run");
        command.current_dir(self.folder.path()).env("TMPDIR", self.path("tmp"));
        Supervisor::spawn(command).await_ready()
    }

    /// A supervisor as a shell starts it after this line of script, such as `trap '' HUP`.
    pub fn spawn_after(&self, script: &str, env: &[(&str, &str)]) -> Supervisor {
        let run = self.command(&["run"]);
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("{script}; exec \"$0\" \"$@\"")]).arg(run.get_program()).args(run.get_args());
        shell.current_dir(self.folder.path());
        shell.envs(run.get_envs().filter_map(|(name, value)| Some((name, value?)))).envs(env.iter().copied());
        Supervisor::spawn(shell)
    }

    /// Runs `supervisor ARGS` about this queue.
    pub fn cli(&self, args: &[&str]) -> Output {
        self.cli_with_input(args, b"")
    }

    /// The same, with these variables in its environment.
    pub fn cli_in(&self, env: &[(&str, &str)], args: &[&str]) -> Output {
        let mut command = self.command(args);
        command.envs(env.iter().copied());
        Output::of(command, b"")
    }

    /// Runs a script of the shell in this folder; `$SUPERVISOR` is the program under test.
    pub fn script(&self, text: &str) -> Output {
        let mut command = Command::new("sh");
        command.args(["-c", text]).current_dir(self.folder.path()).env("TMPDIR", self.path("tmp"));
        command.env("SUPERVISOR", &programs().supervisor);
        Output::of(command, b"")
    }

    pub fn cli_with_input(&self, args: &[&str], input: &[u8]) -> Output {
        Output::of(self.command(args), input)
    }

    /// The first argument names the subcommand.
    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(&programs().supervisor);
        command.arg(args[0]).arg("--config").arg(self.path("supervisor.toml")).args(&args[1..]);
        // Inherited by everything below, and so the mark of this sandbox.
        command.current_dir(self.folder.path()).env("TMPDIR", self.path("tmp"));
        command
    }

    fn mark(&self) -> String {
        format!("TMPDIR={}", self.path("tmp").display())
    }

    /// Enqueues by the command line and gives the id.
    #[track_caller]
    pub fn enqueue(&self, args: &[&str]) -> i64 {
        self.cli(&[&["enqueue", "-o", "json"], args].concat()).ok().json::<Enqueued>().id
    }

    /// `add -- COMMAND`.
    #[track_caller]
    pub fn add(&self, command: &[&str]) -> i64 {
        self.cli(&[&["add", "-o", "json", "--"], command].concat()).ok().json::<Enqueued>().id
    }

    /// Waits until a task is final and gives what is known of it.
    #[track_caller]
    pub fn settled(&self, id: i64) -> Task {
        let id = id.to_string();
        let waited = self.cli(&["wait", &id]);
        // Completed, failed, cancelled.
        assert!(matches!(waited.code, Some(0 | 20 | 21)), "{waited}");
        self.cli(&["show", "-o", "json", &id]).ok().json()
    }

    /// What `show` says to people.
    #[track_caller]
    pub fn shown(&self, id: i64) -> String {
        self.cli(&["show", &id.to_string()]).ok().stdout
    }

    /// Cancels a task, and waits until it says that this is done.
    #[track_caller]
    pub fn cancel(&self, id: i64) {
        self.cli(&["cancel", &id.to_string()]).ok().says("cancelled");
    }

    /// Asks the supervisor by HTTP: status and body of the answer.
    pub fn http(&self, method: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
        let method = method.parse().expect("a method of HTTP");
        let body = body.map(|body| body.to_string().into_bytes());
        let answer = blocking(async { Client::connect(&self.db()).await?.request(method, path, body).await });
        let (status, body) = answer.expect("a runtime can be made").expect("a supervisor answers");
        (status.as_u16(), body)
    }

    /// A conversation with the supervisor over one connection.
    pub fn converse<T>(&self, conversation: impl AsyncFnOnce(Client) -> T) -> T {
        let guard = Duration::from_secs(HANG_GUARD_S);
        let talk = async { conversation(Client::connect(&self.db()).await.expect("a supervisor answers")).await };
        let talked = blocking(async { tokio::time::timeout(guard, talk).await });
        talked.expect("a runtime can be made").expect("the supervisor does not answer")
    }

    /// The end of a system test: everything is sound while the supervisor runs and afterwards, and nothing is left.
    pub fn finish(&self, supervisor: Supervisor) {
        self.examine();
        supervisor.signal(Signal::SIGTERM);
        self.ended(supervisor);
    }

    /// The same, of a supervisor that was told to stop: it ends well, and everything is sound afterwards.
    pub fn ended(&self, mut supervisor: Supervisor) {
        supervisor.ends_well();
        self.note_sessions(&supervisor);
        self.examine();
        self.assert_nothing_left();
    }

    /// SIGKILL; what it knew of is remembered for the proof at the end.
    pub fn kill9(&self, supervisor: Supervisor) {
        self.note_sessions(&supervisor);
        supervisor.kill9();
    }

    /// `doctor`, of the supervisor or of the file, must find nothing.
    pub fn examine(&self) {
        let found: Examination = self.cli(&["doctor", "-o", "json"]).ok().json();
        assert_eq!(found.findings, [], "doctor");
    }

    fn note_sessions(&self, supervisor: &Supervisor) {
        let lines = supervisor.log().find(|line| line.is("worker greeted") || line.is("worker gone"));
        let pids = lines.iter().filter_map(|line| i32::try_from(line.field("pid").as_i64()?).ok());
        self.sessions.lock().expect("no test panics here").extend(pids);
    }

    /// To be called when no supervisor is up.
    fn assert_nothing_left(&self) {
        let mut store = Store::open(Place::File(self.db()), Durability::Full).expect("the database opens");
        assert_eq!(store.workers().expect("workers can be read"), [], "worker rows outlived their workers");
        let uid: String = store.uid().expect("a uid").iter().map(|byte| format!("{byte:02x}")).collect();
        let sessions = Vec::from_iter(self.sessions.lock().expect("no test panics here").iter().copied());
        for mark in [format!("MUTIRAO_TAG={uid}"), self.mark()] {
            let left = living(&mark, &sessions);
            let names = left.iter().map(|stat| (stat, fs::read(format!("/proc/{}/cmdline", stat.pid))));
            let names =
                names.map(|(stat, line)| (stat, String::from_utf8_lossy(&line.unwrap_or_default()).into_owned()));
            assert_eq!(Vec::from_iter(names), [], "processes are left");
        }
        let folders = fs::read_dir(self.path("tmp")).expect("it was made with the sandbox").filter_map(Result::ok);
        let folders = folders.map(|entry| entry.file_name()).filter(|name| name.to_string_lossy().contains(&uid));
        assert_eq!(Vec::from_iter(folders), [""; 0], "folders of workers are left");
        let groups = Layout::here().unified.map(|(_, own)| own.join(format!("mutirao-{uid}")));
        assert!(!groups.is_some_and(|groups| groups.exists()), "groups of workers are left");
    }
}

/// Its folder.
impl AsRef<Path> for Sandbox {
    fn as_ref(&self) -> &Path {
        self.folder.path()
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        kill_all(&self.mark());
    }
}

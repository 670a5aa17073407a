//! What a worker's process may use, and whom it is: limits, priority, user.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use nix::sys::signal::Signal;
use nix::unistd::geteuid;
use tests::harness::{Line, Sandbox};

/// A pool whose program writes down what it finds, and asks not to be started again.
fn probe(lines: &str) -> String {
    format!(
        "[pools.probe]\nworkers = 1\n{lines}\ncommand = [\"sh\", \"-c\", '''\
         id -u > uid; id -G > groups; umask > umask; nice > nice; cat /proc/self/limits > limits; cat /proc/self/status > status; \
         cat \"/sys/fs/cgroup$(sed -n s/^0:://p /proc/self/cgroup)/pids.max\" > pids; \
         touch \"$TMPDIR/mine\" && echo yes > reached; exit 78''']\n"
    )
}

fn await_probe(sandbox: &Sandbox) -> tests::harness::Supervisor {
    let supervisor = sandbox.start();
    let gone = |line: &Line| line.is("worker gone") && line.field("pool") == "probe";
    supervisor.log().wait_for("the probe gone", gone);
    supervisor
}

#[test]
fn limits_priority_and_mask_are_those_of_the_pool() {
    let lines = "limits = { open_files = 99, file_size = \"3MiB\", processes = 7000 }\nnice = 7\numask = \"027\"";
    let sandbox = Sandbox::new(&probe(lines));
    let supervisor = await_probe(&sandbox);
    let read = |name: &str| fs::read_to_string(sandbox.path(name)).unwrap();
    let limits = read("limits");
    let limit = |name: &str| {
        let line = limits.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_else(|| panic!("no {name}"));
        line.split_whitespace().take(2).map(str::to_owned).collect::<Vec<_>>().join(" ")
    };
    assert_eq!((read("umask").trim(), read("nice").trim()), ("0027", "7"));
    assert_eq!(limit("Max core file size"), "0 0");
    assert_eq!(limit("Max file size"), "3145728 3145728");
    assert_eq!(limit("Max open files"), "99 99");
    // The system counts those of each worker where it can, else those of the user.
    assert!(limit("Max processes").starts_with("7000 ") || read("pids").trim() == "7000", "{limits}");
    sandbox.finish(supervisor);
}

#[test]
fn a_file_that_grows_too_large_ends_its_task_alone() {
    let sandbox = Sandbox::new(
        "[pools.commands]\nstock = true\nworkers = 1\nlimits = { file_size = \"64KiB\" }\n[kinds.command]\nmax_crashes = 1\n",
    );
    let supervisor = sandbox.start();
    let id = sandbox.add(&["sh", "-c", "exec head -c 1000000 /dev/zero > big"]);
    let task = sandbox.settled(id);
    let [attempt] = &task.attempts[..] else { panic!("{:?}", task.attempts) };
    assert_eq!((attempt.outcome.as_str(), attempt.signal), ("signal", Some(Signal::SIGXFSZ as i32)));
    assert_eq!(fs::metadata(sandbox.path("big")).unwrap().len(), 64 * 1024);
    sandbox.cli(&["add", "--wait", "--", "true"]).ok();
    assert!(!fs::exists(sandbox.path("core")).unwrap());
    sandbox.finish(supervisor);
}

#[test]
fn a_worker_is_the_user_of_its_pool() {
    if !geteuid().is_root() {
        return eprintln!("skipped: only root can start workers as another user");
    }
    let sandbox = Sandbox::new(&probe("user = \"nobody\"\nsecrets = { KEY = \"key\" }"));
    sandbox.write("key", "hunter2");
    sandbox.open_to_all();
    // The probe writes into the folder where it starts.
    let names = ["uid", "groups", "umask", "nice", "limits", "status", "reached"];
    for name in names {
        sandbox.write(name, "");
        fs::set_permissions(sandbox.path(name), PermissionsExt::from_mode(0o666)).unwrap();
    }
    let supervisor = await_probe(&sandbox);
    let read = |name: &str| fs::read_to_string(sandbox.path(name)).unwrap().trim().to_owned();
    let nobody = nix::unistd::User::from_name("nobody").unwrap().unwrap();
    assert_eq!((read("uid"), read("groups")), (nobody.uid.to_string(), nobody.gid.to_string()));
    assert_eq!(read("reached"), "yes", "its temporary folder is its own");
    assert!(read("status").contains("NoNewPrivs:\t1"));
    let alert = supervisor
        .log()
        .find(|line| line.field("message").as_str().is_some_and(|text| text.starts_with("workers run as root")));
    assert_eq!(alert[0].field("pools"), "commands");
    sandbox.finish(supervisor);
}

#[test]
fn a_folder_that_the_user_cannot_enter_is_told() {
    if !geteuid().is_root() {
        return eprintln!("skipped: only root can start workers as another user");
    }
    let sandbox = Sandbox::new(&probe("user = \"nobody\""));
    fs::set_permissions(sandbox.path(""), PermissionsExt::from_mode(0o700)).unwrap();
    let supervisor = await_probe(&sandbox);
    let gone = supervisor.log().find(|line| line.is("worker gone"));
    let how = gone[0].field("how").as_str().unwrap().to_owned();
    assert!(how.contains("cannot use its temporary folder: Permission denied"), "{how}");
    assert!(how.contains("give the supervisor a TMPDIR"), "{how}");
    sandbox.finish(supervisor);
}

#[test]
fn who_may_not_be_is_told_before_anything_starts() {
    let pool = |line: &str| format!("[pools.commands]\nstock = true\n{line}\n");
    let sandbox = Sandbox::new(&pool("user = \"no-such-user-5be7\""));
    for args in [&["check"][..], &["run"]] {
        sandbox.cli(args).exits(3).complains("there is no user \"no-such-user-5be7\" here").complains("toml:3:");
    }
    if !geteuid().is_root() {
        return eprintln!("skipped: only root can be refused as root");
    }
    for line in ["[host]\nrequire_user = true", "user = \"root\"\n[host]\nrequire_user = true"] {
        sandbox.write("supervisor.toml", &pool(line));
        for args in [&["check"][..], &["run"]] {
            sandbox.cli(args).exits(3).complains("pools.commands.user: its workers would run as root");
        }
    }
    sandbox.write("supervisor.toml", &pool("user = \"nobody\"\n[host]\nrequire_user = true"));
    sandbox.cli(&["check"]).ok();
}

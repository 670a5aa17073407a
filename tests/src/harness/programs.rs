//! The programs under test. They are built by the first test that needs them, so that they are never older than the tests.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

pub struct Programs {
    pub supervisor: PathBuf,
    pub rogue_worker: PathBuf,
    pub scripted_worker: PathBuf,
}

/// In the same folder and profile as the running test.
pub fn programs() -> &'static Programs {
    static PROGRAMS: OnceLock<Programs> = OnceLock::new();
    PROGRAMS.get_or_init(|| {
        let exe = std::env::current_exe().expect("a test knows its own file");
        let folder = exe.ancestors().skip(1).find(|folder| !folder.ends_with("deps")).expect("a file is in a folder");
        build(folder);
        let program = |name: &str| folder.join(name);
        Programs {
            supervisor: program("supervisor"),
            rogue_worker: program("rogue-worker"),
            scripted_worker: program("scripted-worker"),
        }
    })
}

/// The packages are those that the test command builds together, so that nothing is compiled a second time.
fn build(folder: &Path) {
    let (target, name) = (folder.parent(), folder.file_name().and_then(|name| name.to_str()));
    let (Some(target), Some(name)) = (target, name) else { panic!("{} is no folder of cargo", folder.display()) };
    let profile = if name == "debug" { "dev" } else { name };
    let status = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--profile", profile, "-p", "supervisor", "-p", "worker", "-p", "tests"])
        .args(["--bin", "supervisor", "--bin", "rogue-worker", "--bin", "scripted-worker", "--target-dir"])
        .arg(target)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .status()
        .expect("cargo can be started");
    assert!(status.success(), "the programs under test cannot be built");
}

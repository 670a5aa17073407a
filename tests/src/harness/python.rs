//! The Python package as a user has it: installed from the tree, without a network, into a folder of its own.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use tempfile::TempDir;

/// The folder for PYTHONPATH, made by the first test that needs it.
///
/// # Panics
/// There is no Python with pip; the message says what to install.
pub fn installed_package() -> &'static Path {
    static INSTALLED: OnceLock<TempDir> = OnceLock::new();
    let folder = INSTALLED.get_or_init(|| {
        let folder = tempfile::tempdir().expect("a folder for temporary files");
        let package = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../worker/python");
        let installed = Command::new("python3")
            .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-index", "--target"])
            .arg(folder.path())
            .arg(package)
            .env("PIP_ROOT_USER_ACTION", "ignore")
            .status();
        let is_good = installed.is_ok_and(|status| status.success());
        assert!(
            is_good,
            "the tests need python3 (3.10 or newer) with pip; on Debian: apt install python3-pip python3-venv"
        );
        folder
    });
    folder.path()
}

/// Configuration of a pool `python` of one worker, which finds the installed package. `script` is a file of the tests.
pub fn python_pool(script: &str) -> String {
    let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("system/python").join(script);
    format!(
        "[pools.python]\ncommand = [\"python3\", {:?}]\nworkers = 1\nenv = [\"PYTHONPATH\"]\n",
        script.display().to_string()
    )
}

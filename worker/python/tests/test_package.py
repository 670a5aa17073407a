"""What is built: it installs without a network, is the same each time, has every file, and leaves the sources alone."""

from __future__ import annotations

import base64
import csv
import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import unittest
import zipfile
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
ENVIRON = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_INPUT": "1"}
ENVIRON.pop("PYTHONPATH", None)


def run(*command: str | Path, cwd: Path | None = None) -> str:
    done = subprocess.run([*map(str, command)], cwd=cwd, env=ENVIRON, capture_output=True, text=True)
    if done.returncode != 0:
        raise AssertionError(f"{command} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


def build(call: str, folder: Path, project: Path = PROJECT) -> Path:
    """The archive that the backend builds, in a process of its own as installers do."""
    folder.mkdir(exist_ok=True)
    code = f"import backend; print(backend.{call}({str(folder)!r}))"
    return folder / run(sys.executable, "-c", code, cwd=project / "build_backend").strip()


def modules(folder: Path) -> set[str]:
    """The files of the package below a folder."""
    found = (path.relative_to(folder) for path in (folder / "mutirao").rglob("*") if path.is_file())
    return {path.as_posix() for path in found if "__pycache__" not in path.parts}


def tree() -> dict[str, int]:
    """The project's own files and when they were written."""
    kept = (path for path in PROJECT.rglob("*") if not {"__pycache__", ".mypy_cache"} & set(path.parts))
    return {str(path): path.stat().st_mtime_ns for path in kept if path.is_file()}


class Package(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def venv(self, name: str) -> Path:
        run(sys.executable, "-m", "venv", self.folder / name)
        return self.folder / name / "bin" / "python"

    def site(self, python: Path) -> Path:
        return Path(run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip())

    def import_it(self, python: Path) -> str:
        code = "import mutirao; print(mutirao.Client, mutirao.__version__, mutirao.__file__)"
        return run(python, "-c", code, cwd=self.folder)

    def test_the_wheel_has_every_file_and_says_so(self) -> None:
        wheel = build("build_wheel", self.folder / "a")
        self.assertEqual(wheel.read_bytes(), build("build_wheel", self.folder / "b").read_bytes())
        with zipfile.ZipFile(wheel) as archive:
            files = {name: archive.read(name) for name in archive.namelist()}
            self.assertEqual({entry.date_time for entry in archive.infolist()}, {(1980, 1, 1, 0, 0, 0)})
        own = [name for name in files if name.startswith("mutirao/")]
        self.assertEqual(own, sorted(own))
        self.assertEqual(set(own), modules(PROJECT / "src"))
        info = "mutirao-0.1.0.dist-info"
        for name, digest, size in csv.reader(files[f"{info}/RECORD"].decode().splitlines()):
            if name != f"{info}/RECORD":
                expected = base64.urlsafe_b64encode(hashlib.sha256(files[name]).digest()).decode().rstrip("=")
                self.assertEqual((digest, size), (f"sha256={expected}", str(len(files[name]))), name)
            del files[name]
        self.assertEqual(files, {}, "RECORD names every file")

    def test_the_sdist_is_the_same_each_time_and_builds_the_same_wheel(self) -> None:
        sdist = build("build_sdist", self.folder / "a")
        self.assertEqual(sdist.read_bytes(), build("build_sdist", self.folder / "b").read_bytes())
        self.assertEqual(sdist.read_bytes()[4:8], bytes(4), "no time in the head of the archive")
        with tarfile.open(sdist) as archive:
            self.assertEqual(archive.getnames(), sorted(archive.getnames()))
            self.assertTrue(all(entry.isfile() for entry in archive), "links would lead nowhere")
            archive.extractall(self.folder)
        unpacked = self.folder / "mutirao-0.1.0"
        again = build("build_wheel", self.folder / "c", unpacked)
        self.assertEqual(again.read_bytes(), build("build_wheel", self.folder / "d").read_bytes())
        self.assertTrue((unpacked / "PKG-INFO").read_text().startswith("Metadata-Version: 2.4\nName: mutirao\n"))

    def test_it_installs_from_the_folder_and_from_the_sdist(self) -> None:
        python = self.venv("venv")
        sdist = build("build_sdist", self.folder / "dist")
        for source in (PROJECT, sdist):
            before = tree()
            run(python, "-m", "pip", "install", "--no-index", "--force-reinstall", source)
            self.assertEqual(tree(), before, "a build writes nothing into the sources")
            site = self.site(python)
            self.assertEqual(modules(site), modules(PROJECT / "src"))
            self.assertIn(f"0.1.0 {site}", self.import_it(python))
            about = run(python, "-m", "pip", "show", "--verbose", "mutirao")
            self.assertIn("Version: 0.1.0", about)
        run(python, "-m", "pip", "uninstall", "--yes", "mutirao")
        self.assertFalse((site / "mutirao").exists(), "RECORD is right")

    def test_it_installs_for_editing(self) -> None:
        copy = self.folder / "copy"
        shutil.copytree(PROJECT, copy, ignore=shutil.ignore_patterns("__pycache__", ".mypy_cache"))
        python = self.venv("venv")
        run(python, "-m", "pip", "install", "--no-index", "--editable", copy)
        self.assertIn(f"0.1.0 {copy / 'src'}", self.import_it(python))
        (copy / "src/mutirao/added.py").write_text("WORD = 'seen at once'\n")
        code = "import mutirao.added; print(mutirao.added.WORD)"
        self.assertEqual(run(python, "-c", code, cwd=self.folder), "seen at once\n")


if __name__ == "__main__":
    unittest.main()

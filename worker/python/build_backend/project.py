"""What the package is: its name, version and metadata. How it is packed is in `backend`."""

from pathlib import Path
from runpy import run_path

ROOT = Path(__file__).resolve().parent.parent
NAME = "mutirao"
#: Said in one place, which the package tells to supervisors as well.
VERSION: str = run_path(str(ROOT / "src/mutirao/_version.py"))["VERSION"]
LICENCES = ("LICENSE-APACHE", "LICENSE-MIT")

#: Without the description, which is README.md.
METADATA = f"""\
Metadata-Version: 2.4
Name: {NAME}
Version: {VERSION}
Summary: Workers and clients of Mutirao, a durable task queue whose workers are isolated child processes
License-Expression: MIT OR Apache-2.0
{"".join(f"License-File: {name}" + chr(10) for name in LICENCES)}\
Keywords: task queue,background jobs,worker,sqlite
Classifier: Development Status :: 3 - Alpha
Classifier: Operating System :: POSIX :: Linux
Classifier: Programming Language :: Python :: 3 :: Only
Classifier: Typing :: Typed
Requires-Python: >=3.10
Description-Content-Type: text/markdown
"""

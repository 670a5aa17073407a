"""Tests of the package. They run without installing it: `python3 -m unittest discover -s tests -t .` in this folder."""

import sys
from pathlib import Path

SOURCE = Path(__file__).resolve().parent.parent / "src"

sys.path.insert(0, str(SOURCE))

"""Packs the package, by the interfaces of PEP 517 and PEP 660, with nothing but the standard library.

The same sources give the same bytes: files are sorted, times are fixed, nothing is compressed by a library whose
versions differ. Nothing is written but the archive that was asked for.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import os
import tarfile
import zipfile
from typing import Any

from project import LICENCES, METADATA, NAME, ROOT, VERSION

STEM = f"{NAME}-{VERSION}"
DIST_INFO = f"{STEM}.dist-info"
WHEEL_NAME = f"{STEM}-py3-none-any.whl"
#: The earliest that a zip can say.
ZIP_TIME = (1980, 1, 1, 0, 0, 0)
FILE_MODE = 0o100644
WHEEL = "Wheel-Version: 1.0\nGenerator: mutirao\nRoot-Is-Purelib: true\nTag: py3-none-any\n"

Files = dict[str, bytes]


def get_requires_for_build_wheel(config_settings: Any = None) -> list[str]:
    return []


get_requires_for_build_sdist = get_requires_for_build_wheel
get_requires_for_build_editable = get_requires_for_build_wheel


def build_wheel(wheel_directory: str, config_settings: Any = None, metadata_directory: str | None = None) -> str:
    files = {name.removeprefix("src/"): data for name, data in sources("src").items()}
    return write_wheel(wheel_directory, files)


def build_editable(wheel_directory: str, config_settings: Any = None, metadata_directory: str | None = None) -> str:
    """A wheel with a path file alone: what is imported is the source."""
    return write_wheel(wheel_directory, {f"__editable__.{NAME}.pth": f"{ROOT / 'src'}\n".encode()})


def build_sdist(sdist_directory: str, config_settings: Any = None) -> str:
    files = {**sources("src"), **sources("build_backend"), "PKG-INFO": metadata()}
    for name in ("README.md", "pyproject.toml", *LICENCES):
        files[name] = (ROOT / name).read_bytes()
    name = f"{STEM}.tar.gz"
    with open(os.path.join(sdist_directory, name), "wb") as archive:
        # Level 0 only stores: how well others compress depends on their version.
        with gzip.GzipFile("", "wb", compresslevel=0, fileobj=archive, mtime=0) as stored:
            stored.write(tar(files))
    return name


def sources(folder: str) -> Files:
    """The files below a folder that belong to the package."""
    found = [path for path in (ROOT / folder).rglob("*") if path.suffix == ".py" or path.name == "py.typed"]
    return {path.relative_to(ROOT).as_posix(): path.read_bytes() for path in found}


def metadata() -> bytes:
    return METADATA.encode() + b"\n" + (ROOT / "README.md").read_bytes()


def write_wheel(folder: str, files: Files) -> str:
    info = {"METADATA": metadata(), "WHEEL": WHEEL.encode()}
    info |= {f"licenses/{name}": (ROOT / name).read_bytes() for name in LICENCES}
    files = {**dict(sorted(files.items())), **{f"{DIST_INFO}/{name}": data for name, data in sorted(info.items())}}
    files[f"{DIST_INFO}/RECORD"] = record(files)
    with zipfile.ZipFile(os.path.join(folder, WHEEL_NAME), "w", zipfile.ZIP_STORED) as wheel:
        for name, data in files.items():
            entry = zipfile.ZipInfo(name, ZIP_TIME)
            entry.external_attr = FILE_MODE << 16
            entry.create_system = 3  # Unix, wherever it is built.
            wheel.writestr(entry, data)
    return WHEEL_NAME


def record(files: Files) -> bytes:
    """The list of the files with their digests; its own line has none."""
    lines = []
    for name, data in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        lines.append(f"{name},sha256={digest},{len(data)}\n")
    return "".join([*lines, f"{DIST_INFO}/RECORD,,\n"]).encode()


def tar(files: Files) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, data in sorted(files.items()):
            entry = tarfile.TarInfo(f"{STEM}/{name}")
            entry.size, entry.mode = len(data), FILE_MODE & 0o777
            archive.addfile(entry, io.BytesIO(data))
    return packed.getvalue()

"""Where the supervisor listens: a socket as given, or the one that the lock file beside a database names.

The text of that file may be of a supervisor that is gone: connecting is the test.
"""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass

Path = str | os.PathLike[str]

DB_DEFAULT = "queue.db"
#: A lock file is one short JSON object.
LOCK_BYTES_MAX = 64 * 1024


@dataclass(frozen=True)
class Place:
    """One of `socket` and `db`, and the words for why it is this one."""

    socket: str | None
    db: str | None
    chosen: str

    def socket_path(self) -> str:
        """The path of the socket as of now. Raises `OSError` when no supervisor has written one."""
        if self.socket is not None:
            return self.socket
        # The supervisor resolves links as well, so that one database has one lock.
        lock_path = os.path.realpath(self.db or DB_DEFAULT) + ".lock"
        socket = _socket_of(lock_path)
        if socket is None:
            raise FileNotFoundError(errno.ENOENT, f"no socket is named in {lock_path}")
        return socket

    def missing(self, detail: str) -> tuple[str, str]:
        """Message and hint for when nobody answers here."""
        if self.socket is not None:
            message = f"no supervisor answers at {self.socket} ({self.chosen}): {detail}"
            return message, "start one with `supervisor run`"
        hint = f"start one with `supervisor run --db {self.db}`, or say Client(db=...) or Client(socket=...)"
        return f"no supervisor is up for the database {self.db} ({self.chosen}): {detail}", hint


def choose(db: Path | None, socket: Path | None, environ: Mapping[str, str]) -> Place:
    """Arguments, then the environment, then `./queue.db`."""
    if socket is not None:
        return Place(os.fspath(socket), None, "given as socket")
    if db is not None:
        return Place(None, os.fspath(db), "given as db")
    if environ.get("MUTIRAO_SOCKET"):
        return Place(environ["MUTIRAO_SOCKET"], None, "from MUTIRAO_SOCKET")
    if environ.get("MUTIRAO_DB"):
        return Place(None, environ["MUTIRAO_DB"], "from MUTIRAO_DB")
    chosen = f"the default in {os.getcwd()}, since MUTIRAO_SOCKET and MUTIRAO_DB are not set"
    return Place(None, DB_DEFAULT, chosen)


def _socket_of(lock_path: str) -> str | None:
    try:
        with open(lock_path, "rb") as lock:
            holder = json.loads(lock.read(LOCK_BYTES_MAX))
    except (OSError, ValueError, RecursionError):
        return None
    socket = holder.get("socket") if isinstance(holder, dict) else None
    return socket if isinstance(socket, str) and socket else None

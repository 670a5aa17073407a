"""`Supervisor`: a supervisor of one's own, started and stopped with the program. Knows only its command line."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any

from ._client.place import Path
from .async_client import AsyncClient
from .client import Client
from .client_errors import SupervisorFailed

#: How long a start may take: recovery after a crash, and the pools' first look.
START_S = 30.0
#: How long a stop may take before the process is killed; its own ladder for the workers takes far less.
STOP_S = 60.0
#: There is no way to wait for a file and a process at once that every system has.
POLL_S = 0.01
#: Of the log, for the error of a start that failed.
TAIL_BYTES_MAX = 4 * 1024
#: The exit code for "another process holds the database".
EXIT_HELD = 75


class Supervisor:
    """Runs a supervisor as a child process, for as long as the `with` block.

    The program is `binary`, else that of MUTIRAO_SUPERVISOR, else `supervisor` on the PATH. It ends with this process,
    however this process ends. Its words go to the file `stderr`, or where those of this process go.

    `start` and `with` raise `SupervisorFailed`.
    """

    def __init__(
        self,
        *,
        config: Path | None = None,
        db: Path | None = None,
        binary: Path | None = None,
        stderr: Path | None = None,
        start_timeout: float = START_S,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Give `config` (a supervisor.toml) or `db` (a database alone), not both. `start_timeout` is in seconds."""
        if (config is None) == (db is None):
            raise SupervisorFailed("usage", "a supervisor has a config or a db", "give one of config=... and db=...")
        self._source = ["--config", os.fspath(config)] if config is not None else ["--db", os.fspath(db or "")]
        self._binary = binary
        self._stderr = stderr
        self._start_timeout_s = start_timeout
        self._clock = clock
        self._sleep = sleep
        self._process: subprocess.Popen[bytes] | None = None
        self._is_told = False
        self._log_start_bytes = 0
        self._socket = ""

    @property
    def pid(self) -> int:
        """Of the process. Raises `SupervisorFailed` before the start."""
        return self._started().pid

    @property
    def socket(self) -> str:
        """The path of its socket. Raises `SupervisorFailed` before the start."""
        self._started()
        return self._socket

    def client(self, **options: Any) -> Client:
        """A client of this supervisor; `options` are those of `Client`."""
        return Client(socket=self.socket, **options)

    def async_client(self, **options: Any) -> AsyncClient:
        """A client of this supervisor for asyncio; `options` are those of `AsyncClient`."""
        return AsyncClient(socket=self.socket, **options)

    def start(self) -> Supervisor:
        """Returns once it takes requests. After a `stop` or `kill` it may be started again."""
        if self._process is not None and self._process.poll() is None:
            return self
        binary = find_binary(self._binary, os.environ)
        with tempfile.TemporaryDirectory(prefix="mutirao-") as folder:
            ready_file = os.path.join(folder, "ready.json")
            self._is_told = False
            self._process = self._spawn(binary, ready_file)
            try:
                self._socket = self._await(self._process, ready_file)
            except BaseException:
                self.kill()
                raise
        return self

    def stop(self, timeout: float = STOP_S) -> int:
        """Lets it finish by its own rules, kills it after `timeout` seconds, and gives its exit code.

        Nothing that was accepted is lost either way.
        """
        process = self._started()
        if not self._is_told and process.poll() is None:
            # Once only: the second SIGTERM means "at once" to it.
            process.send_signal(signal.SIGTERM)
            self._is_told = True
        try:
            return process.wait(timeout)
        except subprocess.TimeoutExpired:
            return self.kill()

    def kill(self) -> int:
        """Ends it at once, as a crash would, and gives its exit code. Its workers end with it."""
        process = self._started()
        process.kill()
        return process.wait()

    def __enter__(self) -> Supervisor:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise SupervisorFailed("not_started", "the supervisor was not started", "use `with`, or call start()")
        return self._process

    def _spawn(self, binary: str, ready_file: str) -> subprocess.Popen[bytes]:
        command = [binary, "run", *self._source, f"--die-with-parent={os.getpid()}", "--ready-file", ready_file]
        log = None if self._stderr is None else open(self._stderr, "ab")
        self._log_start_bytes = 0 if log is None else log.tell()
        try:
            # A session of its own: Ctrl-C is for this program, which then stops the supervisor in order.
            # The stdout of this program may be data, so that of the supervisor goes to stderr as well.
            return subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log or 2, stderr=log, start_new_session=True
            )
        except OSError as error:
            hint = "give the supervisor's program by binary=... or MUTIRAO_SUPERVISOR"
            raise SupervisorFailed("no_binary", f"{binary} cannot be started: {error.strerror}", hint) from error
        finally:
            if log is not None:
                log.close()

    def _await(self, process: subprocess.Popen[bytes], ready_file: str) -> str:
        until = self._clock() + self._start_timeout_s
        while (exit_code := process.poll()) is None:
            socket = read_ready(ready_file)
            if socket is not None:
                return socket
            if self._clock() >= until:
                message = f"the supervisor was not ready after {self._start_timeout_s:g} s"
                raise SupervisorFailed("start_timeout", message, self._said())
            self._sleep(POLL_S)
        if exit_code == EXIT_HELD:
            hint = f"use that one by Client(db=...), or stop it first; {self._said()}"
            raise SupervisorFailed("held", "another supervisor holds the database", hint, exit_code)
        message = f"the supervisor ended with {exit_code} before it was ready"
        raise SupervisorFailed("ended", message, self._said(), exit_code)

    def _said(self) -> str:
        if self._stderr is None:
            return "its messages are above"
        with open(self._stderr, "rb") as log:
            log.seek(max(self._log_start_bytes, log.seek(0, os.SEEK_END) - TAIL_BYTES_MAX))
            tail = log.read(TAIL_BYTES_MAX).decode("utf-8", "replace").strip()
        return f"it said last: {tail}" if tail else "it said nothing"


def find_binary(given: Path | None, environ: Mapping[str, str]) -> str:
    """The program to start. Raises `SupervisorFailed` with how to install it."""
    wanted = os.fspath(given) if given is not None else environ.get("MUTIRAO_SUPERVISOR") or "supervisor"
    found = shutil.which(wanted, path=environ.get("PATH"))
    if found is not None:
        return found
    hint = "install it with `cargo install --path supervisor`, or name it by binary=... or MUTIRAO_SUPERVISOR"
    raise SupervisorFailed("no_binary", f"there is no program {wanted}", hint)


def read_ready(path: str) -> str | None:
    """The socket that the file names. It is written whole, by a rename: there or not there.

    Raises `SupervisorFailed`.
    """
    try:
        with open(path, "rb") as ready:
            return str(json.load(ready)["socket"])
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        hint = "supervisor and package may be of different versions"
        raise SupervisorFailed("unreadable", f"the ready file cannot be read: {error!r}", hint) from error

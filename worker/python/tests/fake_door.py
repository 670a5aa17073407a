"""A door on a Unix socket, with a queue in memory behind it, which misbehaves as it is told."""

from __future__ import annotations

import json
import re
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

TASK = {
    "kind": "resize",
    "queue": "default",
    "state": "available",
    "reason": None,
    "priority": 0,
    "name": None,
    "cancelling": False,
    "created_at": "2026-11-23T12:34:56.000Z",
    "due_at": None,
    "started_at": None,
    "finished_at": None,
    "wait_ms": None,
    "run_ms": None,
    "runs": 0,
    "attempts_spent": 0,
    "crashes_spent": 0,
}


@dataclass
class Fault:
    """What happens to one request."""

    #: The request takes effect.
    acts: bool = False
    #: So much of the answer is sent; None is all of it.
    sent_bytes: int | None = None
    #: The connection is closed after that.
    closes: bool = False
    #: Answered instead of the true answer.
    reply: tuple[int, dict[str, str], Any] | None = None


UNHEARD = Fault(sent_bytes=0, closes=True)
UNANSWERED = Fault(acts=True, sent_bytes=0, closes=True)
CUT_SHORT = Fault(acts=True, sent_bytes=60, closes=True)
CLOSED_AFTER = Fault(acts=True, closes=True)


def refusal(status: int, code: str, headers: dict[str, str] | None = None, **more: Any) -> Fault:
    body = {"code": code, "message": f"it is {code}", "hint": "do better", **more}
    return Fault(reply=(status, headers or {}, body))


@dataclass
class Clock:
    """Time that passes only by sleeping. `at_sleep` is called before each sleep, with its number from 1."""

    now: float = 1000.0
    sleeps: list[float] = field(default_factory=list)
    at_sleep: Callable[[int], None] = lambda _: None

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.at_sleep(len(self.sleeps))
        self.now += seconds

    async def async_sleep(self, seconds: float) -> None:
        self.sleep(seconds)


class FakeDoor:
    """`faults` meet the next requests, in order. `requests` has all of them: method, target, body."""

    def __init__(self, path: str, clock: Clock) -> None:
        self.path = path
        self.clock = clock
        self.faults: list[Fault] = []
        self.requests: list[tuple[str, str, Any]] = []
        self.tasks: dict[int, dict[str, Any]] = {}
        #: The pages of a list by cursor.
        self.pages: dict[str | None, Any] = {}
        #: The chunks of each log.
        self.log: tuple[bytes, ...] = ()
        #: How often a task must be looked at before it has ended.
        self.looks_until_final = 0
        #: Released each time that a connection was closed.
        self.closed = threading.Semaphore(0)
        self.connections = 0
        self._acting = threading.Lock()
        self._open: set[socket.socket] = set()
        self._listener: socket.socket | None = None

    def start(self) -> None:
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(self.path)
        self._listener.listen(64)
        self._thread = threading.Thread(target=self._accept, args=(self._listener,))
        self._thread.start()

    def stop(self) -> None:
        if self._listener is not None:
            self._listener.shutdown(socket.SHUT_RDWR)
            self._thread.join()
            self._listener.close()
        for connection in list(self._open):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # The client has closed it already.

    def added(self) -> list[str]:
        return [task["name"] for task in self.tasks.values()]

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                break
            self.connections += 1
            self._open.add(connection)
            threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as reader:
            while (line := reader.readline()) and self._exchange(connection, line, reader):
                pass
            self._open.discard(connection)
        self.closed.release()

    def _exchange(self, connection: socket.socket, line: bytes, reader: Any) -> bool:
        method, target, _ = line.decode().split(" ")
        headers: dict[str, str] = {}
        while (field_line := reader.readline().decode().strip()) != "":
            name, _, value = field_line.partition(":")
            headers[name.lower()] = value.strip()
        assert "host" in headers
        body = reader.read(int(headers.get("content-length", 0)))
        assert not body or headers["content-type"] == "application/json"
        with self._acting:
            self.requests.append((method, target, json.loads(body) if body else None))
            fault = self.faults.pop(0) if self.faults else Fault(acts=True)
        status, more, answer = fault.reply or (503, {}, None)
        if fault.acts:
            with self._acting:
                status, more, answer = self._act(method, target, json.loads(body or b"null"))
        try:
            connection.sendall(encode(status, more, answer)[: fault.sent_bytes])
        except OSError:
            return False  # The client has gone.
        return not fault.closes

    def _act(self, method: str, target: str, body: Any) -> tuple[int, dict[str, str], Any]:
        path = target.partition("?")[0]
        if (method, path) == ("POST", "/v1/tasks"):
            return 200, {}, self._enqueue(body)
        if (method, path) == ("POST", "/v1/tasks/bulk"):
            return 200, {}, {"tasks": [self._enqueue(spec) for spec in body["tasks"]]}
        if (method, path) == ("GET", "/v1/tasks"):
            cursor = re.search(r"cursor=(\w+)", target)
            return 200, {}, self.pages[cursor and cursor[1]]
        if path == "/v1/stats":
            return 200, {}, {"queues": []}
        if path.startswith("/v1/queues/") or path.endswith(("/priority", "/explain")):
            return 200, {}, {"sentence": "is about to start"}
        task_id, verb = re.fullmatch(r"/v1/tasks/(\d+)(?:/(\w+))?", path).groups()  # type: ignore[union-attr]
        if verb == "logs":
            return 200, {}, self.log
        if verb is not None:
            return 200, {}, {"id": int(task_id), "outcome": {"cancel": "cancelled", "retry": "available"}[verb]}
        return 200, {}, self._look(self.tasks[int(task_id)], target)

    def _enqueue(self, spec: Any) -> dict[str, Any]:
        for task in self.tasks.values():
            if task["name"] == spec["name"]:
                return {"id": task["id"], "existing": True}
        task_id = len(self.tasks) + 1
        final = {"result": {"of": spec["args"]}, "spent": {"tokens": 3}, "attempts": []}
        self.tasks[task_id] = {**TASK, **final, "id": task_id, "kind": spec["kind"], "name": spec["name"]}
        return {"id": task_id, "existing": False}

    def _look(self, task: dict[str, Any], target: str) -> dict[str, Any]:
        if self.looks_until_final > 0:
            self.looks_until_final -= 1
            waited = re.search(r"wait=(\d+)ms", target)
            self.clock.now += int(waited[1]) / 1000 if waited else 0.0
            return {**task, "state": "running"}
        return {**task, "state": "completed"} if task["state"] == "available" else task


def encode(status: int, headers: dict[str, str], body: Any) -> bytes:
    head = f"HTTP/1.1 {status} X\r\n" + "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    if isinstance(body, tuple):
        chunks = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in (*body, b""))
        return head.encode() + b"transfer-encoding: chunked\r\n\r\n" + chunks
    text = json.dumps(body).encode() + b"\n"
    return head.encode() + b"content-length: %d\r\n\r\n" % len(text) + text

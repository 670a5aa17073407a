"""Whole conversations with a supervisor, as generators: they yield what shall be done and are sent what came of it.

The sync and the async client drive the same ones. Time comes from the clock that is handed in.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeVar

from .. import client_errors as errors
from ..client_types import Enqueued, Task, TaskInfo
from . import answers, requests
from .answers import Answer
from .requests import Request
from .retry import Lost, after

T = TypeVar("T")

#: One request for the end of a task, at most; the supervisor's limit is twice this.
WAIT_SLICE_S = 30.0
#: The pause after a task that had not ended was answered before the time, as a supervisor does that stops.
EARLY_ANSWER_PAUSE_S = 0.1
#: A line of a log, at most; the supervisor's are far shorter.
LOG_LINE_BYTES_MAX = 1024 * 1024


class Stream(Protocol):
    """An answer that is still arriving. Opaque here, but for the end."""

    def close(self) -> None: ...


@dataclass(frozen=True)
class Ask:
    """Send a request; the reply is an `Answer` or `Lost`."""

    request: Request


@dataclass(frozen=True)
class Open:
    """Send a request; the reply is the `Stream` of a good answer, an `Answer` with another status, or `Lost`."""

    request: Request


@dataclass(frozen=True)
class More:
    """Read on; the reply is bytes, empty at the end, or `Lost`."""

    stream: Any


@dataclass(frozen=True)
class Pause:
    """Let time pass; there is no reply."""

    seconds: float


@dataclass(frozen=True)
class Give:
    """Hand a value to whoever iterates; there is no reply."""

    value: Any


Step = Ask | Open | More | Pause | Give
Talk = Generator[Step, Any, T]
Clock = Callable[[], float]


@dataclass(frozen=True)
class Patience:
    """How long each request is tried, by which clock."""

    clock: Clock
    retry_for_s: float

    def ask(self, request: Request, send: type[Ask] | type[Open] = Ask, until: float = float("inf")) -> Talk[Any]:
        """The good answer (a `Stream` for `Open`). Tries until `retry_for_s` is over or `until` has come."""
        now = self.clock()
        give_up_at = min(until, now + self.retry_for_s)
        failures = 0
        while True:
            reply = yield send(replace(request, wait_s=max(0.0, min(request.wait_s, until - now))))
            if not isinstance(reply, (Answer, Lost)):
                return reply
            now = self.clock()
            decided = after(request, reply, failures, give_up_at - now)
            if isinstance(decided, errors.ClientError):
                raise decided
            if isinstance(decided, Answer):
                return decided
            yield Pause(decided)
            now = self.clock()
            failures += 1


def one(patience: Patience, request: Request, reader: Callable[[Any], T]) -> Talk[T]:
    """A request and the value of its answer."""
    answer = yield from patience.ask(request)
    return answers.read(answer, reader)


def enqueue(patience: Patience, task: Task, new_name: Callable[[], str]) -> Talk[Enqueued]:
    name = new_name() if task.name is None else task.name
    request = requests.enqueue(requests.spec_json(task, name))
    return (yield from one(patience, request, answers.read_enqueued(name)))


def bulk(
    patience: Patience, given: Sequence[Task | Mapping[str, Any]], new_name: Callable[[], str]
) -> Talk[list[Enqueued]]:
    """Each slice is all or nothing. Every task is spelled out before the first slice is sent."""
    names: list[str] = []
    specs: list[bytes] = []
    for index, one_given in enumerate(given):
        try:
            task = requests.as_task(one_given)
            names.append(new_name() if task.name is None else task.name)
            specs.append(requests.spec_json(task, names[-1]))
        except errors.Refused as error:
            error.index = index
            raise
    added: list[Enqueued] = []
    for cut in requests.slices([len(spec) for spec in specs]):
        request = requests.bulk(specs[cut.start : cut.stop])
        try:
            added += yield from one(patience, request, answers.read_bulk(names[cut.start : cut.stop]))
        except errors.ClientError as error:
            error.added = tuple(added)
            error.index = None if error.index is None else error.index + cut.start
            raise
    return added


def wait(patience: Patience, task_id: int, timeout_s: float | None) -> Talk[TaskInfo]:
    """Asks in slices, so that a supervisor that goes away and comes back is only a pause."""
    until = float("inf") if timeout_s is None else patience.clock() + timeout_s
    while True:
        asked_at = patience.clock()
        slice_s = max(0.0, min(WAIT_SLICE_S, until - asked_at))
        answer = yield from patience.ask(requests.task(task_id, slice_s), until=until)
        info = answers.read(answer, answers.read_task)
        now = patience.clock()
        if info.is_final:
            return info
        if now >= until:
            hint = "wait longer, or see `supervisor show`"
            raise errors.WaitTimeout("wait_timeout", f"task {task_id} is still {info.state}", hint, info)
        if now < asked_at + slice_s:
            yield Pause(min(EARLY_ANSWER_PAUSE_S, until - now))


def result(patience: Patience, task_id: int, timeout_s: float | None) -> Talk[Any]:
    info = yield from wait(patience, task_id, timeout_s)
    if info.state == "completed":
        return info.result
    hint = f"`supervisor show {task_id}` tells every attempt"
    what = f"task {task_id} ({info.kind})"
    if info.state == "cancelled":
        raise errors.TaskCancelled("task_cancelled", f"{what} was cancelled", hint, info)
    last = f": {info.attempts[-1].detail}" if info.attempts and info.attempts[-1].detail else ""
    raise errors.TaskFailed("task_failed", f"{what} failed ({info.reason}){last}", hint, info)


def wait_all(patience: Patience, task_ids: Sequence[int], timeout_s: float | None) -> Talk[None]:
    until = None if timeout_s is None else patience.clock() + timeout_s
    for task_id in task_ids:
        left_s = None if until is None else max(0.0, until - patience.clock())
        yield Give((yield from wait(patience, task_id, left_s)))


def each(patience: Patience, filters: Mapping[str, str | None]) -> Talk[None]:
    """Follows the cursor to its end; a page may be short or empty and still have a next one."""
    cursor: str | None = None
    while True:
        tasks, after_it = yield from one(patience, requests.page(filters, cursor), answers.read_page)
        for task in tasks:
            yield Give(task)
        if after_it is None:
            return
        if after_it == cursor:
            raise errors.ClientError("unreadable", f"the page after {cursor!r} is itself", "report this defect")
        cursor = after_it


def logs(patience: Patience, task_id: int, attempt: int | None, follow: bool) -> Talk[None]:
    """Lines as they come. Only the opening is tried again: what was read cannot be told from what comes anew."""
    stream: Stream = yield from patience.ask(requests.logs(task_id, attempt, follow), Open)
    try:
        rest = b""
        while True:
            data = yield More(stream)
            if isinstance(data, Lost):
                raise errors.Unreachable("log_broken_off", data.message, "ask again; the log starts from the beginning")
            *lines, rest = (rest + data).split(b"\n")
            for line in lines if data else [*lines, rest]:
                if line.strip():
                    yield Give(answers.read_log_line(line))
            if not data:
                return
            if len(rest) > LOG_LINE_BYTES_MAX:
                raise errors.ClientError("unreadable", f"a log line is over {LOG_LINE_BYTES_MAX} bytes", "report it")
    finally:
        stream.close()

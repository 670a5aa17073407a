"""One handler run in this process, with a recorder in the place of the supervisor.

Which handler is not decided here.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from concurrent.futures import Future
from contextvars import copy_context
from dataclasses import dataclass, field, replace
from typing import Any

from . import _codec
from ._running import settled
from ._follow_ups import FollowUps
from ._handler import Done, Handler
from ._handler import Outcome as _Outcome
from ._notes import Progress
from ._stop import StopRequest, StopSign
from ._values import plain
from .client_types import Task
from .context import Context, Facts, Level
from .errors import Scope

_GRACE_S = 10.0


@dataclass
class Outcome:
    """How a run ended, and what it told."""

    result: Any = None
    """What the handler returned, after it has travelled: tuples are lists, dataclasses are dicts."""
    error: str | None = None
    """Why it failed; None when it did not."""
    retry: str | float = "default"
    """After a failure: ``"default"``, ``"never"``, or seconds."""
    scope: Scope = "task"
    """Who waits for those seconds: this task, all of its ``"key"``, or all of its ``"queue"``."""
    progress: list[Progress] = field(default_factory=list)
    spent: dict[str, int] = field(default_factory=dict)
    logs: list[tuple[Level, str]] = field(default_factory=list)
    enqueued: list[Task] = field(default_factory=list)
    """The follow-up tasks that come to be with the result, their args after they have travelled."""
    retired: bool = False
    """It asked the worker to leave."""


class _Recorder:
    """Keeps what a run tells, and may stop it at a certain point."""

    def __init__(self, stop_after_progress: int | None) -> None:
        self.told = Outcome()
        self._follow_ups = FollowUps()
        self.sign = StopSign()
        self._stop_after = stop_after_progress
        self._stop_if_due()

    def _stop_if_due(self) -> None:
        if self._stop_after is not None and len(self.told.progress) >= self._stop_after:
            self.sign.give(StopRequest("cancel", time.monotonic() + _GRACE_S))

    def _add(self, progress: Progress) -> None:
        self.told.progress.append(progress)
        self._stop_if_due()

    def progress(self, done: float, total: float | None, message: str | None) -> None:
        self._add(Progress(done, total, message))

    def note(self, message: str) -> None:
        self._add(Progress(message=message))

    def spend(self, unit: str, amount: int) -> Future[bool]:
        self.told.spent[unit] = self.told.spent.get(unit, 0) + amount
        return settled(True)

    def log(self, level: Level, text: str) -> None:
        self.told.logs.append((level, text))

    def enqueue(self, task: Task, body: dict[str, Any]) -> None:
        self._follow_ups.add(body)
        self.told.enqueued.append(replace(task, args=_unpacked(body["args"])))

    def retire(self) -> None:
        self.told.retired = True


def rehearse(
    handler: Handler, args: Mapping[str, Any], attempt: int = 1, stop_after_progress: int | None = None
) -> Outcome:
    """Runs a handler, sync or async, to its end."""
    if handler.is_async:
        return asyncio.run(rehearse_async(handler, args, attempt, stop_after_progress))
    recorder = _Recorder(stop_after_progress)
    outcome = copy_context().run(handler.run, _context(handler, attempt, recorder), _packed(handler, args))
    return _told(recorder, outcome)


async def rehearse_async(
    handler: Handler, args: Mapping[str, Any], attempt: int = 1, stop_after_progress: int | None = None
) -> Outcome:
    """Runs an async handler to its end, in a task of its own."""
    recorder = _Recorder(stop_after_progress)
    outcome: asyncio.Future[_Outcome] = asyncio.get_running_loop().create_future()
    handler.start(_context(handler, attempt, recorder), _packed(handler, args), recorder.sign, outcome.set_result)
    return _told(recorder, await outcome)


def _context(handler: Handler, attempt: int, recorder: _Recorder) -> Context:
    return Context(Facts(1, attempt, handler.kind, attempt, "test:1", None), recorder.sign, recorder)


def _packed(handler: Handler, args: Mapping[str, Any]) -> bytes:
    return _codec.encode(plain(handler.arguments.given(args), "args", 0))


def _unpacked(payload: bytes) -> Any:
    return _codec.decode(payload) if payload else None


def _told(recorder: _Recorder, outcome: _Outcome) -> Outcome:
    told = recorder.told
    if isinstance(outcome, Done):
        told.result = _unpacked(outcome.result)
        return told
    told.enqueued.clear()
    told.error = outcome.error
    told.scope = outcome.scope
    told.retry = outcome.retry["after_ms"] / 1_000 if isinstance(outcome.retry, dict) else outcome.retry
    return told

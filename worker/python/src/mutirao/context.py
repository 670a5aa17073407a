"""What a handler is given: facts about its run, the wish that it stop, and ways to tell how it goes.

Decides nothing.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import math
import time
from collections.abc import Generator, Mapping
from contextvars import ContextVar
from typing import Any, Literal, NamedTuple, Protocol

from ._duration import Delay
from ._follow_ups import spelled
from ._names import check_name
from ._notes import AMOUNT_MAX
from ._stop import StopRequest, StopSign
from ._text import clip
from .client_types import Task
from .errors import Stopped

LOG_MAX_BYTES = 8 * 1024
"""One line of the log; the rest is cut off."""

Level = Literal["debug", "info", "warn", "error"]


class Facts(NamedTuple):
    """What is known of a run when it starts."""

    task: int
    epoch: int
    kind: str
    attempt: int
    effect_key: str
    deadline: float | None
    """On the clock of ``time.monotonic()``, in seconds; None means no limit."""


class Outlet(Protocol):
    """Where what a run tells goes. Nothing happens once the run is answered."""

    def progress(self, done: float, total: float | None, message: str | None) -> None: ...
    def note(self, message: str) -> None: ...
    def spend(self, unit: str, amount: int) -> concurrent.futures.Future[bool]: ...
    def log(self, level: Level, text: str) -> None: ...
    def enqueue(self, task: Task, body: dict[str, Any]) -> None: ...
    def retire(self) -> None: ...


class Receipt:
    """Proof that what was spent is stored, once it is. Wait for it before the next step that costs; or do not wait at
    all: a run is not answered before everything that it spent is stored.
    """

    def __init__(self, stored: concurrent.futures.Future[bool]) -> None:
        self._stored = stored

    def wait(self, timeout: float | None = None) -> bool:
        """Waits at most ``timeout`` seconds (None: as long as it takes). True when it is on the disk; false when time
        ran out, or nobody is left to store it.
        """
        try:
            return self._stored.result(timeout)
        except concurrent.futures.TimeoutError:
            return False

    def __await__(self) -> Generator[Any, None, bool]:
        # Shielded: one receipt may stand for several calls of `spend`, and a cancelled one must not take the rest
        # along.
        return asyncio.shield(asyncio.wrap_future(self._stored)).__await__()


class Context:
    """One run of one task, as its handler sees it.

    Every method may be called from any thread, also after the run's end.
    """

    def __init__(self, facts: Facts, sign: StopSign, outlet: Outlet) -> None:
        self._facts = facts
        self._sign = sign
        self._outlet = outlet

    @property
    def task(self) -> int:
        """The task's number."""
        return self._facts.task

    @property
    def epoch(self) -> int:
        """Counts the leases of the task: what a service outside needs to refuse a run that was replaced."""
        return self._facts.epoch

    @property
    def attempt(self) -> int:
        """1 in the first run."""
        return self._facts.attempt

    @property
    def kind(self) -> str:
        """The kind that the task was enqueued as."""
        return self._facts.kind

    @property
    def effect_key(self) -> str:
        """The same in all runs of a task: send it along with effects outside, so that they happen once."""
        return self._facts.effect_key

    def time_left(self) -> float | None:
        """Seconds until the run is stopped, 0 or more; None means no limit."""
        deadline = self._facts.deadline
        return None if deadline is None else max(0.0, deadline - time.monotonic())

    def progress(self, done: float, total: float | None = None, message: str | None = None) -> None:
        """How far the run is, in units of its own, such as 3 of 10. The last word of each 100 ms is sent.

        Without ``message`` the last one stays; it is cut off at 1 KiB. Raises ``ValueError`` for what is no finite
        number.
        """
        self._outlet.progress(_finite("done", done), None if total is None else _finite("total", total), message)

    def note(self, message: str) -> None:
        """What the run is doing, in one line of at most 1 KiB. Numbers of ``progress`` stay as they are."""
        self._outlet.note(message)

    def spend(self, unit: str, amount: int) -> Receipt:
        """Adds ``amount`` (0 to 2**53) of ``unit`` (a name such as ``tokens``) to what the task has cost.

        Raises ``ValueError`` for another unit or amount, ``OverflowError`` when over 1,024 units wait to be stored.
        """
        check_name("unit", unit)
        if not isinstance(amount, int) or isinstance(amount, bool) or not 0 <= amount <= AMOUNT_MAX:
            raise ValueError(f"amount {amount!r} of {unit}: must be an integer from 0 to 2**53")
        return Receipt(self._outlet.spend(unit, amount))

    def enqueue(
        self,
        kind: str,
        args: Any = None,
        *,
        name: str | None = None,
        queue: str | None = None,
        priority: int | str | None = None,
        delay: Delay | None = None,
        timeout: Delay | None = None,
        max_attempts: int | None = None,
        max_crashes: int | None = None,
        key: str | None = None,
        cost: Mapping[str, int] | None = None,
        budget: Mapping[str, int] | None = None,
    ) -> None:
        """Adds a follow-up task: it comes to be in the very moment in which the result of this run is stored, or, when
        the run does not end well, not at all. The fields are those of ``Task``, a bare duration is in seconds; ``args``
        are what results are made of.

        Raises ``ValueError`` for a field that is illegal, for more than 1,000 tasks, and for more than 1 MiB of args in
        all. A handler that lets it pass has failed for good.
        """
        task = Task(kind, args, name, queue, priority, delay, timeout, max_attempts, max_crashes, key, cost, budget)
        self._outlet.enqueue(task, spelled(task))

    def retire(self) -> None:
        """Has the worker leave by itself once this run is answered, for example because it has grown too large. The
        supervisor starts another when there is work.
        """
        self._outlet.retire()

    def log(self, level: Level, text: str) -> None:
        """Writes a line to the log of the run, cut off at 8 KiB.

        ``level``: ``debug``, ``info``, ``warn`` or ``error``.
        """
        self._outlet.log(level, clip(text, LOG_MAX_BYTES))

    def debug(self, text: str) -> None:
        self.log("debug", text)

    def info(self, text: str) -> None:
        self.log("info", text)

    def warning(self, text: str) -> None:
        self.log("warn", text)

    def error(self, text: str) -> None:
        self.log("error", text)

    @property
    def stop(self) -> StopRequest | None:
        """Why the run shall stop, and when the process is killed; None while it may go on."""
        return self._sign.order

    @property
    def stopping(self) -> bool:
        """True once the run shall stop: save what is needed and return, or call ``check``."""
        return self._sign.order is not None

    def check(self) -> None:
        """Raises ``Stopped`` once the run shall stop. For sync handlers; async ones are cancelled."""
        order = self._sign.order
        if order is not None:
            raise Stopped(order.reason)

    def wait_stop(self, timeout: float | None = None) -> StopRequest | None:
        """Sleeps for ``timeout`` seconds (None: for ever), or until the run shall stop, and says why.

        For sync handlers.
        """
        return self._sign.wait(timeout)


_CURRENT: ContextVar[Context | None] = ContextVar("mutirao_context", default=None)


def current() -> Context | None:
    """The context of the run that this code is a part of; None outside of any.

    Known in tasks of asyncio, and in threads that are started with ``contextvars.copy_context().run``.
    """
    return _CURRENT.get()


def enter(context: Context) -> None:
    """Makes a context the current one, for the rest of this ``contextvars`` context."""
    _CURRENT.set(context)


def _finite(name: str, value: float) -> float:
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"{name} {value!r}: must be a finite number")
    return number

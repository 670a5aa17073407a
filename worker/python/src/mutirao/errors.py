"""The exceptions of a worker: those that a handler raises, and those that say what is wrong.

No input or output here.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Literal, get_args

from ._duration import Delay, delay_ms


Scope = Literal["task", "key", "queue"]


class WorkerError(Exception):
    """A worker put together wrongly: an illegal kind, two handlers of one kind, a handler that cannot be called."""


class Retry(Exception):
    """Raised by a handler: the run failed, and the task is tried again as it is configured. The message is for people;
    unlike with other exceptions there is no traceback.
    """


class RetryAfter(Retry):
    """Raised by a handler: the run failed, and the task is not tried again before ``delay`` from now.

    ``delay`` is in seconds, or a ``timedelta``, or a text such as ``"30s"``, ``"1h30m"`` or ``"500ms"``; 0 or more,
    precision 1 ms. ``scope`` says who waits: ``"task"``, this one; ``"key"``, all tasks of its key; ``"queue"``, all of
    its queue, for a service that says "too many requests". Raises ``ValueError`` for anything else.
    """

    def __init__(self, delay: Delay, message: str = "", *, scope: Scope = "task") -> None:
        self.delay_ms = delay_ms(delay)
        if scope not in get_args(Scope):
            raise ValueError(f"scope {scope!r:.80}: must be one of {', '.join(get_args(Scope))}")
        self.scope = scope
        super().__init__(message or f"try again after {timedelta(milliseconds=self.delay_ms).total_seconds():g} s")


class Fail(Exception):
    """Raised by a handler: the task has failed for good and is never tried again. The message is for people."""


class Stopped(BaseException):
    """Raised in a handler that shall stop: let it pass, and release what you hold in ``finally``.

    Not an ``Exception``, so that ``except Exception`` does not swallow it.
    """

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(f"stopped: {reason}")


class ContractError(Exception):
    """Bytes that are not the contract. ``kind`` is a name of section 5 of its specification."""

    def __init__(self, kind: str, sentence: str) -> None:
        self.kind = kind
        super().__init__(sentence)


class ChannelError(Exception):
    """The channel to the supervisor cannot be read or written."""

"""The order to stop one run, and where it arrives. What a handler does about it is not decided here."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple

from ._bell import Bell


class StopRequest(NamedTuple):
    """A run shall stop."""

    reason: str
    """``cancel``, ``timeout``, ``shutdown``, ``scaling``, ``recycling``, ``reload``, ``sibling``, ``budget``,
    ``memory``, or a later word."""
    deadline: float
    """When the process is killed, on the clock of ``time.monotonic()``, in seconds."""


class StopSign:
    """Where the order arrives. Only the first one counts: a later one cannot take back what was begun.

    Without a lock: whoever gives the order may hold one that a finalizer wants on a thread that waits here.
    """

    def __init__(self) -> None:
        self._order: StopRequest | None = None
        self._listeners: deque[Callable[[], object]] = deque()

    @property
    def order(self) -> StopRequest | None:
        return self._order

    def give(self, order: StopRequest) -> None:
        """One caller at a time."""
        if self._order is None:
            self._order = order
            self._tell()

    def listen(self, listener: Callable[[], object]) -> None:
        """Calls ``listener`` once the order is there, from the thread that brings it; at once when it already is."""
        self._listeners.append(listener)
        if self._order is not None:
            self._tell()

    def _tell(self) -> None:
        while True:
            try:
                listener = self._listeners.popleft()
            except IndexError:
                return
            listener()

    def wait(self, at_most_s: float | None) -> StopRequest | None:
        bell = Bell()
        self.listen(bell.ring)
        try:
            bell.wait(at_most_s)
        finally:
            with suppress(ValueError):
                self._listeners.remove(bell.ring)
        return self._order

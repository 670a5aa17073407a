"""The order to stop one run, and where it arrives. What a handler does about it is not decided here."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import NamedTuple


class StopRequest(NamedTuple):
    """A run shall stop."""

    reason: str
    """``cancel``, ``timeout``, ``shutdown``, ``scaling``, ``recycling``, ``reload``, ``sibling``, ``budget``,
    ``memory``, or a later word."""
    deadline: float
    """When the process is killed, on the clock of ``time.monotonic()``, in seconds."""


class StopSign:
    """Where the order arrives. Only the first one counts: a later one cannot take back what was begun."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._raised = threading.Event()
        self._order: StopRequest | None = None
        self._listener: Callable[[], object] | None = None

    @property
    def order(self) -> StopRequest | None:
        return self._order

    def give(self, order: StopRequest) -> None:
        with self._lock:
            if self._order is not None:
                return
            self._order, listener = order, self._listener
        self._raised.set()
        if listener is not None:
            listener()

    def listen(self, listener: Callable[[], object]) -> None:
        """Calls ``listener`` once the order is there, from the thread that brings it; at once when it already is."""
        with self._lock:
            if self._order is None:
                self._listener = listener
                return
        listener()

    def wait(self, at_most_s: float | None) -> StopRequest | None:
        self._raised.wait(at_most_s)
        return self._order

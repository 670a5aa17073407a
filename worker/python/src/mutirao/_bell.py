"""A bell that wakes one thread. It may be rung by signal handlers and finalizers: no lock is held here."""

from __future__ import annotations

from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import TIMEOUT_MAX


class Bell:
    """Rung before or while somebody waits, it ends one wait. Rings that nobody heard become one."""

    def __init__(self) -> None:
        # Unlike conditions and events, this may be used anew by what has interrupted its use.
        self._rings: SimpleQueue[None] = SimpleQueue()
        self._is_rung = False

    def ring(self) -> None:
        if not self._is_rung:
            self._is_rung = True
            self._rings.put(None)

    def wait(self, at_most_s: float | None = None) -> None:
        """Waits until it is rung; None means as long as it takes."""
        with suppress(Empty):
            self._rings.get(timeout=None if at_most_s is None else min(max(0.0, at_most_s), TIMEOUT_MAX))
            self._is_rung = False

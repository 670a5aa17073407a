"""Signals of the process: SIGTERM becomes ``Stopped`` in a sync handler on the main thread, never within this library.

SIGINT is for the supervisor alone: one Ctrl-C in a terminal reaches every process.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from .context import Context
from .errors import Stopped

NUDGES = 10
NUDGE_INTERVAL_MS = 20

_WAKEUP_CHUNK_BYTES = 64


class Interrupts:
    """Made on the main thread. ``ring`` is called in the signal handler, and must be fit for that."""

    def __init__(self, ring: Callable[[], None]) -> None:
        self._ring = ring
        self._main = threading.get_ident()
        self._armed: Context | None = None
        self._shields = 0
        self._is_due = False
        self.terminated = False
        self.reason = "terminated"

    def install(self) -> None:
        """From here on both signals come here; in processes that are forked from this one they are as they were."""
        before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
        signal.signal(signal.SIGTERM, lambda number, frame: self._terminate())
        # Not SIG_IGN, which programs that are started from here would inherit.
        signal.signal(signal.SIGINT, lambda number, frame: None)
        come, wakeup = os.pipe()
        os.set_blocking(wakeup, False)
        signal.set_wakeup_fd(wakeup, warn_on_full_buffer=False)
        threading.Thread(target=self._insist, args=(come,), name="mutirao-signals", daemon=True).start()

        def restore() -> None:
            # Whichever thread has forked is the main one of the new process.
            signal.set_wakeup_fd(-1)
            for number, handler in before.items():
                signal.signal(number, handler or signal.SIG_DFL)

        os.register_at_fork(after_in_child=restore)

    def _insist(self, come: int) -> None:
        """A signal that comes just before the main thread begins to wait for a lock does not end the wait. SIGINT,
        which means nothing here, ends it.
        """
        while numbers := os.read(come, _WAKEUP_CHUNK_BYTES):
            for _ in range(NUDGES if signal.SIGTERM in numbers else 0):
                time.sleep(NUDGE_INTERVAL_MS / 1_000)
                signal.pthread_kill(self._main, signal.SIGINT)

    @contextmanager
    def armed(self, context: Context) -> Iterator[None]:
        """Around a sync handler on the main thread: the only time at which a signal raises."""
        self._is_due = False
        self._armed = context
        try:
            yield
        finally:
            self._armed = None

    @contextmanager
    def shield(self) -> Iterator[None]:
        """Around code of this library that a handler calls: half a frame or half a change must not be left behind."""
        if threading.get_ident() != self._main:
            yield
            return
        self._shields += 1
        try:
            yield
        finally:
            self._shields -= 1
        if self._is_due and not self._shields:
            self._raise()

    def _terminate(self) -> None:
        if self._armed is None or not self._armed.stopping:
            # Not a part of the stop of the run that is here, so it means the worker.
            self.terminated = True
            self._ring()
        if self._shields:
            self._is_due = True
        else:
            self._raise()

    def _raise(self) -> None:
        context, self._armed, self._is_due = self._armed, None, False
        if context is not None:
            raise Stopped(context.stop.reason if context.stop else self.reason)

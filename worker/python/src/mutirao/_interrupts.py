"""Signals of the process: SIGTERM becomes ``Stopped`` in a sync handler on the main thread, never within this library.

What a SIGTERM means is decided by the thread that reads the channel: what was sent before it counts before it. SIGINT
is for the supervisor alone: one Ctrl-C in a terminal reaches every process. Here it only wakes the main thread.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from .context import Context

NUDGES = 10
NUDGE_INTERVAL_MS = 20

_WAKEUP_CHUNK_BYTES = 64


class Interrupts:
    """Made on the main thread. ``come`` can be read once SIGTERM has come."""

    def __init__(self) -> None:
        self._main = threading.get_ident()
        self._armed: Context | None = None
        self._due: Context | None = None
        self._shields = 0
        self.come, self._came = _pipe()
        self._nudge, self._wakeup = _pipe()

    def install(self) -> None:
        """From here on both signals come here; in processes that are forked from this one they are as they were."""
        before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
        signal.signal(signal.SIGTERM, lambda number, frame: _put(self._came))
        # Not SIG_IGN, which programs that are started from here would inherit.
        signal.signal(signal.SIGINT, lambda number, frame: self._raise_if_due())
        signal.set_wakeup_fd(self._wakeup, warn_on_full_buffer=False)
        threading.Thread(target=self._insist, name="mutirao-signals", daemon=True).start()

        def restore() -> None:
            # Whichever thread has forked is the main one of the new process.
            signal.set_wakeup_fd(-1)
            for number, handler in before.items():
                signal.signal(number, handler or signal.SIG_DFL)

        os.register_at_fork(after_in_child=restore)

    def take(self) -> None:
        """Waits for one SIGTERM, or takes the one that has come."""
        os.read(self.come, 1)

    def press(self) -> None:
        """Raises ``Stopped`` in the handler on the main thread, if its run shall stop."""
        context = self._armed
        if context is not None and context.stopping:
            self._due = context
            _put(self._wakeup)

    def _insist(self) -> None:
        """A signal that comes just before the main thread begins to wait for a lock does not end the wait. SIGINT ends
        it, in one of several tries.
        """
        while numbers := os.read(self._nudge, _WAKEUP_CHUNK_BYTES):
            for _ in range(NUDGES if signal.SIGTERM in numbers else 0):
                signal.pthread_kill(self._main, signal.SIGINT)
                time.sleep(NUDGE_INTERVAL_MS / 1_000)

    @contextmanager
    def armed(self, context: Context) -> Iterator[None]:
        """Around a sync handler on the main thread: the only time at which a signal raises."""
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
        self._raise_if_due()

    def _raise_if_due(self) -> None:
        context = self._armed
        if context is not None and context is self._due and not self._shields:
            self._armed = None
            context.check()


def _pipe() -> tuple[int, int]:
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    return reader, writer


def _put(writer: int) -> None:
    # A full pipe has said it often enough.
    with suppress(BlockingIOError):
        os.write(writer, bytes([signal.SIGTERM]))

"""What a worker may say while it prepares itself: that it goes on, and lines for its own log.

When the preparation runs is not decided here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from ._text import clip
from .context import LOG_MAX_BYTES, Level


class StartupOutlet(Protocol):
    """Where what a worker tells of its start goes."""

    def booting(self) -> None: ...
    def log(self, ref: None, level: Level, text: str) -> None: ...


class Startup:
    """The argument of what ``Worker.on_start`` has made a part of the start. May be used from any thread."""

    def __init__(self, outlet: StartupOutlet) -> None:
        self._outlet = outlet

    def booting(self) -> None:
        """Says "still starting", which gives the worker 10 s more (by default) until it must be ready.

        Once it is ready this does nothing.
        """
        self._outlet.booting()

    def log(self, level: Level, text: str) -> None:
        """Writes a line to the log of the worker, cut off at 8 KiB.

        ``level``: ``debug``, ``info``, ``warn`` or ``error``.
        """
        self._outlet.log(None, level, clip(text, LOG_MAX_BYTES))


Preparation = Callable[[Startup], Any]

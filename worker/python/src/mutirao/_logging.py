"""The bridge from ``logging`` to the log of the task.

What a line looks like is decided here, where it goes by the post.
"""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable

from ._messages import RunRef
from ._text import clip
from .context import LOG_MAX_BYTES, Level, current

Send = Callable[[RunRef | None, Level, str], None]

_FORMAT = "%(name)s: %(message)s"
_BUSY = threading.local()


class LogHandler(logging.Handler):
    """Sends each record as a line of the run that it was logged in, or of the worker."""

    def __init__(self, send: Send) -> None:
        super().__init__()
        self._send = send

    def handle(self, record: logging.LogRecord) -> bool:
        """Without the handler's lock: a finalizer that logs within the post would wait for a thread that has that lock
        and waits for the post.
        """
        passed = self.filter(record)
        if passed:
            self.emit(passed if isinstance(passed, logging.LogRecord) else record)
        return bool(passed)

    def emit(self, record: logging.LogRecord) -> None:
        if getattr(_BUSY, "is_formatting", False):
            # Logged by what is being formatted: going on would not end.
            return
        try:
            # Not before the `try`: a signal may end it anywhere.
            _BUSY.is_formatting = True
            text = self.format(record)
        except Exception as error:
            place = f"{record.pathname}:{record.lineno}"
            text = f"{record.name}: a record from {place} cannot be formatted ({type(error).__name__})"
        finally:
            _BUSY.is_formatting = False
        context = current()
        run = RunRef(context.task, context.epoch) if context else None
        self._send(run, level_of(record.levelno), clip(text, LOG_MAX_BYTES))


def level_of(levelno: int) -> Level:
    if levelno >= logging.ERROR:
        return "error"
    if levelno >= logging.WARNING:
        return "warn"
    return "info" if levelno >= logging.INFO else "debug"


def install(send: Send) -> None:
    """Adds the handler to the root logger. It takes the place of handlers that print there, and keeps their format;
    without any, nobody has set logging up, and the level becomes INFO.
    """
    root = logging.getLogger()
    printing = [handler for handler in root.handlers if getattr(handler, "stream", None) in (sys.stdout, sys.stderr)]
    handler = LogHandler(send)
    handler.setFormatter(printing[0].formatter if printing else logging.Formatter(_FORMAT))
    for other in printing:
        root.removeHandler(other)
    if not root.handlers and not printing and root.level == logging.WARNING:
        root.setLevel(logging.INFO)
    root.addHandler(handler)

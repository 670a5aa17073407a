"""What people read: the streams of the process, beside the channel. They may be closed, replaced or read by nobody."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import NoReturn


def print_whole(line: str) -> None:
    """Prints a line to stderr in one piece; nothing happens when nobody is left to read it."""
    with suppress(OSError):
        os.write(2, f"{line}\n".encode("utf-8", "backslashreplace"))


def leave(code: int, sentence: str) -> NoReturn:
    """Ends the process at once, from any thread: whoever would take an answer is gone."""
    if sentence:
        print_whole(sentence)
    os._exit(code)


def flush() -> None:
    """What a run has printed without a newline must not wait for the next run.

    What C libraries hold back is theirs to flush, with ``fflush``.
    """
    for name in ("stdout", "stderr"):
        # Whatever a handler has put in its place.
        with suppress(BaseException):
            getattr(sys, name).flush()

"""A traceback for the author of a handler: the frames of this library are left out, and of much text the end is kept.

Pure.
"""

from __future__ import annotations

import traceback
from pathlib import Path

from ._text import clip_tail

ERROR_MAX_BYTES = 8 * 1024
"""The text of a failure. Its end names the exception."""

_PACKAGE = str(Path(__file__).parent)
_SAMPLES = str(Path(__file__).with_name("samples.py"))


def traceback_text(error: BaseException) -> str:
    """The last 8 KiB of the traceback."""
    told = traceback.TracebackException.from_exception(error)
    _leave_out_own_frames(told)
    return clip_tail("".join(told.format()).rstrip("\n"), ERROR_MAX_BYTES)


def _leave_out_own_frames(told: traceback.TracebackException | None) -> None:
    open_ends = [told]
    while open_ends:
        one = open_ends.pop()
        if one is not None:
            one.stack = traceback.StackSummary.from_list([frame for frame in one.stack if not _is_own(frame.filename)])
            open_ends += [one.__cause__, one.__context__, *(getattr(one, "exceptions", None) or ())]


def _is_own(filename: str) -> bool:
    return filename.startswith(_PACKAGE) and filename != _SAMPLES

"""The sample worker: the handlers that the contract's checker expects of every library.

``python3 -m mutirao.samples``.
"""

from __future__ import annotations

import os
import signal as signals
import subprocess
import sys
import threading
from typing import Any, Literal, TypedDict

from . import Context, Fail, RetryAfter, Worker

app = Worker()


class After(TypedDict):
    """When a failed run may be tried again."""

    after_ms: int


@app.task
def echo(**args: Any) -> dict[str, Any]:
    """Returns its args."""
    return args


@app.task
def noop(**args: Any) -> None:
    """Does nothing, whatever it is given."""


@app.task
def sleep(cx: Context, ms: int) -> int:
    """Sleeps and returns for how long; told to stop, it fails at once."""
    order = cx.wait_stop(ms / 1_000)
    if order is not None:
        raise RuntimeError(f"told to stop while asleep ({order.reason})")
    return ms


@app.task
def fail(error: str = "failed, as asked", retry: Literal["default", "never"] | After = "default") -> None:
    """Fails, to be tried again as asked."""
    if retry == "never":
        raise Fail(error)
    if isinstance(retry, dict):
        raise RetryAfter(retry["after_ms"] / 1_000, error)
    raise RuntimeError(error)


@app.task("print")
def print_lines(
    text: str = "hello",
    lines: int = 1,
    to: Literal["stdout", "stderr", "both"] = "both",
    # `from` is no name that a parameter can have.
    **source: Literal["handler", "thread", "child"],
) -> int:
    """Prints the lines to each place and returns how many lines that were in all."""
    places = ["stdout", "stderr"] if to == "both" else [to]
    from_place = source.get("from", "handler")
    for _ in range(lines):
        for place in places:
            _PRINTERS[from_place](text, place)
    return lines * len(places)


def _print(text: str, place: str) -> None:
    print(text, file=sys.stdout if place == "stdout" else sys.stderr, flush=True)


def _print_in_thread(text: str, place: str) -> None:
    thread = threading.Thread(target=_print, args=(text, place))
    thread.start()
    thread.join()


def _print_by_child(text: str, place: str) -> None:
    script = 'echo "$0"' if place == "stdout" else 'echo "$0" >&2'
    subprocess.run(["sh", "-c", script, text], check=True)


_PRINTERS = {"handler": _print, "thread": _print_in_thread, "child": _print_by_child}


@app.task
def crash(cx: Context, signal: int | None = None, exit: int | None = None, on_attempt: int | None = None) -> int:
    """Takes the worker down: by a signal (SIGSEGV), or an exit. ``on_attempt`` is the only attempt that does; the
    others return their number.
    """
    if on_attempt is None or on_attempt == cx.attempt:
        print(f"crashing on attempt {cx.attempt}, as asked", file=sys.stderr, flush=True)
        if exit is not None:
            os._exit(exit)
        number = signals.SIGSEGV if signal is None else signal
        if number not in (signals.SIGKILL, signals.SIGSTOP):
            # Python has a handler of its own for some, which would swallow the signal.
            signals.signal(number, signals.SIG_DFL)
        os.kill(os.getpid(), number)
    return cx.attempt


if __name__ == "__main__":
    app.run()

"""The sample worker: the handlers that the contract's checker expects of every library.

``python3 -m mutirao.samples``.
"""

from __future__ import annotations

import os
import signal as signals
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Literal, TypedDict

from . import Context, Fail, Retry, RetryAfter, Startup, Stopped, Worker

app = Worker()
BOOTING_TIMES = int(os.environ.get("SAMPLE_BOOTING", "0"))
CONCURRENCY = int(os.environ.get("SAMPLE_CONCURRENCY", "1"))


@app.on_start
def prepare(startup: Startup) -> None:
    """Takes its time when it is told to."""
    for _ in range(BOOTING_TIMES):
        startup.booting()
    if BOOTING_TIMES:
        startup.log("info", "prepared")


class After(TypedDict):
    """When a failed run may be tried again."""

    after_ms: int


@app.task(whole=True)
def echo(value: Any) -> Any:
    """Returns its args, whatever they are."""
    return value


@app.task(whole=True)
def noop(value: Any) -> None:
    """Does nothing, whatever it is given."""


@app.task
def sleep(cx: Context, ms: int) -> int:
    """Sleeps and returns for how long; told to stop, it fails at once."""
    order = cx.wait_stop(ms / 1_000)
    if order is not None:
        raise Retry(f"told to stop while asleep ({order.reason})")
    return ms


@app.task
def stubborn(ms: int) -> int:
    """Sleeps and returns for how long, whatever it is told."""
    until = time.monotonic() + ms / 1_000
    try:
        _sleep_until(until)
    except Stopped:
        # A signal raises it once.
        _sleep_until(until)
    return ms


def _sleep_until(until: float) -> None:
    while (left_s := until - time.monotonic()) > 0:
        time.sleep(min(left_s, threading.TIMEOUT_MAX))


@app.task
def busy(ms: int) -> int:
    """Computes for so long, and never waits."""
    until = time.monotonic() + ms / 1_000
    while time.monotonic() < until:
        pass
    return ms


@app.task
def fail(
    error: str = "failed, as asked",
    retry: Literal["default", "never"] | After = "default",
    scope: Literal["task", "key", "queue"] = "task",
) -> None:
    """Fails, to be tried again as asked."""
    if retry == "never":
        raise Fail(error)
    if isinstance(retry, dict):
        raise RetryAfter(timedelta(milliseconds=retry["after_ms"]), error, scope=scope)
    raise Retry(error)


@app.task("raise")
def raise_error(error: str = "raised, as asked") -> None:
    """Raises what nobody catches."""
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


@app.task
def context(cx: Context) -> dict[str, Any]:
    """Returns what a handler knows of its run."""
    left_s = cx.time_left()
    return {
        "task": cx.task,
        "epoch": cx.epoch,
        "attempt": cx.attempt,
        "kind": cx.kind,
        "effect_key": cx.effect_key,
        "time_left_ms": None if left_s is None else round(left_s * 1_000),
    }


@app.task
def blob(bytes: int) -> str:
    """Returns a text of this length."""
    return "x" * bytes


@app.task
def log(cx: Context, message: str, level: Literal["debug", "info", "warn", "error"] = "info") -> None:
    """Writes a line to the log of the run."""
    cx.log(level, message)


@app.task
def progress(cx: Context, done: float, total: float | None = None, message: str | None = None) -> None:
    """Tells how far it is."""
    cx.progress(done, total, message)


@app.task
def spend(cx: Context, unit: str, amount: int, times: int = 1) -> int:
    """Spends so often, and goes on when it is stored; returns how often."""
    for _ in range(times):
        cx.spend(unit, amount).wait()
    return times


#: What a task has under the same name as a follow-up.
OPTIONS = ("name", "queue", "priority", "max_attempts", "max_crashes", "key", "cost", "budget")


@app.task
def enqueue(cx: Context, tasks: list[dict[str, Any]]) -> int:
    """Brings these tasks about with its result, and returns how many they are."""
    for task in tasks:
        options = {name: task.get(name) for name in OPTIONS}
        delay, timeout = _duration(task, "delay_ms"), _duration(task, "timeout_ms")
        cx.enqueue(task["kind"], task.get("args"), delay=delay, timeout=timeout, **options)
    return len(tasks)


def _duration(task: Mapping[str, Any], field: str) -> timedelta | None:
    ms = task.get(field)
    return None if ms is None else timedelta(milliseconds=ms)


@app.task
def retire(cx: Context) -> None:
    """Has the worker leave."""
    cx.retire()


if __name__ == "__main__":
    for _ in range(BOOTING_TIMES):
        app.booting()
    app.run(concurrency=CONCURRENCY)

"""A worker with the handlers that the tests need.

They say by a log line how far they are; no test guesses by the clock.
"""

from __future__ import annotations

import asyncio
import ctypes
import logging
import os
import signal
import subprocess
import sys
import threading
from contextvars import copy_context
from typing import Any, Optional

from mutirao import Context, Startup, Worker, current

app = Worker()
log = logging.getLogger("app")

# How the worker prepares itself.
HOW = os.environ.get("PREPARE", "")
_prepared: list[tuple[str, bool]] = []
_startup: Startup


@app.on_start
def prepare(startup: Startup) -> None:
    _prepared.append(("sync", threading.current_thread() is threading.main_thread()))
    if HOW == "slowly":
        startup.booting()
        startup.log("warn", "x" * 20_000)
        # Until somebody opens the other end.
        open(os.environ["FIFO"]).close()
    if HOW == "wrongly":
        raise LookupError("no model")
    if HOW == "for good":
        sys.exit(78)


@app.on_start
async def aprepare(startup: Startup) -> None:
    global _startup
    await asyncio.sleep(0)
    _prepared.append((threading.current_thread().name, threading.current_thread() is threading.main_thread()))
    _startup = startup


@app.task
def prepared(cx: Context) -> list[tuple[str, bool]]:
    """How, and on the main thread or not. Once the worker is ready it is not starting any more."""
    _startup.booting()
    app.booting()
    _startup.log("info", "later")
    return _prepared


_EVERY_PLACE = ("python", "c", "child", "thread", "fd")


@app.task
def print_everywhere(cx: Context, times: int) -> list[str]:
    """Prints from everywhere while the conversation goes on."""
    libc = ctypes.CDLL(None)
    for number in range(times):
        cx.progress(number)
        print(f"python {number}")
        libc.puts(f"c {number}".encode())
        libc.fflush(None)
        thread = threading.Thread(target=print, args=(f"thread {number}",))
        thread.start()
        subprocess.run(["sh", "-c", f"echo child {number}; cat"], check=True)
        os.write(1, f"fd {number}\n".encode())
        thread.join()
    return list(_EVERY_PLACE)


@app.task
def big(cx: Context, size_bytes: int) -> bytes:
    cx.log("info", "x" * 8_000)
    return b"\xab" * size_bytes


@app.task
def hold(cx: Context) -> str:
    """Waits until it shall stop."""
    cx.info("holding")
    order = cx.wait_stop()
    assert order is not None and cx.stopping
    return order.reason


@app.task
def hold_until_checked(cx: Context) -> None:
    cx.info("holding")
    cx.wait_stop()
    try:
        cx.check()
    except Exception:
        cx.error("a stop is no mere exception")
    finally:
        cx.info("released")


@app.task
def hold_deaf(cx: Context) -> None:
    """Does not ask whether it shall stop; only says when it is told."""

    def tell() -> None:
        cx.wait_stop()
        cx.info("told")

    threading.Thread(target=tell, daemon=True).start()
    cx.info("holding")
    try:
        threading.Event().wait()
    finally:
        cx.info("released")


@app.task
def terminate_itself(times: int) -> str:
    """As a service manager does that signals a whole group."""
    for _ in range(times):
        os.kill(os.getpid(), signal.SIGTERM)
    if times > 1:
        threading.Event().wait()
    return "finished"


@app.task
async def ahold(cx: Context) -> None:
    cx.info("holding")
    try:
        await asyncio.Event().wait()
    finally:
        cx.info("released")


_met: Optional[asyncio.Event] = None


@app.task
async def meet(cx: Context, first: bool) -> str:
    """Two of these end only when they run at the same time, on one loop."""
    global _met
    _met = _met or asyncio.Event()
    if first:
        await _met.wait()
    else:
        _met.set()
    return threading.current_thread().name


_barrier = threading.Barrier(2)


@app.task
def meet_in_threads() -> bool:
    """Two of these end only when they run at the same time."""
    _barrier.wait()
    return threading.current_thread() is threading.main_thread()


@app.task
def which_thread() -> bool:
    return threading.current_thread() is threading.main_thread()


@app.task
def spend_and_wait(cx: Context) -> list[bool]:
    return [cx.spend("tokens", 5).wait(), cx.spend("usd_micro", 7).wait(), cx.spend("tokens", 0).wait()]


@app.task
def spend_without_waiting(cx: Context) -> None:
    for _ in range(100):
        cx.spend("tokens", 1)
    cx.spend("usd_micro", 3)


@app.task
async def aspend(cx: Context) -> list[bool]:
    return [await cx.spend("tokens", 1), *await asyncio.gather(cx.spend("a", 1), cx.spend("b", 1))]


@app.task
def tell_progress(cx: Context, times: int) -> None:
    for number in range(times):
        cx.progress(number + 1, times)
    cx.note("almost done")


_left: Optional[Context] = None


@app.task
def leave_context(cx: Context) -> None:
    global _left
    _left = cx


@app.task
def use_left_context() -> bool:
    """What an answered run says is dropped, and harms nobody."""
    assert _left is not None
    _left.progress(1, 2)
    _left.note("late")
    _left.info("late")
    return _left.spend("tokens", 1).wait()


@app.task
def log_everywhere(cx: Context) -> bool:
    class Broken:
        def __str__(self) -> str:
            raise RuntimeError("no text")

    class Talkative:
        def __str__(self) -> str:
            log.warning("from within")
            return "talkative"

    log.debug("not this")
    log.info("olá %s", 1)
    log.warning("%s", Broken())
    log.warning("%s", Talkative())
    log.error("x" * 20_000)
    for start in (copy_context().run, lambda work: work()):
        thread = threading.Thread(target=start, args=(lambda: log.info("in a thread"),))
        thread.start()
        thread.join()
    return current() is cx


@app.task
def interrupt() -> None:
    raise KeyboardInterrupt


@app.task
def leave() -> None:
    sys.exit("enough")


@app.task
async def aleave() -> None:
    async def deep() -> None:
        sys.exit("enough")

    await asyncio.ensure_future(deep())


@app.task
async def aname() -> str:
    return threading.current_thread().name


@app.task(fatal=(ValueError,))
def broken(deep: int) -> None:
    if deep:
        broken(deep - 1)
    try:
        raise KeyError("first")
    except KeyError as error:
        raise ValueError("secönd \udcff") from error


@app.task
def unpackable() -> Any:
    return {"a": [object()]}


@app.task
def environment() -> list[list[Optional[str]]]:
    """What a child process would take itself for."""
    found = []
    for name in ("MUTIRAO_COOKIE", "MUTIRAO_CHANNEL"):
        script = f"import os; print(os.environ.get({name!r}))"
        child = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
        found.append([os.environ.get(name), child.stdout.strip()])
    return found


@app.task
def read_stdin() -> list[str]:
    return [sys.stdin.read(), os.read(0, 1).decode()]


@app.task
def descriptors() -> list[str]:
    """The pipes that a child process inherits above the three standard ones."""
    script = "ls -l /proc/self/fd | grep pipe | awk '$9 > 2 {print $9}'"
    return subprocess.run(
        ["sh", "-c", script], capture_output=True, text=True, check=True, close_fds=False
    ).stdout.split()


@app.task
def follow_up(cx: Context, then: str) -> str:
    """Names two tasks, and ends in one way or another."""
    cx.enqueue("thumb", {"path": "a.png"}, name="thumb:a.png", priority=-10)
    whose = {"key": "user:7", "cost": {"tokens": 500}, "budget": {"usd": 0}}
    cx.enqueue("mail", queue="slow", priority="low", delay="1m", timeout=5, max_attempts=2, max_crashes=1, **whose)
    if then == "raise":
        raise LookupError("not after all")
    if then == "illegal":
        cx.enqueue("Mail")
    if then == "swallow":
        try:
            cx.enqueue("mail", max_attempts=0)
        except ValueError:
            pass
    return then


@app.task
def retire(cx: Context, then: str) -> str:
    cx.retire()
    cx.info("retiring")
    if then == "wait":
        cx.wait_stop()
    if then == "raise":
        raise LookupError("and out")
    return then


@app.task
def fork_and_log(cx: Context) -> int:
    """A forked process is no worker: what it logs is printed, and no frame comes from it."""
    pid = os.fork()
    if pid == 0:
        cx.progress(1, 2)
        cx.info("by the context of a child")
        log.warning("by a child")
        os._exit(7)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


if __name__ == "__main__":
    app.booting()
    app.run(concurrency=int(os.environ.get("CONCURRENCY", "1")), logging=os.environ.get("LOGGING") != "off")

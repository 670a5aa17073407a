"""A worker with handlers that do what no handler should: finalizers that talk, exceptions without words, forks that
return. What each of them must not do is named in `test_hostile`.
"""

from __future__ import annotations

import asyncio
import gc
import io
import logging
import os
import sys
from typing import Any, Optional

from mutirao import Context, Fail, RetryAfter, Worker

app = Worker()
log = logging.getLogger("app")


class Talker:
    """Can only be freed by the garbage collector, and says so on whatever thread that is."""

    def __init__(self, cx: Context, freed: list[None]) -> None:
        self.me = self
        self.cx = cx
        self.freed = freed

    def __del__(self) -> None:
        log.info("freed")
        self.cx.progress(-1)
        self.cx.note("freed")
        self.cx.spend("freed", 1)
        self.freed.append(None)


def _free_talkers(cx: Context, times: int) -> None:
    before, freed = gc.get_threshold(), list[None]()
    for number in range(times):
        # So the collector comes at another place each time.
        gc.set_threshold(number % 30 + 1)
        Talker(cx, freed)
        cx.progress(number)
        cx.spend("made", 1)
    gc.set_threshold(*before)
    while len(freed) < times:
        # Does nothing while another thread collects.
        gc.collect()


@app.task
def free_talkers(cx: Context, times: int) -> None:
    _free_talkers(cx, times)


@app.task
async def afree_talkers(cx: Context, times: int) -> None:
    _free_talkers(cx, times)


def _wordless(base: type[BaseException]) -> type[BaseException]:
    def refuse(self: BaseException) -> str:
        raise RuntimeError("no words")

    return type(f"Wordless{base.__name__}", (base,), {"__str__": refuse})


class Untraceable(Exception):
    """No traceback can be made of it."""

    def __getattribute__(self, name: str) -> Any:
        raise MemoryError


class Delayless(RetryAfter):
    """Its author forgot `super().__init__`."""

    def __init__(self) -> None:
        pass


def _raise(what: str) -> None:
    raise {
        "fail": lambda: _wordless(Fail)("no"),
        "retry": lambda: _wordless(RetryAfter)(1.5),
        "other": lambda: _wordless(ValueError)("no"),
        "exit": lambda: _wordless(SystemExit)(3),
        "untraceable": Untraceable,
        "delayless": Delayless,
    }[what]()


@app.task
def wordless(what: str) -> None:
    _raise(what)


@app.task
async def awordless(what: str) -> None:
    _raise(what)


@app.task
async def break_the_loop() -> None:
    """From here on no async handler can begin."""

    def refuse(*args: Any, **more: Any) -> Any:
        raise RuntimeError("no more tasks")

    asyncio.get_running_loop().set_task_factory(refuse)


@app.task
def print_unfinished() -> None:
    print("half a line", end="")
    sys.stderr = io.TextIOWrapper(open(2, "wb", closefd=False), write_through=False)
    sys.stderr.write(", and buffered")


class _Deaf(io.StringIO):
    def flush(self) -> None:
        raise SystemExit("not now")


@app.task
def break_stdout(how: str) -> None:
    closed = io.StringIO()
    closed.close()
    sys.stdout = {"none": None, "closed": closed, "deaf": _Deaf(), "number": 7}[how]


def _fork(then: Optional[str]) -> Optional[int]:
    """None in the child."""
    pid = os.fork()
    if pid == 0:
        print("child, in half a line", end="")
        if then is not None:
            raise ValueError(then)
        return None
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


@app.task
def fork(then: Optional[str] = None) -> Optional[int]:
    return _fork(then)


@app.task
async def afork(then: Optional[str] = None) -> Optional[int]:
    return _fork(then)


if __name__ == "__main__":
    app.run(concurrency=int(os.environ.get("CONCURRENCY", "1")))

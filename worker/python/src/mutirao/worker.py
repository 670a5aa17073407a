"""The worker that a user writes: handlers put together, then run over the channel.

How a run goes is not decided here.
"""

from __future__ import annotations

import faulthandler
import sys
from collections.abc import Callable, Mapping
from typing import Any, NoReturn, TypeVar, overload

from . import _by_hand, _channel, _logging
from ._desk import EXIT_CONFIG
from ._handler import Handler
from ._messages import Message, encode
from ._runtime import Runtime
from .errors import ChannelError, WorkerError
from .startup import Preparation

CONCURRENCY_MAX = 1024

Function = TypeVar("Function", bound=Callable[..., Any])
Prepares = TypeVar("Prepares", bound=Preparation)


class Worker:
    """A worker process in the making::

    app = Worker()

    @app.task("resize", fatal=(ValueError,))
    def resize(cx: Context, path: str, width: int = 640) -> str: ...

    if __name__ == "__main__":
        app.run()
    """

    def __init__(self) -> None:
        self._handlers: dict[str, Handler] = {}
        self._preparations: list[Preparation] = []
        self._is_running = False

    @property
    def handlers(self) -> Mapping[str, Handler]:
        """The handlers by kind."""
        return self._handlers

    @overload
    def task(self, kind: Function) -> Function: ...

    @overload
    def task(
        self, kind: str | None = None, *, fatal: tuple[type[BaseException], ...] = (), whole: bool = False
    ) -> Callable[[Function], Function]: ...

    def task(
        self,
        kind: str | Callable[..., Any] | None = None,
        *,
        fatal: tuple[type[BaseException], ...] = (),
        whole: bool = False,
    ) -> Any:
        """Makes a sync or async function the handler of ``kind``; without one, of its own name. It stays as it is.

        ``fatal``: exceptions after which the task is never tried again. ``whole``: the one parameter beside the context
        takes the args as they are, a list or number as well. Raises ``WorkerError`` for a name that is not spelled as
        names are, a second handler of one kind, and a function with ``*args``.
        """
        if callable(kind):
            return self._add(None, kind, (), False)
        return lambda function: self._add(kind, function, fatal, whole)

    def _add(
        self, kind: str | None, function: Function, fatal: tuple[type[BaseException], ...], whole: bool
    ) -> Function:
        handler = Handler(kind if kind is not None else getattr(function, "__name__", ""), function, fatal, whole)
        if handler.kind in self._handlers:
            raise WorkerError(f"the kind {handler.kind} has two handlers; remove one of them, or give it another name")
        self._handlers[handler.kind] = handler
        return function

    def on_start(self, prepare: Prepares) -> Prepares:
        """Makes a sync or async function a part of the start: it runs when the supervisor has accepted the worker and
        before the first run, on the main thread or on the loop of the async handlers. Its argument is a ``Startup``.

        What it raises ends the worker, which is then started anew, less and less often; after ``sys.exit(78)`` not
        again.
        """
        self._preparations.append(prepare)
        return prepare

    def booting(self) -> None:
        """Says "still starting", which gives the worker 10 s more (by default) until it must be ready. Call it between
        slow imports, before ``run``; later, and without a supervisor, it does nothing. In ``on_start`` it is the
        argument's ``booting`` that does.
        """
        channel = _claimed()
        if channel is not None and not self._is_running:
            channel.write(encode(Message("booting", {})))

    def run(self, *, concurrency: int = 1, logging: bool = True) -> NoReturn:
        """Runs tasks until the supervisor says stop, then ends the process. Call it on the main thread.

        ``concurrency``: runs at once, 1 to 1,024. At 1, sync handlers run on the main thread, and what is printed
        belongs to the task. At more they run on threads, and what is printed belongs to the worker; lines of
        ``logging`` and of the context belong to the task all the same. Async handlers share one event loop.

        ``logging``: send records of the root logger to the log of the task, from level INFO unless it was set up
        before.

        A thread says every 5 s (by default) that the process lives. C code that keeps the interpreter's lock for 30 s keeps that
        thread from it: the worker is reported as unresponsive, and not killed for that.

        Whatever kills the process from within, and SIGABRT (``dump_on_hang`` of the pool), leaves the traceback of each
        thread in the log: ``faulthandler`` is enabled, unless it was before.

        Exit codes: 0 told to stop, or left by itself; 1 the supervisor is gone; 64 started by hand; 74 the channel failed; 76 the
        supervisor sent something that is not the contract; 78 refused, or put together wrongly; 143 told to terminate
        before the supervisor had answered.
        """
        channel = _claimed()
        if not self._handlers:
            _leave(EXIT_CONFIG, 'the worker has no handlers; add one with @app.task("name") before app.run()')
        if not 1 <= concurrency <= CONCURRENCY_MAX:
            _leave(EXIT_CONFIG, f"concurrency is {concurrency}; it is from 1 to {CONCURRENCY_MAX}")
        if channel is None:
            sys.exit(_by_hand.main(self._handlers, self._preparations, sys.orig_argv, sys.argv))
        self._is_running = True
        if not faulthandler.is_enabled():
            # The descriptor, since `sys.stderr` may be anything by now.
            faulthandler.enable(file=2)
        runtime = Runtime(channel, self._handlers, self._preparations, concurrency)
        if logging:
            _logging.install(runtime.post.log)
        ended = runtime.run()
        _leave(ended.code, ended.sentence)


def _claimed() -> _channel.Channel | None:
    try:
        return _channel.claimed()
    except ChannelError as error:
        _leave(EXIT_CONFIG, str(error))


def _leave(code: int, sentence: str) -> NoReturn:
    if sentence:
        print(sentence, file=sys.stderr, flush=True)
    sys.exit(code)

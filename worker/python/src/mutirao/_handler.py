"""One handler, from the args of a run to its outcome: however it ends, there is exactly one.

Nothing is sent from here.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from typing import Any, NamedTuple

from . import _codec
from ._arguments import Arguments, BadArguments, Call
from ._names import check_name
from ._stop import StopSign
from ._text import clip
from ._traceback import ERROR_MAX_BYTES, traceback_text
from ._values import CannotTravel, pack
from .context import Context, enter
from .errors import ContractError, Fail, RetryAfter, Stopped, WorkerError

Retry = str | dict[str, int]


class Done(NamedTuple):
    """The run ended well; the result as MessagePack."""

    result: bytes


class Failed(NamedTuple):
    """The run ended badly: why, for people, and whether it may be tried again, as the contract spells it."""

    error: str
    retry: Retry = "default"


Outcome = Done | Failed


class Handler:
    """The code of one kind. Raises ``WorkerError`` for an illegal kind, or a function that args cannot be given to."""

    def __init__(self, kind: str, function: Callable[..., Any], fatal: tuple[type[BaseException], ...]) -> None:
        try:
            check_name("kind", kind)
        except ValueError as error:
            raise WorkerError(str(error)) from None
        self.kind = kind
        self.fatal = fatal
        self.function = function
        self.is_async = inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(
            getattr(function, "__call__", None)
        )
        self.arguments = Arguments(kind, function)

    def run(self, context: Context, args: bytes) -> Outcome:
        """Calls a sync handler on this thread."""
        enter(context)
        try:
            call = self._bind(context, args)
            return Done(pack(self.function(*call.positional, **call.named)))
        except BaseException as error:
            return self._failed(error, context)

    def start(self, context: Context, args: bytes, sign: StopSign, ended: Callable[[Outcome], object]) -> None:
        """Starts an async handler as a task of the running loop; the order to stop cancels it."""
        loop = asyncio.get_running_loop()
        task = loop.create_task(self._run_async(context, args))

        def end(task: asyncio.Task[Outcome]) -> None:
            # Others may cancel every task of the loop, also one that has not begun and so has no outcome of its own.
            ended(Failed("stopped: cancelled") if task.cancelled() else task.result())

        task.add_done_callback(end)
        sign.listen(lambda: loop.call_soon_threadsafe(task.cancel))

    async def _run_async(self, context: Context, args: bytes) -> Outcome:
        enter(context)
        try:
            call = self._bind(context, args)
            return Done(pack(await self.function(*call.positional, **call.named)))
        except BaseException as error:
            return self._failed(error, context)

    def _bind(self, context: Context, args: bytes) -> Call:
        try:
            return self.arguments.bind(_codec.decode(args) if args else None, context)
        except ContractError as error:
            raise BadArguments(f"{self.kind}: the args are no MessagePack: {error}") from None

    def _failed(self, error: BaseException, context: Context) -> Failed:
        if isinstance(error, BadArguments):
            return Failed(clip(str(error), ERROR_MAX_BYTES), "never")
        if isinstance(error, CannotTravel):
            return Failed(clip(f"{self.kind}: {error}", ERROR_MAX_BYTES), "never")
        if isinstance(error, RetryAfter):
            return Failed(clip(str(error), ERROR_MAX_BYTES), {"after_ms": error.delay_ms})
        if isinstance(error, Fail):
            return Failed(clip(str(error), ERROR_MAX_BYTES), "never")
        order = context.stop
        if isinstance(error, Stopped):
            return Failed(str(error))
        if isinstance(error, asyncio.CancelledError) and order is not None:
            return Failed(f"stopped: {order.reason}")
        return Failed(traceback_text(error), "never" if isinstance(error, self.fatal) else "default")


def unknown_kind(kind: str, known: list[str]) -> Failed:
    """The outcome of a run that no handler is for. Another worker of the pool may have it, so it may be tried again."""
    return Failed(f"this worker has no handler for the kind `{kind}`; it offers {', '.join(known)}")

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
from ._follow_ups import IllegalFollowUp
from ._names import check_name
from ._stop import StopSign
from ._text import clip
from ._traceback import ERROR_MAX_BYTES, traceback_text
from ._values import CannotTravel, pack
from .context import Context, enter
from .errors import ContractError, Fail, Retry, RetryAfter, Scope, Stopped, WorkerError

Wish = str | dict[str, int]


class Done(NamedTuple):
    """The run ended well; the result as MessagePack."""

    result: bytes


class Failed(NamedTuple):
    """The run ended badly: why, for people, and whether it may be tried again, as the contract spells it."""

    error: str
    retry: Wish = "default"
    scope: Scope = "task"


Outcome = Done | Failed


class Handler:
    """The code of one kind. Raises ``WorkerError`` for an illegal kind, or a function that args cannot be given to."""

    def __init__(
        self, kind: str, function: Callable[..., Any], fatal: tuple[type[BaseException], ...], whole: bool = False
    ) -> None:
        try:
            check_name("kind", kind)
        except ValueError as error:
            raise WorkerError(str(error)) from None
        self.kind = kind
        self.fatal = fatal
        self.function = function
        self.is_async = is_async(function)
        self.arguments = Arguments(kind, function, whole)

    def run(self, context: Context, args: bytes) -> Outcome:
        """Calls a sync handler on this thread."""
        enter(context)
        try:
            call = self._bind(context, args)
            return Done(pack(self.function(*call.positional, **call.named)))
        except BaseException as error:
            return self.failed(error, context)

    def start(self, context: Context, args: bytes, sign: StopSign, ended: Callable[[Outcome], object]) -> None:
        """Starts an async handler as a task of the running loop; the order to stop cancels it."""
        loop = asyncio.get_running_loop()
        try:
            task = loop.create_task(self._run_async(context, args))
        except BaseException as error:
            ended(self.failed(error, context))
            return

        def end(task: asyncio.Task[Outcome]) -> None:
            try:
                outcome = task.result()
            except asyncio.CancelledError:
                # Others may cancel every task of the loop, also one that has not begun and has no outcome of its own.
                outcome = Failed("stopped: cancelled")
            except BaseException as error:
                outcome = self.failed(error, context)
            ended(outcome)

        task.add_done_callback(end)
        sign.listen(lambda: loop.call_soon_threadsafe(task.cancel))

    async def _run_async(self, context: Context, args: bytes) -> Outcome:
        enter(context)
        try:
            call = self._bind(context, args)
            return Done(pack(await self.function(*call.positional, **call.named)))
        except BaseException as error:
            return self.failed(error, context)

    def _bind(self, context: Context, args: bytes) -> Call:
        try:
            return self.arguments.bind(_codec.decode(args) if args else None, context)
        except ContractError as error:
            raise BadArguments(f"{self.kind}: the args are no MessagePack: {error}") from None

    def failed(self, error: BaseException, context: Context) -> Failed:
        """What an exception means. There is an outcome whatever the exception does when it is asked."""
        retry: Wish = "default"
        try:
            retry = self._wish(error)
            scope = error.scope if isinstance(error, RetryAfter) else "task"
            return Failed(self._why(error, context), retry, scope)
        except BaseException as broken:
            # Its methods are code of others, and a traceback needs memory.
            name, why = type(error).__name__, type(broken).__name__
            return Failed(f"{self.kind}: failed with {name}, which cannot be told ({why})", retry)

    def _wish(self, error: BaseException) -> Wish:
        if isinstance(error, RetryAfter):
            return {"after_ms": error.delay_ms}
        if isinstance(error, Stopped):
            return "default"
        is_lasting = isinstance(error, (BadArguments, CannotTravel, IllegalFollowUp, Fail, *self.fatal))
        return "never" if is_lasting else "default"

    def _why(self, error: BaseException, context: Context) -> str:
        if isinstance(error, (BadArguments, Retry, Fail, Stopped)):
            return clip(str(error), ERROR_MAX_BYTES)
        if isinstance(error, CannotTravel):
            return clip(f"{self.kind}: {error}", ERROR_MAX_BYTES)
        order = context.stop
        if isinstance(error, asyncio.CancelledError) and order is not None:
            return f"stopped: {order.reason}"
        return traceback_text(error)


def is_async(function: Callable[..., Any]) -> bool:
    """True when what it returns must be awaited."""
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(getattr(function, "__call__", None))


def unknown_kind(kind: str, known: list[str]) -> Failed:
    """The outcome of a run that no handler is for. Trying again would not mend it."""
    return Failed(f"this worker has no handler for the kind `{kind}`; it offers {', '.join(known)}", "never")

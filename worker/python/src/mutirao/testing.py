"""Running one handler in this process, with its args checked as in real life, for the tests of its author."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ._handler import Handler
from ._names import check_name
from ._rehearsal import Outcome, rehearse, rehearse_async
from .errors import WorkerError
from .worker import Worker

__all__ = ["Outcome", "arun", "run"]

Target = Worker | Callable[..., Any]


def run(
    target: Target,
    /,
    *,
    kind: str | None = None,
    attempt: int = 1,
    stop_after_progress: int | None = None,
    **args: Any,
) -> Outcome:
    """Runs a handler, sync or async, and returns when it has ended. It never raises what the handler raises.

    ``target``: the function, or a ``Worker`` (then ``kind`` says which handler, unless it has only one). ``attempt`` is
    what the context says. ``stop_after_progress=n`` tells the run to stop when it has told its progress n times; 0 at
    its start. The names of these three cannot be arguments of the handler here. A handler that takes its args whole gets
    what is said for its parameter, or all that is said.
    """
    return rehearse(_handler_of(target, kind), args, attempt, stop_after_progress)


async def arun(
    target: Target,
    /,
    *,
    kind: str | None = None,
    attempt: int = 1,
    stop_after_progress: int | None = None,
    **args: Any,
) -> Outcome:
    """As ``run``, for tests that are async themselves; the handler must be async too."""
    handler = _handler_of(target, kind)
    if not handler.is_async:
        raise WorkerError(f"the handler of {handler.kind} is not async; use run")
    return await rehearse_async(handler, args, attempt, stop_after_progress)


def _handler_of(target: Target, kind: str | None) -> Handler:
    if not isinstance(target, Worker):
        return Handler(kind or _name_of(target), target, ())
    kinds = sorted(target.handlers)
    if kind is None and len(kinds) == 1:
        kind = kinds[0]
    if kind is None or kind not in target.handlers:
        raise WorkerError(f"the worker has no handler for the kind {kind!r}; say kind=, one of {', '.join(kinds)}")
    return target.handlers[kind]


def _name_of(function: Callable[..., Any]) -> str:
    name = getattr(function, "__name__", "")
    try:
        check_name("kind", name)
    except ValueError:
        return "handler"
    return str(name)

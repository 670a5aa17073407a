"""What a worker does when a person starts it: it says what it is, and tries one handler when asked to."""

from __future__ import annotations

import asyncio
import json
import re
import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Any

from ._handler import Handler, is_async
from ._rehearsal import Outcome, rehearse, rehearse_async
from ._values import plain
from ._version import SDK
from .context import Level
from .startup import Preparation, Startup

EXIT_USAGE, EXIT_FAILED = 64, 20

TRY = "--try"


def main(
    handlers: Mapping[str, Handler], preparations: Sequence[Preparation], command: Sequence[str], argv: Sequence[str]
) -> int:
    """Gives the exit code. ``command`` is the whole command line as started, ``argv`` the script and its arguments."""
    if argv[1:2] == [TRY]:
        return _try(handlers, preparations, argv[2:])
    print(explanation(handlers, command, argv), file=sys.stderr)
    return EXIT_USAGE


def explanation(handlers: Mapping[str, Handler], command: Sequence[str], argv: Sequence[str]) -> str:
    """What this program is, and what to type next."""
    stem = PurePath(argv[0]).stem
    if stem == "__main__":
        stem = PurePath(argv[0]).parent.name
    pool = re.sub(r"[^a-z0-9_.-]", "-", stem.lower()).strip("-_.")[:64] or "example"
    kinds = sorted(handlers)
    example = " ".join([kinds[0], *_example_args(handlers[kinds[0]])])
    return "\n".join(
        [
            f"This is a task worker ({SDK}). It does nothing by itself: a supervisor starts it and sends it tasks.",
            "",
            "Its kinds of task, with their arguments:",
            *(f"    {kind}({handlers[kind].arguments.describe()})" for kind in kinds),
            "",
            "To use it, name it in supervisor.toml, start `supervisor run`, and enqueue a task:",
            "",
            f"    [pools.{json.dumps(pool) if '.' in pool else pool}]",
            f"    command = {json.dumps(list(command), ensure_ascii=False)}",
            "",
            f"    supervisor enqueue {example}",
            "",
            "To try one handler here, without a supervisor:",
            "",
            f"    {shlex.join(command)} {TRY} {example}",
        ]
    )


def _example_args(handler: Handler) -> list[str]:
    return [f"{name}{'=' if is_text else ':='}..." for name, is_text in handler.arguments.needed()]


class _Printed:
    """What a worker tells of its start, on stderr."""

    def booting(self) -> None:
        """Nobody is in a hurry here."""

    def log(self, ref: None, level: Level, text: str) -> None:
        print(f"{level}: {text}", file=sys.stderr)


def _try(handlers: Mapping[str, Handler], preparations: Sequence[Preparation], words: Sequence[str]) -> int:
    known = f"known kinds are {', '.join(sorted(handlers))}"
    if not words or words[0] not in handlers:
        print(f"{TRY} needs the kind of a task; {known}", file=sys.stderr)
        return EXIT_USAGE
    try:
        args = parse_args(words[1:])
        plain(args, "args", 0)
    except ValueError as error:
        print(error, file=sys.stderr)
        return EXIT_USAGE
    outcome = _tried(handlers[words[0]], preparations, args)
    for level, text in outcome.logs:
        print(f"{level}: {text}", file=sys.stderr)
    if outcome.error is not None:
        print(outcome.error, file=sys.stderr)
        return EXIT_FAILED
    print(json.dumps(outcome.result, ensure_ascii=False, default=_shown))
    return 0


def _tried(handler: Handler, preparations: Sequence[Preparation], args: Mapping[str, Any]) -> Outcome:
    """All that is async on one loop, and what is sync outside of any, as in a worker."""
    loop = asyncio.new_event_loop()
    try:
        for preparation in preparations:
            going_on = preparation(Startup(_Printed()))
            if is_async(preparation):
                loop.run_until_complete(going_on)
        return loop.run_until_complete(rehearse_async(handler, args)) if handler.is_async else rehearse(handler, args)
    finally:
        loop.close()


def _shown(value: bytes) -> dict[str, int]:
    """Of what a result can have, JSON lacks only bytes."""
    return {"$bin_bytes": len(value)}


def parse_args(words: Sequence[str]) -> dict[str, Any]:
    """``key=value`` is text, ``key:=json`` any value. Raises ``ValueError`` for anything else."""
    args: dict[str, Any] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or not name.rstrip(":"):
            raise ValueError(f"{word!r} is no argument; write key=value for text, or key:=json for any value")
        if not name.endswith(":"):
            args[name] = value
            continue
        try:
            args[name[:-1]] = json.loads(value)
        except ValueError as error:
            raise ValueError(
                f"{word!r}: what follows := is no JSON ({error}); write {name[:-1]}=... for text"
            ) from None
    return args

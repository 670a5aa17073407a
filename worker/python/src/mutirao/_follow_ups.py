"""The tasks that come to be with the result of a run: each is checked when it is named, and all together are limited.

Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ._duration import delay_ms, timeout_ms
from ._fields import FOLLOW_UPS_MAX, UNITS_MAX
from ._names import check_key, check_name, check_unique_name
from ._values import pack
from .client_types import Task

ARGS_MAX_BYTES = 1024 * 1024
"""The args of all follow-ups of a run together, as MessagePack."""

PRIORITY_MIN, PRIORITY_MAX = -100, 100
BUDGET_MIN_RUNS, BUDGET_MAX_RUNS = 1, 1000
COST_MAX, SPENT_MAX = 2**32 - 1, 2**53


class IllegalFollowUp(ValueError):
    """A follow-up that would be refused; the text says which field, and what is legal."""


def spelled(task: Task) -> dict[str, Any]:
    """A follow-up as the contract spells it, without what is left out. Raises ``IllegalFollowUp``."""
    try:
        body = _fields(task)
    except ValueError as error:
        raise IllegalFollowUp(f"follow-up {task.kind!r:.80}: {error}") from None
    return {name: value for name, value in body.items() if value is not None}


def _fields(task: Task) -> dict[str, Any]:
    check_name("kind", task.kind)
    if task.queue is not None:
        check_name("queue", task.queue)
    if task.name is not None:
        check_unique_name(task.name)
    if task.key is not None:
        check_key(task.key)
    return {
        "kind": task.kind,
        "args": pack(task.args, "args", ARGS_MAX_BYTES),
        "queue": task.queue,
        "name": task.name,
        "priority": _priority(task.priority),
        "delay_ms": None if task.delay is None else delay_ms(task.delay),
        "timeout_ms": None if task.timeout is None else timeout_ms(task.timeout),
        "max_attempts": _budget("max_attempts", task.max_attempts),
        "max_crashes": _budget("max_crashes", task.max_crashes),
        "key": task.key,
        "cost": _amounts("cost", task.cost, COST_MAX),
        "budget": _amounts("budget", task.budget, SPENT_MAX),
    }


def _priority(priority: int | str | None) -> int | str | None:
    if isinstance(priority, str):
        check_name("priority", priority)
        return priority
    return _whole("priority", priority, PRIORITY_MIN, PRIORITY_MAX)


def _budget(name: str, runs: int | None) -> int | None:
    return _whole(name, runs, BUDGET_MIN_RUNS, BUDGET_MAX_RUNS)


def _amounts(name: str, by_unit: Mapping[str, int] | None, most: int) -> dict[str, int] | None:
    if by_unit is None:
        return None
    if len(by_unit) > UNITS_MAX:
        raise ValueError(f"{name} has {len(by_unit)} units, the limit is {UNITS_MAX}")
    for unit, amount in by_unit.items():
        check_name("unit", unit)
        if amount is None or _whole(f"{name} of {unit}", amount, 0, most) is None:
            raise ValueError(f"{name} of {unit} is None: must be an integer from 0 to {most}")
    return dict(by_unit)


def _whole(name: str, value: int | None, least: int, most: int) -> int | None:
    if value is None or isinstance(value, int) and not isinstance(value, bool) and least <= value <= most:
        return value
    raise ValueError(f"{name} {value!r:.80}: must be an integer from {least} to {most}")


class FollowUps:
    """Those of one run, in the order in which they were named."""

    def __init__(self) -> None:
        self._bodies: list[dict[str, Any]] = []
        self._args_bytes = 0

    def add(self, body: dict[str, Any]) -> None:
        """Takes one more. Raises ``IllegalFollowUp`` when there are too many, or their args too large."""
        if len(self._bodies) == FOLLOW_UPS_MAX:
            raise IllegalFollowUp(
                f"a run has at most {FOLLOW_UPS_MAX} follow-ups; let one of them bring the others about"
            )
        args_bytes = self._args_bytes + len(body["args"])
        if args_bytes > ARGS_MAX_BYTES:
            raise IllegalFollowUp(
                f"the args of all follow-ups have {args_bytes} bytes, the limit is {ARGS_MAX_BYTES}; "
                "write them to a file and send its path"
            )
        self._bodies.append(body)
        self._args_bytes = args_bytes

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self._bodies)

    def __len__(self) -> int:
        return len(self._bodies)

"""The values that a client takes and gives. No behaviour beyond what a field alone can tell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ._duration import Delay


@dataclass(frozen=True)
class Task:
    """A task to be. What is left out is decided by the kind, then the queue, then the built-in default."""

    kind: str
    #: The input of the handler: JSON values and dataclasses.
    args: Any = None
    #: The unique name: at most one task has it at a time. The client makes one when there is none.
    name: str | None = None
    queue: str | None = None
    #: -100 to 100, lower runs first; or a name: `critical`, `high`, `normal`, `low`, `bulk`.
    priority: int | str | None = None
    #: Time until the task is available: seconds, a `timedelta`, or a text such as "30s"; precision 1 ms.
    delay: Delay | None = None
    #: Time that one run may take, spelled as `delay`.
    timeout: Delay | None = None
    #: Runs that may end in an error or timeout, 1 to 1000; the last of them fails the task.
    max_attempts: int | None = None
    #: Runs that may end in a crash, 1 to 1000; the last of them fails the task.
    max_crashes: int | None = None
    #: Whose task it is, such as a customer or a host: limits per key and fair turns go by it. One line, at most 512 bytes.
    key: str | None = None
    #: By unit, such as `tokens`: what its start is charged where its queue has a rate for the unit, 0 and more.
    cost: Mapping[str, int] | None = None
    #: By unit: what all its runs may spend, 0 and more. The run that spends more is stopped, and the task has failed.
    budget: Mapping[str, int] | None = None


@dataclass(frozen=True)
class Enqueued:
    """The answer to an enqueue: the task is on the disk."""

    id: int
    #: The name was taken by this same task before: nothing was added.
    existing: bool
    name: str


@dataclass(frozen=True)
class TaskProgress:
    """What a running task has told last."""

    done: float | None
    total: float | None
    message: str | None
    at: datetime | None


@dataclass(frozen=True)
class Attempt:
    """How one run ended."""

    #: Numbers the runs of the task, from 1.
    run: int
    #: `ok`, `error`, `timeout`, `oom`, `signal`, `exit`, `protocol`, `lost`, `cancelled` or `recalled`.
    outcome: str
    detail: str
    exit_code: int | None
    signal: int | None
    run_ms: int
    peak_rss_bytes: int | None
    #: The last part of what it printed.
    output: str


@dataclass(frozen=True)
class TaskInfo:
    """A task as it stands. In a list there are no `args`, `result` and `attempts`: ask for the task to have them."""

    id: int
    kind: str
    queue: str
    #: `blocked`, `scheduled`, `available`, `running`, `retryable`, `completed`, `failed` or `cancelled`.
    state: str
    #: Why it is failed: `attempts`, `crashes`, `rejected`, `too_many_runs` or `budget`.
    reason: str | None
    name: str | None
    #: -100 to 100, lower runs first.
    priority: int
    #: It runs, and is cancelled once its processes are gone.
    cancelling: bool
    created_at: datetime
    #: When a scheduled or retryable task becomes available.
    due_at: datetime | None
    #: Of a running task.
    started_at: datetime | None
    finished_at: datetime | None
    #: From available to running, before the last run.
    wait_ms: int | None
    #: Of the last run.
    run_ms: int | None
    #: Runs that ended by their own doing.
    runs: int
    #: Ends in an error or timeout.
    attempts_spent: int
    #: Ends by the death of the worker or of the command.
    crashes_spent: int
    #: A preview: long ones are cut.
    args: Any
    result: Any
    #: `result` is only the last part of what there was.
    result_cut: bool
    #: Oldest first. A first run that succeeded is not among them.
    attempts: tuple[Attempt, ...]
    progress: TaskProgress | None
    #: Amounts by unit.
    spent: Mapping[str, int]
    #: Limits per key and fair turns go by it.
    key: str | None
    #: By unit: what its start is charged. Not in a list, nor is `budget`.
    cost: Mapping[str, int]
    #: By unit: `{"amount": ..., "spent": ...}`.
    budget: Mapping[str, Mapping[str, int]]
    #: The whole answer.
    raw: Mapping[str, Any] = field(repr=False)

    @property
    def is_final(self) -> bool:
        return self.state in ("completed", "failed", "cancelled")


@dataclass(frozen=True)
class LogLine:
    """One line of a task's log."""

    run: int | None
    at: datetime
    #: `output` is what was printed, `log` came through the library, `supervisor` is said about the run.
    source: str
    level: str | None
    text: str

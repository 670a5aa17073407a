"""The HTTP API, one way: what is sent for each request. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from .._duration import Delay, delay_ms
from ..client_errors import Refused
from ..client_types import Task
from .plain import to_json

#: Tasks of one request, at most: the supervisor's limit.
SLICE_TASKS_MAX = 1_000
#: Bytes of one request, at most, unless a single task is larger. The supervisor's own limit is twice this.
SLICE_BYTES_MAX = 4 * 1024 * 1024
#: How long each part of an answer may take, beyond the wait that was asked for.
ANSWER_WAIT_S = 30.0
#: The same while a log is followed: the supervisor sends an empty line every 10 s when it has no other.
FOLLOW_SILENCE_S = 60.0
#: Tasks asked for at once by a list: the supervisor's limit.
PAGE_TASKS = 500


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    body: bytes | None = None
    #: Asking twice does no more than asking once.
    is_safe: bool = True
    #: How long the supervisor may put off its answer until the task has ended.
    wait_s: float = 0.0
    #: How long each part of the answer may take, beyond that.
    silence_s: float = ANSWER_WAIT_S

    @property
    def target(self) -> str:
        return f"{self.path}?wait={round(self.wait_s * 1000)}ms" if self.wait_s > 0 else self.path


def as_task(task: Task | Mapping[str, Any]) -> Task:
    """The task as it is, or of its fields. Raises `Refused`."""
    try:
        return task if isinstance(task, Task) else Task(**task)
    except TypeError as error:
        raise Refused("invalid_spec", f"{task!r} is no task: {error}", "give a Task, or a dict of its fields") from None


def spec_json(task: Task, name: str) -> bytes:
    """The body of an enqueue. Raises `Refused`."""
    spec = {
        "kind": task.kind,
        "queue": task.queue,
        "priority": task.priority,
        "delay_ms": _millis("delay", task.delay),
        "name": name,
        "timeout_ms": _millis("timeout", task.timeout),
        "max_attempts": task.max_attempts,
        "max_crashes": task.max_crashes,
        "key": task.key,
        "cost": task.cost,
        "budget": task.budget,
    }
    text = to_json({key: value for key, value in spec.items() if value is not None}, "task")
    return f'{text[:-1]},"args":{to_json(task.args)}}}'.encode()


def _millis(what: str, duration: Delay | None) -> int | None:
    try:
        return None if duration is None else delay_ms(duration)
    except ValueError as error:
        raise Refused("invalid_spec", f"{what}: {error}", "for example 1.5, or timedelta(minutes=2)") from None


def enqueue(spec: bytes) -> Request:
    return Request("POST", "/v1/tasks", spec)


def bulk(specs: Sequence[bytes]) -> Request:
    return Request("POST", "/v1/tasks/bulk", b'{"tasks":[' + b",".join(specs) + b"]}")


def slices(sizes_bytes: Sequence[int]) -> list[range]:
    """Cuts a bulk so that each slice is within the limits; a task over the limit of bytes goes alone."""
    cut: list[range] = []
    start = total_bytes = 0
    for index, size_bytes in enumerate(sizes_bytes):
        if index > start and (total_bytes + size_bytes > SLICE_BYTES_MAX or index - start == SLICE_TASKS_MAX):
            cut.append(range(start, index))
            start, total_bytes = index, 0
        total_bytes += size_bytes
    if start < len(sizes_bytes):
        cut.append(range(start, len(sizes_bytes)))
    return cut


def task(task_id: int, wait_s: float = 0.0) -> Request:
    return Request("GET", f"/v1/tasks/{_id(task_id)}", wait_s=wait_s)


def page(filters: Mapping[str, str | None], cursor: str | None) -> Request:
    query = {**filters, "limit": str(PAGE_TASKS), "cursor": cursor}
    return Request("GET", "/v1/tasks?" + urlencode({key: value for key, value in query.items() if value is not None}))


def cancel(task_id: int) -> Request:
    return Request("POST", f"/v1/tasks/{_id(task_id)}/cancel")


def retry(task_id: int) -> Request:
    # Asked twice it could start a task again that has failed anew in between.
    return Request("POST", f"/v1/tasks/{_id(task_id)}/retry", is_safe=False)


def reprioritise(task_id: int, priority: int | str) -> Request:
    return Request("POST", f"/v1/tasks/{_id(task_id)}/priority", _body({"priority": priority}))


def pause(queue: str, key: str | None, duration: Delay | None, reason: str) -> Request:
    body = {"key": key, "for_ms": _millis("duration", duration), "reason": reason}
    return Request("POST", f"/v1/queues/{quote(queue, safe='')}/pause", _body(body))


def resume(queue: str, key: str | None) -> Request:
    return Request("POST", f"/v1/queues/{quote(queue, safe='')}/resume", _body({"key": key}))


def explain(task_id: int) -> Request:
    return Request("GET", f"/v1/tasks/{_id(task_id)}/explain")


def explain_queue(queue: str) -> Request:
    return Request("GET", f"/v1/queues/{quote(queue, safe='')}/explain")


def _body(values: Mapping[str, Any]) -> bytes:
    return to_json({key: value for key, value in values.items() if value is not None}, "request").encode()


def stats() -> Request:
    return Request("GET", "/v1/stats")


def logs(task_id: int, attempt: int | None, follow: bool) -> Request:
    query = {"attempt": attempt, "follow": "true" if follow else None}
    given = urlencode({key: value for key, value in query.items() if value is not None})
    target = f"/v1/tasks/{_id(task_id)}/logs" + (f"?{given}" if given else "")
    return Request("GET", target, silence_s=FOLLOW_SILENCE_S if follow else ANSWER_WAIT_S)


def _id(task_id: int) -> int:
    if isinstance(task_id, int) and not isinstance(task_id, bool):
        return task_id
    raise Refused("invalid_id", f"{task_id!r} is no task", "a task is a whole number, such as enqueue(...).id")

"""The HTTP API, the other way: what each answer means, as a value or an error. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from ..client_errors import ClientError, Refused, Unavailable
from ..client_types import Attempt, Enqueued, LogLine, TaskInfo, TaskProgress

T = TypeVar("T")
U = TypeVar("U")

#: What reading raises when the text is not what it should be.
MALFORMED = (ValueError, KeyError, TypeError, AttributeError, RecursionError)


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


def refusal(answer: Answer) -> ClientError:
    """The error of an answer that is not 2xx."""
    kind = Refused if 400 <= answer.status < 500 and answer.status != 429 else Unavailable
    try:
        body = json.loads(answer.body)
        error = kind(str(body["code"]), str(body["message"]), str(body["hint"]), answer.status)
    except MALFORMED:
        message = f"the answer has status {answer.status} and is not of a supervisor"
        return kind("unreadable", message, "see whose socket it is", answer.status)
    error.index, error.task_id = _whole(body.get("index")), _whole(body.get("id"))
    return error


def read(answer: Answer, reader: Callable[[Any], T]) -> T:
    """The value of a good answer. Raises `ClientError` with the code `unreadable`."""
    return _read(answer.body, reader)


def _read(body: bytes, reader: Callable[[Any], T]) -> T:
    try:
        return reader(json.loads(body))
    except MALFORMED as error:
        message = f"the answer cannot be read: {type(error).__name__} {error}"
        raise ClientError("unreadable", message, "supervisor and package may be of different versions") from error


def read_enqueued(name: str) -> Callable[[Any], Enqueued]:
    return lambda raw: Enqueued(int(raw["id"]), bool(raw["existing"]), name)


def read_bulk(names: Sequence[str]) -> Callable[[Any], list[Enqueued]]:
    def read_all(raw: Any) -> list[Enqueued]:
        return [read_enqueued(name)(one) for name, one in zip(names, raw["tasks"], strict=True)]

    return read_all


def read_page(raw: Any) -> tuple[list[TaskInfo], str | None]:
    return [read_task(one) for one in raw["tasks"]], raw.get("next")


def read_outcome(raw: Any) -> str:
    return str(raw["outcome"])


def read_object(raw: Any) -> dict[str, Any]:
    return dict(raw)


def read_task(raw: Any) -> TaskInfo:
    return TaskInfo(
        id=raw["id"],
        kind=raw["kind"],
        queue=raw["queue"],
        state=raw["state"],
        reason=raw["reason"],
        name=raw["name"],
        priority=raw["priority"],
        cancelling=raw["cancelling"],
        created_at=_time(raw["created_at"]),
        due_at=_maybe(_time, raw["due_at"]),
        started_at=_maybe(_time, raw["started_at"]),
        finished_at=_maybe(_time, raw["finished_at"]),
        wait_ms=raw["wait_ms"],
        run_ms=raw["run_ms"],
        runs=raw["runs"],
        attempts_spent=raw["attempts_spent"],
        crashes_spent=raw["crashes_spent"],
        args=raw.get("args"),
        result=raw.get("result"),
        result_cut=raw.get("result_cut", False),
        attempts=tuple(_attempt(one) for one in raw.get("attempts", ())),
        progress=_maybe(_progress, raw.get("progress")),
        spent=raw.get("spent") or {},
        key=raw.get("key"),
        cost=raw.get("cost") or {},
        budget=raw.get("budget") or {},
        raw=raw,
    )


def _attempt(raw: Any) -> Attempt:
    names = ("run", "outcome", "detail", "exit_code", "signal", "run_ms", "peak_rss_bytes", "output")
    return Attempt(*(raw[name] for name in names))


def _progress(raw: Any) -> TaskProgress:
    return TaskProgress(raw.get("done"), raw.get("total"), raw.get("message"), _maybe(_time, raw.get("at")))


def read_log_line(line: bytes) -> LogLine:
    return _read(line, _log_line)


def _log_line(raw: Any) -> LogLine:
    return LogLine(raw.get("run"), _time(raw["at"]), raw["source"], raw.get("level"), raw["text"])


def _time(text: str) -> datetime:
    # Python 3.10 does not know the Z of RFC 3339.
    return datetime.fromisoformat(text[:-1] + "+00:00" if text.endswith("Z") else text)


def _maybe(reader: Callable[[Any], U], raw: Any) -> U | None:
    return None if raw is None else reader(raw)


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) else None

"""The messages of the contract: which fields each has, one table for both directions. No order of messages here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from . import _codec
from ._fields import (
    FACTS_MAX,
    FEATURES_MAX,
    FOLLOW_UPS_MAX,
    KINDS_MAX,
    STEPS_MAX,
    UNITS_MAX,
    Field,
    Misfit,
    array,
    body_of,
    boolean,
    by_name,
    choice,
    either,
    integer,
    needed,
    one_of,
    optional,
    payload,
    read_body,
    real,
    text,
)
from ._frames import frame
from .errors import ContractError

PROTOCOL = 1

BEAT_DEFAULT_MS, BEAT_MIN_MS, BEAT_MAX_MS = 5_000, 10, 60_000
"""From one beat to the next."""

FROM_WORKER, TO_WORKER = "from_worker", "to_worker"

_U16, _U32, _U64, _I32 = (
    integer(0, 2**16 - 1),
    integer(0, 2**32 - 1),
    integer(0, 2**64 - 1),
    integer(-(2**31), 2**31 - 1),
)
_RUN = {"task": needed(_U64), "epoch": needed(_U64)}
_RUN_OR_NIL = Field(optional(body_of(_RUN)), None)
_NUMBER_OR_NIL = Field(optional(_U64), None)
_TEXT_OR_NIL = Field(optional(text), None)
_PAYLOAD = Field(payload, b"")
_EXIT = {
    "code": Field(optional(_I32), None),
    "signal": Field(optional(_I32), None),
    "oom": Field(boolean, False),
    "peak_rss_bytes": _NUMBER_OR_NIL,
    "cpu_ms": _NUMBER_OR_NIL,
}

_AMOUNTS = Field(by_name(UNITS_MAX, _U64), {})

_FOLLOW_UP = {
    "kind": needed(text),
    "args": _PAYLOAD,
    "queue": _TEXT_OR_NIL,
    "name": _TEXT_OR_NIL,
    "priority": Field(optional(either(integer(-100, 100), text)), None),
    "delay_ms": _NUMBER_OR_NIL,
    "timeout_ms": _NUMBER_OR_NIL,
    "max_attempts": Field(optional(_U32), None),
    "max_crashes": Field(optional(_U32), None),
    "key": _TEXT_OR_NIL,
    "cost": _AMOUNTS,
    "budget": _AMOUNTS,
}

_FIELDS: dict[str, dict[str, Mapping[str, Field]]] = {
    FROM_WORKER: {
        "hello": {
            "protocol_min": needed(_U16),
            "protocol_max": needed(_U16),
            "cookie": Field(text, ""),
            "sdk": Field(text, ""),
            "kinds": Field(array(KINDS_MAX, text), []),
            "concurrency": Field(_U32, 1),
            "features": Field(array(FEATURES_MAX, text), []),
        },
        "booting": {},
        "ready": {},
        "beat": {},
        "log": {
            "run": _RUN_OR_NIL,
            "level": Field(one_of("debug", "info", "warn", "error"), "info"),
            "message": needed(text),
        },
        "note": {
            **_RUN,
            "done": Field(optional(real), None),
            "total": Field(optional(real), None),
            "message": _TEXT_OR_NIL,
            "spend": _AMOUNTS,
            "seq": Field(_U64, 0),
        },
        "save": {**_RUN, "step": _TEXT_OR_NIL, "value": _PAYLOAD, "seq": needed(_U64)},
        "done": {
            **_RUN,
            "result": _PAYLOAD,
            "cut": Field(boolean, False),
            "enqueue": Field(array(FOLLOW_UPS_MAX, body_of(_FOLLOW_UP)), []),
        },
        "fail": {
            **_RUN,
            "error": Field(text, ""),
            "retry": Field(choice(("default", "never"), after_ms=_U64), "default"),
            "scope": Field(one_of("task", "key", "queue"), "task"),
            "exit": Field(optional(body_of(_EXIT)), None),
        },
        "park": {
            **_RUN,
            "until": needed(choice(("children",), after_ms=_U64, facts=array(FACTS_MAX, text))),
            "timeout_ms": _NUMBER_OR_NIL,
        },
        "back": _RUN,
        "bye": {"spawn_error": _TEXT_OR_NIL},
    },
    TO_WORKER: {
        "welcome": {
            "protocol": needed(_U16),
            "worker": Field(_U64, 0),
            "features": Field(array(FEATURES_MAX, text), []),
            "beat_ms": Field(integer(BEAT_MIN_MS, BEAT_MAX_MS), BEAT_DEFAULT_MS),
        },
        "reject": {"reason": needed(text)},
        "run": {
            **_RUN,
            "kind": needed(text),
            "args": _PAYLOAD,
            "attempt": Field(_U32, 1),
            "effect_key": Field(text, ""),
            "time_left_ms": _NUMBER_OR_NIL,
            "steps": Field(by_name(STEPS_MAX, payload), {}),
            "checkpoint": _PAYLOAD,
            "facts": Field(by_name(FACTS_MAX, payload), {}),
        },
        "stop": {"run": _RUN_OR_NIL, "reason": needed(text), "grace_ms": needed(_U64)},
        "ack": {**_RUN, "seq": needed(_U64)},
    },
}


class Message(NamedTuple):
    """A message: its name and the values of all its known fields."""

    name: str
    body: Mapping[str, Any]


class RunRef(NamedTuple):
    """One run of one task, as every message about it names it."""

    task: int
    epoch: int

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> RunRef:
        return cls(body["task"], body["epoch"])


def encode(message: Message) -> bytes:
    """The whole frame of a message. Fields that are left out have their defaults for the reader.

    Raises ``ContractError`` (``too_long``) when it does not fit into a frame.
    """
    return frame(_codec.encode({message.name: dict(message.body)}))


def decode(frame_payload: bytes, direction: str) -> Message:
    """Reads a message of one direction. Raises ``ContractError`` with the names of the contract's section 5."""
    value = _codec.decode(frame_payload)
    if not isinstance(value, dict) or len(value) != 1:
        raise ContractError("not_a_message", "a frame is a map of one key, the name of the message")
    ((name, body),) = value.items()
    if not isinstance(name, str):
        raise ContractError("not_a_message", "the name of a message is text")
    fields = _FIELDS[direction].get(name)
    if fields is None:
        raise _unknown(name, direction)
    try:
        return Message(name, read_body(fields, body))
    except Misfit as misfit:
        raise ContractError("body", f"{name}: {misfit}") from None


def _unknown(name: str, direction: str) -> ContractError:
    if any(name in names for names in _FIELDS.values()):
        return ContractError("wrong_direction", f"{name} is never sent in this direction ({direction})")
    return ContractError("unknown_message", f"no message is named {name[:64]!r}")

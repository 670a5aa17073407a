"""Results of handlers and args of follow-ups made of what MessagePack has, or refused with a sentence. Pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from datetime import date, datetime, time
from enum import Enum
from pathlib import PurePath
from typing import Any
from uuid import UUID

from . import _codec

RESULT_MAX_BYTES = 1024 * 1024
"""The largest result, as MessagePack."""


class CannotTravel(ValueError):
    """A value that no payload can have; the text says which part, and the way out."""


def pack(value: Any, path: str = "result", most_bytes: int = RESULT_MAX_BYTES) -> bytes:
    """A payload, called ``path`` in errors; None becomes no bytes. Raises ``CannotTravel``."""
    if value is None:
        return b""
    try:
        packed = _codec.encode(plain(value, path, 0))
    except UnicodeEncodeError:
        raise CannotTravel(f"{path} has text that is not UTF-8; encode it, for example with os.fsencode") from None
    if len(packed) > most_bytes:
        raise CannotTravel(
            f"{path} has {len(packed)} bytes, the limit is {most_bytes}; write it to a file and send its path"
        )
    return packed


def plain(value: Any, path: str, depth: int) -> Any:
    """The value in None, bool, int, float, str, bytes, list and dict."""
    if value is None or isinstance(value, (bool, float, str)) and not isinstance(value, Enum):
        return value
    if isinstance(value, Enum):
        return plain(value.value, path, depth)
    if isinstance(value, int):
        if not _codec.INT_MIN <= value <= _codec.INT_MAX:
            raise CannotTravel(
                f"{path} is an integer of {value.bit_length()} bits, at most 64 can travel; send it as text"
            )
        return value
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value)
    if isinstance(value, (PurePath, UUID)):
        return str(value)
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    return _plain_container(value, path, depth)


def _plain_container(value: Any, path: str, depth: int) -> Any:
    if depth == _codec.DEPTH_MAX:
        raise CannotTravel(f"{_root(path)} is nested more than {_codec.DEPTH_MAX} deep, or contains itself; flatten it")
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        value = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(item, f"{path}[{at}]", depth + 1) for at, item in enumerate(value)]
    if isinstance(value, Mapping):
        return {_plain_key(key, path): plain(item, f"{path}[{key!r}]", depth + 1) for key, item in value.items()}
    raise CannotTravel(
        f"{path} is of type {type(value).__name__}, which cannot travel; "
        "send numbers, text, bytes, lists, dicts or dataclasses"
    )


def _root(path: str) -> str:
    return path.partition("[")[0]


def _plain_key(key: Any, path: str) -> Any:
    as_plain = plain(key, f"a key of {path}", 0)
    if isinstance(as_plain, (list, dict)):
        raise CannotTravel(f"a key of {path} is a {type(key).__name__}; keys are text or numbers")
    return as_plain

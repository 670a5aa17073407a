"""Python values as JSON values, refused with the path of what does not fit. Pure."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from .._codec import INT_MAX, INT_MIN
from ..client_errors import Refused

#: The same as in the wire contract.
DEPTH_MAX = 64


def to_json(value: Any, path: str = "args") -> str:
    """The text of `value`, in which `path` names it. Raises `Refused`."""
    return json.dumps(_plain(value, path, 0), separators=(",", ":"), check_circular=False)


def _plain(value: Any, path: str, depth: int) -> Any:
    if value is None or isinstance(value, (str, bool)):
        return value
    if isinstance(value, int):
        if INT_MIN <= value <= INT_MAX:
            return value
        raise _refused(f"{path}: an integer beyond 64 bits cannot travel", "send it as text")
    if isinstance(value, float):
        if math.isfinite(value):
            return value
        raise _refused(f"{path}: JSON has no {value}", "send None or text in its place")
    if depth == DEPTH_MAX:
        raise _refused(f"{path}: nested more than {DEPTH_MAX} deep", "send a reference such as a path")
    if isinstance(value, (list, tuple)):
        return [_plain(item, f"{path}[{index}]", depth + 1) for index, item in enumerate(value)]
    if isinstance(value, Mapping):
        return {_key(key, path): _plain(item, f"{path}.{key}", depth + 1) for key, item in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        named = ((one.name, getattr(value, one.name)) for one in fields(value))
        return {name: _plain(item, f"{path}.{name}", depth + 1) for name, item in named}
    if isinstance(value, (bytes, bytearray, memoryview)):
        raise _refused(f"{path}: JSON has no bytes", "send text such as base64, or the path of a file")
    hint = "args are JSON values (None, bool, int, float, str, list, dict) and dataclasses of them"
    raise _refused(f"{path}: a {type(value).__name__} cannot travel as JSON", hint)


def _key(key: Any, path: str) -> str:
    if isinstance(key, str):
        return key
    raise _refused(f"{path}: key {key!r} is no text", "keys of a JSON object are text")


def _refused(message: str, hint: str) -> Refused:
    return Refused("invalid_args", message, hint)

"""A decoded value against a type hint: checked, and built into what the hint names. Pure.

Hints that are not known here check nothing.
"""

from __future__ import annotations

import collections.abc
import dataclasses
import types
import typing
from collections.abc import Callable
from datetime import date, datetime
from enum import Enum
from pathlib import PurePath
from typing import Any, Literal, Union
from uuid import UUID

SHOWN_MAX_CHARS = 60
"""How much of a value that does not fit is shown."""

_NAMES = {
    bool: "bool",
    int: "int",
    float: "float",
    str: "str",
    bytes: "bytes",
    list: "list",
    dict: "map",
    type(None): "None",
}
_LISTS = (list, tuple, set, frozenset)
_LIST_LIKE = (collections.abc.Sequence, collections.abc.Iterable, collections.abc.Collection)
_MAP_LIKE = (dict, collections.abc.Mapping, collections.abc.MutableMapping)


class Mismatch(Exception):
    """``path`` within the argument (empty for the argument itself), and what is wrong there."""

    def __init__(self, problem: str, path: str = "") -> None:
        super().__init__(problem)
        self.problem = problem
        self.path = path


def fit(hint: Any, value: Any) -> Any:
    """The value as the hint wants it. Raises ``Mismatch``."""
    hint = _look_through(hint)
    origin = typing.get_origin(hint) or hint
    if hint is None or hint is type(None) or isinstance(hint, type) and hint in (bool, int, str, bytes):
        return _fit_exactly(hint, value)
    if hint is float:
        if type(value) not in (int, float):
            raise _expected(hint, value)
        return float(value)
    if origin in (Union, types.UnionType):
        return _fit_any(hint, value)
    if origin is Literal:
        if not any(value == choice and type(value) is type(choice) for choice in typing.get_args(hint)):
            raise _expected(hint, value)
        return value
    if origin in _LISTS or origin in _LIST_LIKE:
        return _fit_list(hint, origin, value)
    if origin in _MAP_LIKE:
        return _fit_map(hint, value)
    if isinstance(origin, type):
        return _fit_class(origin, hint, value)
    return value


def describe(hint: Any) -> str:
    """A hint in words that are short."""
    hint = _look_through(hint)
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if hint is None or hint in _NAMES:
        return _NAMES[type(None) if hint is None else hint]
    if origin in (Union, types.UnionType):
        return " or ".join(describe(argument) for argument in arguments)
    if origin is Literal:
        return "one of " + ", ".join(repr(choice) for choice in arguments)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return "one of " + ", ".join(repr(member.value) for member in hint)
    if origin is None:
        return str(getattr(hint, "__name__", hint))
    inner = ", ".join("..." if argument is ... else describe(argument) for argument in arguments)
    return f"{'map' if origin in _MAP_LIKE else getattr(origin, '__name__', origin)}[{inner}]"


def shown(value: Any) -> str:
    """The type and the beginning of a value, for people."""
    if value is None:
        return "None"
    text = repr(value)
    cut = text if len(text) <= SHOWN_MAX_CHARS else text[:SHOWN_MAX_CHARS] + "..."
    return f"{_NAMES.get(type(value), type(value).__name__)} {cut}"


def _expected(hint: Any, value: Any) -> Mismatch:
    return Mismatch(f"expected {describe(hint)}, got {shown(value)}")


def _look_through(hint: Any) -> Any:
    """What stands behind Annotated, NewType, Required and a variable with a bound."""
    while True:
        if hasattr(hint, "__supertype__"):
            hint = hint.__supertype__
        elif hasattr(hint, "__metadata__"):
            hint = hint.__origin__
        elif isinstance(hint, typing.TypeVar):
            hint = hint.__bound__ or Any
        else:
            return hint


def _fit_exactly(hint: Any, value: Any) -> Any:
    if type(value) is not (type(None) if hint is None else hint):
        raise _expected(hint, value)
    return value


def _fit_any(hint: Any, value: Any) -> Any:
    # `float | int` must leave an int what it is: the very type goes first.
    choices = sorted(typing.get_args(hint), key=lambda choice: _look_through(choice) is not type(value))
    inner = []
    for choice in choices:
        try:
            return fit(choice, value)
        except Mismatch as mismatch:
            inner += [mismatch] if mismatch.path else []
    # When the value fits one choice but for a part of it, that part is the problem.
    raise inner[0] if len(inner) == 1 else _expected(hint, value)


def _within(path: str, hint: Any, value: Any) -> Any:
    try:
        return fit(hint, value)
    except Mismatch as mismatch:
        raise Mismatch(mismatch.problem, path + mismatch.path) from None


def _fit_list(hint: Any, origin: Any, value: Any) -> Any:
    if not isinstance(value, list):
        raise _expected(hint, value)
    arguments = typing.get_args(hint)
    if origin is tuple and arguments and arguments[-1] is not ...:
        if len(value) != len(arguments):
            raise Mismatch(f"expected {len(arguments)} items, got {len(value)}")
        items = [_within(f"[{at}]", argument, item) for at, (argument, item) in enumerate(zip(arguments, value))]
    else:
        each = arguments[0] if arguments else Any
        items = [_within(f"[{at}]", each, item) for at, item in enumerate(value)]
    try:
        return origin(items) if origin in _LISTS else items
    except TypeError:
        raise Mismatch(f"expected {describe(hint)}, got items that no set can hold") from None


def _fit_map(hint: Any, value: Any) -> Any:
    if not isinstance(value, dict):
        raise _expected(hint, value)
    keys, items = typing.get_args(hint) or (Any, Any)
    return {_within(f"[{key!r}]", keys, key): _within(f"[{key!r}]", items, item) for key, item in value.items()}


def _fit_class(cls: type, hint: Any, value: Any) -> Any:
    if dataclasses.is_dataclass(cls):
        fields = [field for field in dataclasses.fields(cls) if field.init]
        optional = {
            field.name
            for field in fields
            if field.default is not dataclasses.MISSING or field.default_factory is not dataclasses.MISSING
        }
        return _build(cls, _fit_fields(cls, [field.name for field in fields], optional, value))
    if hasattr(cls, "__required_keys__"):
        return _fit_fields(cls, list(cls.__annotations__), set(getattr(cls, "__optional_keys__")), value)
    if issubclass(cls, Enum):
        for member in cls:
            if member.value == value and type(member.value) is type(value):
                return member
        raise _expected(hint, value)
    read = _reader_of(cls)
    if read is None or isinstance(value, cls):
        return value
    if not isinstance(value, str):
        raise Mismatch(f"expected {cls.__name__} as text, got {shown(value)}")
    try:
        return read(value)
    except ValueError as error:
        raise Mismatch(f"expected {cls.__name__} as text, got {shown(value)} ({error})") from None


def _reader_of(cls: type) -> Callable[[str], Any] | None:
    """What results carry as text comes back from text."""
    if cls in (datetime, date):
        # Until Python 3.11 the letter for UTC is not known.
        return lambda text: cls.fromisoformat(text[:-1] + "+00:00" if text.endswith("Z") else text)
    return cls if issubclass(cls, (PurePath, UUID)) else None


def _fit_fields(cls: type, names: list[str], optional: set[str], value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Mismatch(f"expected a map for {cls.__name__}, got {shown(value)}")
    known = f"known fields of {cls.__name__} are {', '.join(names)}"
    for name in names:
        if name not in value and name not in optional:
            raise Mismatch(f"field {name} is missing; {known}")
    for name in value:
        if name not in names:
            raise Mismatch(f"field {name} is not known; {known}")
    hints = hints_of(cls)
    return {name: _within(f".{name}", hints.get(name, Any), item) for name, item in value.items()}


def _build(cls: Callable[..., Any], fields: dict[str, Any]) -> Any:
    try:
        return cls(**fields)
    except (TypeError, ValueError) as error:
        raise Mismatch(f"{getattr(cls, '__name__', cls)} refuses its fields: {error}") from None


def hints_of(thing: Any) -> dict[str, Any]:
    """The hints of a class or function; those that cannot be resolved are left out, and so check nothing."""
    try:
        return typing.get_type_hints(thing)
    except Exception:
        found = getattr(thing, "__annotations__", {})
        return {name: hint for name, hint in found.items() if not isinstance(hint, str)}

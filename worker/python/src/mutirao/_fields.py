"""The types of the contract's fields: each reads one decoded value, or refuses it with ``Misfit``. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

FieldType = Callable[[Any], Any]

KINDS_MAX, FEATURES_MAX, UNITS_MAX = 1024, 64, 16
FOLLOW_UPS_MAX, STEPS_MAX, FACTS_MAX = 1000, 10_000, 256


class Misfit(Exception):
    """A value does not fit its field; the text says where and why."""


class Field(NamedTuple):
    """A field of a body: how its value is read, and what it is when it is missing."""

    read: FieldType
    default: Any
    needed: bool = False


def needed(read: FieldType) -> Field:
    return Field(read, None, True)


def read_body(fields: Mapping[str, Field], body: Any) -> dict[str, Any]:
    """The known fields of a body, with defaults for those that are missing; unknown ones are left out."""
    if not isinstance(body, dict):
        raise Misfit("must be a map of named fields")
    if not {str}.issuperset(map(type, body)):
        raise Misfit("must have keys that are text")
    values = {}
    for name, field in fields.items():
        if name in body:
            try:
                values[name] = field.read(body[name])
            except Misfit as misfit:
                raise Misfit(f"{name}: {misfit}") from None
        elif field.needed:
            raise Misfit(f"{name} is missing")
        else:
            values[name] = field.default
    return values


def _is_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def integer(least: int, most: int) -> FieldType:
    def read(value: Any) -> int:
        if not _is_int(value) or not least <= value <= most:
            raise Misfit(f"must be an integer from {least} to {most}")
        return int(value)

    return read


def real(value: Any) -> float:
    if not _is_int(value) and not isinstance(value, float):
        raise Misfit("must be a number")
    return float(value)


def text(value: Any) -> str:
    if not isinstance(value, str):
        raise Misfit("must be text")
    return value


def boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise Misfit("must be true or false")
    return value


def payload(value: Any) -> bytes:
    """MessagePack of its own, not decoded here; no bytes mean nothing."""
    if value is None:
        return b""
    if not isinstance(value, bytes):
        raise Misfit("must be bin")
    return value


def optional(read: FieldType) -> FieldType:
    return lambda value: None if value is None else read(value)


def array(most_items: int, item: FieldType) -> FieldType:
    def read(value: Any) -> list[Any]:
        if not isinstance(value, list) or len(value) > most_items:
            raise Misfit(f"must be an array of at most {most_items} items")
        return [item(one) for one in value]

    return read


def by_name(most_items: int, item: FieldType) -> FieldType:
    def read(value: Any) -> dict[str, Any]:
        if not isinstance(value, dict) or len(value) > most_items:
            raise Misfit(f"must be a map of at most {most_items} names")
        return {text(name): item(one) for name, one in value.items()}

    return read


def one_of(*names: str) -> FieldType:
    def read(value: Any) -> str:
        if value not in names:
            raise Misfit(f"must be one of {', '.join(names)}")
        return str(value)

    return read


def body_of(fields: Mapping[str, Field]) -> FieldType:
    return lambda value: read_body(fields, value)


def choice(names: tuple[str, ...], **maps: FieldType) -> FieldType:
    """A name alone, or a map of one key that says what the value beside it is: ``"never"``, ``{"after_ms": 5}``."""

    def read(value: Any) -> Any:
        if isinstance(value, dict) and len(value) == 1:
            ((name, inner),) = value.items()
            if isinstance(name, str) and name in maps:
                return {name: maps[name](inner)}
        return one_of(*names)(value)

    return read


def either(first: FieldType, second: FieldType) -> FieldType:
    def read(value: Any) -> Any:
        try:
            return first(value)
        except Misfit:
            return second(value)

    return read

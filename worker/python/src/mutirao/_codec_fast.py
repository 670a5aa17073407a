"""MessagePack by the ``msgpack`` package, only where it behaves as ``_codec`` does; it raises elsewhere."""

from __future__ import annotations

from typing import Any

from msgpack import ExtType, Timestamp, packb, unpackb  # type: ignore[import-untyped, import-not-found, unused-ignore]

RESERVED_ITEMS_MAX = 8 * 1024 * 1024
"""Items that all arrays of one value may announce together: ``msgpack`` reserves room for them before it looks."""

_DEPTH_MAX = 64
_WIDE_SIZES = bytes((0xDC, 0xDD))


def encode(value: Any) -> bytes:
    packed: bytes = packb(value, use_bin_type=True)
    return packed


def decode(data: bytes) -> Any:
    announcing = len(data) - len(data.translate(None, _WIDE_SIZES))
    if announcing * len(data) > RESERVED_ITEMS_MAX:
        raise ValueError("may announce more than it holds")
    value = unpackb(data, raw=False, strict_map_key=False, object_pairs_hook=_unique)
    _check(value)
    return value


def _unique(pairs: list[tuple[Any, Any]]) -> dict[Any, Any]:
    as_map = dict(pairs)
    if len(as_map) != len(pairs):
        raise ValueError("a key stands twice")
    return as_map


def _check(value: Any) -> None:
    """What ``msgpack`` has no option for: depth, and extension types wherever they stand."""
    level = [value]
    for _ in range(_DEPTH_MAX + 1):
        containers = [item for item in level if isinstance(item, (list, dict))]
        if any(isinstance(item, (ExtType, Timestamp)) for item in level):
            raise ValueError("an extension type")
        level = [part for container in containers for part in _parts(container)]
        if not containers:
            return
    raise ValueError("nested too deeply")


def _parts(container: Any) -> list[Any]:
    return [*container, *container.values()] if isinstance(container, dict) else container

"""MessagePack as the contract uses it: one value, no extension types, bounded. Knows no message.

The ``msgpack`` package is used for its speed where it is there and behaves the same; ``MUTIRAO_PURE=1`` forbids it.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Callable
from typing import Any

from .errors import ContractError

DEPTH_MAX = 64
"""Arrays and maps that may enclose one another; the outermost counts as 1."""

INT_MIN, INT_MAX = -(2**63), 2**64 - 1

# From the size that needs it: the marker and the width of what follows it. Ascending.
_UNSIGNED = ((0xFF, 0xCC, ">BB"), (0xFFFF, 0xCD, ">BH"), (0xFFFF_FFFF, 0xCE, ">BI"), (INT_MAX, 0xCF, ">BQ"))
_SIGNED = ((-0x80, 0xD0, ">Bb"), (-0x8000, 0xD1, ">Bh"), (-0x8000_0000, 0xD2, ">Bi"), (INT_MIN, 0xD3, ">Bq"))
_SIZES_BIN = ((0xFF, 0xC4, ">BB"), (0xFFFF, 0xC5, ">BH"), (0xFFFF_FFFF, 0xC6, ">BI"))
_SIZES_STR = ((0xFF, 0xD9, ">BB"), (0xFFFF, 0xDA, ">BH"), (0xFFFF_FFFF, 0xDB, ">BI"))
_SIZES_ARRAY = ((0xFFFF, 0xDC, ">BH"), (0xFFFF_FFFF, 0xDD, ">BI"))
_SIZES_MAP = ((0xFFFF, 0xDE, ">BH"), (0xFFFF_FFFF, 0xDF, ">BI"))

_NUMBERS = {
    0xCA: ">f", 0xCB: ">d",
    0xCC: ">B", 0xCD: ">H", 0xCE: ">I", 0xCF: ">Q",
    0xD0: ">b", 0xD1: ">h", 0xD2: ">i", 0xD3: ">q",
}  # fmt: skip
_CONSTANTS = {0xC0: None, 0xC2: False, 0xC3: True}


def encode_pure(value: Any) -> bytes:
    """The bytes of a value made of None, bool, int, float, str, bytes, list, tuple and dict.

    Raises ``ValueError`` for an integer over 64 bits and for text that UTF-8 lacks, ``TypeError`` for any other type.
    """
    out = bytearray()
    _write(value, out)
    return bytes(out)


def _write(value: Any, out: bytearray) -> None:
    if value is None or value is True or value is False:
        out.append({None: 0xC0, False: 0xC2, True: 0xC3}[value])
    elif isinstance(value, str):
        text = value.encode("utf-8")
        _write_size(len(text), 0xA0, 32, _SIZES_STR, out)
        out += text
    elif isinstance(value, int):
        _write_int(value, out)
    elif isinstance(value, float):
        out += struct.pack(">Bd", 0xCB, value)
    elif isinstance(value, bytes):
        _write_size(len(value), 0, 0, _SIZES_BIN, out)
        out += value
    elif isinstance(value, (list, tuple)):
        _write_size(len(value), 0x90, 16, _SIZES_ARRAY, out)
        for item in value:
            _write(item, out)
    elif isinstance(value, dict):
        _write_size(len(value), 0x80, 16, _SIZES_MAP, out)
        for key, item in value.items():
            _write(key, out)
            _write(item, out)
    else:
        raise TypeError(f"{type(value).__name__} is not part of MessagePack")


def _write_int(value: int, out: bytearray) -> None:
    if -32 <= value < 128:
        out.append(value & 0xFF)
        return
    fits = (
        (form for form in _UNSIGNED if value <= form[0])
        if value > 0
        else (form for form in _SIGNED if value >= form[0])
    )
    for _, marker, layout in fits:
        out += struct.pack(layout, marker, value)
        return
    raise ValueError(f"integer of {value.bit_length()} bits: MessagePack has 64")


def _write_size(size: int, short: int, short_end: int, forms: tuple[tuple[int, int, str], ...], out: bytearray) -> None:
    if size < short_end:
        out.append(short | size)
        return
    for most, marker, layout in forms:
        if size <= most:
            out += struct.pack(layout, marker, size)
            return
    raise ValueError(f"{size} items or bytes: MessagePack has 32 bits for a size")


def decode_pure(data: bytes) -> Any:
    """The one value in ``data``: arrays as lists, maps as dicts.

    Raises ``ContractError``: ``empty``, ``truncated``, ``trailing``, ``too_deep``, ``malformed``, or ``body`` for a key
    that stands twice. Nothing is built for a size that the bytes do not have.
    """
    if not data:
        raise ContractError("empty", "no bytes where a value must be")
    reader = _Reader(data)
    value = reader.value(0)
    left = len(data) - reader.at
    if left:
        raise ContractError("trailing", f"{left} bytes follow the value")
    return value


class _Reader:
    """Reads values off the front of some bytes."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def take(self, size: int) -> bytes:
        end = self.at + size
        if end > len(self.data):
            raise ContractError("truncated", "a value announces more than there is")
        piece = self.data[self.at : end]
        self.at = end
        return piece

    def number(self, layout: str) -> Any:
        return struct.unpack(layout, self.take(struct.calcsize(layout)))[0]

    def value(self, depth: int) -> Any:
        marker = self.take(1)[0]
        if marker < 0x80:
            return marker
        if marker >= 0xE0:
            return marker - 0x100
        if marker < 0x90:
            return self.map(marker & 0x0F, depth)
        if marker < 0xA0:
            return self.array(marker & 0x0F, depth)
        if marker < 0xC0:
            return self.text(marker & 0x1F)
        if marker in _CONSTANTS:
            return _CONSTANTS[marker]
        if marker in _NUMBERS:
            return self.number(_NUMBERS[marker])
        if 0xC4 <= marker <= 0xC6:
            return self.take(self.number((">B", ">H", ">I")[marker - 0xC4]))
        if 0xD9 <= marker <= 0xDB:
            return self.text(self.number((">B", ">H", ">I")[marker - 0xD9]))
        if marker in (0xDC, 0xDD):
            return self.array(self.number(">H" if marker == 0xDC else ">I"), depth)
        if marker in (0xDE, 0xDF):
            return self.map(self.number(">H" if marker == 0xDE else ">I"), depth)
        raise ContractError("malformed", f"byte {marker:#x} is an extension type or no MessagePack")

    def text(self, size: int) -> str:
        try:
            return self.take(size).decode("utf-8")
        except UnicodeDecodeError:
            raise ContractError("malformed", "a str is not UTF-8") from None

    def array(self, size: int, depth: int) -> list[Any]:
        self.enter(size, depth)
        return [self.value(depth + 1) for _ in range(size)]

    def map(self, size: int, depth: int) -> dict[Any, Any]:
        self.enter(2 * size, depth)
        pairs = {}
        for _ in range(size):
            key = self.value(depth + 1)
            if isinstance(key, (list, dict)):
                raise ContractError("malformed", "a key of a map is an array or a map")
            if key in pairs:
                raise ContractError("body", f"the key {key!r} stands twice in one map")
            pairs[key] = self.value(depth + 1)
        return pairs

    def enter(self, values: int, depth: int) -> None:
        if depth == DEPTH_MAX:
            raise ContractError("too_deep", f"arrays and maps are nested more than {DEPTH_MAX} deep")
        if values > len(self.data) - self.at:
            raise ContractError("truncated", "an array or map announces more values than there are bytes")


def _choose() -> tuple[Callable[[Any], bytes], Callable[[bytes], Any] | None]:
    if os.environ.get("MUTIRAO_PURE") != "1":
        try:
            from . import _codec_fast
        except ImportError:
            pass
        else:
            return _codec_fast.encode, _codec_fast.decode
    return encode_pure, None


encode, _decode_fast = _choose()


def decode(data: bytes) -> Any:
    """As ``decode_pure``. What the fast way does not take, the pure one takes or names the error of."""
    if _decode_fast is not None:
        try:
            return _decode_fast(data)
        except Exception:
            pass
    return decode_pure(data)

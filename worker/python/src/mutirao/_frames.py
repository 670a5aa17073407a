"""Frames: a big-endian length of four bytes, then one MessagePack value. No message and no descriptor is known here."""

from __future__ import annotations

import struct

from .errors import ContractError

FRAME_MAX_BYTES = 16 * 1024 * 1024
"""Largest payload of a frame, after its length."""

_LENGTH = struct.Struct(">I")


def frame(payload: bytes) -> bytes:
    """A whole frame. Raises ``ContractError`` (``too_long``) when the payload is over 16 MiB."""
    if len(payload) > FRAME_MAX_BYTES:
        raise _too_long(len(payload))
    return _LENGTH.pack(len(payload)) + payload


def _too_long(size_bytes: int) -> ContractError:
    return ContractError("too_long", f"a frame of {size_bytes} bytes exceeds the limit of {FRAME_MAX_BYTES}")


class FrameDecoder:
    """Cuts a stream of bytes into payloads. It holds what arrived and never reserves what was only announced."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._read = 0

    def push(self, data: bytes) -> None:
        """Adds what arrived. Take all frames out before pushing more."""
        del self._buffer[: self._read]
        self._read = 0
        self._buffer += data

    def next_frame(self) -> bytes | None:
        """The payload of the next whole frame, or None when more bytes are needed.

        Raises ``ContractError`` (``empty``, ``too_long``) as soon as the four bytes of the length are there.
        """
        if len(self._buffer) - self._read < _LENGTH.size:
            return None
        (size_bytes,) = _LENGTH.unpack_from(self._buffer, self._read)
        if size_bytes == 0:
            raise ContractError("empty", "a frame announces no bytes")
        if size_bytes > FRAME_MAX_BYTES:
            raise _too_long(size_bytes)
        start = self._read + _LENGTH.size
        if len(self._buffer) - start < size_bytes:
            return None
        self._read = start + size_bytes
        return bytes(self._buffer[start : self._read])

    def is_partial(self) -> bool:
        """True while a frame has begun and is not complete: the end of the stream here is an error of the sender."""
        return len(self._buffer) > self._read

"""Texts of unknown length and origin made fit for a frame: UTF-8, at most so many bytes. Pure."""

from __future__ import annotations


def clip(text: str, max_bytes: int) -> str:
    """The longest beginning of at most ``max_bytes`` bytes that ends between characters."""
    if len(text) * 4 <= max_bytes and text.isascii():
        return text
    return _utf8(text[:max_bytes])[:max_bytes].decode("utf-8", "ignore")


def clip_tail(text: str, max_bytes: int) -> str:
    """The longest end of at most ``max_bytes`` bytes that begins between characters."""
    return _utf8(text[-max_bytes:])[-max_bytes:].decode("utf-8", "ignore")


def _utf8(text: str) -> bytes:
    # File names may hold lone surrogates, which UTF-8 lacks.
    return text.encode("utf-8", "backslashreplace")

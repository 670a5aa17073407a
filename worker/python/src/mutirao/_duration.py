"""Reading a delay in any of its spellings. Pure."""

from __future__ import annotations

import math
import re
from datetime import timedelta

Delay = int | float | timedelta | str

DELAY_MAX_MS = 10 * 365 * 24 * 60 * 60 * 1000
"""The longest delay that the contract knows: ten years."""

TIMEOUT_MAX_MS = 365 * 24 * 60 * 60 * 1000
"""The longest time for one run: a year."""

_UNIT_MS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_PART = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)\s*")


def delay_ms(delay: Delay) -> int:
    """Milliseconds, rounded. Raises ``ValueError`` for what is no delay, negative, or over ten years."""
    exact_ms = _exact_ms(delay)
    if not 0 <= exact_ms <= DELAY_MAX_MS:
        raise ValueError(f"delay {delay!r}: must be from 0 to ten years, in seconds, or a text such as '30s'")
    return round(exact_ms)


def timeout_ms(timeout: Delay) -> int:
    """Milliseconds, rounded. Raises ``ValueError`` for what is no duration, below 1 ms, or over a year."""
    exact_ms = _exact_ms(timeout)
    if not 1 <= exact_ms <= TIMEOUT_MAX_MS:
        raise ValueError(f"timeout {timeout!r}: must be from 1 ms to a year, in seconds, or a text such as '30s'")
    return round(exact_ms)


def _exact_ms(delay: Delay) -> float:
    if isinstance(delay, timedelta):
        return delay.total_seconds() * 1_000
    if isinstance(delay, str):
        parts = _PART.findall(delay)
        if parts and not _PART.sub("", delay.strip()):
            return sum(float(number) * _UNIT_MS[unit] for number, unit in parts)
    elif not isinstance(delay, bool) and isinstance(delay, (int, float)):
        return delay * 1_000
    return math.nan

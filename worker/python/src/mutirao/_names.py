"""How names are spelled: of kinds, queues and units, and the unique ones of tasks. Pure."""

from __future__ import annotations

import re
import unicodedata

UNIQUE_NAME_MAX_BYTES = 512

_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}")


def check_name(what: str, name: object) -> None:
    """Raises ``ValueError`` with the rule when ``name`` is not spelled as names are."""
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ValueError(f"{what} {name!r}: a name has 1 to 64 of a-z 0-9 _ . - and begins with a letter or digit")


def check_unique_name(name: object) -> None:
    """Raises ``ValueError`` with the rule when ``name`` cannot be the unique name of a task."""
    _check_line("name", name)


def check_key(key: object) -> None:
    """Raises ``ValueError`` with the rule when ``key`` cannot be the key of a task."""
    _check_line("key", key)


def _check_line(what: str, name: object) -> None:
    # Surrogates (Cs) are no text, and what ends a line (Cc, Zl, Zp) is not printable.
    legal = isinstance(name, str) and not any(unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp") for char in name)
    if not isinstance(name, str) or not legal or not 1 <= len(name.encode()) <= UNIQUE_NAME_MAX_BYTES:
        raise ValueError(f"{what} {name!r:.80}: one line of printable text, 1 to {UNIQUE_NAME_MAX_BYTES} bytes")

"""How names of kinds and units are spelled. Pure."""

from __future__ import annotations

import re

_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}")


def check_name(what: str, name: object) -> None:
    """Raises ``ValueError`` with the rule when ``name`` is not spelled as names are."""
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ValueError(f"{what} {name!r}: a name has 1 to 64 of a-z 0-9 _ . - and begins with a letter or digit")

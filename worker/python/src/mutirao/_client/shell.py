"""What the two shells share: their limits, the making of names, and the words for what does not arrive."""

from __future__ import annotations

import select
import uuid

from .http import BrokenAnswer, TooLong
from .place import Place
from .retry import Lost

#: Requests of one client under way at once; more wait for their turn. The supervisor takes 256 from all.
CONNECTIONS_MAX = 32
READ_BYTES = 256 * 1024


class NotConnected(Exception):
    """Nobody could be asked."""

    def __init__(self, reason: OSError) -> None:
        super().__init__(reason)
        self.reason = reason


#: Whatever the use of a connection raises.
FAILURES = (NotConnected, OSError, BrokenAnswer)


def silent(wait_s: float) -> TimeoutError:
    return TimeoutError(f"nothing came for {wait_s:g} s")


def new_name() -> str:
    """A name that nobody else has: with it, an enqueue that was sent twice adds one task."""
    return f"py-{uuid.uuid4().hex}"


def has_news(descriptor: int) -> bool:
    """Of an idle connection, which has nothing to say but that it is closed."""
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(0))


def lost(place: Place, error: Exception) -> Lost:
    if isinstance(error, NotConnected):
        return _not_connected(place, error.reason)
    hint = "see what the supervisor does, then ask again"
    return Lost(f"the answer broke off: {error}", hint, may_have_acted=True, is_lasting=isinstance(error, TooLong))


def _not_connected(place: Place, reason: OSError) -> Lost:
    message, hint = place.missing(reason.strerror or str(reason))
    if isinstance(reason, PermissionError):
        hint = "the socket is for the user who runs the supervisor: be that user"
    # Python's own refusal of a path that is too long has no number.
    is_lasting = isinstance(reason, PermissionError) or reason.errno is None
    return Lost(message, hint, may_have_acted=False, is_lasting=is_lasting)

"""What one run says of itself, put together into few notes: progress at most ten times a second, one note that spends
at a time. Pure: time is an argument.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from ._fields import UNITS_MAX
from ._messages import Message, RunRef
from ._text import clip

PROGRESS_INTERVAL_MS = 100
"""Notes without spend are this far apart; what is said in between is replaced by what is said later."""

MESSAGE_MAX_BYTES = 1024
AMOUNT_MAX = 2**53
"""What one note may spend of one unit."""

UNSENT_MAX_NOTES = 64
"""Notes that spend and wait for their turn. More than one only when a run spends more than 16 units at once."""


class Progress(NamedTuple):
    """How far a run is, as it was said last."""

    done: float | None = None
    total: float | None = None
    message: str | None = None


class Notes:
    """The notes of one run: what was said and not sent, and what was sent and not acknowledged."""

    def __init__(self, run: RunRef) -> None:
        self._run = run
        self._progress = Progress()
        self._is_fresh = False
        self._progress_at_ms: int | None = None
        self._unsent: list[dict[str, int]] = []
        self._sent_seq = 0
        self._acked_seq = 0

    def progress(self, done: float, total: float | None, message: str | None) -> None:
        """Replaces what was said before, but keeps the message when there is no new one."""
        kept = self._progress.message if message is None else clip(message, MESSAGE_MAX_BYTES)
        self._progress, self._is_fresh = Progress(done, total, kept), True

    def say(self, message: str) -> None:
        """Replaces the message alone."""
        self._progress, self._is_fresh = self._progress._replace(message=clip(message, MESSAGE_MAX_BYTES)), True

    def spend(self, unit: str, amount: int) -> int:
        """Adds up.

        Gives the number of the note that will tell it. Raises ``OverflowError`` when too many notes wait.
        """
        last = self._unsent[-1] if self._unsent else None
        if amount and (last is None or not _has_room(last, unit, amount)):
            if len(self._unsent) == UNSENT_MAX_NOTES:
                raise OverflowError(
                    f"{UNSENT_MAX_NOTES * UNITS_MAX} units are spent and not stored; wait for a receipt first"
                )
            last = {}
            self._unsent.append(last)
        if amount and last is not None:
            last[unit] = last.get(unit, 0) + amount
        return self._sent_seq + len(self._unsent)

    def acked(self, seq: int) -> bool:
        """Takes an ack; false when no note waits for it."""
        if self._acked_seq == self._sent_seq or seq != self._sent_seq:
            return False
        self._acked_seq = seq
        return True

    @property
    def acked_seq(self) -> int:
        return self._acked_seq

    def is_settled(self) -> bool:
        """True when all that was spent is acknowledged."""
        return not self._unsent and self._acked_seq == self._sent_seq

    def due_at_ms(self, now_ms: int) -> int | None:
        """When there is something to send: now, later, or (None) not before something else happens."""
        if self._unsent and self._acked_seq == self._sent_seq:
            return now_ms
        if not self._is_fresh:
            return None
        return now_ms if self._progress_at_ms is None else max(now_ms, self._progress_at_ms + PROGRESS_INTERVAL_MS)

    def take(self, now_ms: int) -> Message | None:
        """The note that is to be sent now."""
        due_at_ms = self.due_at_ms(now_ms)
        if due_at_ms is None or due_at_ms > now_ms:
            return None
        return self._note(now_ms)

    def take_last(self, now_ms: int) -> Message | None:
        """The progress that was not told yet, however soon after the last: the run is about to be answered."""
        return self._note(now_ms) if self._is_fresh else None

    def _note(self, now_ms: int) -> Message:
        body: dict[str, Any] = self._run._asdict()
        if self._is_fresh:
            body.update((name, value) for name, value in self._progress._asdict().items() if value is not None)
            self._is_fresh, self._progress_at_ms = False, now_ms
        if self._unsent and self._acked_seq == self._sent_seq:
            self._sent_seq += 1
            body.update(spend=self._unsent.pop(0), seq=self._sent_seq)
        return Message("note", body)


def _has_room(spend: dict[str, int], unit: str, amount: int) -> bool:
    return (unit in spend or len(spend) < UNITS_MAX) and spend.get(unit, 0) + amount <= AMOUNT_MAX

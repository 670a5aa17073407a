"""One run from its start to its answer: what was said, spent and asked for. Pure; when it is sent is decided by `_desk`."""

from __future__ import annotations

from concurrent.futures import Future

from ._follow_ups import FollowUps
from ._handler import Outcome
from ._messages import RunRef
from ._notes import Notes
from ._stop import StopSign


class Running:
    """A run that was started and is not answered."""

    def __init__(self, ref: RunRef, stores_notes: bool) -> None:
        self.sign = StopSign()
        self.notes = Notes(ref)
        self.stores_notes = stores_notes
        self.follow_ups = FollowUps()
        self.retires = False
        self.outcome: Outcome | None = None
        self.receipts: dict[int, Future[bool]] = {}

    def spend(self, unit: str, amount: int) -> Future[bool]:
        """One receipt stands for all that one note tells."""
        if not self.stores_notes:
            return settled(False)
        seq = self.notes.spend(unit, amount)
        if seq <= self.notes.acked_seq:
            return settled(True)
        return self.receipts.setdefault(seq, Future())

    def retire(self) -> None:
        """The worker leaves once this run is answered."""
        self.retires = True


def settled(stored: bool) -> Future[bool]:
    """A receipt that nobody need wait for."""
    receipt: Future[bool] = Future()
    receipt.set_result(stored)
    return receipt

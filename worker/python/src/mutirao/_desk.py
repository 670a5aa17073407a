"""What a worker knows of its conversation and does next: runs that wait, those that run, those to give back, the end.

Pure: no bytes, threads or clocks; `_post` guards it and `_runtime` acts on it.
"""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future
from typing import NamedTuple

from ._handler import Done, Failed, Outcome
from ._messages import BEAT_DEFAULT_MS, PROTOCOL, Message, RunRef
from ._running import Running
from ._stop import StopRequest, StopSign
from .errors import ContractError

BEAT, NOTE, ENQUEUE = "beat", "note", "enqueue"
FEATURES = [BEAT, NOTE, ENQUEUE]

NEEDS_OTHER_FEATURES = ("steps", "checkpoint", "facts")
"""Fields of `run` that nobody sends to this worker."""

EXIT_IO, EXIT_PROTOCOL, EXIT_CONFIG = 74, 76, 78
EXIT_TERMINATED = 128 + 15


class Ended(NamedTuple):
    """How the conversation ended: the exit code of the process, and a sentence (empty when all is well)."""

    code: int
    sentence: str = ""


DRAINED = Ended(0)


class Send(NamedTuple):
    """Messages for the supervisor, in this order."""

    messages: list[Message]


class Start(NamedTuple):
    """A run to be executed."""

    run: Message
    ref: RunRef
    sign: StopSign


class Prepare(NamedTuple):
    """What is to be done between ``welcome`` and ``ready``."""


Next = Send | Start | Prepare | Ended

NO_FOLLOW_UPS = Failed(
    "this supervisor takes no follow-up tasks with a result; use a newer one, or add them with a Client", "never"
)


class Desk:
    """The worker's side of one conversation.

    Methods that take messages raise ``ContractError`` when they break the contract.
    """

    def __init__(self, concurrency: int) -> None:
        self._concurrency = concurrency
        self._state = "greeted"
        self._drain_reason = ""
        self._was_told = False
        self._is_prepared = False
        self._features: frozenset[str] = frozenset()
        self._beat_ms = BEAT_DEFAULT_MS
        self._beat_at_ms = 0
        # Bounded: a run without a credit is refused.
        self._waiting: deque[Message] = deque()
        self._running: dict[RunRef, Running] = {}
        self._give_back: deque[RunRef] = deque()
        self._over: Ended | None = None

    # What arrives.

    def received(self, message: Message, now_s: float) -> list[Future[bool]]:
        """Takes note of a message.

        Gives the receipts that it settles: whoever waits for them is told without a lock.
        """
        name, body = message
        if self._state == "closed" and name in ("run", "stop", "ack"):
            return []
        if name == "welcome" and self._state == "greeted":
            self._welcome(body["protocol"], body["features"], body["beat_ms"], int(now_s * 1_000))
        elif name == "reject" and self._state == "greeted":
            self._over = Ended(EXIT_CONFIG, f"the supervisor refused this worker: {body['reason']}")
        elif name == "run" and (self._state == "ready" or self._state == "draining" and not self._was_told):
            self._accept(message)
        elif name == "stop" and body["run"] is None and self._state in ("welcomed", "ready", "draining"):
            self._was_told = True
            self.drain(body["reason"])
        elif name == "stop" and body["run"] is not None and self._state in ("ready", "draining"):
            self._stop(RunRef.of(body["run"]), StopRequest(body["reason"], now_s + body["grace_ms"] / 1_000))
        elif name == "ack" and self._state in ("ready", "draining"):
            return self._ack(RunRef.of(body), body["seq"])
        else:
            raise ContractError("order", f"{name} while {self._state}: not legal in this state of the conversation")
        return []

    def _welcome(self, protocol: int, features: list[str], beat_ms: int, now_ms: int) -> None:
        if protocol != PROTOCOL:
            raise ContractError("order", f"the supervisor chose protocol {protocol}; this worker offered {PROTOCOL}")
        self._state, self._features = "welcomed", frozenset(features) & frozenset(FEATURES)
        self._beat_ms, self._beat_at_ms = beat_ms, now_ms + beat_ms

    def _accept(self, run: Message) -> None:
        ref = RunRef.of(run.body)
        for field in NEEDS_OTHER_FEATURES:
            if run.body[field]:
                raise ContractError("order", f"run: {field} needs a feature that this worker has not named")
        in_flight = [*self._running, *self._give_back, *(RunRef.of(waiting.body) for waiting in self._waiting)]
        if any(other.task == ref.task for other in in_flight):
            raise ContractError("order", f"run: task {ref.task} already runs here")
        if len(in_flight) >= self._concurrency:
            raise ContractError("order", f"run: all {self._concurrency} credits of the worker are in use")
        if self._state == "ready":
            self._waiting.append(run)
        else:
            # It crossed the wish of this worker to leave.
            self._give_back.append(ref)

    def _stop(self, ref: RunRef, order: StopRequest) -> None:
        # An unknown run is no error: the order crossed its answer.
        running = self._running.get(ref)
        if running is not None and order.reason != "recall":
            running.sign.give(order)
        for run in self._waiting:
            if RunRef.of(run.body) == ref:
                self._waiting.remove(run)
                self._give_back.append(ref)
                return

    def _ack(self, ref: RunRef, seq: int) -> list[Future[bool]]:
        running = self._running.get(ref)
        if running is None and not any(RunRef.of(run.body) == ref for run in self._waiting):
            # It crossed the answer.
            return []
        if running is None or not running.notes.acked(seq):
            raise ContractError("order", f"ack: no note {seq} waits for it")
        return [running.receipts.pop(told) for told in sorted(running.receipts) if told <= seq]

    # What the worker itself brings about.

    def drain(self, reason: str) -> None:
        """Finish what runs, give back what waits, start nothing."""
        self._state, self._drain_reason = "draining", reason
        self._give_back.extend(RunRef.of(run.body) for run in self._waiting)
        self._waiting.clear()

    def interrupt(self, now_s: float) -> None:
        """The process was told to terminate.

        While one run is being stopped this is a part of it. To a worker that is draining it says that time runs out.
        Else it comes from elsewhere: what runs goes on, since a supervisor that stops too will say so itself.
        """
        if any(running.sign.order for running in self._running.values()):
            return
        if self._state == "greeted":
            self._over = Ended(EXIT_TERMINATED, "terminated before the supervisor had answered")
        elif self._state in ("welcomed", "ready"):
            self.drain("terminated")
        else:
            for running in self._running.values():
                running.sign.give(StopRequest(self._drain_reason, now_s))

    def abandoned(self) -> list[Future[bool]]:
        """Nobody is left to store anything. Gives the receipts that will never come."""
        self._features -= {NOTE}
        receipts = [receipt for running in self._running.values() for receipt in running.receipts.values()]
        for running in self._running.values():
            running.receipts.clear()
            running.stores_notes = False
        return receipts

    def prepared(self) -> None:
        """The worker has done what it does before its first run."""
        self._is_prepared = True

    def finished(self, ref: RunRef, outcome: Outcome) -> None:
        """A handler has ended; its answer waits until all that it spent is stored."""
        self._running[ref].outcome = outcome

    def speaking(self, ref: RunRef) -> Running | None:
        """The run, while its handler has not ended."""
        running = self._running.get(ref)
        return running if running is not None and running.outcome is None else None

    # What is to be done.

    def next(self, now_ms: int) -> Next | None:
        """What the dispatching thread does next; None means that it waits."""
        if self._over is not None:
            return self._over
        given_back = self.take_back()
        if given_back is not None:
            return Send([given_back])
        for ref, running in self._running.items():
            if running.outcome is not None and (running.notes.is_settled() or not self.notes):
                return Send(self._settle(ref, running, running.outcome, now_ms))
        if self._state == "closed":
            return DRAINED
        if leaving := self._leave():
            return Send(leaving)
        if self._state == "welcomed":
            if not self._is_prepared:
                return Prepare()
            self._state = "ready"
            return Send([Message("ready", {})])
        if self._waiting and len(self._running) < self._concurrency:
            run = self._waiting.popleft()
            ref = RunRef.of(run.body)
            started = self._running[ref] = Running(ref, self.notes)
            return Start(run, ref, started.sign)
        return None

    def _settle(self, ref: RunRef, running: Running, outcome: Outcome, now_ms: int) -> list[Message]:
        """The last words of a run and its answer; and those of the worker, in the same breath, when it was the last."""
        del self._running[ref]
        last = running.notes.take_last(now_ms) if self.notes else None
        if running.retires and self._state == "ready":
            self.drain("retired")
        return [*([last] if last else []), self._answer(ref, running, outcome), *self._leave()]

    def _answer(self, ref: RunRef, running: Running, outcome: Outcome) -> Message:
        follow_ups = list(running.follow_ups)
        if follow_ups and ENQUEUE not in self._features and isinstance(outcome, Done):
            outcome = NO_FOLLOW_UPS
        if not isinstance(outcome, Done):
            return Message("fail", {**ref._asdict(), **outcome._asdict()})
        enqueue = {"enqueue": follow_ups} if follow_ups else {}
        return Message("done", {**ref._asdict(), "result": outcome.result, **enqueue})

    def _leave(self) -> list[Message]:
        """The end, once there is nothing left to answer."""
        if self._state != "draining" or self._running or self._give_back:
            return []
        self._state = "closed"
        return [Message("bye", {})]

    def take_back(self) -> Message | None:
        """The next run to give back. It can be sent while another run is executing."""
        return Message("back", self._give_back.popleft()._asdict()) if self._give_back else None

    def take_due(self, now_ms: int) -> Message | None:
        """The next message that must not wait for a busy handler: a run to give back, a beat, a note."""
        return self.take_back() or self._take_beat(now_ms) or self.take_note(now_ms)

    def due_at_ms(self, now_ms: int) -> int | None:
        """When ``take_due`` will find something; None means not before something else happens."""
        if self._give_back:
            return now_ms
        beat = [self._beat_at_ms] if self.beats else []
        note = self.note_due_at_ms(now_ms)
        return min([*beat, *([] if note is None else [note])], default=None)

    def _take_beat(self, now_ms: int) -> Message | None:
        if not self.beats or now_ms < self._beat_at_ms:
            return None
        self._beat_at_ms = now_ms + self._beat_ms
        return Message("beat", {})

    def take_note(self, now_ms: int) -> Message | None:
        """The next note that is due."""
        if self.notes:
            for running in self._running.values():
                note = running.notes.take(now_ms)
                if note is not None:
                    return note
        return None

    def note_due_at_ms(self, now_ms: int) -> int | None:
        """When `take_note` will find something."""
        due = [running.notes.due_at_ms(now_ms) for running in self._running.values()] if self.notes else []
        return min((at_ms for at_ms in due if at_ms is not None), default=None)

    @property
    def beats(self) -> bool:
        return BEAT in self._features and self.may_speak

    @property
    def notes(self) -> bool:
        return NOTE in self._features

    @property
    def may_speak(self) -> bool:
        """True while a beat or a line for the log is legal."""
        return self._over is None and self._state in ("welcomed", "ready", "draining")

    @property
    def may_boot(self) -> bool:
        """True while the worker may say that it is still starting."""
        return not self._is_prepared and self.may_speak

    @property
    def may_lose_channel(self) -> bool:
        """True once the end of the channel is no surprise."""
        return self._over is not None or self._was_told or self._state == "closed"

"""The one way out, where the threads of a worker meet: the desk is under one lock, the channel under another.

The reading thread takes only the desk's lock, so it never waits for a supervisor that does not read.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Condition, Lock
from typing import NoReturn, TypeVar

from ._channel import Channel
from ._desk import EXIT_IO, EXIT_PROTOCOL, Desk, Next, Running
from ._interrupts import Interrupts
from ._messages import Message, RunRef, encode
from .context import Level
from .errors import ChannelError, ContractError

BEAT_INTERVAL_MS = 5_000
"""How often a worker says that its process lives."""

T = TypeVar("T")


def now_ms() -> int:
    return time.monotonic_ns() // 1_000_000


def leave(code: int, sentence: str) -> NoReturn:
    """Ends the process at once, from any thread: whoever would take an answer is gone."""
    print_whole(sentence)
    os._exit(code)


def print_whole(line: str) -> None:
    """Prints a line to stderr in one piece; nothing happens when nobody is left to read it."""
    with suppress(OSError):
        os.write(2, f"{line}\n".encode("utf-8", "backslashreplace"))


class Post:
    """Made on the main thread."""

    def __init__(self, channel: Channel, desk: Desk) -> None:
        self._channel = channel
        self._desk = desk
        self._changed = Condition(Lock())
        # Taken before the desk's lock, never after it: the order of decisions is the order on the wire.
        self._writing = Lock()
        # Rung for the second thread that writes. A queue that may be rung in a signal handler; one ring is kept at
        # most.
        self._bell: SimpleQueue[None] = SimpleQueue()
        self._is_rung = False
        self._look_at_ms = 0
        self.interrupts = Interrupts(self._ring)

    def _ring(self) -> None:
        if not self._is_rung:
            self._is_rung = True
            self._bell.put(None)

    def change(self, change: Callable[[Desk], T]) -> T:
        """Changes what is known, and wakes whom it may concern."""
        with self.interrupts.shield():
            with self._changed:
                outcome = change(self._desk)
                self.interrupts.reason = self._desk.drain_reason or "terminated"
                self._changed.notify()
                self._tell_side()
            return outcome

    def _tell_side(self) -> None:
        """Under the desk's lock: rings when the second thread would look too late."""
        due_at_ms = self._desk.note_due_at_ms(now_ms())
        if self._desk.has_back or due_at_ms is not None and due_at_ms < self._look_at_ms:
            self._ring()

    def send(self, *messages: Message) -> None:
        """Writes messages; when this returns they have left the process."""
        with self._writing:
            self._write(messages)

    def _send_chosen(self, choose: Callable[[Desk], Message | None]) -> bool:
        """Writes what ``choose`` finds while nobody else writes; false when it finds nothing."""
        if not self._channel.is_open:
            return False
        with self.interrupts.shield(), self._writing:
            with self._changed:
                message = choose(self._desk)
            if message is None:
                return False
            self._write([message])
            return True

    def _write(self, messages: Iterable[Message]) -> None:
        try:
            self._channel.write(b"".join(map(encode, messages)))
        except ChannelError as error:
            leave(EXIT_IO, str(error))
        except ContractError as error:
            leave(EXIT_PROTOCOL, str(error))

    def next(self) -> Next:
        """Waits until there is something to do for the dispatching thread."""
        with self._changed:
            while True:
                found = self._desk.next(now_ms())
                if found is not None:
                    return found
                self._changed.wait()

    def received(self, message: Message) -> None:
        """Takes note of a message. Raises ``ContractError``."""
        _tell(self.change(lambda desk: desk.received(message, time.monotonic())), True)

    def lost(self) -> None:
        """The channel has ended, and was allowed to."""
        _tell(self.change(lambda desk: desk.abandoned()), False)

    # What runs say.

    def say(self, ref: RunRef, change: Callable[[Running], T]) -> T | None:
        """Changes the notes of a run and sends the one that is due; None when it is answered, or none are wanted."""
        if not self._channel.is_open:
            return None
        with self.interrupts.shield():
            with self._changed:
                running = self._desk.speaking(ref)
                if running is None:
                    return None
                said = change(running)
                at_ms = now_ms()
                due_at_ms = self._desk.note_due_at_ms(at_ms)
                if due_at_ms != at_ms:
                    self._tell_side()
            if due_at_ms == at_ms:
                self._send_chosen(lambda desk: desk.take_note(at_ms))
            return said

    def log(self, ref: RunRef | None, level: Level, text: str) -> None:
        """Writes a line for the log; to stderr when no supervisor takes it, as in a process forked from this one."""
        run = ref._asdict() if ref else None
        message = Message("log", {"run": run, "level": level, "message": text})
        if not self._send_chosen(lambda desk: message if desk.may_speak else None):
            print_whole(text)

    # The second thread that writes.

    def attend(self) -> None:
        """Beats; and sends what must not wait for a busy handler: runs to give back, notes whose time has come."""
        beat_at_ms = now_ms() + BEAT_INTERVAL_MS
        while True:
            with self._changed:
                at_ms = now_ms()
                self._look_at_ms = min(beat_at_ms, self._desk.note_due_at_ms(at_ms) or beat_at_ms)
            try:
                self._bell.get(timeout=max(0, self._look_at_ms - at_ms) / 1_000)
            except Empty:
                pass
            self._is_rung = False
            if self.interrupts.terminated:
                self.interrupts.terminated = False
                self.change(lambda desk: desk.interrupt(time.monotonic()))
            while self._send_chosen(lambda desk: desk.take_back()):
                pass
            while self._send_chosen(lambda desk: desk.take_note(now_ms())):
                pass
            if now_ms() >= beat_at_ms:
                beat_at_ms = now_ms() + BEAT_INTERVAL_MS
                self._send_chosen(lambda desk: Message("beat", {}) if desk.beats else None)


def _tell(receipts: list[Future[bool]], stored: bool) -> None:
    for receipt in receipts:
        receipt.set_result(stored)

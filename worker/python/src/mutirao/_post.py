"""The one way out, where the threads of a worker meet: the desk is under one lock, the channel under another.

The reading thread takes only the desk's lock, so it never waits for a supervisor that does not read.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from functools import partial
from math import inf
from threading import Lock, get_ident
from typing import TypeVar

from ._bell import Bell
from ._channel import Channel
from ._desk import EXIT_IO, EXIT_PROTOCOL, Desk, Next
from ._interrupts import Interrupts
from ._messages import Message, RunRef, encode
from ._output import leave, print_whole
from ._running import Running
from .context import Level
from .errors import ChannelError, ContractError

LATE_MAX_WORDS = 256
"""What finalizers may say on a thread from when it enters the post until it has left; the rest goes to stderr."""

Work = Callable[[], object]
T = TypeVar("T")


def now_ms() -> int:
    return time.monotonic_ns() // 1_000_000


class Post:
    """Made on the main thread."""

    def __init__(self, channel: Channel, desk: Desk) -> None:
        self._channel = channel
        self._desk = desk
        self._deciding = Lock()
        # Taken before the desk's lock, never after it: the order of decisions is the order on the wire.
        self._writing = Lock()
        # The threads that may hold a lock, and what each has to say when it holds none.
        self._late: dict[int, list[Work]] = {}
        # What finalizers say on the reading thread.
        self._reader = 0
        self._left: deque[Work] = deque()
        self._dispatcher = Bell()
        self._second_writer = Bell()
        self._look_at_ms = 0.0
        self.interrupts = Interrupts()

    @contextmanager
    def _within(self) -> Iterator[None]:
        """Around all that takes a lock. What finalizers have said meanwhile on this thread is sent on the way out."""
        thread = get_ident()
        with self.interrupts.shield():
            late = self._late[thread] = []
            try:
                yield
            finally:
                # It may grow meanwhile, up to its limit.
                for work in late:
                    _try(work)
                del self._late[thread]

    def _now_or_late(self, work: Callable[[], T], words: str) -> T | None:
        """Does the work. A finalizer that the garbage collector runs within the post would wait for its own thread: its
        work is done on the way out, and gives None. On the reading thread it is left to the second writer.
        """
        thread = get_ident()
        late = self._left if thread == self._reader else self._late.get(thread)
        if late is None:
            with self._within():
                return work()
        if len(late) < LATE_MAX_WORDS:
            late.append(work)
        else:
            print_whole(words)
        if late is self._left:
            self._second_writer.ring()
        return None

    def change(self, change: Callable[[Desk], T]) -> T:
        """Changes what is known, and wakes whom it may concern."""
        with self._within(), self._deciding:
            outcome = change(self._desk)
            self._dispatcher.ring()
            self._tell_second_writer()
            return outcome

    def _tell_second_writer(self) -> None:
        """Under the desk's lock: rings when it would look too late."""
        due_at_ms = self._desk.due_at_ms(now_ms())
        if due_at_ms is not None and due_at_ms < self._look_at_ms:
            self._second_writer.ring()

    def send(self, *messages: Message) -> None:
        """Writes messages; when this returns they have left the process."""
        with self._within(), self._writing:
            self._write(messages)

    def _send_chosen(self, choose: Callable[[Desk], Message | None]) -> bool:
        """Writes what ``choose`` finds while nobody else writes; false when it finds nothing."""
        with self._writing:
            with self._deciding:
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
        while True:
            with self._within(), self._deciding:
                found = self._desk.next(now_ms())
            if found is not None:
                return found
            self._dispatcher.wait()

    # What arrives.

    def read(self) -> bytes:
        """The next bytes of the channel, none at its end. Raises ``ChannelError``. Only one thread reads."""
        self._reader = get_ident()
        while not self._channel.wait(self.interrupts.come):
            self.terminated()
        return self._channel.read()

    def terminated(self) -> None:
        """Waits for a SIGTERM, and does what it means."""
        self.interrupts.take()
        self.change(lambda desk: desk.interrupt(time.monotonic()))
        self.interrupts.press()

    def received(self, message: Message) -> None:
        """Takes note of a message. Raises ``ContractError``."""
        _tell(self.change(lambda desk: desk.received(message, time.monotonic())), True)

    def lost(self) -> None:
        """The channel has ended, and was allowed to."""
        _tell(self.change(lambda desk: desk.abandoned()), False)

    # What runs say. A process that was forked from this one says nothing, and does not ask for the locks: they may be
    # held by threads that it does not have.

    def say(self, ref: RunRef, change: Callable[[Running], T]) -> T | None:
        """Changes what a run says and sends the note that is due; None when its handler has ended."""
        if not self._channel.is_open:
            return None
        return self._now_or_late(partial(self._say, ref, change), f"task {ref.task}: what a finalizer said is lost")

    def _say(self, ref: RunRef, change: Callable[[Running], T]) -> T | None:
        with self._deciding:
            running = self._desk.speaking(ref)
            if running is None:
                return None
            said = change(running)
            at_ms = now_ms()
            due_at_ms = self._desk.note_due_at_ms(at_ms)
            if due_at_ms != at_ms:
                self._tell_second_writer()
        if due_at_ms == at_ms:
            self._send_chosen(lambda desk: desk.take_note(at_ms))
        return said

    def log(self, ref: RunRef | None, level: Level, text: str) -> None:
        """Writes a line for the log; to stderr when no supervisor takes it."""
        if self._channel.is_open:
            run = ref._asdict() if ref else None
            self._now_or_late(partial(self._log, Message("log", {"run": run, "level": level, "message": text})), text)
        else:
            print_whole(text)

    def booting(self) -> None:
        """Says that the worker is still starting, until it is ready."""
        if self._channel.is_open:
            self._now_or_late(self._booting, "what a finalizer said of the start is lost")

    def _booting(self) -> None:
        self._send_chosen(lambda desk: Message("booting", {}) if desk.may_boot else None)

    def _log(self, message: Message) -> None:
        if not self._send_chosen(lambda desk: message if desk.may_speak else None):
            print_whole(message.body["message"])

    # The second thread that writes.

    def attend(self) -> None:
        """Sends what must not wait for a busy handler, for ever."""
        while True:
            self.attend_once()

    def attend_once(self) -> None:
        """Waits until there is something to send, and sends it."""
        with self._within(), self._deciding:
            now = now_ms()
            due_at_ms = self._desk.due_at_ms(now)
            self._look_at_ms = inf if due_at_ms is None else due_at_ms
        self._second_writer.wait(None if due_at_ms is None else (due_at_ms - now) / 1_000)
        with self._within():
            while self._send_chosen(lambda desk: desk.take_due(now_ms())):
                pass
            while self._left:
                _try(self._left.popleft())


def _try(work: Work) -> None:
    """For a finalizer: whoever is here now has not asked for it."""
    try:
        work()
    except Exception as error:
        print_whole(f"what a finalizer said is lost: {type(error).__name__}")


def _tell(receipts: list[Future[bool]], stored: bool) -> None:
    for receipt in receipts:
        receipt.set_result(stored)

"""The post and its neighbours where code of others comes in between: finalizers and signals, at every line of them."""

from __future__ import annotations

import linecache
import logging
import os
import subprocess
import sys
import threading
import unittest
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from types import FrameType
from typing import Any
from unittest import mock

from mutirao import _post
from mutirao._channel import Channel
from mutirao._desk import FEATURES, Desk
from mutirao._fields import UNITS_MAX
from mutirao._frames import FrameDecoder
from mutirao._logging import LogHandler
from mutirao._messages import FROM_WORKER, TO_WORKER, Message, RunRef, decode, encode
from mutirao._notes import UNSENT_MAX_NOTES
from mutirao._post import LATE_MAX_WORDS, Post
from mutirao._runtime import RunOutlet
from mutirao._stop import StopRequest, StopSign
from mutirao.errors import Stopped

from . import SOURCE

WELCOME = Message("welcome", {"protocol": 1, "worker": 1, "features": FEATURES, "beat_ms": 60_000})
RUN = decode(encode(Message("run", {"task": 1, "epoch": 1, "kind": "k"}))[4:], TO_WORKER).body
READ_CHUNK_BYTES = 65_536
# This line makes nothing and calls nothing, so nobody can come in before it.
LEAVING = "del self._late[thread]"


def intruding(work: Callable[[], object], intrude: Callable[[int], object]) -> None:
    """Does the work, and intrudes before each line of Python in it, as a finalizer or a signal may."""
    count = 0

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal count
        if event == "line" and LEAVING not in linecache.getline(frame.f_code.co_filename, frame.f_lineno):
            count += 1
            intrude(count)
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(before)


def lines_of(work: Callable[[], object]) -> range:
    """The numbers that `intruding` gives to the lines of a work."""
    numbers: list[int] = []
    intruding(work, numbers.append)
    return range(1, len(numbers) + 1)


class Supervised(unittest.TestCase):
    """A post with one run, and what comes out of it."""

    def setUp(self) -> None:
        reader, self.from_supervisor = os.pipe()
        self.to_supervisor, writer = os.pipe()
        for descriptor in (reader, self.from_supervisor, self.to_supervisor, writer):
            self.addCleanup(os.close, descriptor)
        os.set_blocking(self.to_supervisor, False)
        desk = Desk(2)
        self.post = Post(Channel(reader, writer, ""), desk)
        self.post.received(WELCOME)
        desk.prepared()
        self.post.next()
        desk.received(Message("run", RUN), 0.0)
        self.post.next()
        desk.drain("so that every further run is given back")
        self.spoken = 0
        self.run_says = RunOutlet(self.post, RunRef(1, 1))
        self._decoder = FrameDecoder()

    def heard(self) -> list[Message]:
        messages = []
        try:
            while True:
                self._decoder.push(os.read(self.to_supervisor, READ_CHUNK_BYTES))
                while (payload := self._decoder.next_frame()) is not None:
                    messages.append(decode(payload, FROM_WORKER))
        except BlockingIOError:
            return messages

    def works(self) -> list[Callable[[], object]]:
        """All that takes a lock, again and again."""
        return [
            lambda: self.run_says.log("info", "outer"),
            lambda: self.run_says.progress(1, 2, None),
            lambda: self.run_says.spend("outer", 1),
            self.run_says.retire,
            self.post.booting,
            lambda: self.post.change(lambda desk: None),
            lambda: self.post.send(Message("beat", {})),
            lambda: self.post.received(Message("stop", {"run": {"task": 1, "epoch": 1}, "reason": "x", "grace_ms": 1})),
            self.give_back,
        ]

    def give_back(self) -> None:
        self.post.received(Message("run", {**RUN, "task": 2}))
        self.post.next()

    def speak(self) -> None:
        self.spoken += 1
        self.run_says.log("info", "inner")
        self.run_says.progress(3, None, None)
        self.run_says.note("inner")
        self.run_says.spend("inner", 1)

    def test_a_finalizer_may_speak_at_any_line(self) -> None:
        for work in self.works():
            lines = lines_of(work)
            for here in lines:
                self.heard()
                self.spoken = 0
                intruding(work, lambda line: self.speak() if line == here else None)
                logs = [message.body["message"] for message in self.heard() if message.name == "log"]
                self.assertEqual(logs.count("inner"), self.spoken, (work, here))
            self.assertGreater(len(lines), 9)

    def test_the_reading_thread_never_waits_for_who_writes(self) -> None:
        os.write(self.from_supervisor, b"x")

        def read() -> None:
            self.assertEqual(self.post.read(), b"x")
            for _ in range(LATE_MAX_WORDS + 1):
                self.run_says.log("info", "of the reader")

        with self.post._writing, mock.patch.object(_post, "print_whole") as printed:
            thread = threading.Thread(target=read)
            thread.start()
            thread.join()
        self.assertEqual(printed.mock_calls, [mock.call("of the reader")])
        self.assertEqual(self.heard(), [])
        self.post.attend_once()
        self.assertEqual([message.name for message in self.heard()], ["log"] * LATE_MAX_WORDS)

    def test_what_was_sent_before_a_signal_counts_before_it(self) -> None:
        (reader, writer), (come, came) = os.pipe(), os.pipe()
        for descriptor in (reader, writer, come, came):
            self.addCleanup(os.close, descriptor)
        channel = Channel(reader, writer, "")
        os.write(came, b"!")
        self.assertFalse(channel.wait(come))
        os.write(writer, b"x")
        self.assertTrue(channel.wait(come))
        self.assertEqual(channel.read(), b"x")
        self.assertFalse(channel.wait(come))

    def test_what_a_flood_of_finalizers_says_has_a_limit(self) -> None:
        with mock.patch.object(_post, "print_whole") as printed:
            intruding(lambda: self.run_says.log("info", "outer"), lambda _: self.speak())
        logs = [message.body["message"] for message in self.heard() if message.name == "log"]
        self.assertEqual(logs.count("outer"), 1)
        self.assertLessEqual(len(logs), LATE_MAX_WORDS)
        words = {call.args[0] for call in printed.mock_calls}
        self.assertEqual(words, {"inner", "task 1: what a finalizer said is lost"})

    def test_what_a_finalizer_says_wrongly_is_not_blamed_on_who_is_there(self) -> None:
        for number in range(UNITS_MAX * UNSENT_MAX_NOTES + 1):
            self.run_says.spend(f"unit{number}", 1)
        with self.assertRaises(OverflowError):
            self.run_says.spend("inner", 1)
        work = partial(self.run_says.log, "info", "outer")
        with mock.patch.object(_post, "print_whole") as printed:
            for here in lines_of(work):
                intruding(work, lambda line: self.run_says_safely() if line == here else None)
        self.assertIn(mock.call("what a finalizer said is lost: OverflowError"), printed.mock_calls)

    def run_says_safely(self) -> None:
        # As Python does for finalizers.
        with suppress(OverflowError):
            self.run_says.spend("inner", 1)


class Logging(unittest.TestCase):
    def test_wherever_a_signal_comes_the_next_record_is_sent(self) -> None:
        sent: list[str] = []
        handler = LogHandler(lambda run, level, text: sent.append(text))
        record = logging.LogRecord("app", logging.INFO, "file", 1, "text", None, None)

        def stop_at(here: int) -> Callable[[int], None]:
            def intrude(line: int) -> None:
                if line == here:
                    raise Stopped("timeout")

            return intrude

        class Formatter(logging.Formatter):
            has_ended = False

            def format(self, record: logging.LogRecord) -> str:
                text = super().format(record)
                self.has_ended = True
                return text

        handler.setFormatter(formatter := Formatter())
        lines: list[int] = []
        # Later ones are too few for a signal to come between them.
        intruding(lambda: handler.handle(record), lambda line: None if formatter.has_ended else lines.append(line))
        for here in lines:
            try:
                intruding(lambda: handler.handle(record), stop_at(here))
            except Stopped:
                pass
            sent.clear()
            handler.handle(record)
            self.assertEqual(sent, ["text"], here)

    def test_a_line_that_waits_keeps_no_other_back(self) -> None:
        first_is_sent, second_is_sent = threading.Event(), threading.Event()

        def send(run: Any, level: str, text: str) -> None:
            if text == "first":
                first_is_sent.set()
                second_is_sent.wait()
            second_is_sent.set()

        logger = logging.Logger("app")
        logger.addHandler(LogHandler(send))
        thread = threading.Thread(target=logger.info, args=("first",))
        thread.start()
        first_is_sent.wait()
        logger.info("second")
        thread.join()


class Stopping(unittest.TestCase):
    def test_a_handler_that_waits_on_the_main_thread_is_interrupted(self) -> None:
        # In a process of its own, since it takes the signals over.
        script = """if True:
            import threading
            from mutirao._interrupts import Interrupts
            from mutirao._stop import StopRequest, StopSign
            from mutirao.context import Context
            from mutirao.errors import Stopped

            sign, interrupts = StopSign(), Interrupts()
            interrupts.install()

            def stop():
                interrupts.press()
                sign.give(StopRequest("timeout", 0.0))
                interrupts.press()

            try:
                with interrupts.armed(Context(None, sign, None)):
                    threading.Thread(target=stop).start()
                    threading.Event().wait()
            except Stopped as stopped:
                print(stopped)
        """
        environment = {**os.environ, "PYTHONPATH": str(SOURCE)}
        command = [sys.executable, "-c", script]
        self.assertEqual(subprocess.check_output(command, env=environment, text=True), "stopped: timeout\n")

    def test_whoever_waits_holds_nothing_that_the_giver_needs(self) -> None:
        order = StopRequest("cancel", 0.0)
        for here in lines_of(lambda: StopSign().wait(0)):
            sign, told = StopSign(), []
            sign.listen(lambda: told.append(sign.order))

            def give(line: int) -> None:
                if line == here:
                    giver = threading.Thread(target=sign.give, args=(order,))
                    giver.start()
                    giver.join()

            intruding(lambda: sign.wait(0), give)
            sign.give(order)
            self.assertEqual((sign.order, told), (order, [order]), here)

    def test_all_who_wait_are_told(self) -> None:
        sign = StopSign()
        found: list[Any] = []
        threads = [threading.Thread(target=lambda: found.append(sign.wait(None))) for _ in range(4)]
        for thread in threads:
            thread.start()
        order = StopRequest("cancel", 0.0)
        sign.give(order)
        sign.give(StopRequest("timeout", 1.0))
        for thread in threads:
            thread.join()
        self.assertEqual(found, [order] * 4)
        self.assertEqual(sign.wait(None), order)

"""Handlers that do what no handler should: each run is answered once, and the worker goes on."""

from __future__ import annotations

import unittest
from pathlib import Path
from typing import Any

from mutirao._post import LATE_MAX_WORDS

from .fake_supervisor import FakeSupervisor

HOSTILE = [str(Path(__file__).with_name("hostile.py"))]
# Each says so much when it is freed.
WORDS = 4
# What they all say may be kept back at once, whichever thread frees them and however long it is kept from going on.
TALKERS = LATE_MAX_WORDS // (WORDS + 1)
ROUNDS = 4


class Finalizers(unittest.TestCase):
    def test_what_finalizers_say_blocks_nobody_and_is_heard(self) -> None:
        for kind, concurrency in (("free_talkers", "1"), ("free_talkers", "2"), ("afree_talkers", "1")):
            with self.subTest(kind, concurrency=concurrency):
                with FakeSupervisor(HOSTILE, CONCURRENCY=concurrency).greet() as supervisor:
                    for task in range(ROUNDS):
                        supervisor.heard.clear()
                        self._round(supervisor, task, kind)
                    self.assertEqual(supervisor.drain(), 0)
                    self.assertEqual(supervisor.printed_at_end(), "", "nothing is lost")

    def _round(self, supervisor: FakeSupervisor, task: int, kind: str) -> None:
        supervisor.run(task, kind, {"times": TALKERS})
        spent: dict[str, int] = {}
        while (message := supervisor.expect("note", "done")).name == "note":
            for unit, amount in message.body["spend"].items():
                spent[unit] = spent.get(unit, 0) + amount
            if message.body["seq"]:
                supervisor.ack(message)
        self.assertEqual(spent["made"], TALKERS, "all of it before the answer")
        # Other threads free some as well, and need not be done when the handler is.
        self.assertLessEqual(spent.get("freed", 0), TALKERS)
        said = sum(message.name == "log" for message in supervisor.heard)
        for _ in range(said, TALKERS):
            supervisor.expect("log")


class Exceptions(unittest.TestCase):
    def test_an_exception_without_words_is_an_answer_and_keeps_its_wish(self) -> None:
        table: list[tuple[str, str, Any]] = [
            ("fail", "failed with WordlessFail, which cannot be told (RuntimeError)", "never"),
            ("retry", "failed with WordlessRetryAfter, which cannot be told (RuntimeError)", {"after_ms": 1_500}),
            ("other", "WordlessValueError: <", "default"),
            ("exit", "WordlessSystemExit: <", "default"),
            ("untraceable", "failed with Untraceable, which cannot be told (MemoryError)", "default"),
            ("delayless", "failed with Delayless, which cannot be told (AttributeError)", "default"),
        ]
        for concurrency in ("1", "2"):
            with FakeSupervisor(HOSTILE, CONCURRENCY=concurrency).greet() as supervisor:
                for kind in ("wordless", "awordless"):
                    for task, (what, words, retry) in enumerate(table):
                        with self.subTest(what, kind=kind, concurrency=concurrency):
                            supervisor.run(task, kind, {"what": what})
                            error, wish = supervisor.failure(task)
                            self.assertIn(words, error)
                            self.assertEqual(wish, retry)
                self.assertEqual(supervisor.drain(), 0)

    def test_a_handler_that_cannot_begin_is_an_answer(self) -> None:
        with FakeSupervisor(HOSTILE).greet() as supervisor:
            supervisor.run(1, "break_the_loop")
            supervisor.result(1)
            supervisor.run(2, "awordless", {"what": "fail"})
            self.assertIn("RuntimeError: no more tasks", supervisor.failure(2)[0])


class Output(unittest.TestCase):
    def test_what_is_printed_leaves_before_the_answer(self) -> None:
        for concurrency in ("1", "2"):
            buffered = FakeSupervisor(HOSTILE, CONCURRENCY=concurrency, PYTHONUNBUFFERED="")
            with buffered.greet() as supervisor:
                supervisor.run(1, "print_unfinished")
                supervisor.result(1)
                supervisor.process.kill()
                self.assertEqual(supervisor.printed_at_end(), "half a line, and buffered")

    def test_whatever_stdout_has_become_runs_are_answered(self) -> None:
        with FakeSupervisor(HOSTILE).greet() as supervisor:
            # None comes last: Python itself flushes at its end, and would complain of the others.
            for task, how in enumerate(("closed", "deaf", "number", "none")):
                supervisor.run(task, "break_stdout", {"how": how})
                self.assertIsNone(supervisor.result(task))
            self.assertEqual(supervisor.drain(), 0)


class Forks(unittest.TestCase):
    def test_a_child_that_comes_out_of_its_handler_ends_and_says_nothing(self) -> None:
        for kind, concurrency in (("fork", "1"), ("fork", "2"), ("afork", "1")):
            with self.subTest(kind, concurrency=concurrency):
                with FakeSupervisor(HOSTILE, CONCURRENCY=concurrency).greet() as supervisor:
                    supervisor.run(1, kind)
                    self.assertEqual(supervisor.result(1), 0)
                    supervisor.run(2, kind, {"then": "gone wrong"})
                    self.assertEqual(supervisor.result(2), 1)
                    self.assertEqual([message.name for message in supervisor.heard[-2:]], ["done", "done"])
                    self.assertEqual(supervisor.drain(), 0)
                    printed = supervisor.printed_at_end()
                    self.assertEqual(printed.count("child, in half a line"), 2, printed)
                    self.assertIn("ValueError: gone wrong\n", printed)

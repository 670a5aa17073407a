"""The sample worker does what the contract asks of a worker under test, in its section 9."""

from __future__ import annotations

import time
import unittest
from typing import Any
from unittest import mock

from mutirao import Stopped
from mutirao._codec import encode as pack
from mutirao._messages import Message, RunRef
from mutirao.samples import app
from mutirao.testing import run

from .fake_supervisor import SAMPLES, FakeSupervisor

NOTHING: list[tuple[str, bytes, Any]] = [
    ("echo", b"", None),
    ("echo", b"\xc0", None),
    ("noop", b"", None),
    ("noop", pack([1]), None),
    ("noop", pack({"any": 1}), None),
]
# Kind, args, result.
RESULTS: list[tuple[str, Any, Any]] = [
    *[
        ("echo", value, value)
        for value in ({}, {"a": {"b": [1]}}, [], [1, None], "olá", b"\x00", 0, -1, 2**64 - 1, 0.5)
    ],
    *[("echo", value, value) for value in (True, {1: "a", b"b": -(2**63)})],
    ("sleep", {"ms": 1}, 1),
    ("stubborn", {"ms": 1}, 1),
    ("busy", {"ms": 1}, 1),
    ("blob", {"bytes": 0}, ""),
    ("blob", {"bytes": 5}, "xxxxx"),
    ("blob", {"bytes": 2**20 - 5}, "x" * (2**20 - 5)),
    ("log", {"message": "a line"}, None),
    ("progress", {"done": 1}, None),
    ("enqueue", {"tasks": []}, 0),
    ("crash", {"on_attempt": 2}, 1),
]
# Kind, args, a part of the error, the wish.
FAILURES: list[tuple[str, Any, str, Any]] = [
    ("fail", {"error": "busy", "retry": "default"}, "busy", "default"),
    ("fail", {"error": "busy", "retry": "never"}, "busy", "never"),
    ("fail", {"error": "busy", "retry": {"after_ms": 0}}, "busy", {"after_ms": 0}),
    ("fail", {"error": "busy", "retry": {"after_ms": 86_400_001}}, "busy", {"after_ms": 86_400_001}),
    ("raise", {"error": "loud"}, "RuntimeError: loud", "default"),
    ("sleep", {"ms": "1"}, "argument ms", "never"),
    ("sleep", [1], "args must be a map", "never"),
    ("blob", {"bytes": 2**20}, "result has 1048581 bytes, the limit is 1048576", "never"),
    ("enqueue", {"tasks": [{"kind": "A"}]}, "kind 'A'", "never"),
    ("nothing", None, "no handler for the kind `nothing`", "never"),
]


class Samples(unittest.TestCase):
    def test_what_each_returns(self) -> None:
        with FakeSupervisor(SAMPLES).greet() as supervisor:
            for task, (kind, args, result) in enumerate(RESULTS):
                supervisor.run(task, kind, args)
                self.assertEqual(supervisor.result(task), result, (kind, args))
            for task, (kind, payload, result) in enumerate(NOTHING):
                supervisor.send("run", task=task, epoch=1, kind=kind, args=payload)
                self.assertEqual(supervisor.answer(task).body["result"], b"", (kind, payload))

    def test_how_each_fails(self) -> None:
        with FakeSupervisor(SAMPLES).greet() as supervisor:
            for task, (kind, args, error, retry) in enumerate(FAILURES):
                supervisor.run(task, kind, args)
                said, wish = supervisor.failure(task)
                self.assertIn(error, said)
                self.assertEqual(wish, retry)
                if kind == "fail":
                    self.assertEqual(said, error, "as it was asked to, without a traceback")

    def test_only_one_of_them_listens_to_a_stop(self) -> None:
        with FakeSupervisor(SAMPLES).greet() as supervisor:
            answer = self.stopped(supervisor, "sleep", 2**62)
            self.assertIn("(budget)", answer.body["error"])
            self.assertEqual(answer.body["retry"], "default")
            self.assertEqual(self.stopped(supervisor, "stubborn", 50).name, "done")

    def stopped(self, supervisor: FakeSupervisor, kind: str, ms: int) -> Message:
        """The answer to a run that was stopped when it had begun; one that had not is given back."""
        while True:
            supervisor.run(1, kind, {"ms": ms})
            supervisor.stop(1, reason="budget")
            if (answer := supervisor.answer(1)).name != "back":
                return answer

    def test_a_signal_does_not_wake_the_stubborn(self) -> None:
        slept: list[float] = []
        sleep = time.sleep

        def interrupted(seconds: float) -> None:
            slept.append(seconds)
            if len(slept) == 1:
                raise Stopped("shutdown")
            sleep(seconds)

        with mock.patch.object(time, "sleep", interrupted):
            self.assertEqual(run(app, kind="stubborn", ms=5).result, 5)
        self.assertGreater(len(slept), 1)

    def test_the_context(self) -> None:
        table: list[tuple[dict[str, Any], Any]] = [
            ({}, {"attempt": 1, "effect_key": "", "time_left_ms": None}),
            ({"attempt": 3, "effect_key": "5f:7"}, {"attempt": 3, "effect_key": "5f:7", "time_left_ms": None}),
        ]
        with FakeSupervisor(SAMPLES).greet() as supervisor:
            for task, (given, known) in enumerate(table):
                supervisor.run(task, "context", **given)
                self.assertEqual(supervisor.result(task), {"task": task, "epoch": 1, "kind": "context", **known})
            supervisor.run(9, "context", time_left_ms=600_000)
            left_ms = supervisor.result(9)["time_left_ms"]
            self.assertTrue(0 < left_ms <= 600_000, left_ms)

    def test_what_each_tells(self) -> None:
        with FakeSupervisor(SAMPLES).greet() as supervisor:
            supervisor.run(1, "log", {"level": "error", "message": "a line"})
            log = supervisor.expect("log").body
            self.assertEqual(log, {"run": RunRef(1, 1)._asdict(), "level": "error", "message": "a line"})
            supervisor.result(1)
            supervisor.run(2, "progress", {"done": 1, "total": 4.5, "message": "so far"})
            note = supervisor.expect("note").body
            self.assertEqual((note["done"], note["total"], note["message"]), (1.0, 4.5, "so far"))
            supervisor.result(2)
            supervisor.run(3, "spend", {"unit": "tokens", "amount": 7, "times": 3})
            for number in (1, 2, 3):
                note = supervisor.expect("note", "done")
                self.assertEqual((note.body["seq"], note.body["spend"]), (number, {"tokens": 7}))
                supervisor.ack(note)
            self.assertEqual(supervisor.result(3), 3)

    def test_tasks_that_come_with_the_result(self) -> None:
        tasks = [
            {"kind": "thumb", "args": {"path": "a.png"}},
            {
                "kind": "mail",
                "name": "once",
                "queue": "slow",
                "priority": -5,
                "delay_ms": 1,
                "timeout_ms": 31_536_000_000,
            },
            {"kind": "mail", "args": [1, b"\x00"], "priority": "low", "max_attempts": 1000, "max_crashes": 1},
            {"kind": "chat", "key": "user:7", "cost": {"tokens": 500}, "budget": {"usd": 0}},
        ]
        with FakeSupervisor(SAMPLES).greet() as supervisor:
            supervisor.run(1, "enqueue", {"tasks": tasks})
            done = supervisor.answer(1).body
            self.assertEqual(done["result"], b"\x04")
            for wanted, task in zip(tasks, done["enqueue"], strict=True):
                given = {name: value for name, value in task.items() if value is not None and value != {}}
                self.assertEqual(given, {**wanted, "args": pack(wanted["args"]) if "args" in wanted else b""})

    def test_it_can_be_told_to_retire(self) -> None:
        with FakeSupervisor(SAMPLES).greet() as supervisor:
            supervisor.run(1, "retire")
            self.assertIsNone(supervisor.result(1))
            supervisor.expect("bye")
            self.assertEqual(supervisor.end(), 0)

    def test_the_environment_changes_its_start(self) -> None:
        with FakeSupervisor(SAMPLES, SAMPLE_BOOTING="2", SAMPLE_CONCURRENCY="7").greet() as supervisor:
            names = [message.name for message in supervisor.heard]
            self.assertEqual(names, ["booting", "booting", "hello", "booting", "booting", "log", "ready"])
            self.assertIsNone(supervisor.heard[5].body["run"])
            self.assertEqual(supervisor.heard[2].body["concurrency"], 7)
            self.assertEqual(supervisor.drain(), 0)
        with FakeSupervisor(SAMPLES).greet() as supervisor:
            self.assertEqual([message.name for message in supervisor.heard], ["hello", "ready"])

"""Follow-ups, in tables: how they are spelled, what is refused, and what all of a run may have together."""

from __future__ import annotations

import unittest
from datetime import timedelta
from typing import Any

from mutirao import Task
from mutirao._follow_ups import ARGS_MAX_BYTES, FollowUps, IllegalFollowUp, spelled

YEAR_S = 365 * 24 * 60 * 60

SPELLED: list[tuple[Task, dict[str, Any]]] = [
    (Task("a"), {}),
    (Task("a", {"x": (1, b"")}), {"args": b"\x81\xa1x\x92\x01\xc4\x00"}),
    (Task("a", name="digest:café com leite.txt", queue="q"), {"name": "digest:café com leite.txt", "queue": "q"}),
    (Task("a", name="é" * 256), {"name": "é" * 256}),
    (Task("a", priority=-100), {"priority": -100}),
    (Task("a", priority="high"), {"priority": "high"}),
    (Task("a", delay=0, timeout=0.001), {"delay_ms": 0, "timeout_ms": 1}),
    (Task("a", delay="1h30m", timeout=timedelta(days=365)), {"delay_ms": 5_400_000, "timeout_ms": YEAR_S * 1_000}),
    (Task("a", max_attempts=1000, max_crashes=1), {"max_attempts": 1000, "max_crashes": 1}),
]

ILLEGAL: list[tuple[dict[str, Any], str]] = [
    ({"kind": "A"}, "follow-up 'A': kind 'A': a name has 1 to 64"),
    ({"kind": None}, "kind None"),
    ({"kind": "a" * 65}, "kind"),
    ({"queue": ""}, "queue ''"),
    ({"name": ""}, "one line of printable text"),
    ({"name": "two\nlines"}, "one line of printable text"),
    ({"name": "c1\u009b"}, "one line of printable text"),
    ({"name": "line\u2028separator"}, "one line of printable text"),
    ({"name": "\udcff"}, "one line of printable text"),
    ({"name": "é" * 257}, "1 to 512 bytes"),
    ({"name": 5}, "one line of printable text"),
    ({"priority": 101}, "priority 101: must be an integer from -100 to 100"),
    ({"priority": True}, "priority True"),
    ({"priority": 0.5}, "priority 0.5"),
    ({"priority": "HIGH"}, "priority 'HIGH'"),
    ({"delay": -1}, "from 0 to ten years"),
    ({"delay": 10 * YEAR_S + 1}, "from 0 to ten years"),
    ({"timeout": 0}, "from 1 ms to a year"),
    ({"timeout": YEAR_S + 1}, "from 1 ms to a year"),
    ({"timeout": "soon"}, "from 1 ms to a year"),
    ({"max_attempts": 0}, "max_attempts 0: must be an integer from 1 to 1000"),
    ({"key": ""}, "key ''"),
    ({"cost": {"Usd": 1}}, "unit 'Usd'"),
    ({"cost": {"usd": -1}}, "cost of usd -1: must be an integer from 0 to 4294967295"),
    ({"cost": {"usd": 2**32}}, "cost of usd 4294967296: must be an integer"),
    ({"budget": {"usd": 0.5}}, "budget of usd 0.5: must be an integer"),
    ({"budget": {f"u{n}": 1 for n in range(17)}}, "budget has 17 units, the limit is 16"),
    ({"max_crashes": 1001}, "max_crashes 1001: must be an integer from 1 to 1000"),
    ({"args": {"x": [object()]}}, "args['x'][0] is of type object, which cannot travel"),
    ({"args": b"x" * ARGS_MAX_BYTES}, "args has 1048581 bytes, the limit is 1048576"),
]


class Spelling(unittest.TestCase):
    def test_what_is_left_out_is_not_said(self) -> None:
        for task, fields in SPELLED:
            self.assertEqual(spelled(task), {"kind": "a", "args": b"", **fields})

    def test_what_is_illegal_is_refused_with_its_field(self) -> None:
        for fields, sentence in ILLEGAL:
            with self.subTest(str(fields)[:40]), self.assertRaises(IllegalFollowUp) as refused:
                spelled(Task(**{"kind": "a", **fields}))
            self.assertIn(sentence, str(refused.exception))


class Together(unittest.TestCase):
    def test_their_number_has_a_limit(self) -> None:
        follow_ups = FollowUps()
        for _ in range(1000):
            follow_ups.add(spelled(Task("a")))
        with self.assertRaisesRegex(IllegalFollowUp, "at most 1000 follow-ups"):
            follow_ups.add(spelled(Task("a")))
        self.assertEqual(len(follow_ups), 1000)

    def test_their_args_have_a_limit_in_all(self) -> None:
        follow_ups, half = FollowUps(), spelled(Task("a", b"x" * (ARGS_MAX_BYTES // 2 - 5)))
        follow_ups.add(half)
        follow_ups.add(half)
        with self.assertRaisesRegex(IllegalFollowUp, "have 1048577 bytes, the limit is 1048576"):
            follow_ups.add(spelled(Task("b", 1)))
        follow_ups.add(spelled(Task("c")))
        self.assertEqual([body["kind"] for body in follow_ups], ["a", "a", "c"])

"""What a result becomes on its way, and what cannot travel; delays and texts, which have limits as well."""

from __future__ import annotations

import unittest
from collections import OrderedDict
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from enum import Enum, IntEnum
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import Any, NamedTuple
from uuid import UUID

from mutirao import RetryAfter
from mutirao._codec import decode
from mutirao._text import clip, clip_tail
from mutirao._values import RESULT_MAX_BYTES, CannotTravel, pack


class Level(IntEnum):
    HIGH = 9


class Name(str, Enum):
    A = "a"


class Pair(NamedTuple):
    a: int
    b: int


@dataclass
class Report:
    path: PurePosixPath
    pairs: list[Pair]


TRAVELS: list[tuple[Any, Any]] = [
    (True, True),
    (2**64 - 1, 2**64 - 1),
    (0.5, 0.5),
    ("é", "é"),
    (bytearray(b"x"), b"x"),
    (memoryview(b"x"), b"x"),
    ((1, (2,)), [1, [2]]),
    (frozenset({5}), [5]),
    (Level.HIGH, 9),
    (Name.A, "a"),
    ({Level.HIGH: 1, Name.A: 2, 3: 4}, {9: 1, "a": 2, 3: 4}),
    (MappingProxyType(OrderedDict(a=1)), {"a": 1}),
    (Report(PurePosixPath("a/b"), [Pair(1, 2)]), {"path": "a/b", "pairs": [[1, 2]]}),
    (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
    (datetime(2026, 1, 2, tzinfo=timezone.utc), "2026-01-02T00:00:00+00:00"),
    (date(2026, 1, 2), "2026-01-02"),
]


def knot() -> Any:
    tied: list[Any] = []
    tied.append(tied)
    return tied


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


DOES_NOT_TRAVEL: list[tuple[Any, str]] = [
    (object(), "result is of type object, which cannot travel; send numbers, text"),
    ([0, {"a": print}], "result[1]['a'] is of type builtin_function_or_method"),
    (Report, "result is of type type"),
    (2**64, "result is an integer of 65 bits"),
    (-(2**63) - 1, "result is an integer of 64 bits"),
    ({(1, 2): 1}, "a key of result is a tuple"),
    (knot(), "result is nested more than 64 deep, or contains itself"),
    (nested(65), "nested more than 64 deep"),
    ("\udcff", "not UTF-8"),
    (b"x" * RESULT_MAX_BYTES, "the limit is 1048576; write it to a file"),
    ((number for number in range(3)), "result is of type generator"),
]


class Values(unittest.TestCase):
    def test_what_travels(self) -> None:
        for value, expected in TRAVELS:
            with self.subTest(value=value):
                self.assertEqual(decode(pack(value)), expected)

    def test_nothing_is_no_bytes(self) -> None:
        self.assertEqual(pack(None), b"")

    def test_the_limits_are_exact(self) -> None:
        self.assertEqual(len(pack(b"x" * (RESULT_MAX_BYTES - 5))), RESULT_MAX_BYTES)
        self.assertEqual(decode(pack(nested(64))), nested(64))

    def test_what_does_not_travel_is_told_with_its_place(self) -> None:
        for value, sentence in DOES_NOT_TRAVEL:
            with self.subTest(sentence), self.assertRaises(CannotTravel) as refused:
                pack(value)
            self.assertIn(sentence, str(refused.exception))


class Delays(unittest.TestCase):
    def test_every_spelling(self) -> None:
        table: list[tuple[Any, int]] = [
            (0, 0),
            (1.5, 1_500),
            (timedelta(minutes=2), 120_000),
            ("30s", 30_000),
            ("500ms", 500),
            ("1h30m", 5_400_000),
            (" 1.5h ", 5_400_000),
            ("1d 2s", 86_402_000),
        ]
        for delay, delay_ms in table:
            self.assertEqual(RetryAfter(delay).delay_ms, delay_ms, delay)
        self.assertEqual(str(RetryAfter("90s")), "try again after 90 s")
        self.assertEqual((RetryAfter(1).scope, RetryAfter(1, scope="queue").scope), ("task", "queue"))
        with self.assertRaisesRegex(ValueError, "scope 'all': must be one of task, key, queue"):
            RetryAfter(1, scope="all")  # type: ignore[arg-type]

    def test_what_is_no_delay(self) -> None:
        wrong: list[Any] = [
            -1,
            "soon",
            "30",
            "30 s x",
            "",
            True,
            None,
            float("nan"),
            float("inf"),
            "9999d",
            timedelta(-1),
        ]
        for delay in wrong:
            with self.subTest(delay), self.assertRaises(ValueError):
                RetryAfter(delay)


class Texts(unittest.TestCase):
    def test_never_splits_a_character(self) -> None:
        for text, max_bytes, head, tail in [
            ("", 0, "", ""),
            ("abc", 3, "abc", "abc"),
            ("abc", 2, "ab", "bc"),
            ("aéb", 2, "a", "b"),
            ("aéb", 3, "aé", "éb"),
            ("é", 1, "", ""),
            ("\udcff", 9, "\\udcff", "\\udcff"),
            ("x" * 100, 50, "x" * 50, "x" * 50),
        ]:
            self.assertEqual(
                (clip(text, max_bytes), clip_tail(text, max_bytes) if max_bytes else ""), (head, tail), text
            )

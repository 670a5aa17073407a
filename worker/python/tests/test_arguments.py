"""Args against the parameters of a handler: what fits, what it becomes, and the sentence for what does not."""

from __future__ import annotations

import unittest
from dataclasses import dataclass, field
from datetime import date, datetime, timezone
from enum import Enum
from pathlib import Path
from typing import (
    Annotated,
    Any,
    Callable,
    Literal,
    Mapping,
    NewType,
    Optional,
    Sequence,
    TypedDict,
    TypeVar,
    Union,
)
from unittest.mock import sentinel
from uuid import UUID

from mutirao import Context, WorkerError
from mutirao._arguments import Arguments, BadArguments, Call
from mutirao._hints import Mismatch, describe, fit


class Colour(Enum):
    RED = "red"
    DEEP = 7


@dataclass
class Point:
    x: int
    y: float = 0.0
    tags: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.x < 0:
            raise ValueError("x is negative")


@dataclass
class Line:
    start: Point
    end: Optional[Point] = None


class Size(TypedDict, total=False):
    width: int
    height: int


class Box(Size):
    name: str


UserId = NewType("UserId", int)
Bound = TypeVar("Bound", bound=int)
Free = TypeVar("Free")

FITS: list[tuple[Any, Any, Any]] = [
    (Any, object, object),
    (object, [1], [1]),
    (int, 3, 3),
    (float, 3, 3.0),
    (float, 0.5, 0.5),
    (str, "x", "x"),
    (bytes, b"x", b"x"),
    (bool, True, True),
    (None, None, None),
    (Optional[int], None, None),
    (int | None, 3, 3),
    (Union[float, int], 3, 3),
    (Union[int, str], "3", "3"),
    (list, [1, "a"], [1, "a"]),
    (list[int], [1, 2], [1, 2]),
    (Sequence[float], [1], [1.0]),
    (tuple[int, ...], [1, 2], (1, 2)),
    (tuple[int, str], [1, "a"], (1, "a")),
    (set[str], ["a", "a"], {"a"}),
    (frozenset[int], [1], frozenset({1})),
    (dict[str, int], {"a": 1}, {"a": 1}),
    (Mapping[str, Any], {"a": None}, {"a": None}),
    (dict, {1: 2}, {1: 2}),
    (Literal["a", 1], 1, 1),
    (Colour, "red", Colour.RED),
    (Colour, 7, Colour.DEEP),
    (Point, {"x": 1}, Point(1)),
    (Line, {"start": {"x": 1, "y": 2, "tags": ["a"]}, "end": None}, Line(Point(1, 2.0, ["a"]))),
    (Box, {"name": "b", "width": 1}, {"name": "b", "width": 1}),
    (UserId, 5, 5),
    (Annotated[list[UserId], "why"], [5], [5]),
    (Bound, 5, 5),
    (Free, "anything", "anything"),
    (Path, "a/b", Path("a/b")),
    (UUID, "12345678123456781234567812345678", UUID(int=0x12345678123456781234567812345678)),
    (datetime, "2026-01-02T03:04:05Z", datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)),
    (date, "2026-01-02", date(2026, 1, 2)),
    (Callable[[], int], 5, 5),
    ("unresolved", 5, 5),
    (complex, 5, 5),
]

DOES_NOT_FIT: list[tuple[Any, Any, str, str]] = [
    (int, "x", "", "expected int, got str 'x'"),
    (int, True, "", "expected int, got bool True"),
    (int, 1.0, "", "expected int, got float 1.0"),
    (float, True, "", "expected float, got bool True"),
    (str, None, "", "expected str, got None"),
    (str, 5, "", "expected str, got int 5"),
    (bytes, "x", "", "expected bytes, got str 'x'"),
    (bool, 1, "", "expected bool, got int 1"),
    (None, 1, "", "expected None, got int 1"),
    (str, {"k": 1}, "", "expected str, got map {'k': 1}"),
    (int, "x" * 100, "", "expected int, got str '" + "x" * 59 + "..."),
    (Optional[int], "x", "", "expected int or None, got str 'x'"),
    (int | str, 0.5, "", "expected int or str, got float 0.5"),
    (list[int], [1, "x"], "[1]", "expected int, got str 'x'"),
    (Optional[list[int]], [1, "x"], "[1]", "expected int, got str 'x'"),
    (list[int], "x", "", "expected list[int], got str 'x'"),
    (tuple[int, str], [1], "", "expected 2 items, got 1"),
    (set[Any], [[1]], "", "expected set[Any], got items that no set can hold"),
    (dict[str, list[int]], {"a": [1, None]}, "['a'][1]", "expected int, got None"),
    (dict[str, int], {1: 1}, "[1]", "expected str, got int 1"),
    (dict[str, int], [1], "", "expected map[str, int], got list [1]"),
    (Literal["a", 1], True, "", "expected one of 'a', 1, got bool True"),
    (Colour, "blue", "", "expected one of 'red', 7, got str 'blue'"),
    (Point, [1], "", "expected a map for Point, got list [1]"),
    (Point, {}, "", "field x is missing; known fields of Point are x, y, tags"),
    (Point, {"x": 1, "z": 1}, "", "field z is not known; known fields of Point are x, y, tags"),
    (Point, {"x": -1}, "", "Point refuses its fields: x is negative"),
    (Line, {"start": {"x": "1"}}, ".start.x", "expected int, got str '1'"),
    (Box, {"width": 1}, "", "field name is missing; known fields of Box are"),
    (Box, {"name": "b", "height": "h"}, ".height", "expected int, got str 'h'"),
    (UserId, "5", "", "expected int, got str '5'"),
    (UUID, "zz", "", "expected UUID as text, got str 'zz'"),
    (datetime, 5, "", "expected datetime as text, got int 5"),
]


class Hints(unittest.TestCase):
    def test_what_fits_becomes_what_the_hint_names(self) -> None:
        for hint, value, expected in FITS:
            with self.subTest(hint=hint, value=value):
                found = fit(hint, value)
                self.assertEqual((found, type(found)), (expected, type(expected)))

    def test_what_does_not_fit_is_told_with_its_place(self) -> None:
        for hint, value, path, problem in DOES_NOT_FIT:
            with self.subTest(hint=hint, value=value), self.assertRaises(Mismatch) as refused:
                fit(hint, value)
            self.assertEqual(refused.exception.path, path)
            self.assertTrue(refused.exception.problem.startswith(problem), refused.exception.problem)

    def test_hints_in_words(self) -> None:
        table = [
            (tuple[int, ...], "tuple[int, ...]"),
            (Mapping[str, Optional[Point]], "map[str, Point or None]"),
            (Any, "Any"),
            (None, "None"),
            (UserId, "int"),
        ]
        for hint, words in table:
            self.assertEqual(describe(hint), words)


def plain(path: str, width: int = 640) -> None: ...
def with_context(cx: Any, path: str) -> None: ...
def with_annotated(path: str, task: Context) -> None: ...
def any_others(path: str, **rest: int) -> None: ...
def by_position(cx: Context, path: str, width: int = 1, /, *, deep: bool = False) -> None: ...
def without_hints(a, b=2):  # type: ignore[no-untyped-def]
    ...
def unresolvable(path: str, other: "Missing") -> None: ...  # type: ignore[name-defined]  # noqa: F821


class CallableObject:
    """A handler need not be a function."""

    def __call__(self, path: str) -> None: ...


BOUND: list[tuple[Any, Any, Call]] = [
    (plain, {"path": "a"}, Call([], {"path": "a"})),
    (plain, {"path": "a", "width": 1}, Call([], {"path": "a", "width": 1})),
    (with_context, {"path": "a"}, Call([], {"path": "a", "cx": sentinel.context})),
    (with_annotated, {"path": "a"}, Call([], {"path": "a", "task": sentinel.context})),
    (any_others, {"path": "a", "b": 1}, Call([], {"path": "a", "b": 1})),
    (by_position, {"path": "a", "deep": True}, Call([sentinel.context, "a", 1], {"deep": True})),
    (without_hints, {"a": [1]}, Call([], {"a": [1]})),
    (unresolvable, {"path": "a", "other": 1}, Call([], {"path": "a", "other": 1})),
    (CallableObject(), {"path": "a"}, Call([], {"path": "a"})),
    (lambda: None, None, Call([], {})),
    (lambda cx: None, {}, Call([], {"cx": sentinel.context})),
]

REFUSED: list[tuple[Any, Any, str]] = [
    (
        plain,
        {"path": "a", "width": "x"},
        "k: argument width: expected int, got str 'x'; known arguments are path, width",
    ),
    (plain, {}, "k: argument path is missing; known arguments are path, width"),
    (plain, None, "k: argument path is missing; known arguments are path, width"),
    (plain, {"path": "a", "widht": 1}, "k: argument widht is not known; known arguments are path, width"),
    (plain, [1], "k: args must be a map from argument names to values; known arguments are path, width"),
    (plain, {1: 1}, "k: args must be a map from argument names to values; known arguments are path, width"),
    (with_context, {"cx": 1, "path": "a"}, "k: argument cx is not known; known arguments are path"),
    (any_others, {"path": "a", "b": "x"}, "k: argument b: expected int, got str 'x'; any argument is taken"),
    (CallableObject(), {"path": 1}, "k: argument path: expected str, got int 1; known arguments are path"),
    (lambda: None, {"a": 1}, "k: argument a is not known; there are no arguments"),
]


class Binding(unittest.TestCase):
    def test_args_become_a_call(self) -> None:
        for function, args, call in BOUND:
            with self.subTest(function=function, args=args):
                self.assertEqual(Arguments("k", function).bind(args, sentinel.context), call)

    def test_what_is_refused_is_told_in_one_sentence(self) -> None:
        for function, args, sentence in REFUSED:
            with self.subTest(function=function, args=args), self.assertRaises(BadArguments) as refused:
                Arguments("k", function).bind(args, sentinel.context)
            self.assertEqual(str(refused.exception), sentence)

    def test_one_that_takes_them_whole_gets_any_value(self) -> None:
        def count(cx: Context, numbers: list[int]) -> None: ...
        def place(box: Box) -> None: ...
        def anything(value: Any) -> None: ...

        taken: list[tuple[Any, Any, Any]] = [
            (count, [1, 2], {"numbers": [1, 2], "cx": sentinel.context}),
            (place, {"name": "a"}, {"box": {"name": "a"}}),
            (anything, None, {"value": None}),
            (anything, {"value": 1}, {"value": {"value": 1}}),
        ]
        for function, args, named in taken:
            self.assertEqual(Arguments("k", function, whole=True).bind(args, sentinel.context), Call([], named))
        refused = [
            (count, {"numbers": [1]}, "k: args: expected list[int], got map {'numbers': [1]}; args are one value here"),
            # Nothing, where fields are expected, is a map without entries.
            (place, None, "k: args: field name is missing; known fields of Box are"),
        ]
        for function, args, sentence in refused:
            with self.assertRaises(BadArguments) as caught:
                Arguments("k", function, whole=True).bind(args, sentinel.context)
            self.assertIn(sentence, str(caught.exception))

    def test_parameters_that_args_cannot_reach_are_refused_early(self) -> None:
        with self.assertRaisesRegex(WorkerError, r"\*args"):
            Arguments("k", lambda *args: None)

    def test_arguments_in_words(self) -> None:
        table: list[tuple[Any, str]] = [
            (plain, "path: str, width: int = 640"),
            (by_position, "path: str, width: int = 1, deep: bool = False"),
            (any_others, "path: str, any others"),
            (without_hints, "a, b = 2"),
        ]
        for function, words in table:
            self.assertEqual(Arguments("k", function).describe(), words)

"""MessagePack, ours and by `msgpack`: one table, and the same answer from both."""

from __future__ import annotations

import random
import unittest
from typing import Any, Callable

from mutirao import _codec
from mutirao.errors import ContractError

try:
    from mutirao import _codec_fast
except ImportError:
    _codec_fast = None  # type: ignore[assignment]

WELL_FORMED: list[tuple[Any, str]] = [
    (None, "c0"),
    (False, "c2"),
    (True, "c3"),
    (0, "00"),
    (127, "7f"),
    (128, "cc80"),
    (255, "ccff"),
    (256, "cd0100"),
    (65_536, "ce00010000"),
    (2**32, "cf0000000100000000"),
    (2**64 - 1, "cfffffffffffffffff"),
    (-1, "ff"),
    (-32, "e0"),
    (-33, "d0df"),
    (-128, "d080"),
    (-129, "d1ff7f"),
    (-32_769, "d2ffff7fff"),
    (-(2**31) - 1, "d3ffffffff7fffffff"),
    (-(2**63), "d38000000000000000"),
    (1.5, "cb3ff8000000000000"),
    ("", "a0"),
    ("olá", "a46f6cc3a1"),
    ("x" * 31, "bf" + "78" * 31),
    ("x" * 32, "d920" + "78" * 32),
    ("x" * 256, "da0100" + "78" * 256),
    ("x" * 65_536, "db00010000" + "78" * 65_536),
    (b"", "c400"),
    (b"\xff" * 256, "c50100" + "ff" * 256),
    (b"\xff" * 65_536, "c600010000" + "ff" * 65_536),
    ([], "90"),
    ([1, [2]], "92019102"),
    ([None] * 15, "9f" + "c0" * 15),
    ([None] * 16, "dc0010" + "c0" * 16),
    ([None] * 65_536, "dd00010000" + "c0" * 65_536),
    ({}, "80"),
    ({"a": {"b": []}}, "81a16181a16290"),
    ({number: None for number in range(16)}, "de0010" + "".join(f"{number:02x}c0" for number in range(16))),
]

LONGER_THAN_NEEDED: list[tuple[str, Any]] = [
    ("cc01", 1),
    ("d00f", 15),
    ("cf0000000000000007", 7),
    ("ca3fc00000", 1.5),
    ("d90178", "x"),
    ("dc000101", [1]),
    ("df00000001a16b01", {"k": 1}),
]

REFUSED: list[tuple[str, str]] = [
    ("", "empty"),
    ("c0c0", "trailing"),
    ("81a16b", "truncated"),
    ("92c0", "truncated"),
    ("a2c3", "truncated"),
    ("cf00000000000000", "truncated"),
    ("c1", "malformed"),
    ("91c1", "malformed"),
    ("d40100", "malformed"),
    ("c7010000", "malformed"),
    ("d6ff00000000", "malformed"),
    ("91d6ff00000000", "malformed"),
    ("81d6ff00000000c0", "malformed"),
    ("a2c328", "malformed"),
    ("a3eda080", "malformed"),
    ("8190c0", "malformed"),
    ("82a16b01a16b02", "body"),
    ("91" * 64 + "90", "too_deep"),
    ("91" * 64 + "80", "too_deep"),
    ("91" * 65 + "c0", "too_deep"),
    ("81a16b" * 65 + "c0", "too_deep"),
    ("91" * 100_000 + "c0", "too_deep"),
    ("ddffffffff" + "91" * 1_000, "truncated"),
    ("dfffffffffc0", "truncated"),
    ("dbffffffffc0", "truncated"),
    ("c6ffffffffc0", "truncated"),
    ("92c0ddffffffffc0", "truncated"),
]


class Codec(unittest.TestCase):
    """The codec as the package uses it, whichever it has chosen."""

    encode: Callable[[Any], bytes] = staticmethod(_codec.encode)
    decode: Callable[[bytes], Any] = staticmethod(_codec.decode)

    def test_values_have_one_spelling_and_come_back(self) -> None:
        for value, spelling in WELL_FORMED:
            with self.subTest(spelling[:40]):
                self.assertEqual(self.encode(value).hex(), spelling)
                back = self.decode(bytes.fromhex(spelling))
                self.assertEqual((back, type(back)), (value, type(value)))

    def test_longer_spellings_are_read(self) -> None:
        for spelling, value in LONGER_THAN_NEEDED:
            self.assertEqual(self.decode(bytes.fromhex(spelling)), value, spelling)

    def test_what_is_refused_has_a_name(self) -> None:
        for spelling, kind in REFUSED:
            with self.subTest(spelling[:40]), self.assertRaises(ContractError) as refused:
                self.decode(bytes.fromhex(spelling))
            self.assertEqual(refused.exception.kind, kind, spelling[:40])

    def test_the_limit_of_depth_is_exact(self) -> None:
        for spelling in ("91" * 64 + "c0", "91" * 63 + "90", "dc03e8" + "91c0" * 1_000):
            self.decode(bytes.fromhex(spelling))

    def test_what_cannot_be_written_raises(self) -> None:
        for value in (2**64, -(2**63) - 1, "\ud800", object(), {1, 2}):
            with self.assertRaises((ValueError, TypeError, OverflowError)):
                self.encode(value)

    def test_any_value_comes_back(self) -> None:
        source = random.Random(20)
        for _ in range(500):
            value = any_value(source, 5)
            self.assertEqual(self.decode(self.encode(value)), value)

    def test_any_bytes_give_a_value_or_a_named_error(self) -> None:
        source = random.Random(21)
        for _ in range(3_000):
            data = source.randbytes(source.randrange(40))
            try:
                self.decode(data)
            except ContractError as error:
                self.assertTrue(error.kind)


class PureCodec(Codec):
    encode = staticmethod(_codec.encode_pure)
    decode = staticmethod(_codec.decode_pure)


class BothCodecs(unittest.TestCase):
    def setUp(self) -> None:
        if _codec_fast is None:
            print("skipped: the package msgpack is not installed, so there is only one codec")
            self.skipTest("msgpack is not installed")

    def test_they_write_the_same_bytes(self) -> None:
        source = random.Random(22)
        values = [value for value, _ in WELL_FORMED] + [any_value(source, 5) for _ in range(500)]
        for value in values:
            self.assertEqual(_codec_fast.encode(value), _codec.encode_pure(value))

    def test_the_fast_one_takes_only_what_the_pure_one_takes(self) -> None:
        source = random.Random(23)
        corpus = [bytes.fromhex(spelling) for spelling, _ in REFUSED]
        corpus += [source.randbytes(source.randrange(40)) for _ in range(5_000)]
        taken = 0
        for data in corpus:
            try:
                fast = _codec_fast.decode(data)
            except Exception:
                continue
            taken += 1
            self.assertEqual(repr(fast), repr(_codec.decode_pure(data)), data.hex())
        self.assertGreater(taken, 50)

    def test_arrays_that_lie_about_their_size_are_left_to_the_pure_one(self) -> None:
        bomb = bytes.fromhex("dd00100000") * 60 + b"\xc0" * 2**20
        with self.assertRaisesRegex(ValueError, "announce"):
            _codec_fast.decode(bomb)


def any_value(source: random.Random, depth: int) -> Any:
    scalars: list[Callable[[], Any]] = [
        lambda: None,
        lambda: source.random() < 0.5,
        lambda: source.randint(-(2 ** source.randint(1, 63)), 2 ** source.randint(1, 64) - 1),
        lambda: source.uniform(-1e9, 1e9),
        lambda: "".join(source.choices("aé協🤝\n", k=source.randrange(40))),
        lambda: source.randbytes(source.randrange(300)),
    ]
    containers: list[Callable[[], Any]] = [
        lambda: [any_value(source, depth - 1) for _ in range(source.randrange(20))],
        lambda: {f"k{number}": any_value(source, depth - 1) for number in range(source.randrange(20))},
    ]
    return source.choice(scalars + (containers if depth else []))()

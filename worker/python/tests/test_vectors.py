"""The golden vectors of the contract, read as its section 8 says."""

from __future__ import annotations

import json
import unittest
from pathlib import Path
from typing import Any, Iterator

from mutirao import _codec
from mutirao._frames import FrameDecoder
from mutirao._messages import FROM_WORKER, Message, decode, encode
from mutirao.errors import ContractError

VECTORS = Path(__file__).resolve().parents[3] / "ipc-contract" / "spec" / "v1" / "vectors"

STOP_REASONS = "cancel timeout shutdown scaling recycling reload sibling budget memory recall".split()


def vectors() -> Iterator[tuple[str, bytes, dict[str, Any]]]:
    for path in sorted(VECTORS.glob("*/*.json")):
        data = bytes.fromhex(path.with_suffix(".hex").read_text())
        yield f"{path.parent.name}/{path.stem}", data, json.loads(path.read_text())


def read(data: bytes, direction: str) -> Message:
    decoder = FrameDecoder()
    decoder.push(data)
    payload = decoder.next_frame()
    assert payload is not None and not decoder.is_partial()
    return decode(payload, direction)


def value_of(payload: bytes) -> Any:
    return _codec.decode(payload) if payload else None


def follow_up(task: dict[str, Any]) -> dict[str, Any]:
    given = {name: value for name, value in task.items() if value is not None and value != {}}
    return {**given, "args": value_of(task["args"])}


def shown(message: Message) -> dict[str, Any]:
    """As the vectors show a message: payloads as the values in them, later stop reasons as `unknown`, and what needs a
    feature only when it is there.
    """
    body = dict(message.body)
    for field in body.keys() & {"args", "result", "value", "checkpoint"}:
        body[field] = value_of(body[field])
    for field in body.keys() & {"steps", "facts"}:
        body[field] = {name: value_of(payload) for name, payload in body[field].items()}
    if "enqueue" in body:
        body["enqueue"] = [follow_up(task) for task in body["enqueue"]]
    for field in ("enqueue", "steps", "checkpoint", "facts"):
        if not body.get(field, True):
            del body[field]
    if message.name == "stop" and body["reason"] not in STOP_REASONS:
        body["reason"] = "unknown"
    return {message.name: body}


class Vectors(unittest.TestCase):
    def test_valid_ones_mean_what_they_say(self) -> None:
        seen = 0
        for name, data, meaning in vectors():
            if "message" in meaning:
                with self.subTest(name):
                    message = read(data, meaning["direction"])
                    self.assertEqual(shown(message), meaning["message"])
                    self.assertEqual(read(encode(message), meaning["direction"]), message)
                    seen += 1
        self.assertGreater(seen, 25)

    def test_invalid_ones_are_refused_for_their_reason(self) -> None:
        seen = 0
        for name, data, meaning in vectors():
            if "error" in meaning:
                with self.subTest(name), self.assertRaises(ContractError) as refused:
                    read(data, meaning["direction"])
                self.assertEqual(refused.exception.kind, meaning["error"], name)
                seen += 1
        self.assertGreater(seen, 25)

    def test_every_part_of_a_valid_frame_is_incomplete(self) -> None:
        for name, data, meaning in vectors():
            if "message" in meaning:
                decoder = FrameDecoder()
                for size in range(len(data) - 1):
                    decoder.push(data[size : size + 1])
                    self.assertIsNone(decoder.next_frame(), name)
                    self.assertTrue(decoder.is_partial(), name)

    def test_a_stream_in_any_pieces_gives_the_same_frames(self) -> None:
        valid = [data for _, data, meaning in vectors() if "message" in meaning]
        stream = b"".join(valid)
        for piece_bytes in (1, 2, 3, 5, 64, len(stream)):
            decoder, frames = FrameDecoder(), []
            for at in range(0, len(stream), piece_bytes):
                decoder.push(stream[at : at + piece_bytes])
                while (payload := decoder.next_frame()) is not None:
                    frames.append(payload)
            self.assertEqual(frames, [data[4:] for data in valid])
            self.assertFalse(decoder.is_partial())

    def test_a_message_of_the_other_side_is_refused(self) -> None:
        stop = encode(Message("stop", {"reason": "cancel", "grace_ms": 1}))
        with self.assertRaises(ContractError) as refused:
            read(stop, FROM_WORKER)
        self.assertEqual(refused.exception.kind, "wrong_direction")

"""The pure modules of the client: tables and properties."""

from __future__ import annotations

import json
import math
import os
import pickle
import tempfile
import unittest
from pathlib import Path
from typing import Any

from mutirao._client import answers, requests
from mutirao._client.answers import Answer
from mutirao._client.http import BODY_BYTES_MAX, AnswerReader, BrokenAnswer, TooLong, request_bytes
from mutirao._client.place import choose
from mutirao._client.plain import to_json
from mutirao._client.requests import Request
from mutirao._client.retry import Lost, after
from mutirao.client_errors import ClientError, Refused, TaskFailed, Unavailable, Unreachable

#: What the supervisor sends, as its own tests hold it; not there when the package is alone.
GOLDEN = Path(__file__).resolve().parents[3] / "supervisor/src/http/golden"


def read_all(pieces: list[bytes]) -> tuple[int, bytes, bool]:
    reader = AnswerReader()
    for piece in pieces:
        reader.feed(piece)
    if not reader.done:
        reader.feed(b"")
    return reader.status, reader.take(), reader.keeps_alive


class Http(unittest.TestCase):
    GOOD = [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", (200, b"hello", True)),
        (b"HTTP/1.1 201 \r\ncontent-length:0\r\n\r\n", (201, b"", True)),
        (b"HTTP/1.1 204\r\n\r\n", (204, b"", True)),
        (b"HTTP/1.1 200 OK\ncontent-length: 2\n\nhi", (200, b"hi", True)),
        (b"HTTP/1.1 200 OK\r\nconnection: Close\r\ncontent-length: 2\r\n\r\nhi", (200, b"hi", False)),
        (b"HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nhi", (200, b"hi", False)),
        (b"HTTP/1.1 200 OK\r\n\r\nto the end", (200, b"to the end", False)),
        (
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n1\r\n!\r\n0\r\n\r\n",
            (200, b"hello!", True),
        ),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\nx: y\r\n\r\n", (200, b"", True)),
    ]

    def test_answers_are_read_whatever_pieces_they_come_in(self) -> None:
        for data, expected in self.GOOD:
            for size in (1, 2, 3, 7, len(data)):
                pieces = [data[at : at + size] for at in range(0, len(data), size)]
                self.assertEqual(read_all(pieces), expected, (data, size))

    def test_an_answer_that_ends_early_is_never_taken_for_whole(self) -> None:
        for data, _ in self.GOOD:
            if b"to the end" in data:
                continue
            for length in range(1, len(data)):
                with self.assertRaises(BrokenAnswer, msg=data[:length]):
                    read_all([data[:length]])

    def test_what_is_no_answer_is_refused(self) -> None:
        table = [
            b"SSH-2.0-x\r\n\r\n",
            b"HTTP/1.1 abc\r\n\r\n",
            b"HTTP/1.1 200\r\ncontent-length: -1\r\n\r\n",
            b"HTTP/1.1 200\r\ncontent-length: 1_0\r\n\r\n",
            b"HTTP/1.1 200\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
            b"HTTP/1.1 200\r\ntransfer-encoding: chunked\r\n\r\n1\r\nab\r\n",
            b"HTTP/1.1 200\r\n" + b"a: b\r\n" * 101,
            b"HTTP/1.1 200 " + b"x" * 20_000,
        ]
        for data in table:
            with self.assertRaises(BrokenAnswer, msg=data[:60]):
                AnswerReader().feed(data)
        reader = AnswerReader()
        reader.feed(b"HTTP/1.1 200\r\ncontent-length: %d\r\n\r\n" % (BODY_BYTES_MAX + 1))
        with self.assertRaises(TooLong):
            reader.feed(b"x" * (BODY_BYTES_MAX + 1))

    def test_more_than_an_answer_ends_the_connection(self) -> None:
        self.assertEqual(read_all([self.GOOD[0][0] + b"HTTP"]), (200, b"hello", False))

    def test_requests(self) -> None:
        self.assertEqual(request_bytes("GET", "/x?y=1", None), b"GET /x?y=1 HTTP/1.1\r\nhost: localhost\r\n\r\n")
        self.assertIn(b"content-length: 0\r\n", request_bytes("POST", "/x", None))
        said = request_bytes("POST", "/x", b"{}")
        self.assertTrue(said.endswith(b"content-length: 2\r\ncontent-type: application/json\r\n\r\n{}"), said)


class Plain(unittest.TestCase):
    def test_values(self) -> None:
        task = requests.as_task({"kind": "a", "args": ({"b": None}, 1.5), "priority": -3})
        spec = json.loads(requests.spec_json(task, "n"))
        self.assertEqual(spec, {"kind": "a", "priority": -3, "name": "n", "args": [{"b": None}, 1.5]})
        edges = [-(2**63), 2**64 - 1, True, 2.0**64]
        self.assertEqual(json.loads(to_json(edges)), edges)
        self.assertEqual(json.loads(to_json("\ud800\u2028é")), "\ud800\u2028é")

    def test_refusals_name_the_place(self) -> None:
        deep: Any = 1
        for _ in range(100_000):
            deep = [deep]
        table = [
            (b"x", "args: JSON has no bytes; send text"),
            ({"a": [1, {"b": bytearray()}]}, "args.a[1].b: JSON has no bytes"),
            ({"a": math.nan}, "args.a: JSON has no nan"),
            ({1: 2}, "args: key 1 is no text"),
            ({"a": [2**64]}, "args.a[0]: an integer beyond 64 bits cannot travel; send it as text"),
            (-(2**63) - 1, "args: an integer beyond 64 bits"),
            ([object()], "args[0]: a object cannot travel as JSON; args are JSON values"),
            ([{1, 2}], "args[0]: a set cannot travel"),
            (Answer, "args: a type cannot travel"),
            (deep, "nested more than 64 deep"),
        ]
        for value, words in table:
            with self.assertRaises(Refused) as caught:
                to_json(value)
            self.assertIn(words, str(caught.exception))
        for task in (
            {"kind": "a", "delay": "soon"},
            {"kind": "a", "delay": -1},
            {"kind": "a", "timeout": math.inf},
            {"kind": b"a"},
        ):
            with self.assertRaises(Refused):
                requests.spec_json(requests.as_task(task), "n")


class Slices(unittest.TestCase):
    def test_every_slice_is_within_the_limits_and_nothing_is_left_out(self) -> None:
        mib = 1024 * 1024
        table = [
            ([], []),
            ([10] * 1000, [1000]),
            ([10] * 1001, [1000, 1]),
            ([mib] * 9, [4, 4, 1]),
            ([mib, 5 * mib, mib], [1, 1, 1]),
            ([5 * mib], [1]),
            ([mib * 2, mib * 2, 1], [2, 1]),
        ]
        for sizes, expected in table:
            cut = requests.slices(sizes)
            self.assertEqual([len(one) for one in cut], expected)
            self.assertEqual([index for one in cut for index in one], list(range(len(sizes))))


class Retry(unittest.TestCase):
    SAFE = Request("GET", "/x")
    UNSAFE = Request("POST", "/x", is_safe=False)

    def test_decisions(self) -> None:
        unheard, unanswered = Lost("m", "h", False), Lost("m", "h", True)
        lasting = Lost("m", "h", False, is_lasting=True)
        busy = Answer(503, {"retry-after": "5"}, b"{}")
        table: list[tuple[Request, Answer | Lost, int, float, Any]] = [
            (self.SAFE, Answer(200), 0, 0, Answer(200)),
            (self.SAFE, unheard, 0, 30, 0.05),
            (self.SAFE, unheard, 3, 30, 0.4),
            (self.SAFE, unheard, 10**9, 30, 2.0),
            (self.SAFE, unheard, 3, 0.1, 0.1),
            (self.SAFE, unheard, 3, 0, Unreachable),
            (self.SAFE, unanswered, 0, 30, 0.05),
            (self.UNSAFE, unheard, 0, 30, 0.05),
            (self.UNSAFE, unanswered, 0, 30, Unreachable),
            (self.SAFE, lasting, 0, 30, Unreachable),
            (self.UNSAFE, busy, 0, 30, 5.0),
            (self.SAFE, busy, 0, 3, 3),
            (self.SAFE, busy, 0, 0, Unavailable),
            (self.SAFE, Answer(429, {"retry-after": "9999"}), 0, 900, 60.0),
            (self.SAFE, Answer(429, {"retry-after": "Wed, 21 Oct"}), 1, 30, 0.1),
            (self.SAFE, Answer(507), 0, 30, 0.05),
            (self.SAFE, Answer(500), 0, 30, Unavailable),
            (self.SAFE, Answer(429), 0, 0, Unavailable),
            (self.SAFE, Answer(404), 0, 30, Refused),
            (self.SAFE, Answer(302), 0, 30, Unavailable),
        ]
        for request, reply, failures, left_s, expected in table:
            decided = after(request, reply, failures, left_s)
            if isinstance(expected, type):
                self.assertIsInstance(decided, expected, (reply, failures, left_s))
            else:
                self.assertEqual(decided, expected, (reply, failures, left_s))


class Places(unittest.TestCase):
    def test_the_order_is_arguments_then_environment_then_default(self) -> None:
        both = {"MUTIRAO_SOCKET": "/env.sock", "MUTIRAO_DB": "env.db"}
        table = [
            (None, "/s", both, ("/s", None)),
            ("a.db", None, both, (None, "a.db")),
            (Path("a.db"), None, {}, (None, "a.db")),
            (None, None, both, ("/env.sock", None)),
            (None, None, {"MUTIRAO_DB": "env.db", "MUTIRAO_SOCKET": ""}, (None, "env.db")),
            (None, None, {}, (None, "queue.db")),
        ]
        for db, socket, environ, expected in table:
            place = choose(db, socket, environ)
            self.assertEqual((place.socket, place.db), expected)
        message, _ = choose(None, None, {}).missing("x")
        self.assertIn(f"the default in {os.getcwd()}, since MUTIRAO_SOCKET and MUTIRAO_DB are not set", message)

    def test_a_lock_file_is_read_each_time(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            place = choose(os.path.join(folder, "q.db"), None, {})
            self.assertRaises(FileNotFoundError, place.socket_path)
            for socket in ("/one", "/two"):
                Path(folder, "q.db.lock").write_text(json.dumps({"pid": 1, "role": "supervisor", "socket": socket}))
                self.assertEqual(place.socket_path(), socket)


class Errors(unittest.TestCase):
    def test_they_survive_a_journey_between_processes(self) -> None:
        info = answers.read_task({**SUMMARY, "reason": "crashes"})
        for error in (Refused("c", "m", "h", 400), TaskFailed("c", "m", "h", info)):
            error.index = 3
            copy = pickle.loads(pickle.dumps(error))
            self.assertEqual((type(copy), str(copy), vars(copy)), (type(error), "m; h", vars(error)))


SUMMARY = dict.fromkeys("reason name due_at started_at finished_at wait_ms run_ms".split())
SUMMARY |= {"id": 1, "kind": "k", "queue": "q", "state": "failed", "priority": 0, "cancelling": False}
SUMMARY |= {"created_at": "2026-11-23T12:34:56Z", "runs": 0, "attempts_spent": 0, "crashes_spent": 0}


class Answers(unittest.TestCase):
    def test_what_is_no_answer_is_an_error_and_no_crash(self) -> None:
        for body in (b"", b"[]", b"7", b"null", b"{", b"[" * 100_000, b'{"tasks": [{}]}', b'{"id": []}', b"\xff"):
            for reader in (answers.read_task, answers.read_page, answers.read_enqueued("n"), answers.read_outcome):
                with self.assertRaises(ClientError, msg=body):
                    answers.read(Answer(200, {}, body), reader)
            self.assertIsInstance(answers.refusal(Answer(400, {}, body)), Refused)


@unittest.skipUnless(GOLDEN.is_dir(), "the supervisor's golden files are not here")
class Golden(unittest.TestCase):
    def answer(self, name: str) -> Answer:
        return Answer(200, {}, (GOLDEN / name).read_bytes())

    def test_what_the_supervisor_sends_is_understood(self) -> None:
        done = answers.read(self.answer("completed.json"), answers.read_task)
        self.assertEqual((done.state, done.result, done.attempts), ("completed", {"ratio": 0.5, "size_bytes": 17}, ()))
        self.assertEqual(str(done.finished_at), "2026-11-23 12:34:59.500000+00:00")
        failed = answers.read(self.answer("failed.json"), answers.read_task)
        self.assertEqual(
            (failed.reason, failed.attempts[0].outcome, failed.attempts[0].signal), ("crashes", "signal", 11)
        )
        page, _ = answers.read(self.answer("list.json"), answers.read_page)
        self.assertEqual([(one.id, one.state, one.args) for one in page], [(42, "retryable", None)])
        self.assertEqual(answers.read(self.answer("enqueued.json"), answers.read_enqueued("n")).existing, True)
        self.assertEqual(answers.read(self.answer("cancelled.json"), answers.read_outcome), "stopping")
        error = answers.refusal(Answer(409, {}, self.answer("error.json").body))
        self.assertEqual((error.code, error.task_id), ("name_taken", 42))


if __name__ == "__main__":
    unittest.main()

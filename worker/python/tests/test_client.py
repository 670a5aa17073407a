"""Both clients against a door that misbehaves: the same cases for each. No time passes but that of the clock."""

from __future__ import annotations

import asyncio
import inspect
import itertools
import os
import tempfile
import threading
import unittest
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from unittest import mock

from mutirao._client import requests
from mutirao.async_client import AsyncClient
from mutirao.client import Client
from mutirao.client_errors import (
    ClientError,
    Refused,
    TaskCancelled,
    TaskFailed,
    Unavailable,
    Unreachable,
    WaitTimeout,
)
from mutirao.client_types import Enqueued, Task

from .fake_door import CLOSED_AFTER, CUT_SHORT, UNANSWERED, UNHEARD, Clock, FakeDoor, Fault, refusal


@dataclass
class Resize:
    path: str
    width: int


class Cases(unittest.TestCase):
    """What holds for both clients. `make` gives one with the methods of `Client`."""

    make: Callable[..., Any]

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.clock = Clock()
        self.door = FakeDoor(os.path.join(self.folder, "s"), self.clock)
        self.door.start()
        self.addCleanup(lambda: self.door.stop())
        self.client = self.make(socket=self.door.path, clock=self.clock)

    def test_whatever_breaks_a_task_is_added_once(self) -> None:
        faults = [
            UNHEARD,
            UNANSWERED,
            CUT_SHORT,
            Fault(acts=True, sent_bytes=1, closes=True),
            refusal(429, "overloaded", {"retry-after": "1"}),
            refusal(503, "stopping"),
            refusal(507, "disk_full"),
        ]
        for count, pair in enumerate(itertools.product(faults, repeat=2), 1):
            self.door.faults = list(pair)
            added = self.client.enqueue("resize", {"path": "a"})
            self.assertEqual(added.id, count, pair)
            self.assertEqual(self.door.faults, [])
        names = self.door.added()
        self.assertEqual(len(set(names)), len(faults) ** 2)
        self.assertTrue(all(name.startswith("py-") and len(name) == 35 for name in names), names[0])

    def test_a_supervisor_that_is_away_for_a_while_is_only_a_pause(self) -> None:
        self.door.stop()
        os.unlink(self.door.path)
        again = self.door = FakeDoor(self.door.path, self.clock)
        self.clock.at_sleep = lambda number: again.start() if number == 3 else None
        self.assertEqual(self.client.enqueue("resize", name="once"), Enqueued(1, False, "once"))
        self.assertEqual(self.clock.sleeps, [0.05, 0.1, 0.2])

    def test_it_is_tried_for_as_long_as_was_said(self) -> None:
        for retry_for, tries in [(0, 1), (0.04, 2), (1.0, 6), (30, 21)]:
            with self.subTest(retry_for):
                self.clock.sleeps.clear()
                self.door.requests.clear()
                self.door.faults = [UNHEARD] * tries
                client = self.make(socket=self.door.path, clock=self.clock, retry_for=retry_for)
                with self.assertRaisesRegex(Unreachable, "the answer broke off: the connection was closed"):
                    client.enqueue("resize")
                self.assertEqual(len(self.door.requests), tries)
                self.assertAlmostEqual(sum(self.clock.sleeps), retry_for)
                self.assertEqual(len({body["name"] for _, _, body in self.door.requests}), 1)

    def test_retry_after_is_kept(self) -> None:
        self.door.faults = [refusal(429, "overloaded", {"retry-after": "7"}), refusal(429, "overloaded")]
        self.client.enqueue("resize")
        self.assertEqual(self.clock.sleeps, [7.0, 0.1])

    def test_refusals_are_the_words_of_the_supervisor_and_final(self) -> None:
        table: list[tuple[Fault, type[ClientError]]] = [
            (refusal(422, "unknown_kind"), Refused),
            (refusal(409, "name_taken", id=42), Refused),
            (refusal(500, "failed"), Unavailable),
        ]
        for fault, kind in table:
            self.door.faults = [fault]
            with self.assertRaises(kind) as caught:
                self.client.enqueue("resize")
            error: Any = caught.exception
            self.assertEqual(str(error), f"it is {error.code}; do better")
            status, _, body = fault.reply or (0, {}, {})
            self.assertEqual((error.status, error.task_id), (status, body.get("id")))
        self.assertEqual((self.clock.sleeps, self.door.added()), ([], []))
        self.door.faults = [Fault(reply=(404, {}, "what?"))]
        with self.assertRaisesRegex(Refused, "status 404 and is not of a supervisor"):
            self.client.get(1)
        self.door.faults = [Fault(reply=(200, {}, {"no": "task"}))]
        with self.assertRaisesRegex(ClientError, "the answer cannot be read: KeyError 'id'"):
            self.client.get(1)

    def test_the_fields_of_a_task_travel(self) -> None:
        self.client.enqueue(
            "resize",
            Resize("a", 3),
            name="n",
            queue="q",
            priority="high",
            delay=timedelta(minutes=1),
            timeout="250ms",
            max_attempts=2,
            max_crashes=1,
            key="user:7",
            cost={"tokens": 500},
            budget={"usd": 0},
        )
        spec = self.door.requests[-1][2]
        self.assertEqual(
            spec,
            {
                "kind": "resize",
                "args": {"path": "a", "width": 3},
                "name": "n",
                "queue": "q",
                "priority": "high",
                "delay_ms": 60_000,
                "timeout_ms": 250,
                "max_attempts": 2,
                "max_crashes": 1,
                "key": "user:7",
                "cost": {"tokens": 500},
                "budget": {"usd": 0},
            },
        )
        self.client.enqueue("noop")
        self.assertEqual(sorted(self.door.requests[-1][2]), ["args", "kind", "name"])

    def test_a_bulk_goes_in_slices_and_each_is_added_once(self) -> None:
        tasks = [Task("resize", {"n": n}) if n % 2 else {"kind": "resize", "name": f"own-{n}"} for n in range(2_500)]
        self.door.faults = [UNANSWERED, CUT_SHORT, Fault(acts=True), UNANSWERED]
        added = self.client.bulk(tasks)
        self.assertEqual([one.id for one in added], list(range(1, 2_501)))
        self.assertEqual([one.name for one in added], self.door.added())
        self.assertEqual(len(set(self.door.added())), 2_500)
        sizes = [len(body["tasks"]) for _, _, body in self.door.requests]
        self.assertEqual(sizes, [1000, 1000, 1000, 1000, 1000, 500])
        self.assertEqual(self.client.bulk([]), [])

    def test_a_bulk_that_is_refused_says_where_and_what_was_added(self) -> None:
        self.door.faults = [Fault(acts=True), refusal(422, "unknown_kind", index=7)]
        with self.assertRaises(Refused) as caught:
            self.client.bulk([Task("resize")] * 1_500)
        self.assertEqual((caught.exception.index, len(caught.exception.added)), (1_007, 1_000))
        for bad, words in [(Task("resize", {"x": [b""]}), "args.x\\[0\\]"), ({"knid": "x"}, "is no task.*'knid'")]:
            self.door.requests.clear()
            with self.assertRaisesRegex(Refused, words) as caught:
                self.client.bulk([Task("resize")] * 1_200 + [bad])
            self.assertEqual((caught.exception.index, self.door.requests), (1_200, []), "nothing was sent")

    def test_waiting_is_asked_in_slices_and_survives_a_restart(self) -> None:
        self.client.enqueue("resize", "a")
        self.door.looks_until_final = 2
        self.door.faults = [Fault(acts=True), UNHEARD, refusal(503, "stopping"), Fault(acts=True)]
        info = self.client.wait(1)
        self.assertEqual(
            (info.state, info.result, info.spent, info.is_final), ("completed", {"of": "a"}, {"tokens": 3}, True)
        )
        self.assertEqual({target for _, target, _ in self.door.requests[1:]}, {"/v1/tasks/1?wait=30000ms"})
        self.assertAlmostEqual(self.clock.now, 1000 + 60 + sum(self.clock.sleeps))
        self.assertEqual(self.client.result(1), {"of": "a"})

    def test_waiting_ends_in_time(self) -> None:
        self.client.enqueue("resize")
        self.door.looks_until_final = 99
        self.door.faults = [UNHEARD]
        with self.assertRaisesRegex(WaitTimeout, "task 1 is still running") as caught:
            self.client.wait(1, timeout=50)
        self.assertEqual(caught.exception.info.id, 1)
        self.assertAlmostEqual(self.clock.now, 1050)
        self.door.faults = [UNHEARD]
        with self.assertRaises(WaitTimeout):
            self.client.wait(1, timeout=10)
        asked = [target for _, target, _ in self.door.requests[-2:]]
        self.assertEqual(asked, ["/v1/tasks/1?wait=10000ms", "/v1/tasks/1?wait=9950ms"], "no longer than is left")
        self.assertAlmostEqual(self.clock.now, 1060)
        with self.assertRaises(WaitTimeout):
            self.client.wait(1, timeout=0)
        self.assertEqual(self.door.requests[-1][1], "/v1/tasks/1", "a look, and no wait")
        self.door.faults = [UNHEARD] * 99
        with self.assertRaises(Unreachable):
            self.client.wait(1, timeout=2)
        self.assertAlmostEqual(self.clock.now, 1062)

    def test_answers_before_the_time_do_not_spin(self) -> None:
        self.client.enqueue("resize")
        early = Fault(reply=(200, {}, {**self.door.tasks[1], "state": "running"}))
        self.door.faults = [early, early]
        self.client.wait(1)
        self.assertEqual(self.clock.sleeps, [0.1, 0.1])

    def test_results_of_tasks_that_did_not_complete(self) -> None:
        self.client.bulk([Task("resize", name=name) for name in "abc"])
        died = {"run": 3, "outcome": "signal", "detail": "the worker died", "exit_code": None, "signal": 11}
        died |= {"run_ms": 5, "peak_rss_bytes": None, "output": "oh"}
        self.door.tasks[1] |= {"state": "failed", "reason": "crashes", "attempts": [died]}
        self.door.tasks[2] |= {"state": "cancelled"}
        with self.assertRaisesRegex(
            TaskFailed, r"task 1 \(resize\) failed \(crashes\): the worker died; .*show 1"
        ) as failed:
            self.client.result(1)
        self.assertEqual(failed.exception.info.attempts[0].signal, 11)
        with self.assertRaisesRegex(TaskCancelled, "task 2 .resize. was cancelled"):
            self.client.result(2)
        self.assertEqual([info.state for info in self.client.wait_all([3, 1, 2])], ["completed", "failed", "cancelled"])

    def test_a_list_follows_its_cursor_over_empty_pages(self) -> None:
        self.client.bulk([Task("resize", name=name) for name in "abc"])
        a, b, c = self.door.tasks.values()
        self.door.pages = {
            None: {"tasks": [a, b], "next": "x"},
            "x": {"tasks": [], "next": "y"},
            "y": {"tasks": [c], "next": None},
        }
        self.door.faults = [Fault(acts=True), UNHEARD]
        found = list(self.client.list(state="available", kind="resize"))
        self.assertEqual([info.name for info in found], ["a", "b", "c"])
        targets = [target for _, target, _ in self.door.requests[1:]]
        self.assertEqual(targets[0], "/v1/tasks?state=available&kind=resize&limit=500")
        self.assertEqual(targets[-1], "/v1/tasks?state=available&kind=resize&limit=500&cursor=y")
        self.door.pages = {None: {"tasks": [], "next": "x"}, "x": {"tasks": [], "next": "x"}}
        with self.assertRaisesRegex(ClientError, "is itself"):
            list(self.client.list())

    def test_cancel_retry_and_stats(self) -> None:
        self.assertEqual(self.client.cancel(7), "cancelled")
        self.assertIsNone(self.client.retry(7))
        self.assertEqual(self.client.stats(), {"queues": []})
        asked = [(method, target) for method, target, _ in self.door.requests]
        self.assertEqual(asked[:2], [("POST", "/v1/tasks/7/cancel"), ("POST", "/v1/tasks/7/retry")])
        with self.assertRaisesRegex(Refused, "'7' is no task"):
            self.client.get("7")

    def test_who_goes_first_is_said_and_asked(self) -> None:
        self.assertIsNone(self.client.reprioritise(7, "high"))
        self.assertIsNone(self.client.pause("a b", key="user:7", duration="10m", reason="deploy"))
        self.assertIsNone(self.client.resume("images"))
        self.assertEqual(self.client.explain(7)["sentence"], "is about to start")
        self.client.explain_queue("images")
        asked = [(f"{method} {target}", body) for method, target, body in self.door.requests]
        self.assertEqual(
            asked,
            [
                ("POST /v1/tasks/7/priority", {"priority": "high"}),
                ("POST /v1/queues/a%20b/pause", {"key": "user:7", "for_ms": 600_000, "reason": "deploy"}),
                ("POST /v1/queues/images/resume", {}),
                ("GET /v1/tasks/7/explain", None),
                ("GET /v1/queues/images/explain", None),
            ],
        )
        with self.assertRaisesRegex(Refused, "duration: "):
            self.client.pause("images", duration="soon")

    def test_what_is_not_safe_to_ask_twice_is_not(self) -> None:
        self.door.faults = [refusal(503, "busy"), UNANSWERED]
        with self.assertRaisesRegex(Unreachable, "may have taken effect"):
            self.client.retry(7)
        self.assertEqual(len(self.door.requests), 2, "503 says that nothing was done")

    def test_a_connection_is_kept_and_opened_anew_when_it_was_closed(self) -> None:
        for _ in range(5):
            self.client.stats()
        self.assertEqual(self.door.connections, 1)
        self.door.faults = [CLOSED_AFTER]
        self.client.stats()
        self.door.closed.acquire()
        self.client.retry(7)
        self.assertEqual((self.door.connections, self.clock.sleeps), (2, []), "seen before it was used")
        self.client.close()
        self.client.stats()
        self.assertEqual(self.door.connections, 3)

    def test_logs_come_as_lines_however_they_are_cut(self) -> None:
        line = '{"run": 1, "at": "2026-11-23T12:34:56.000Z", "source": "output", "level": null, "text": "%s"}\n'
        whole = "".join(line % text for text in ["a", "é\\u0007", "c" * 70_000]).encode()
        for size_bytes in (1, 7, 1000, len(whole)):
            data = whole[:-1] if size_bytes == 7 else whole
            self.door.log = tuple(data[at : at + size_bytes] for at in range(0, len(data), size_bytes))
            self.door.faults = [UNHEARD, refusal(503, "busy")]
            lines = list(self.client.logs(7, attempt=2, follow=True))
            self.assertEqual([one.text for one in lines], ["a", "é\x07", "c" * 70_000], size_bytes)
        self.assertEqual((lines[0].run, lines[0].source, lines[0].at.second), (1, "output", 56))
        self.assertEqual(self.door.requests[-1][1], "/v1/tasks/7/logs?attempt=2&follow=true")
        self.client.stats()
        self.assertEqual(self.door.connections, 5, "one more for each that was not heard; the others were kept")

    def test_a_log_that_nobody_reads_to_its_end_gives_no_connection_back(self) -> None:
        line = b'{"run": 1, "at": "2026-11-23T12:34:56Z", "source": "log", "level": "info", "text": "x"}\n'
        self.door.log = (line, line)
        self.door.faults = [Fault(acts=True, sent_bytes=-20)]
        lines = self.client.logs(7, follow=True)
        next(lines)
        lines.close()
        self.client.stats()
        self.assertEqual(self.door.connections, 2)

    def test_a_log_that_breaks_off_says_so(self) -> None:
        line = b'{"run": 1, "at": "2026-11-23T12:34:56Z", "source": "log", "level": "info", "text": "x"}\n'
        self.door.log = (line, line)
        self.door.faults = [Fault(acts=True, sent_bytes=-20, closes=True)]
        lines = iter(self.client.logs(7))
        self.assertEqual(next(lines).level, "info")
        with self.assertRaisesRegex(Unreachable, "broke off.*ask again"):
            list(lines)
        self.door.faults = [refusal(404, "no_such_task")]
        with self.assertRaisesRegex(Refused, "no_such_task"):
            list(self.client.logs(8))

    def test_a_log_that_is_followed_may_be_silent_for_longer(self) -> None:
        line = b'{"run": 1, "at": "2026-11-23T12:34:56Z", "source": "log", "level": "info", "text": "%d"}\n'
        self.door.log = (b"\n", line % 1, b"\n", b"\n\n", line % 2, b"\n")
        self.assertEqual([one.text for one in self.client.logs(7, follow=True)], ["1", "2"], "empty lines mean nothing")
        for follow, limit in ((True, "FOLLOW_SILENCE_S"), (False, "ANSWER_WAIT_S")):
            self.assertEqual(requests.logs(7, None, follow).silence_s, {True: 60.0, False: 30.0}[follow])
            # Its end does not come, and the connection stays. Should even the beginning be late, it is asked again.
            self.door.faults = [Fault(acts=True, sent_bytes=-len(b"0\r\n\r\n"))] * 99
            with mock.patch.object(requests, limit, 0.1):
                lines = iter(self.client.logs(7, follow=follow))
                self.assertEqual([next(lines).text, next(lines).text], ["1", "2"])
                with self.assertRaisesRegex(Unreachable, "broke off: nothing came for 0.1 s; ask again"):
                    next(lines)

    def test_nobody_there_is_said_with_the_way_out(self) -> None:
        db = os.path.join(self.folder, "q.db")
        client = self.make(db=db, clock=self.clock, retry_for=1)
        with self.assertRaisesRegex(Unreachable, r"no supervisor is up for the database .*q\.db.*`supervisor run --db"):
            client.get(1)
        lock = os.path.join(self.folder, "q.db.lock")
        for text in ["", "[]", "{", '{"pid": 1, "role": "enqueue", "socket": null}', '{"socket": "/none"}']:
            with open(lock, "w") as file:
                file.write(text)
            with self.assertRaises(Unreachable):
                client.get(1)
        with open(lock, "w") as file:
            file.write('{"pid": 1, "role": "supervisor", "socket": "%s"}' % self.door.path)
        self.assertEqual(client.stats(), {"queues": []})
        link = os.path.join(self.folder, "link.db")
        os.symlink(db, link)
        self.assertEqual(self.make(db=link, clock=self.clock).stats(), {"queues": []})
        sleeps = len(self.clock.sleeps)
        with self.assertRaisesRegex(Unreachable, "too long"):
            self.make(socket="/" + "x" * 200, clock=self.clock).stats()
        self.assertEqual(len(self.clock.sleeps), sleeps, "it would be too long another time as well")


class SyncClient(Cases):
    def make(self, *, clock: Clock, **options: Any) -> Client:
        client = Client(clock=clock, sleep=clock.sleep, **options)
        self.addCleanup(client.close)
        return client

    def test_threads_share_a_client(self) -> None:
        # The pause of each thread passes for all of them, and no one must run out of time for that.
        with self.make(socket=self.door.path, clock=self.clock, retry_for=float("inf")) as client:
            self.door.faults = [CUT_SHORT, UNHEARD, UNANSWERED] * 10
            threads = [threading.Thread(target=lambda: [client.enqueue("resize") for _ in range(20)]) for _ in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        self.assertEqual(len(self.door.added()), 160)


class AsyncAsSync:
    """The methods of an `AsyncClient`, made to block."""

    def __init__(self, loop: asyncio.AbstractEventLoop, client: AsyncClient) -> None:
        self._loop = loop
        self._client = client

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(*args: Any, **named: Any) -> Any:
            asked = getattr(self._client, name)(*args, **named)
            return self._items(asked) if inspect.isasyncgen(asked) else self._loop.run_until_complete(asked)

        return call

    def _items(self, asked: Any) -> Iterator[Any]:
        try:
            while True:
                yield self._loop.run_until_complete(asked.__anext__())
        except StopAsyncIteration:
            return
        finally:
            self._loop.run_until_complete(asked.aclose())


class AsyncioClient(Cases):
    def setUp(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.addCleanup(self.loop.close)
        super().setUp()

    def make(self, *, clock: Clock, **options: Any) -> AsyncAsSync:
        client = AsyncClient(clock=clock, sleep=clock.async_sleep, **options)
        self.addCleanup(lambda: self.loop.run_until_complete(client.close()))
        return AsyncAsSync(self.loop, client)

    def test_many_at_once_take_turns(self) -> None:
        async def many() -> list[Enqueued]:
            async with AsyncClient(socket=self.door.path) as client:
                return await asyncio.gather(*(client.enqueue("resize", n) for n in range(200)))

        added = self.loop.run_until_complete(many())
        self.assertEqual(len({one.id for one in added}), 200)
        self.assertLessEqual(self.door.connections, 32)


# The cases alone are no tests.
del Cases


if __name__ == "__main__":
    unittest.main()

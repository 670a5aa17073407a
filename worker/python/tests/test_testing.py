"""Handlers run in this process; workers that are put together wrongly; and what a worker says to a person."""

from __future__ import annotations

import asyncio
import contextlib
import io
import unittest
from dataclasses import dataclass
from typing import Any

from mutirao import Context, Fail, Retry, RetryAfter, Startup, Task, Worker, WorkerError, current
from mutirao._by_hand import explanation, main, parse_args
from mutirao._notes import Progress
from mutirao.testing import arun, run


@dataclass
class Size:
    width: int
    height: int


app = Worker()


@app.task("resize", fatal=(LookupError,))
def resize(cx: Context, path: str, size: Size, times: int = 1) -> tuple[str, Size]:
    for number in range(times):
        cx.progress(number + 1, times)
        cx.spend("pixels", size.width * size.height)
        cx.check()
    if path == "missing":
        raise KeyError(path)
    if path == "busy":
        raise RetryAfter("30s", "the disk is busy")
    if path == "bad":
        raise Fail("no picture")
    cx.info(f"attempt {cx.attempt} of {cx.kind}")
    return path, size


@app.task(whole=True)
def whole(cx: Context, size: Size) -> tuple[int, int]:
    return size.width, size.height


@app.task
async def crawl(cx: Context, url: str) -> bool:
    cx.note("reading")
    stored = await cx.spend("requests", 1)
    await asyncio.sleep(0)
    return stored and current() is cx


class InProcess(unittest.TestCase):
    def test_what_a_handler_returns_and_tells(self) -> None:
        outcome = run(app, kind="resize", attempt=2, path="a", size={"width": 2, "height": 3}, times=2)
        self.assertEqual(outcome.result, ["a", {"width": 2, "height": 3}])
        self.assertIsNone(outcome.error)
        self.assertEqual(outcome.progress, [Progress(1.0, 2.0), Progress(2.0, 2.0)])
        self.assertEqual(outcome.spent, {"pixels": 12})
        self.assertEqual(outcome.logs, [("info", "attempt 2 of resize")])
        self.assertIsNone(current())

    def test_how_a_handler_fails(self) -> None:
        table: list[tuple[dict[str, Any], str, Any]] = [
            ({"path": "missing"}, "KeyError: 'missing'", "never"),
            ({"path": "busy"}, "the disk is busy", 30.0),
            ({"path": "bad"}, "no picture", "never"),
            (
                {"path": 5},
                "resize: argument path: expected str, got int 5; known arguments are path, size, times",
                "never",
            ),
        ]
        for args, sentence, retry in table:
            outcome = run(app, kind="resize", size={"width": 1, "height": 1}, **args)
            assert outcome.error is not None
            self.assertIn(sentence, outcome.error)
            self.assertEqual(outcome.retry, retry)

    def test_who_waits_after_a_failure_is_told(self) -> None:
        def handler(cx: Context, scope: Any) -> None:
            raise RetryAfter("30s", "429", scope=scope)

        for scope in ("task", "key", "queue"):
            outcome = run(handler, scope=scope)
            self.assertEqual((outcome.scope, outcome.retry, outcome.error), (scope, 30.0, "429"))

    def test_follow_ups_come_with_a_result_alone(self) -> None:
        def handler(cx: Context, times: int, fails: bool = False) -> None:
            for number in range(times):
                cx.enqueue("thumb", Size(number, 1), delay="1m")
            cx.retire()
            if fails:
                raise Retry("later")

        outcome = run(handler, times=2)
        self.assertEqual(
            outcome.enqueued, [Task("thumb", {"width": n, "height": 1}, delay="1m") for n in (0, 1)], outcome.error
        )
        self.assertTrue(outcome.retired)
        failed = run(handler, times=2, fails=True)
        self.assertEqual((failed.enqueued, failed.error, failed.retry), ([], "later", "default"))
        self.assertIn("at most 1000 follow-ups", str(run(handler, times=1001).error))
        self.assertEqual(run(handler, times=1001).retry, "never")

    def test_a_handler_that_takes_its_args_whole(self) -> None:
        table: list[tuple[dict[str, Any], Any]] = [
            ({"size": {"width": 1, "height": 2}}, [1, 2]),
            ({"width": 1, "height": 2}, [1, 2]),
            ({}, "args: field width is missing; known fields of Size are width, height; args are one value here"),
            ({"size": 5}, "whole: args: expected a map for Size, got int 5"),
        ]
        for args, expected in table:
            outcome = run(app, kind="whole", **args)
            self.assertEqual(outcome.result, expected if isinstance(expected, list) else None)
            if outcome.error:
                self.assertIn(expected, outcome.error)

    def test_a_function_alone_and_a_stop(self) -> None:
        outcome = run(resize, stop_after_progress=2, path="a", size=Size(1, 1), times=5)
        self.assertEqual((outcome.error, len(outcome.progress)), ("stopped: cancel", 2))

    def test_async_handlers(self) -> None:
        self.assertEqual(run(crawl, url="x").result, True)
        self.assertEqual(asyncio.run(arun(app, kind="crawl", url="x")).result, True)
        self.assertEqual(run(crawl, stop_after_progress=1, url="x").error, "stopped: cancel")
        self.assertEqual(run(crawl, stop_after_progress=0, url="x").error, "stopped: cancel")
        self.assertIn("argument url is missing", str(run(crawl).error))

    def test_a_task_that_others_cancel_before_it_begins_has_an_end(self) -> None:
        async def cancel_all() -> Any:
            trial = asyncio.ensure_future(arun(crawl, url="x"))
            await asyncio.sleep(0)
            for task in asyncio.all_tasks() - {asyncio.current_task(), trial}:
                task.cancel()
            return await trial

        self.assertEqual(asyncio.run(cancel_all()).error, "stopped: cancelled")

    def test_which_handler_is_meant_must_be_clear(self) -> None:
        with self.assertRaisesRegex(WorkerError, "say kind=, one of crawl, resize, whole"):
            run(app)
        self.assertEqual(run(lambda a: a, a=1).result, 1)

    def test_wrong_units_amounts_and_progress_are_the_fault_of_the_caller(self) -> None:
        wrong = [
            lambda cx: cx.spend("Tokens", 1),
            lambda cx: cx.spend("tokens", -1),
            lambda cx: cx.spend("tokens", 2**53 + 1),
            lambda cx: cx.spend("tokens", 0.5),
            lambda cx: cx.spend("tokens", True),
            lambda cx: cx.progress(float("nan")),
            lambda cx: cx.progress(1, float("inf")),
        ]
        for handler in wrong:
            self.assertIn("ValueError", str(run(handler).error))


class Building(unittest.TestCase):
    def test_a_worker_that_is_put_together_wrongly(self) -> None:
        worker = Worker()
        worker.task("twice")(lambda: None)
        for kind, sentence in [
            ("twice", "two handlers"),
            ("Upper", "1 to 64 of a-z"),
            ("", "1 to 64"),
            ("a" * 65, "1 to 64"),
        ]:
            with self.subTest(kind), self.assertRaisesRegex(WorkerError, sentence):
                worker.task(kind)(lambda: None)
        for function in (lambda: None, lambda a, b, c: None, lambda a, **rest: None):
            with self.assertRaisesRegex(WorkerError, "takes its args whole: give it"):
                worker.task("other", whole=True)(function)

    def test_the_function_stays_what_it_is_and_gives_its_name(self) -> None:
        worker = Worker()

        @worker.task
        def make_thumb() -> int:
            return 5

        @worker.task()
        def other() -> int:
            return 6

        self.assertEqual((make_thumb(), other(), sorted(worker.handlers)), (5, 6, ["make_thumb", "other"]))


class ByHand(unittest.TestCase):
    def test_it_says_what_it_is_and_what_to_type(self) -> None:
        text = explanation(app.handlers, ["python3", "my worker.py"], ["my worker.py"])
        for line in (
            "    crawl(url: str)",
            "    resize(path: str, size: Size, times: int = 1)",
            "    [pools.my-worker]",
            '    command = ["python3", "my worker.py"]',
            "    supervisor enqueue crawl url=...",
            "    python3 'my worker.py' --try crawl url=...",
        ):
            self.assertIn(line, text.splitlines())
        self.assertIn("[pools.images]", explanation(app.handlers, ["p"], ["/srv/images/__main__.py"]))

    def test_one_handler_can_be_tried(self) -> None:
        table = [
            (
                ["resize", "path=a", 'size:={"width": 1, "height": 2}'],
                0,
                '["a", {"width": 1, "height": 2}]\n',
                "info: attempt 1",
            ),
            (["resize", "path=bad", 'size:={"width": 1, "height": 2}'], 20, "", "no picture"),
            (["resize"], 20, "", "argument path is missing"),
            (["resized"], 64, "", "known kinds are crawl, resize, whole"),
            ([], 64, "", "known kinds are crawl, resize, whole"),
            (["resize", "path"], 64, "", "write key=value"),
            (["resize", "path:={"], 64, "", "is no JSON"),
            (["resize", f"path:={2**64}"], 64, "", "integer of 65 bits"),
        ]
        for words, code, out, err in table:
            with self.subTest(words), contextlib.redirect_stdout(io.StringIO()) as stdout:
                with contextlib.redirect_stderr(io.StringIO()) as stderr:
                    self.assertEqual(main(app.handlers, [], [], ["w.py", "--try", *words]), code)
                self.assertEqual(stdout.getvalue(), out)
                self.assertIn(err, stderr.getvalue())

    def test_what_is_tried_is_prepared_first(self) -> None:
        seen: list[Any] = []

        def prepare(startup: Startup) -> None:
            startup.booting()
            startup.log("info", "loading")
            seen.append(asyncio.run(asyncio.sleep(0, "sync")))

        async def aprepare(startup: Startup) -> None:
            seen.append(asyncio.get_running_loop())

        worker = Worker()

        @worker.task
        async def on_loop() -> bool:
            return asyncio.get_running_loop() is seen[-1]

        @worker.task
        def beside_it() -> str:
            return asyncio.run(asyncio.sleep(0, "beside"))

        for kind, out in (("on_loop", "true\n"), ("beside_it", '"beside"\n')):
            with (
                contextlib.redirect_stdout(io.StringIO()) as stdout,
                contextlib.redirect_stderr(io.StringIO()) as stderr,
            ):
                self.assertEqual(main(worker.handlers, [prepare, aprepare], [], ["w.py", "--try", kind]), 0)
            self.assertEqual((stdout.getvalue(), stderr.getvalue(), seen[0]), (out, "info: loading\n", "sync"))

    def test_args_of_a_command_line(self) -> None:
        self.assertEqual(
            parse_args(["a=b=c", "n:=1", "e=", "u=http://x?y:=1"]), {"a": "b=c", "n": 1, "e": "", "u": "http://x?y:=1"}
        )

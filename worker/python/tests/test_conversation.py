"""Whole conversations over pipes: a worker process, and a supervisor that is played here."""

from __future__ import annotations

import signal
import subprocess
import sys
import unittest
from typing import Any

from mutirao._codec import decode as unpack
from mutirao._messages import Message
from mutirao.samples import app

from . import SOURCE
from .fake_supervisor import CHANNELS, HANDLERS, SAMPLES, FakeSupervisor


class Life(unittest.TestCase):
    def test_hello_says_who_it_is(self) -> None:
        with FakeSupervisor(SAMPLES) as supervisor:
            hello = supervisor.expect("hello").body
            self.assertEqual(hello["kinds"], sorted(app.handlers))
            self.assertEqual((hello["protocol_min"], hello["protocol_max"], hello["concurrency"]), (1, 1, 1))
            self.assertEqual(hello["features"], ["beat", "note", "enqueue"])
            self.assertRegex(hello["sdk"], r"^mutirao-python/\d")

    def test_booting_comes_before_hello(self) -> None:
        with FakeSupervisor(HANDLERS).greet() as supervisor:
            self.assertEqual([message.name for message in supervisor.heard], ["booting", "hello", "ready"])

    def test_runs_are_answered_and_a_stop_ends_it_all(self) -> None:
        for channel in CHANNELS:
            with self.subTest(channel), FakeSupervisor(SAMPLES, channel).greet() as supervisor:
                supervisor.run(1, "echo", {"a": [1, None, b"\x00", {"b": 0.5}]})
                self.assertEqual(supervisor.result(1), {"a": [1, None, b"\x00", {"b": 0.5}]})
                supervisor.run(2, "noop")
                self.assertIsNone(supervisor.result(2))
                self.assertEqual(supervisor.drain(), 0)
                self.assertEqual(supervisor.printed_at_end(), "")

    def test_a_worker_that_is_told_to_stop_finishes_what_runs_and_gives_back_the_rest(self) -> None:
        with FakeSupervisor(HANDLERS, CONCURRENCY="2").greet() as supervisor:
            supervisor.run(1, "meet_in_threads")
            supervisor.run(2, "hold")
            supervisor.expect_log("holding")
            supervisor.stop(reason="shutdown")
            supervisor.stop(2)
            self.assertEqual(supervisor.result(2), "cancel")
            # The first one still waits for its partner: it was not told to stop.
            self.assertIsNone(supervisor.process.poll())

    def test_what_has_not_started_goes_back(self) -> None:
        with FakeSupervisor(HANDLERS).greet() as supervisor:
            supervisor.run(1, "hold")
            supervisor.expect_log("holding")
            supervisor.stop(1, reason="recall")
            supervisor.stop(1, reason="timeout")
            self.assertEqual(supervisor.result(1), "timeout", "a run that has started is not recalled")
            supervisor.stop()
            self.assertEqual(supervisor.end(), 0)

    def test_an_abort_tells_where_it_hangs(self) -> None:
        for channel in CHANNELS:
            with self.subTest(channel), FakeSupervisor(HANDLERS, channel).greet() as supervisor:
                supervisor.run(1, "hold_deaf")
                supervisor.expect_log("holding")
                supervisor.process.send_signal(signal.SIGABRT)
                self.assertEqual(supervisor.end(), -signal.SIGABRT)
                printed = supervisor.printed_at_end()
                self.assertIn("Fatal Python error: Aborted", printed)
                self.assertRegex(printed, r"handlers\.py\", line \d+ in hold_deaf")

    def test_the_end_of_the_channel_is_the_end(self) -> None:
        for kind, channel in (("hold_deaf", "stdio"), ("ahold", "fd3"), ("retire", "stdio")):
            with self.subTest(kind), FakeSupervisor(HANDLERS, channel).greet() as supervisor:
                supervisor.run(1, kind, {"then": "wait"} if kind == "retire" else None)
                supervisor.expect("log")
                supervisor.close()
                self.assertEqual(supervisor.end(), 1)
                self.assertNotIn("done", [message.name for message in supervisor.heard])

    def test_the_end_of_the_channel_after_a_stop_lets_it_finish(self) -> None:
        with FakeSupervisor(HANDLERS).greet() as supervisor:
            supervisor.run(1, "hold")
            supervisor.expect_log("holding")
            supervisor.stop()
            supervisor.stop(1)
            supervisor.close()
            self.assertEqual(supervisor.result(1), "cancel")
            self.assertEqual(supervisor.end(), 0)

    def test_a_refusal_is_printed_and_final(self) -> None:
        with FakeSupervisor(SAMPLES) as supervisor:
            supervisor.expect("hello")
            supervisor.send("reject", reason="offer the kind `resize`")
            self.assertEqual(supervisor.end(), 78)
            self.assertIn("offer the kind `resize`", supervisor.printed_at_end())

    def test_what_is_not_the_contract_ends_it(self) -> None:
        run = {"task": 1, "epoch": 1, "kind": "noop"}
        table: list[tuple[str, list[Message | bytes]]] = [
            ("no bytes", [b"\x00\x00\x00\x00"]),
            ("exceeds the limit", [b"HTTP/1.1"]),
            ("an extension type", [b"\x00\x00\x00\x01\xc1"]),
            ("no message is named", [b"\x00\x00\x00\x04\x81\xa1x\x80"]),
            ("reason is missing", [Message("stop", {"grace_ms": 1})]),
            ("welcome while ready", [Message("welcome", {"protocol": 1})]),
            ("credits", [Message("run", {**run, "kind": "hold"}), Message("run", {**run, "task": 2})]),
            ("already runs", [Message("run", {**run, "kind": "hold"}), Message("run", {**run, "epoch": 2})]),
            ("steps needs a feature", [Message("run", {**run, "steps": {"a": b"\x01"}})]),
            ("never sent in this direction", [b"\x00\x00\x00\x07\x81\xa4done\x80"]),
            ("no note 1", [Message("run", {**run, "kind": "hold"}), Message("ack", {"task": 1, "epoch": 1, "seq": 1})]),
        ]
        for sentence, messages in table:
            with self.subTest(sentence), FakeSupervisor(HANDLERS).greet() as supervisor:
                for message in messages:
                    supervisor.send_bytes(message) if isinstance(message, bytes) else supervisor.send(
                        message.name, **message.body
                    )
                self.assertEqual(supervisor.end(), 76)
                self.assertIn(sentence, supervisor.printed_at_end())

    def test_another_version_and_a_frame_that_is_cut_off(self) -> None:
        with FakeSupervisor(SAMPLES) as supervisor:
            supervisor.expect("hello")
            supervisor.send("welcome", protocol=2)
            self.assertEqual(supervisor.end(), 76)
            self.assertIn("protocol 2", supervisor.printed_at_end())
        with FakeSupervisor(SAMPLES).greet() as supervisor:
            supervisor.send_bytes(b"\x00\x00")
            supervisor.close()
            self.assertEqual(supervisor.end(), 76)

    def test_without_a_cookie_nothing_is_taken_and_it_explains_itself(self) -> None:
        for program in (SAMPLES, HANDLERS):
            command = [sys.executable, *program]
            shown = subprocess.run(command, capture_output=True, text=True, env={"PYTHONPATH": str(SOURCE)})
            self.assertEqual((shown.returncode, shown.stdout), (64, ""))
            for part in ("a task worker", "supervisor.toml", "supervisor enqueue", "--try"):
                self.assertIn(part, shown.stderr)

    def test_another_channel_is_refused(self) -> None:
        # The one says `booting` before it runs, the other does not.
        for program in (SAMPLES, HANDLERS):
            for channel in ("fd5", ""):
                with FakeSupervisor(program, MUTIRAO_CHANNEL=channel) as supervisor:
                    self.assertEqual(supervisor.end(), 78)
                    self.assertIn(f"the channel '{channel}' is not known", supervisor.printed_at_end())
        with FakeSupervisor(SAMPLES, MUTIRAO_CHANNEL="fd3") as supervisor:
            self.assertEqual(supervisor.end(), 78)
            self.assertIn("cannot take over the channel fd3", supervisor.printed_at_end())


class FollowUps(unittest.TestCase):
    def test_they_go_with_done_and_with_no_other_answer(self) -> None:
        mine = [
            {"kind": "thumb", "args": b"\x81\xa4path\xa5a.png", "name": "thumb:a.png", "priority": -10},
            {
                "kind": "mail",
                "args": b"",
                "queue": "slow",
                "priority": "low",
                "delay_ms": 60_000,
                "timeout_ms": 5_000,
                "max_attempts": 2,
                "max_crashes": 1,
                "key": "user:7",
                "cost": {"tokens": 500},
                "budget": {"usd": 0},
            },
        ]
        table = [
            ("return", "", ""),
            ("swallow", "", ""),
            ("raise", "LookupError: not after all", "default"),
            ("illegal", "follow-up 'Mail': kind 'Mail': a name has", "never"),
        ]
        with FakeSupervisor(HANDLERS).greet() as supervisor:
            for task, (then, sentence, retry) in enumerate(table):
                supervisor.run(task, "follow_up", {"then": then})
                if retry:
                    error, wish = supervisor.failure(task)
                    self.assertIn(sentence, error)
                    self.assertEqual(wish, retry)
                else:
                    enqueue = supervisor.answer(task).body["enqueue"]
                    given = [{name: value for name, value in one.items() if value not in (None, {})} for one in enqueue]
                    self.assertEqual(given, mine, then)

    def test_a_supervisor_that_takes_none_gets_none(self) -> None:
        with FakeSupervisor(HANDLERS).greet(features=["beat", "note"]) as supervisor:
            supervisor.run(1, "follow_up", {"then": "return"})
            error, retry = supervisor.failure(1)
            self.assertIn("this supervisor takes no follow-up tasks", error)
            self.assertEqual(retry, "never")


class Retiring(unittest.TestCase):
    def test_the_worker_leaves_once_the_run_is_answered(self) -> None:
        for features in ([], None):
            for then, answer in (("return", "done"), ("raise", "fail")):
                with self.subTest(then), FakeSupervisor(HANDLERS).greet(features) as supervisor:
                    supervisor.run(1, "retire", {"then": then})
                    self.assertEqual(supervisor.end(), 0)
                    names = [message.name for message in supervisor.heard]
                    self.assertEqual(names, ["booting", "hello", "ready", "log", answer, "bye"])

    def test_what_runs_beside_it_is_finished(self) -> None:
        with FakeSupervisor(HANDLERS, CONCURRENCY="2").greet() as supervisor:
            supervisor.run(1, "hold")
            supervisor.expect_log("holding")
            supervisor.run(2, "retire", {"then": "return"})
            self.assertEqual(supervisor.result(2), "return")
            supervisor.run(3, "which_thread")
            self.assertEqual(supervisor.answer(3).name, "back")
            supervisor.stop(1)
            self.assertEqual(supervisor.result(1), "cancel")
            supervisor.expect("bye")
            self.assertEqual(supervisor.end(), 0)


class Signals(unittest.TestCase):
    def test_sigterm_stops_a_sync_handler_that_does_not_ask(self) -> None:
        with FakeSupervisor(HANDLERS).greet() as supervisor:
            supervisor.run(1, "hold_deaf")
            supervisor.expect_log("holding")
            supervisor.stop(1, reason="timeout")
            supervisor.expect_log("told")
            supervisor.process.send_signal(signal.SIGTERM)
            supervisor.expect_log("released")
            self.assertEqual(supervisor.failure(1), ("stopped: timeout", "default"))
            # One run was meant: the worker is well.
            supervisor.run(2, "which_thread")
            self.assertIs(supervisor.result(2), True)
            self.assertEqual(supervisor.drain(), 0)

    def test_sigterm_halfway_through_a_shutdown_stops_what_runs(self) -> None:
        for kind in ("hold_deaf", "ahold", "hold"):
            for closes in (False, True):
                with self.subTest(kind, closes=closes), FakeSupervisor(HANDLERS).greet() as supervisor:
                    supervisor.run(1, kind)
                    supervisor.expect_log("holding")
                    supervisor.stop(reason="shutdown")
                    if closes:
                        supervisor.close()
                    supervisor.process.send_signal(signal.SIGTERM)
                    # What was sent before a signal counts before it, however busy the worker is.
                    self.assertIn("shutdown", repr(supervisor.answer(1).body))
                    supervisor.expect("bye")
                    self.assertEqual(supervisor.end(), 0)

    def test_sigterm_alone_lets_finish_what_runs(self) -> None:
        with FakeSupervisor(HANDLERS).greet() as supervisor:
            supervisor.run(1, "terminate_itself", {"times": 1})
            self.assertEqual(supervisor.result(1), "finished")
            supervisor.expect("bye")
            self.assertEqual(supervisor.end(), 0)

    def test_a_second_sigterm_stops_what_runs(self) -> None:
        with FakeSupervisor(HANDLERS).greet() as supervisor:
            supervisor.run(1, "terminate_itself", {"times": 2})
            self.assertEqual(supervisor.failure(1), ("stopped: terminated", "default"))
            supervisor.expect("bye")
            self.assertEqual(supervisor.end(), 0)

    def test_after_a_sigterm_the_stop_of_the_supervisor_goes_its_own_way(self) -> None:
        for task, reason in ((1, "cancel"), (None, "shutdown"), (None, "terminated")):
            with self.subTest(reason), FakeSupervisor(HANDLERS, CONCURRENCY="3").greet() as supervisor:
                supervisor.run(1, "hold")
                supervisor.run(2, "ahold")
                for _ in range(2):
                    supervisor.expect_log("holding")
                supervisor.process.send_signal(signal.SIGTERM)
                probe = 3
                supervisor.run(probe, "which_thread")
                while supervisor.expect("done", "fail", "back").name == "done":
                    probe += 1
                    supervisor.run(probe, "which_thread")
                self.assertEqual(supervisor.heard[-1].body["task"], probe, "given back: the signal was taken")
                if reason == "terminated":
                    supervisor.process.send_signal(signal.SIGTERM)
                else:
                    supervisor.stop(task, reason)
                if reason == "shutdown":
                    supervisor.process.send_signal(signal.SIGTERM)
                if reason == "cancel":
                    self.assertEqual(supervisor.result(1), "cancel")
                    supervisor.process.send_signal(signal.SIGTERM)
                    self.assertEqual(supervisor.failure(2), ("stopped: terminated", "default"))
                else:
                    answers = {answer.name: answer.body for answer in (supervisor.expect("done", "fail") for _ in "12")}
                    self.assertEqual(unpack(answers["done"]["result"]), reason)
                    self.assertEqual(answers["fail"]["error"], f"stopped: {reason}")
                supervisor.expect("bye")
                self.assertEqual(supervisor.end(), 0)

    def test_sigterm_alone_drains(self) -> None:
        with FakeSupervisor(SAMPLES).greet() as supervisor:
            supervisor.process.send_signal(signal.SIGTERM)
            supervisor.expect("bye")
            self.assertEqual(supervisor.end(), 0)

    def test_sigint_is_not_for_workers(self) -> None:
        with FakeSupervisor(HANDLERS).greet() as supervisor:
            supervisor.run(1, "hold")
            supervisor.expect_log("holding")
            supervisor.process.send_signal(signal.SIGINT)
            supervisor.stop(1)
            self.assertEqual(supervisor.result(1), "cancel")

    def test_a_crash_is_a_crash(self) -> None:
        for args, code in (({}, -signal.SIGSEGV), ({"signal": 9}, -9), ({"signal": 15}, -15), ({"exit": 3}, 3)):
            with self.subTest(args), FakeSupervisor(SAMPLES).greet() as supervisor:
                supervisor.run(1, "crash", args)
                self.assertEqual(supervisor.end(), code)


class Stops(unittest.TestCase):
    def test_each_kind_of_handler_learns_of_a_stop(self) -> None:
        for kind in ("hold_until_checked", "ahold"):
            with self.subTest(kind), FakeSupervisor(HANDLERS).greet() as supervisor:
                supervisor.run(1, kind)
                supervisor.expect_log("holding")
                supervisor.stop(1, reason="budget")
                supervisor.expect_log("released")
                self.assertEqual(supervisor.failure(1), ("stopped: budget", "default"))
                self.assertNotIn("error", [message.body.get("level") for message in supervisor.heard])

    def test_an_unknown_run_is_no_error(self) -> None:
        with FakeSupervisor(SAMPLES).greet() as supervisor:
            supervisor.stop(9)
            supervisor.run(1, "noop")
            supervisor.result(1)


class Concurrency(unittest.TestCase):
    def test_one_at_a_time_is_on_the_main_thread(self) -> None:
        with FakeSupervisor(HANDLERS).greet() as supervisor:
            supervisor.run(1, "which_thread")
            self.assertIs(supervisor.result(1), True)

    def test_sync_handlers_run_at_once_on_threads(self) -> None:
        with FakeSupervisor(HANDLERS, CONCURRENCY="2").greet() as supervisor:
            self.assertEqual(supervisor.heard[1].body["concurrency"], 2)
            supervisor.run(1, "meet_in_threads")
            supervisor.run(2, "meet_in_threads")
            self.assertEqual([supervisor.expect("done").body["result"] for _ in range(2)], [b"\xc2", b"\xc2"])
            self.assertEqual(supervisor.drain(), 0)

    def test_async_handlers_share_a_loop(self) -> None:
        with FakeSupervisor(HANDLERS, CONCURRENCY="2").greet() as supervisor:
            supervisor.run(1, "meet", {"first": True})
            supervisor.run(2, "meet", {"first": False})
            self.assertEqual({supervisor.expect("done").body["task"] for _ in range(2)}, {1, 2})

    def test_only_the_run_that_is_named_is_stopped(self) -> None:
        with FakeSupervisor(HANDLERS, CONCURRENCY="3").greet() as supervisor:
            for task, kind in enumerate(("hold", "ahold", "hold")):
                supervisor.run(task, kind)
                supervisor.expect_log("holding")
            supervisor.stop(1)
            self.assertEqual(supervisor.failure(1), ("stopped: cancel", "default"))
            supervisor.stop(2, reason="timeout")
            self.assertEqual(supervisor.result(2), "timeout")
            self.assertEqual(supervisor.heard[-1].body["task"], 2)


class Failures(unittest.TestCase):
    def test_each_end_of_a_handler_is_one_answer(self) -> None:
        table: list[tuple[str, dict[str, Any], str, Any]] = [
            ("fail", {}, "failed, as asked", "default"),
            ("raise", {}, "RuntimeError: raised, as asked", "default"),
            ("fail", {"error": "no", "retry": "never"}, "no", "never"),
            ("fail", {"error": "busy", "retry": {"after_ms": 1_500}}, "busy", {"after_ms": 1_500}),
            ("fail", {"retry": "later"}, "fail: argument retry: expected one of 'default', 'never' or After", "never"),
            ("sleep", {}, "sleep: argument ms is missing; known arguments are ms", "never"),
            ("sleep", {"ms": "1"}, "sleep: argument ms: expected int, got str '1'; known arguments are ms", "never"),
            ("nothing", {}, "no handler for the kind `nothing`; it offers blob, busy", "never"),
        ]
        with FakeSupervisor(SAMPLES).greet() as supervisor:
            for task, (kind, args, sentence, retry) in enumerate(table):
                supervisor.run(task, kind, args)
                error, wish = supervisor.failure(task)
                self.assertIn(sentence, error)
                self.assertEqual(wish, retry)

    def test_args_that_are_no_map_or_no_messagepack(self) -> None:
        with FakeSupervisor(SAMPLES).greet() as supervisor:
            for task, (args, sentence) in enumerate([(b"\x01", "must be a map"), (b"\x81", "no MessagePack")]):
                supervisor.send("run", task=task, epoch=1, kind="sleep", args=args)
                error, retry = supervisor.failure(task)
                self.assertIn(sentence, error)
                self.assertEqual(retry, "never")

    def test_what_would_end_a_program_ends_the_run(self) -> None:
        with FakeSupervisor(HANDLERS).greet() as supervisor:
            for task, (kind, name) in enumerate([("interrupt", "KeyboardInterrupt"), ("leave", "SystemExit: enough")]):
                supervisor.run(task, kind)
                self.assertIn(name, supervisor.failure(task)[0])
            supervisor.run(5, "aleave")
            self.assertIn("SystemExit", supervisor.failure(5)[0])
            supervisor.run(6, "aname")
            self.assertEqual(supervisor.result(6), "mutirao-loop")
            self.assertEqual(supervisor.drain(), 0)

    def test_a_traceback_has_the_frames_of_its_author_and_an_end(self) -> None:
        with FakeSupervisor(HANDLERS).greet() as supervisor:
            supervisor.run(1, "broken", {"deep": 0})
            error, retry = supervisor.failure(1)
            self.assertEqual(retry, "never")
            self.assertIn("KeyError: 'first'", error)
            self.assertTrue(error.endswith("ValueError: secönd \\udcff"), error)
            self.assertIn("handlers.py", error)
            self.assertNotIn("_handler.py", error)
            supervisor.run(2, "broken", {"deep": 500})
            error, _ = supervisor.failure(2)
            self.assertLessEqual(len(error.encode()), 8 * 1024)
            self.assertTrue(error.endswith("ValueError: secönd \\udcff"), error)

    def test_what_cannot_travel(self) -> None:
        with FakeSupervisor(HANDLERS).greet() as supervisor:
            supervisor.run(1, "unpackable")
            error, retry = supervisor.failure(1)
            self.assertIn("unpackable: result['a'][0] is of type object", error)
            self.assertEqual(retry, "never")
            supervisor.run(2, "big", {"size_bytes": 2**20})
            self.assertIn("the limit is 1048576", supervisor.failure(2)[0])

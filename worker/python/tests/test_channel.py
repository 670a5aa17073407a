"""Nothing but frames on the channel, whatever a handler prints, forks or starts."""

from __future__ import annotations

import re
import signal
import unittest
from collections import Counter
from typing import Any

from .fake_supervisor import CHANNELS, HANDLERS, SAMPLES, FakeSupervisor


class Prints(unittest.TestCase):
    def test_prints_from_everywhere_harm_no_frame(self) -> None:
        for channel in CHANNELS:
            with self.subTest(channel), FakeSupervisor(HANDLERS, channel).greet() as supervisor:
                for task in range(3):
                    supervisor.run(task, "print_everywhere", {"times": 10})
                    places = supervisor.result(task)
                self.assertEqual(supervisor.drain(), 0)
                printed = Counter(re.findall(r"[a-z]+ \d+", supervisor.printed_at_end()))
                self.assertEqual(printed, {f"{place} {number}": 3 for place in places for number in range(10)})

    def test_the_print_sample_prints_where_it_is_asked_to(self) -> None:
        table: list[tuple[dict[str, Any], int]] = [
            ({}, 2),
            ({"text": "olá", "lines": 3, "to": "stdout"}, 3),
            ({"to": "stderr", "from": "child"}, 1),
            ({"from": "thread"}, 2),
        ]
        with FakeSupervisor(SAMPLES).greet() as supervisor:
            for task, (args, lines) in enumerate(table):
                supervisor.run(task, "print", args)
                self.assertEqual(supervisor.result(task), lines)
            supervisor.run(9, "print", {"from": "nowhere"})
            self.assertIn("argument from: expected one of", supervisor.failure(9)[0])
            supervisor.drain()
            self.assertEqual(supervisor.printed_at_end().split(), ["hello"] * 2 + ["olá"] * 3 + ["hello"] * 3)

    def test_large_frames_are_whole_while_others_speak(self) -> None:
        with FakeSupervisor(HANDLERS, CONCURRENCY="8").greet() as supervisor:
            for task in range(8):
                supervisor.run(task, "big", {"size_bytes": 300_000})
            results = [supervisor.expect("done").body["result"] for _ in range(8)]
            self.assertEqual(set(results), {b"\xc6\x00\x04\x93\xe0" + b"\xab" * 300_000})
            self.assertEqual(supervisor.drain(), 0)

    def test_beats_go_on_whatever_the_handler_does(self) -> None:
        with FakeSupervisor(HANDLERS).greet(beat_ms=10) as supervisor:
            supervisor.run(1, "hold_deaf")
            for _ in range(3):
                supervisor.expect("beat")
            supervisor.stop(1)
            supervisor.expect_log("told")
            supervisor.process.send_signal(signal.SIGTERM)
            supervisor.failure(1)
            for task in range(2, 12):
                supervisor.run(task, "big", {"size_bytes": 500_000})
                self.assertEqual(len(supervisor.result(task)), 500_000)
        with FakeSupervisor(HANDLERS).greet(features=["note"], beat_ms=10) as supervisor:
            supervisor.run(1, "tell_progress", {"times": 100_000})
            supervisor.result(1)
            self.assertNotIn("beat", [message.name for message in supervisor.heard])

    def test_stdin_is_empty_and_the_cookie_is_gone(self) -> None:
        for channel in CHANNELS:
            with self.subTest(channel), FakeSupervisor(HANDLERS, channel).greet() as supervisor:
                supervisor.run(1, "read_stdin")
                self.assertEqual(supervisor.result(1), ["", ""])
                supervisor.run(2, "environment")
                self.assertEqual(supervisor.result(2), [[None, "None"]] * 2)
                supervisor.run(3, "descriptors")
                self.assertEqual(supervisor.result(3), [])

    def test_a_forked_process_is_no_worker(self) -> None:
        for channel in CHANNELS:
            with self.subTest(channel):
                self._fork(channel)

    def _fork(self, channel: str) -> None:
        with FakeSupervisor(HANDLERS, channel).greet() as supervisor:
            supervisor.run(1, "fork_and_log")
            self.assertEqual(supervisor.result(1), 7)
            self.assertEqual([message.name for message in supervisor.heard], ["booting", "hello", "ready", "done"])
            supervisor.drain()
            printed = supervisor.printed_at_end()
            self.assertIn("by the context of a child\n", printed)
            self.assertIn("app: by a child\n", printed)


class Notes(unittest.TestCase):
    def test_progress_is_coalesced_and_the_last_word_comes_before_the_answer(self) -> None:
        with FakeSupervisor(HANDLERS).greet() as supervisor:
            supervisor.run(1, "tell_progress", {"times": 20_000})
            supervisor.result(1)
            notes = [message.body for message in supervisor.heard if message.name == "note"]
            self.assertEqual((notes[0]["done"], notes[0]["total"], notes[0]["message"]), (1.0, 20_000.0, None))
            self.assertEqual((notes[-1]["done"], notes[-1]["message"]), (20_000.0, "almost done"))
            self.assertLess(len(notes), 1_000)
            self.assertTrue(all(note["seq"] == 0 for note in notes))
            self.assertEqual(supervisor.heard[-2].name, "note")

    def test_each_note_that_spends_waits_for_its_ack(self) -> None:
        with FakeSupervisor(HANDLERS).greet() as supervisor:
            for task, kind in enumerate(("spend_and_wait", "aspend")):
                supervisor.run(task, kind)
                spent: dict[str, int] = {}
                notes = 0
                while (message := supervisor.expect("note", "done")).name == "note":
                    notes += 1
                    self.assertEqual(message.body["seq"], notes)
                    for unit, amount in message.body["spend"].items():
                        spent[unit] = spent.get(unit, 0) + amount
                    supervisor.ack(message)
                self.assertEqual(message.body["result"], b"\x93\xc3\xc3\xc3")
                self.assertEqual(spent, [{"tokens": 5, "usd_micro": 7}, {"tokens": 1, "a": 1, "b": 1}][task])

    def test_what_is_spent_meanwhile_goes_with_the_next_note_and_the_answer_waits(self) -> None:
        with FakeSupervisor(HANDLERS).greet() as supervisor:
            supervisor.run(1, "spend_without_waiting")
            first = supervisor.expect("note")
            self.assertEqual((first.body["seq"], first.body["spend"]), (1, {"tokens": 1}))
            supervisor.ack(first)
            total = {"tokens": 1}
            while (message := supervisor.expect("note", "done")).name == "note":
                for unit, amount in message.body["spend"].items():
                    total[unit] = total.get(unit, 0) + amount
                supervisor.ack(message)
            self.assertEqual(total, {"tokens": 100, "usd_micro": 3})

    def test_a_supervisor_without_notes_gets_none(self) -> None:
        with FakeSupervisor(HANDLERS).greet(features=[]) as supervisor:
            supervisor.run(1, "spend_and_wait")
            self.assertEqual(supervisor.result(1), [False, False, False])
            self.assertNotIn("note", [message.name for message in supervisor.heard])

    def test_nothing_is_heard_of_a_run_that_is_answered(self) -> None:
        with FakeSupervisor(HANDLERS).greet() as supervisor:
            supervisor.run(1, "leave_context")
            supervisor.result(1)
            supervisor.run(2, "use_left_context")
            self.assertIs(supervisor.result(2), False)
            self.assertNotIn("note", [message.name for message in supervisor.heard])
            supervisor.drain()


class Logs(unittest.TestCase):
    def test_records_are_lines_of_the_run_that_they_belong_to(self) -> None:
        with FakeSupervisor(HANDLERS).greet() as supervisor:
            supervisor.run(1, "log_everywhere")
            self.assertIs(supervisor.result(1), True)
            logs = [message.body for message in supervisor.heard if message.name == "log"]
            mine = {"task": 1, "epoch": 1}
            self.assertEqual(logs[0], {"run": mine, "level": "info", "message": "app: olá 1"})
            self.assertRegex(
                logs[1]["message"], r"^app: a record from .*handlers.py:\d+ cannot be formatted \(RuntimeError\)$"
            )
            self.assertEqual(logs[2], {"run": mine, "level": "warn", "message": "app: talkative"})
            self.assertEqual((logs[3]["level"], len(logs[3]["message"])), ("error", 8 * 1024))
            self.assertEqual([log["run"] for log in logs[4:]], [mine, None])
            self.assertEqual(supervisor.drain(), 0)

    def test_logging_can_be_left_alone(self) -> None:
        with FakeSupervisor(HANDLERS, LOGGING="off").greet() as supervisor:
            supervisor.run(1, "log_everywhere")
            supervisor.result(1)
            self.assertNotIn("log", [message.name for message in supervisor.heard])
